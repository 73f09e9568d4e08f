import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';

// Tests that need something beside the checkout. Without it they are skipped under their name, which says what they need;
// `.ci/run` accepts such a skip only when the variable is set to `none`, so that nobody skips by accident.

const root = fileURLToPath(new URL('../..', import.meta.url));

type Body = (path: string) => void | Promise<void>;

/** The folder with recorded traces and reference numbers: KERF_REFERENCE, by default `../shared` beside the checkout. */
export const referenceFolder = given('KERF_REFERENCE', resolve(root, '../shared'));

/** A Python that can import pyarrow, pandas, polars and duckdb: KERF_PYTHON, by default the one of `.venv` in the checkout. */
export const python = given('KERF_PYTHON', resolve(root, '.venv/bin/python'));

/** Slow cases run too: `npm run nightly`. */
export const nightly = process.env['KERF_NIGHTLY'] === '1';

/** A test that reads the reference folder; the body gets its path. */
export function testWithReference(title: string, body: Body, timeoutMilliseconds?: number): void {
  const folder = referenceFolder;
  const name = `${title} (needs KERF_REFERENCE)`;
  if (folder === undefined) test.skip(name, () => {});
  else test(name, () => body(folder), timeoutMilliseconds);
}

/** A test that runs Python; the body gets the path of the interpreter. */
export function testWithPython(title: string, body: Body, timeoutMilliseconds?: number): void {
  const interpreter = python;
  const name = `${title} (needs KERF_PYTHON)`;
  if (interpreter === undefined) test.skip(name, () => {});
  else test(name, () => body(interpreter), timeoutMilliseconds);
}

/**
 * A test on a file system of `bytes`, mounted in memory for it; only root on Linux may do that. Elsewhere it is skipped, which
 * KERF_SMALL_DISK=none says is known.
 */
export function testWithSmallDisk(title: string, bytes: number, body: Body): void {
  const name = `${title} (needs KERF_SMALL_DISK)`;
  if (process.env['KERF_SMALL_DISK'] === 'none' || process.platform !== 'linux' || process.getuid?.() !== 0) return test.skip(name, () => {});
  test(name, async () => {
    const disk = mkdtempSync(join(tmpdir(), 'kerf-disk-'));
    try {
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'kerf-small-disk', disk], { encoding: 'utf8' });
      if (mounted.status !== 0) throw new Error(`No small disk could be mounted; set KERF_SMALL_DISK=none to skip this test: ${mounted.stderr}`);
      try {
        await body(disk);
      } finally {
        spawnSync('umount', [disk]);
      }
    } finally {
      rmdirSync(disk);
    }
  });
}

/** A slow test. It does not exist in an ordinary run, so its file needs an ordinary test beside it. */
export function nightlyTest(title: string, body: () => void | Promise<void>, timeoutMilliseconds?: number): void {
  if (nightly) test(title, () => body(), timeoutMilliseconds);
}

function given(variable: string, fallback: string): string | undefined {
  const value = process.env[variable];
  if (value === 'none') return undefined;
  if (value === undefined || value === '') return existsSync(fallback) ? fallback : undefined;
  if (statSync(value, { throwIfNoEntry: false }) === undefined) throw new Error(`${variable}=${value} does not exist; set it to a path or to none.`);
  return resolve(value);
}
