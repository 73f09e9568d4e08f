import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTable, TableWriter, type TableSpec } from '@kerf/arrow';
import type { WrittenFile } from '@kerf/cluster';
import { tablePath } from '@kerf/results';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileSource, traceFiles } from './files.ts';
import { TableFiles } from './table-files.ts';

const spec: TableSpec = { name: 'links', metadata: {}, columns: [{ name: 'bytes', type: 'u64', unit: 'bytes', description: 'Bytes.' }] };
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-node-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(files: TableFiles, dieId: number, values: readonly number[]): void {
  const writer = new TableWriter(spec, files.open('links', dieId));
  for (const value of values) {
    writer.set(0, value);
    writer.endRow();
  }
  writer.finish();
}

test('streams become files with their rows, sizes and digests, and are gone', () => {
  const files = new TableFiles(folder);
  write(files, 0, [1, 2, 3]);
  write(files, 1, []);
  const written = files.convert();
  expect(written.map(({ table, dieId, rows }) => [table, dieId, rows])).toEqual([['links', 0, 3], ['links', 1, 0]]);
  for (const { path, bytes, sha256, dieId } of written) {
    const content = readFileSync(join(folder, path));
    expect(content.length).toBe(bytes);
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    expect(existsSync(join(folder, tablePath('links', dieId, 'stream')))).toBe(false);
  }
  const source = new FileSource(join(folder, written[0]!.path));
  expect([...readTable(source).batches()].flatMap((batch) => [...batch.numbers('bytes')])).toEqual([1, 2, 3]);
  source.close();
  files.close();
});

test('a table that is there already is not overwritten', () => {
  write(new TableFiles(folder), 0, [1]);
  expect(() => new TableFiles(folder).open('links', 0)).toThrow(expect.objectContaining({ code: 'FILE_UNWRITABLE' }));
});

test('a trace is a folder of files, or one file by itself', () => {
  const files = new TableFiles(folder);
  write(files, 0, [1]);
  const [{ path }] = files.convert() as [WrittenFile];
  const one = traceFiles(join(folder, path));
  const [name] = one.list() as [string];
  expect(path.endsWith(name)).toBe(true);
  const all = traceFiles(join(folder, path, '..'));
  expect(all.list()).toEqual([name]);
  expect([...all.open(name).read(0, 6)]).toEqual([...one.open(name).read(0, 6)]);
  expect(one.open(name).read(1e9, 5).length).toBe(0);
  one.close();
  all.close();
});
