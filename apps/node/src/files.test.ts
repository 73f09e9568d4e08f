import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertFile, traceFiles } from './files.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  writeFileSync(join(folder, 'file'), 'x');
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([['pipe', 'is a pipe'], ['.', 'is a folder'], ['missing', 'There is no file']])('%s is refused before it is opened', (name, message) => {
  expect(() => assertFile(join(folder, name))).toThrow(message);
});

test('a trace that is a pipe is refused at once, not waited for', () => {
  expect(() => traceFiles(join(folder, 'pipe'))).toThrow('is a pipe, not a file');
});

test('a plain file passes', () => {
  expect(() => assertFile(join(folder, 'file'))).not.toThrow();
});
