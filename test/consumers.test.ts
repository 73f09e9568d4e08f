import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import type * as DuckDBWasm from '@duckdb/duckdb-wasm/blocking';
import { DuckDBInstance } from '@duckdb/node-api';
import { memorySource, MemorySink, readTable, streamToFile, TableWriter, type ColumnSpec } from '@kerf/arrow';
import { runTables, TABLE_NAMES } from '@kerf/results';
import { tableFromIPC as flechetteFromIPC } from '@uwdata/flechette';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import type * as ParquetWasm from 'parquet-wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import { tableFiles } from './support/arrow-tables.ts';
import { completeRun, root, scratchFolder } from './support/kerf.ts';
import { testWithPython } from './support/needs.ts';

// What others read in our tables is what we wrote, to the last bit of a 64-bit integer.

/** Whole numbers as text, so that nothing is rounded on the way here; floating-point numbers and words as they are. */
type Value = string | number;
/** [column][row] */
type Columns = Readonly<Record<string, readonly Value[]>>;

interface Written { readonly path: string; readonly bytes: Uint8Array; readonly spec: readonly ColumnSpec[]; readonly columns: Columns }

const folder = scratchFolder();
let files: Written[] = [];

beforeAll(() => {
  const { runDir } = completeRun(['--trace', join(root, 'traces/gpt-oss-20b-synthetic'), '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-8',
    '--steps', '2', '--tokens-per-die', '1', '--transport', 'memory', '--out', join(folder, 'run')]);
  mkdirSync(join(folder, 'limits'));
  files = [...TABLE_NAMES.flatMap((table) => tableFiles(runDir, table)), ...TABLE_NAMES.map(writeLimits)].map(readWithOurs);
});

/** A table whose columns hold the smallest and largest values that they may: 2^53 − 1 for 64-bit integers. */
function writeLimits(name: (typeof TABLE_NAMES)[number]): string {
  const spec = runTables({ clockMegahertz: 1000, binCycles: 1000 })[name];
  const most = { u8: 2 ** 8 - 1, u16: 2 ** 16 - 1, u32: 2 ** 32 - 1, i32: 2 ** 31 - 1, u64: Number.MAX_SAFE_INTEGER, f32: 1.5, f64: 0.1 + 0.2, name: 0 } as const;
  const stream = new MemorySink();
  const writer = new TableWriter(spec, stream);
  for (let row = 0; row < 4; row++) {
    spec.columns.forEach(({ type, names }, column) => {
      const largest = type === 'name' ? names!.length - 1 : most[type];
      const middle = type === 'f64' ? 1 / 3 : Math.min(largest, type === 'u64' ? 2 ** 32 + 1 : 1);
      writer.set(column, [0, middle, type === 'u64' ? largest - 1 : middle, largest][row]!);
    });
    writer.endRow();
  }
  writer.finish();
  const file = new MemorySink();
  streamToFile(memorySource(name, stream.bytes()), file);
  const path = join(folder, 'limits', `${name}.arrow`);
  writeFileSync(path, file.bytes());
  return path;
}

function readWithOurs(path: string): Written {
  const bytes = new Uint8Array(readFileSync(path));
  const table = readTable(memorySource(path, bytes));
  const spec = table.spec.columns;
  const columns: Record<string, Value[]> = Object.fromEntries(spec.map(({ name }) => [name, []]));
  for (const batch of table.batches()) {
    for (const { name, type } of spec) {
      const values: Iterable<number | bigint | string> = type === 'name' ? batch.names(name) : batch.column(name);
      for (const value of values) columns[name]!.push(plain(value, type));
    }
  }
  return { path, bytes, spec, columns };
}

function plain(value: unknown, type: ColumnSpec['type']): Value {
  if (type === 'name') return value as string;
  return type === 'f32' || type === 'f64' ? (value as number) : String(value);
}

/** What a reader makes of a file: a list of values for each column. */
type Reader = (file: Written) => Readonly<Record<string, Iterable<unknown>>> | Promise<Readonly<Record<string, Iterable<unknown>>>>;

async function agrees(read: Reader): Promise<void> {
  expect(files.length).toBe(8 + 8 + 8 + 1 + 4);
  for (const file of files) {
    const found = await read(file);
    expect(Object.keys(found)).toEqual(file.spec.map(({ name }) => name));
    for (const { name, type } of file.spec) {
      const values = Array.from(found[name]!, (value) => plain(value, type));
      expect(values, `${relative(folder, file.path)}: ${name}`).toEqual(file.columns[name]);
    }
  }
}

test('the tables hold 64-bit integers that no 32-bit and no floating-point detour keeps', () => {
  const all = files.flatMap(({ spec, columns }) => spec.filter(({ type }) => type === 'u64').flatMap(({ name }) => columns[name]!));
  expect(all).toEqual(expect.arrayContaining(['9007199254740991', '9007199254740990', '4294967297']));
});

test('apache-arrow reads what we wrote', () => agrees(({ bytes, spec }) => {
  const table = tableFromIPC(bytes);
  return Object.fromEntries(table.schema.fields.map(({ name }, at) => [name, spec[at]!.type === 'name' ? [...table.getChildAt(at)!] : table.getChildAt(at)!.toArray() as Iterable<unknown>]));
}));

test('apache-arrow finds units and descriptions in the schema', () => {
  for (const { bytes, spec } of files) {
    const { fields } = tableFromIPC(bytes).schema;
    expect(fields.map(({ metadata }) => ({ unit: metadata.get('unit') ?? '', description: metadata.get('description') ?? '' }))).toEqual(spec.map(({ unit, description }) => ({ unit, description })));
  }
});

test('flechette reads what we wrote', () => agrees(({ bytes }) => {
  const table = flechetteFromIPC(bytes, { useBigInt: true });
  return Object.fromEntries(table.schema.fields.map(({ name }, at) => [name, table.getChildAt(at)]));
}));

test('DuckDB in WebAssembly reads what we wrote', async () => {
  const require = createRequire(import.meta.url);
  const place = join(require.resolve('@duckdb/duckdb-wasm'), '..');
  const duckdb = require('@duckdb/duckdb-wasm/blocking') as typeof DuckDBWasm;
  const bundle = (kind: string) => ({ mainModule: join(place, `duckdb-${kind}.wasm`), mainWorker: join(place, `duckdb-node-${kind}.worker.cjs`) });
  const database = await duckdb.createDuckDB({ mvp: bundle('mvp'), eh: bundle('eh') }, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME);
  await database.instantiate(() => undefined);
  const connection = database.connect();
  let count = 0;
  await agrees(({ bytes }) => {
    const name = `t${count++}`;
    connection.insertArrowFromIPCStream(tableToIPC(tableFromIPC(bytes), 'stream'), { name, create: true });
    const table = connection.query(`select * from ${name}`);
    return Object.fromEntries(table.schema.fields.map((field, at) => [field.name, [...table.getChildAt(at)!]]));
  });
  connection.close();
});

describe('through Parquet', () => {
  test('native DuckDB reads what we wrote', async () => {
    const parquet = createRequire(import.meta.url)('parquet-wasm') as typeof ParquetWasm;
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    let count = 0;
    await agrees(async ({ bytes }) => {
      const path = join(folder, `${count++}.parquet`);
      writeFileSync(path, parquet.writeParquet(parquet.Table.fromIPCStream(tableToIPC(tableFromIPC(bytes), 'stream'))));
      const answer = await connection.runAndReadAll(`select * from '${path}'`);
      return answer.getColumnsObjectJS() as Record<string, Iterable<unknown>>;
    });
    connection.closeSync();
  });
});

// One process for all readers and files: imports take longer than reading.
const script = `
import json, sys
import duckdb, pandas, polars, pyarrow
from pyarrow import ipc

def plain(value):
    if isinstance(value, float) or isinstance(value, str): return value
    return str(int(value))

def pyarrow_(path):
    return ipc.open_file(path).read_all().to_pydict()
def pandas_(path):
    frame = pandas.read_feather(path)
    return {name: frame[name].tolist() for name in frame.columns}
def polars_(path):
    return polars.read_ipc(path, memory_map=False).to_dict(as_series=False)
def duckdb_(path):
    written = ipc.open_file(path).read_all()
    answer = duckdb.sql('select * from written')
    rows = answer.fetchall()
    return {name: [row[at] for row in rows] for at, name in enumerate(answer.columns)}

readers = {'pyarrow': pyarrow_, 'pandas': pandas_, 'Polars': polars_, 'DuckDB': duckdb_}
read = readers[sys.argv[1]]
json.dump([{name: [plain(value) for value in values] for name, values in read(path).items()} for path in json.load(sys.stdin)], sys.stdout)
`;

describe('in Python', () => {
  for (const reader of ['pyarrow', 'pandas', 'Polars', 'DuckDB']) {
    testWithPython(`${reader} reads what we wrote`, async (python) => {
      const { status, stdout, stderr } = spawnSync(python, ['-c', script, reader], { input: JSON.stringify(files.map(({ path }) => path)), encoding: 'utf8', maxBuffer: 1 << 28 });
      expect([status, stderr]).toEqual([0, '']);
      const answers = JSON.parse(stdout) as Record<string, Value[]>[];
      await agrees((file) => answers[files.indexOf(file)]!);
    });
  }
});
