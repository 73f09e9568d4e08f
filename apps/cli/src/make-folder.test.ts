import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFolder } from './make-folder.ts';

test('makes all folders of a path, and those that are there stay', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-folders-'));
  makeFolder(join(folder, 'a', 'b', 'c'));
  makeFolder(join(folder, 'a', 'b', 'c'));
  expect(statSync(join(folder, 'a/b/c')).isDirectory()).toBe(true);
  writeFileSync(join(folder, 'file'), '');
  // Node 20 says the one, Node 24 the other.
  expect(() => makeFolder(join(folder, 'file', 'below'))).toThrow(/ENOTDIR|EEXIST/);
  expect(() => makeFolder(join(folder, 'file'))).toThrow(/EEXIST/);
  rmSync(folder, { recursive: true });
});

test.skipIf(!existsSync('/proc'))('fails where no folder can be made, and does not try for ever', () => {
  expect(() => makeFolder('/proc/kerf/folder')).toThrow(/ENOENT|EACCES/);
});
