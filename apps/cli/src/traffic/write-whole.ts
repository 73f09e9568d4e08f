import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeError } from '@kerf/node';
import { CliError } from '../errors.ts';

/** @throws CliError `OUTPUT_EXISTS`, before anything is simulated */
export function refuseExisting(paths: readonly string[], force: boolean): void {
  const there = paths.find((path) => existsSync(path));
  if (force || there === undefined) return;
  throw new CliError('OUTPUT_EXISTS', `${there} exists; --force replaces it.`, { path: there });
}

/** Writes a file that is there as a whole or not at all. */
export function writeWhole(path: string, data: string | Uint8Array): void {
  const partial = `${path}.partial`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(partial, data);
    renameSync(partial, path);
  } catch (error) {
    try {
      rmSync(partial, { force: true });
    } catch {
      // Under a path that leads through a file there is nothing to remove.
    }
    throw writeError(error, path);
  }
}
