import { Bool, Field, Int64, makeData, makeVector, RecordBatch, Schema, Struct, Table, tableFromArrays, tableToIPC, Uint64, vectorFromArray, Dictionary, Int8, Utf8, type DataType } from 'apache-arrow';
import { tableFromArrays as flechetteFromArrays, tableToIPC as flechetteToIPC } from '@uwdata/flechette';
import { expect, test } from 'vitest';
import { memorySource } from './bytes.ts';
import { readTable } from './table-reader.ts';

const read = (bytes: Uint8Array) => readTable(memorySource('other.arrow', bytes));

function oneColumn(type: DataType, values: unknown[]): Uint8Array {
  return tableToIPC(new Table({ value: vectorFromArray(values, type) }), 'file');
}

test.each(['stream', 'file'] as const)('a %s that apache-arrow wrote is read', (format) => {
  const table = read(tableToIPC(tableFromArrays({ a: Uint32Array.of(1, 2, 4_000_000_000), b: Float64Array.of(0.5, -1, 1e300), c: ['x', 'y', 'x'] }), format));
  const [batch] = [...table.batches()];
  expect(table.spec.columns.map(({ name, type, unit }) => [name, type, unit])).toEqual([['a', 'u32', ''], ['b', 'f64', ''], ['c', 'name', '']]);
  expect([...batch!.numbers('a')]).toEqual([1, 2, 4_000_000_000]);
  expect([...batch!.numbers('b')]).toEqual([0.5, -1, 1e300]);
  expect(batch!.names('c')).toEqual(['x', 'y', 'x']);
});

test.each(['stream', 'file'] as const)('a %s that flechette wrote is read', (format) => {
  const table = read(flechetteToIPC(flechetteFromArrays({ a: Uint16Array.of(1, 65535), b: Float32Array.of(0.5, -1) }), { format })!);
  const [batch] = [...table.batches()];
  expect([...batch!.numbers('a')]).toEqual([1, 65535]);
  expect([...batch!.numbers('b')]).toEqual([0.5, -1]);
});

test('dictionaries with narrow indices are read', () => {
  const table = read(oneColumn(new Dictionary(new Utf8(), new Int8()), ['north', 'south', 'north']));
  expect([...table.batches()].flatMap((batch) => batch.names('value'))).toEqual(['north', 'south', 'north']);
  expect(table.spec.columns[0]!.names).toEqual(['north', 'south']);
});

test('a whole number that a JavaScript number cannot hold is refused as a number and kept as a bigint', () => {
  const type = new Uint64();
  const data = makeData({ type, length: 2, nullCount: 0, data: BigUint64Array.of(2n ** 53n - 1n, 2n ** 53n) });
  const schema = new Schema([new Field('cycle', type, false)]);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: 2, nullCount: 0, children: [data] }));
  const [only] = [...read(tableToIPC(new Table([batch]), 'file')).batches()];
  expect(only!.column('cycle')).toEqual(BigUint64Array.of(2n ** 53n - 1n, 2n ** 53n));
  expect(() => only!.numbers('cycle')).toThrow(expect.objectContaining({ code: 'ARROW_UNSAFE_INTEGER', message: expect.stringContaining('9007199254740992') as unknown }));
});

test.each<[string, Uint8Array, string]>([
  ['Int64', oneColumn(new Int64(), [1n]), 'column value is of Arrow type Int64; Kerf reads'],
  ['Bool', oneColumn(new Bool(), [true]), 'column value is of Arrow type Bool; Kerf reads'],
  ['Utf8', oneColumn(new Utf8(), ['a']), 'column value is of Arrow type Utf8; Kerf reads'],
  ['nulls', tableToIPC(new Table({ value: makeVector(makeData({ type: new Uint64(), length: 2, nullCount: 1, nullBitmap: Uint8Array.of(1), data: BigUint64Array.of(1n, 0n) })) }), 'file'), 'column value has 1 nulls'],
])('%s is refused with the column that has it', (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'ARROW_UNSUPPORTED', message: expect.stringContaining(`other.arrow: ${message}`) as unknown }));
});

test.each<[string, Uint8Array, string]>([
  ['an empty file', new Uint8Array(0), 'other.arrow: the file is empty.'],
  ['a .npy file', Uint8Array.from('\x93NUMPY\x01\x00', (letter) => letter.charCodeAt(0)), 'other.arrow: this is neither an Arrow file nor an Arrow stream: it begins with the bytes 93 4e 55 4d 50 59 01 00.'],
  ['text', Uint8Array.from('{}', (letter) => letter.charCodeAt(0)), 'other.arrow: this is neither'],
  ['three letters of the magic', Uint8Array.from('ARR', (letter) => letter.charCodeAt(0)), 'other.arrow: the table was cut off in its first bytes.'],
])('%s is refused', (_, bytes, message) => {
  expect(() => read(bytes)).toThrow(message);
});

test('a mistyped column is answered with the nearest one', () => {
  const [batch] = [...read(tableToIPC(tableFromArrays({ busyCycles: Uint32Array.of(1) }), 'file')).batches()];
  expect(() => batch!.numbers('busycycles')).toThrow('other.arrow: there is no column busycycles. Did you mean "busyCycles"? Its columns: busyCycles.');
  expect(() => batch!.names('busyCycles')).toThrow('holds numbers');
});

test('opening a table reads its metadata only, and a column reads only itself', () => {
  const rows = 300_000;
  const bytes = tableToIPC(tableFromArrays({ a: new Uint32Array(rows), b: new Float64Array(rows) }), 'file');
  let bytesRead = 0;
  const table = readTable({ name: 'counted', byteLength: bytes.byteLength, read: (offset, length) => { bytesRead += length; return bytes.subarray(offset, offset + length); } });
  expect(table.rows).toBe(rows);
  expect(bytesRead).toBeLessThan(2000);
  for (const batch of table.batches()) batch.numbers('a');
  expect(bytesRead).toBeLessThan(4 * rows + 2000);
});
