import { tableFromIPC } from 'apache-arrow';
import { tableFromIPC as flechetteTable } from '@uwdata/flechette';
import { expect, test } from 'vitest';
import { MemorySink } from './bytes.ts';
import { ArrowTableError } from './errors.ts';
import type { ColumnType, TableSpec } from './spec.ts';
import { TableWriter } from './table-writer.ts';

const spec: TableSpec = {
  name: 'example',
  metadata: { formatVersion: '3', source: 'a test' },
  columns: [
    { name: 'small', type: 'u8', unit: '', description: 'eight bits' },
    { name: 'medium', type: 'u16', unit: '', description: 'sixteen bits' },
    { name: 'tile', type: 'u32', unit: '', description: 'thirty-two bits' },
    { name: 'cycle', type: 'u64', unit: 'cycles', description: 'sixty-four bits' },
    { name: 'delta', type: 'i32', unit: 'bytes', description: 'signed' },
    { name: 'weight', type: 'f32', unit: '', description: 'single' },
    { name: 'nanoseconds', type: 'f64', unit: 'ns', description: 'double' },
    { name: 'phase', type: 'name', unit: '', description: 'a word', names: ['dispatch', 'combine', 'Ωμέγα'] },
  ],
};

const ROWS: readonly (readonly number[])[] = [
  [0, 0, 0, 0, -(2 ** 31), 0, -1e300, 0],
  [255, 65535, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER, 2 ** 31 - 1, 0.5, 1 / 3, 2],
  [1, 2, 3, 2 ** 32, -1, -2, Number.MIN_VALUE, 1],
  [1, 2, 3, 2 ** 53 - 2 ** 32, -1, -2, 0, 1],
];

function write(rows: readonly (readonly number[])[], format: 'stream' | 'file'): Uint8Array {
  const sink = new MemorySink();
  const writer = new TableWriter(spec, sink, { format, batchRows: 3 });
  for (const row of rows) {
    row.forEach((value, column) => writer.set(column, value));
    writer.endRow();
  }
  writer.finish();
  expect(writer.bytesWritten).toBe(sink.byteLength);
  expect(writer.rows).toBe(rows.length);
  return sink.bytes();
}

function expected(row: readonly number[]): unknown[] {
  return row.map((value, column) => (column === 3 ? BigInt(value) : column === 7 ? spec.columns[7]!.names![value] : value));
}

test.each(['stream', 'file'] as const)('apache-arrow and flechette read every value of a %s exactly', (format) => {
  const bytes = write(ROWS, format);
  const arrow = tableFromIPC(bytes);
  const flechette = flechetteTable(bytes, { useBigInt: true });
  expect(flechette.names).toEqual(spec.columns.map(({ name }) => name));
  for (const [row, values] of ROWS.entries()) {
    expect(spec.columns.map(({ name }) => arrow.getChild(name)!.get(row))).toEqual(expected(values));
    expect(spec.columns.map(({ name }) => flechette.getChild(name).at(row))).toEqual(expected(values));
  }
  expect(arrow.numRows).toBe(ROWS.length);
  expect(flechette.numRows).toBe(ROWS.length);
});

test.each(['stream', 'file'] as const)('the schema of a %s tells name, version, units and descriptions', (format) => {
  const { schema } = tableFromIPC(write([], format));
  expect(Object.fromEntries(schema.metadata)).toEqual({ name: 'example', formatVersion: '3', source: 'a test' });
  const fields = schema.fields.map((field) => ({ name: field.name, nullable: field.nullable, ...Object.fromEntries(field.metadata) }));
  expect(fields).toEqual(spec.columns.map(({ name, unit, description }) => ({ name, nullable: false, unit, description })));
});

test('a table without rows is still a table', () => {
  for (const format of ['stream', 'file'] as const) {
    expect(tableFromIPC(write([], format)).numRows).toBe(0);
    expect(flechetteTable(write([], format)).numRows).toBe(0);
  }
});

const one = (type: ColumnType): TableSpec => ({
  name: 'one', metadata: {}, columns: [{ name: 'value', type, unit: '', description: '', ...(type === 'name' ? { names: ['a', 'b'] } : {}) }],
});

test.each<[ColumnType, number, number, number]>([
  ['u8', 0, 255, 1], ['u16', 0, 65535, 1], ['u32', 0, 2 ** 32 - 1, 1], ['u64', 0, Number.MAX_SAFE_INTEGER, 1],
  ['i32', -(2 ** 31), 2 ** 31 - 1, 1], ['name', 0, 1, 1],
])('%s takes whole numbers from %d to %d and nothing beyond', (type, least, most, step) => {
  const writer = new TableWriter(one(type), new MemorySink());
  for (const value of [least, most]) {
    writer.set(0, value);
    writer.endRow();
  }
  for (const value of [least - step, most + step, least + 0.5, NaN, Infinity, -Infinity, 2 ** 64, undefined as unknown as number]) {
    expect(() => writer.set(0, value), String(value)).toThrow(expect.objectContaining({ code: 'ARROW_BAD_VALUE' }));
  }
});

test.each<[ColumnType, number]>([['f32', 3.5e38], ['f32', NaN], ['f64', NaN], ['f64', Infinity]])('%s refuses %d', (type, value) => {
  const writer = new TableWriter(one(type), new MemorySink());
  expect(() => writer.set(0, value)).toThrow(ArrowTableError);
});

test('a rejected value is named with its table, column and row', () => {
  const writer = new TableWriter(spec, new MemorySink());
  expect(() => writer.set(2, -1)).toThrow('Table example, column tile, row 0: takes a value of type u32, got -1.');
  expect(() => writer.set(7, 3)).toThrow('Table example, column phase, row 0: takes an index of its 3 names, got 3.');
  expect(() => writer.set(8, 3)).toThrow('column number 8');
});

test('a row that lacks a column is refused, not filled with what stood there before', () => {
  const writer = new TableWriter(spec, new MemorySink());
  ROWS[1]!.forEach((value, column) => writer.set(column, value));
  writer.endRow();
  ROWS[1]!.forEach((value, column) => { if (column !== 3) writer.set(column, value); });
  expect(() => writer.endRow()).toThrow('Table example, row 1: no value was set for cycle.');
});

test('a table of more than 32 columns still notices the missing one', () => {
  const columns = Array.from({ length: 40 }, (_, column) => ({ name: `c${column}`, type: 'u32' as const, unit: '', description: '' }));
  const writer = new TableWriter({ name: 'wide', metadata: {}, columns }, new MemorySink());
  for (let column = 0; column < 39; column++) writer.set(column, column);
  expect(() => writer.endRow()).toThrow('c39');
  writer.set(39, 39);
  writer.endRow();
  expect(writer.rows).toBe(1);
});

test('after its sink has failed a writer refuses to go on', () => {
  let room = 1000;
  const sink = { write: (bytes: Uint8Array) => { if ((room -= bytes.byteLength) < 0) throw new Error('no space left'); } };
  const writer = new TableWriter(one('u64'), sink, { batchRows: 8 });
  const row = (value: number) => { writer.set(0, value); writer.endRow(); };
  expect(() => { for (let value = 0; value < 1000; value++) row(value); }).toThrow('no space left');
  expect(() => writer.save()).toThrow(expect.objectContaining({ code: 'ARROW_WRITER_CLOSED' }));
  expect(() => writer.finish()).toThrow(expect.objectContaining({ code: 'ARROW_WRITER_CLOSED' }));
});

test.each<[string, Partial<TableSpec>]>([
  ['no columns', { columns: [] }],
  ['two columns of one name', { columns: [one('u8').columns[0]!, one('u16').columns[0]!] }],
  ['a name column without words', { columns: [{ name: 'a', type: 'name', unit: '', description: '' }] }],
  ['words that repeat', { columns: [{ name: 'a', type: 'name', unit: '', description: '', names: ['x', 'x'] }] }],
  ['words beside numbers', { columns: [{ name: 'a', type: 'u8', unit: '', description: '', names: ['x'] }] }],
  ['a metadata key that is taken', { metadata: { name: 'other' } }],
])('a spec with %s is refused', (_, change) => {
  expect(() => new TableWriter({ ...one('u8'), ...change }, new MemorySink())).toThrow(expect.objectContaining({ code: 'ARROW_BAD_SPEC' }));
});
