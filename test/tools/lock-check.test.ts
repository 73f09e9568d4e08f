import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { lockFaults } from '../../tools/lock-check.mjs';

const script = fileURLToPath(new URL('../../tools/lock-check.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'kerf-lock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const native = { optionalDependencies: { '@native/linux-x64': '1.0.0', '@native/darwin-arm64': '1.0.0' } };
const binary = { version: '1.0.0', optional: true };

function lock(packages: Record<string, object>) {
  return { lockfileVersion: 3, packages: { '': {}, ...packages } };
}

test('a lock with every optional binary beside its package is complete', () => {
  expect(lockFaults(lock({
    'node_modules/native': native,
    'node_modules/@native/linux-x64': binary,
    'node_modules/@native/darwin-arm64': binary,
  }))).toEqual([]);
});

test('a missing binary is named together with the package that wants it', () => {
  expect(lockFaults(lock({ 'node_modules/native': native, 'node_modules/@native/linux-x64': binary }))).toEqual([
    'native: the lock has no entry for its optional dependency @native/darwin-arm64.',
  ]);
});

test('a binary is found nested under its package, or hoisted to any folder above it', () => {
  expect(lockFaults(lock({
    'node_modules/outer/node_modules/native': native,
    'node_modules/outer/node_modules/native/node_modules/@native/linux-x64': binary,
    'node_modules/outer/node_modules/@native/darwin-arm64': binary,
  }))).toEqual([]);
});

test('a binary nested under another package does not count', () => {
  expect(lockFaults(lock({
    'node_modules/native': native,
    'node_modules/@native/linux-x64': binary,
    'node_modules/other/node_modules/@native/darwin-arm64': binary,
  }))).toHaveLength(1);
});

test('the optional dependencies of a workspace are looked up in its own folder first', () => {
  expect(lockFaults(lock({
    'packages/cluster': { optionalDependencies: { here: '1.0.0', above: '1.0.0', nowhere: '1.0.0' } },
    'packages/cluster/node_modules/here': {},
    'node_modules/above': {},
  }))).toEqual(['packages/cluster: the lock has no entry for its optional dependency nowhere.']);
});

test('a registry host in "resolved" is a fault; a link to a workspace is none', () => {
  expect(lockFaults(lock({
    'node_modules/a': { resolved: 'https://mirror.example/a/-/a-1.0.0.tgz' },
    'node_modules/b': { resolved: 'git+ssh://git@host.example/b.git#1' },
    'node_modules/@kerf/hardware': { resolved: 'packages/hardware', link: true },
  }))).toEqual([
    expect.stringContaining('a: "resolved" names a host (mirror.example)'),
    expect.stringContaining('b: "resolved" names a host (git@host.example)'),
  ]);
});

test('a lock of the first format is refused, since it cannot be checked', () => {
  expect(lockFaults({ lockfileVersion: 1 })).toHaveLength(1);
});

test('the command exits with 1 and names the missing binary, with 0 on a complete lock', () => {
  const file = join(folder, 'package-lock.json');
  const run = (packages: Record<string, object>) => {
    writeFileSync(file, JSON.stringify(lock(packages)));
    return spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  };
  const broken = run({ 'node_modules/native': native });
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain('@native/linux-x64');
  const whole = run({ 'node_modules/a': {} });
  expect(whole.status).toBe(0);
  expect(whole.stdout).toContain('lock complete');
});

test('the lock of this project is complete', () => {
  expect(spawnSync(process.execPath, [script], { encoding: 'utf8' })).toMatchObject({ status: 0 });
});
