import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nextRunFolder, RunFolder, type RunFolderOptions } from './run-folder.ts';

let parent: string;
let path: string;
const options = (force: boolean): RunFolderOptions => ({
  force,
  tables: ['steps', 'links'],
  isManifest: (value) => typeof value === 'object' && value !== null && 'kerf' in value,
});
const code = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return undefined;
};

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'kerf-'));
  path = join(parent, 'deep', 'run');
});
afterEach(() => rmSync(parent, { recursive: true }));

function makeRun(): RunFolder {
  const folder = RunFolder.create(path, JSON.stringify({ kerf: true, status: 'running' }), options(false));
  writeFileSync(join(path, 'links', 'die-0003.arrow'), 'x');
  writeFileSync(join(path, 'links', 'die-0004.arrows'), 'x');
  return folder;
}

test('a new run folder says that it is running and has a folder per table', () => {
  RunFolder.create(path, JSON.stringify({ kerf: true, status: 'running' }), options(false));
  expect(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'))).toEqual({ kerf: true, status: 'running' });
  expect(readdirSync(path)).toEqual(['links', 'manifest.json', 'manifest.reserve.tmp', 'steps']);
});

test('a closed run folder holds the last manifest and the tables, nothing else', () => {
  makeRun().close(JSON.stringify({ kerf: true, status: 'complete' }));
  expect(readdirSync(path)).toEqual(['links', 'manifest.json', 'steps']);
  expect(JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'))).toEqual({ kerf: true, status: 'complete' });
});

test('whatever exists is refused without --force', () => {
  makeRun();
  expect(code(() => RunFolder.create(path, '{}', options(false)))).toBe('RUN_FOLDER_EXISTS');
  mkdirSync(join(parent, 'empty'));
  expect(code(() => RunFolder.create(join(parent, 'empty'), '{}', options(false)))).toBe('RUN_FOLDER_EXISTS');
});

test('--force replaces a run folder, finished or cut off', () => {
  makeRun();
  RunFolder.create(path, JSON.stringify({ kerf: true, status: 'running' }), options(true)).close(JSON.stringify({ kerf: true, again: true }));
  expect(readdirSync(join(path, 'links'))).toEqual([]);
  RunFolder.create(path, JSON.stringify({ kerf: true, status: 'running' }), options(true));
});

test.each<[string, () => void]>([
  ['a foreign file beside the manifest', () => writeFileSync(join(path, 'thesis.tex'), 'x')],
  ['a foreign file in a table', () => writeFileSync(join(path, 'links', 'notes.txt'), 'x')],
  ['a foreign folder', () => mkdirSync(join(path, 'src'))],
  ['a folder in a table', () => mkdirSync(join(path, 'links', 'die-1.arrow'))],
  ['a symbolic link to a table', () => symlinkSync(parent, join(path, 'links', 'die-9.arrow'))],
  ['a symbolic link instead of the manifest', () => {
    rmSync(join(path, 'manifest.json'));
    writeFileSync(join(parent, 'other.json'), '{"kerf":true}');
    symlinkSync(join(parent, 'other.json'), join(path, 'manifest.json'));
  }],
  ['no manifest', () => rmSync(join(path, 'manifest.json'))],
  ['a manifest of something else', () => writeFileSync(join(path, 'manifest.json'), '{"name":"app"}')],
  ['a manifest that is no JSON', () => writeFileSync(join(path, 'manifest.json'), '{')],
])('--force refuses %s, and removes nothing', (_, spoil) => {
  makeRun();
  spoil();
  const before = readdirSync(path, { recursive: true });
  expect(code(() => RunFolder.create(path, '{}', options(true)))).toBe('RUN_FOLDER_FOREIGN');
  expect(readdirSync(path, { recursive: true })).toEqual(before);
});

test('--force refuses a symbolic link to a run folder, an empty folder and a file', () => {
  makeRun();
  const link = join(parent, 'link');
  symlinkSync(path, link);
  expect(code(() => RunFolder.create(link, '{}', options(true)))).toBe('RUN_FOLDER_FOREIGN');
  expect(existsSync(join(path, 'manifest.json'))).toBe(true);
  mkdirSync(join(parent, 'empty'));
  expect(code(() => RunFolder.create(join(parent, 'empty'), '{}', options(true)))).toBe('RUN_FOLDER_FOREIGN');
  writeFileSync(join(parent, 'file'), 'x');
  expect(code(() => RunFolder.create(join(parent, 'file'), '{}', options(true)))).toBe('RUN_FOLDER_FOREIGN');
});

test('a folder that cannot be made is bad input', () => {
  writeFileSync(join(parent, 'file'), 'x');
  expect(code(() => RunFolder.create(join(parent, 'file', 'run'), '{}', options(false)))).toBe('FILE_UNWRITABLE');
});

test('runs without a name are numbered after the last', () => {
  const runs = join(parent, 'runs');
  expect(nextRunFolder(runs)).toBe(join(runs, '0001'));
  mkdirSync(join(runs, '0007'), { recursive: true });
  expect(nextRunFolder(runs)).toBe(join(runs, '0008'));
});

test('a folder that a living process writes to is left alone, also with --force', () => {
  mkdirSync(join(parent, 'deep'));
  writeFileSync(`${path}.lock`, String(process.ppid));
  expect(code(() => RunFolder.create(path, '{}', options(true)))).toBe('RUN_FOLDER_BUSY');
  expect(existsSync(path)).toBe(false);
});

test('the claim of a process that is gone counts for nothing', () => {
  mkdirSync(join(parent, 'deep'));
  writeFileSync(`${path}.lock`, String(2 ** 22 + 1)); // above the largest process id
  RunFolder.create(path, '{}', options(false));
  expect(readFileSync(`${path}.lock`, 'utf8')).toBe(String(process.pid));
});
