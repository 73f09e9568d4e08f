import { RecordBatchReader, tableFromIPC } from 'apache-arrow';
import { tableFromIPC as flechetteTable } from '@uwdata/flechette';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memorySource, MemorySink, type ByteSource } from './bytes.ts';
import type { ColumnSpec, ColumnType, TableSpec } from './spec.ts';
import { streamToFile } from './stream-to-file.ts';
import { readTable } from './table-reader.ts';
import { BATCH_ROWS, TableWriter, type TableWriterOptions } from './table-writer.ts';

const VALUES: Readonly<Record<ColumnType, fc.Arbitrary<number>>> = {
  u8: fc.nat(255), u16: fc.nat(65535), u32: fc.nat({ max: 2 ** 32 - 1 }), u64: fc.maxSafeNat(), i32: fc.integer(),
  f32: fc.float({ noNaN: true, noDefaultInfinity: true }), f64: fc.double({ noNaN: true, noDefaultInfinity: true }), name: fc.nat(2),
};
const TYPES = Object.keys(VALUES) as ColumnType[];

interface Table { readonly spec: TableSpec; readonly rows: readonly (readonly number[])[] }

const tables: fc.Arbitrary<Table> = fc.array(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 9 }).chain((types) => {
  const columns = types.map((type, column): ColumnSpec => ({ name: `c${column}`, type, unit: `unit ${column}`, description: `Größe ${column}`, ...(type === 'name' ? { names: ['a', 'b', 'c'] } : {}) }));
  const spec: TableSpec = { name: 'random', metadata: { formatVersion: '1', tiles: '64' }, columns };
  return fc.record({ spec: fc.constant(spec), rows: fc.array(fc.tuple(...types.map((type) => VALUES[type])), { maxLength: 40 }) });
});

/** Flushes after each row whose number is in `flushes`. */
function write({ spec, rows }: Table, options: TableWriterOptions = {}, flushes: ReadonlySet<number> = new Set()): Uint8Array {
  const sink = new MemorySink();
  const writer = new TableWriter(spec, sink, options);
  rows.forEach((row, at) => {
    writeRow(writer, row);
    if (flushes.has(at)) writer.flush();
  });
  writer.finish();
  return sink.bytes();
}

function writeRow(writer: TableWriter, row: readonly number[]): void {
  row.forEach((value, column) => writer.set(column, value));
  writer.endRow();
}

/** Byte by byte; `toEqual` would take milliseconds for each kilobyte. */
function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(Buffer.from(bytes).equals(expected)).toBe(true);
}

function toFile(stream: Uint8Array): Uint8Array {
  const sink = new MemorySink();
  streamToFile(memorySource('stream', stream), sink);
  return sink.bytes();
}

function readRows(bytes: Uint8Array): number[][] {
  const table = readTable(memorySource('table', bytes));
  const rows: number[][] = [];
  for (const batch of table.batches()) {
    const columns = table.spec.columns.map(({ name }) => batch.numbers(name));
    for (let row = 0; row < batch.rows; row++) rows.push(columns.map((column) => column[row]!));
  }
  return rows;
}

const flushPoints = fc.array(fc.nat(40)).map((points) => new Set(points));
const batchSizes = fc.integer({ min: 1, max: 50 });

test('what is written is read back: spec, units, words and every value, from stream and file', () => {
  fc.assert(fc.property(tables, batchSizes, flushPoints, fc.constantFrom('stream' as const, 'file' as const), (table, batchRows, flushes, format) => {
    const bytes = write(table, { batchRows, format }, flushes);
    const reader = readTable(memorySource('table', bytes));
    expect(reader.format).toBe(format);
    expect(reader.spec).toEqual(table.spec);
    expect(reader.rows).toBe(table.rows.length);
    expect(readRows(bytes)).toEqual(table.rows.map((row) => [...row]));
  }));
});

test('apache-arrow and flechette read the same values as we do', () => {
  fc.assert(fc.property(tables, batchSizes, fc.constantFrom('stream' as const, 'file' as const), ({ spec, rows }, batchRows, format) => {
    const bytes = write({ spec, rows }, { batchRows, format });
    const arrow = tableFromIPC(bytes);
    const flechette = flechetteTable(bytes, { useBigInt: true });
    spec.columns.forEach(({ name, type, names }, column) => {
      const expected = rows.map((row) => (type === 'u64' ? BigInt(row[column]!) : names === undefined ? row[column]! : names[row[column]!]));
      expect([...arrow.getChild(name)!]).toEqual(expected);
      expect([...flechette.getChild(name)]).toEqual(expected);
    });
  }), { numRuns: 50 });
});

test('the bytes of a file depend on the rows alone, not on flushes, batches or the way to it', () => {
  fc.assert(fc.property(tables, batchSizes, flushPoints, (table, batchRows, flushes) => {
    const file = write(table, { format: 'file' });
    expectSame(toFile(write(table, { batchRows }, flushes)), file);
    expectSame(toFile(file), file);
  }));
});

test('the batches of a file have 65,536 rows, the last one excepted', () => {
  const spec: TableSpec = { name: 'long', metadata: {}, columns: [{ name: 'row', type: 'u64', unit: '', description: '' }, { name: 'low', type: 'u8', unit: '', description: '' }] };
  fc.assert(fc.property(fc.constantFrom(BATCH_ROWS - 1, BATCH_ROWS, BATCH_ROWS + 1, 2 * BATCH_ROWS, 150_000), fc.integer({ min: 1000, max: 100_000 }), (rows, batchRows) => {
    const sink = new MemorySink();
    const writer = new TableWriter(spec, sink, { batchRows });
    for (let row = 0; row < rows; row++) writeRow(writer, [row * 2 ** 33, row & 255]);
    writer.finish();
    const reader = readTable(memorySource('long', toFile(sink.bytes())));
    const batches = [...reader.batches()].map((batch) => batch.rows);
    expect(batches.slice(0, -1).every((batch) => batch === BATCH_ROWS)).toBe(true);
    expect(batches).toHaveLength(Math.ceil(rows / BATCH_ROWS));
    let row = 0;
    for (const batch of reader.batches()) {
      const values = batch.numbers('row');
      const low = batch.numbers('low');
      for (let at = 0; at < batch.rows; at++, row++) if (values[at] !== row * 2 ** 33 || low[at] !== (row & 255)) throw new Error(`row ${row}`);
    }
    expect(row).toBe(rows);
  }), { numRuns: 8 });
});

test('saved at any row and restored behind a truncated stream, the bytes are the same', () => {
  fc.assert(fc.property(tables, batchSizes, flushPoints, fc.nat(40), (table, batchRows, flushes, cut) => {
    const { spec, rows } = table;
    const at = Math.min(cut, rows.length);
    const sink = new MemorySink();
    const first = new TableWriter(spec, sink, { batchRows });
    const run = (writer: TableWriter, from: number, to: number) => {
      for (let row = from; row < to; row++) {
        writeRow(writer, rows[row]!);
        if (flushes.has(row)) writer.flush();
      }
    };
    run(first, 0, at);
    const state = structuredClone(first.save());
    run(first, at, rows.length); // Lost, together with what it has written of it.
    sink.truncate(state.bytesWritten);
    const second = TableWriter.restore(spec, sink, state, { batchRows });
    expect(second.save()).toEqual(state);
    run(second, at, rows.length);
    second.finish();
    expect(second.rows).toBe(rows.length);
    expectSame(sink.bytes(), write(table, { batchRows }, flushes));
  }));
});

test('a state of another table is refused', () => {
  fc.assert(fc.property(tables, tables, (one, other) => {
    fc.pre(one.rows.length > 0 && JSON.stringify(one.spec.columns.map(({ type }) => type)) !== JSON.stringify(other.spec.columns.map(({ type }) => type)));
    const writer = new TableWriter(one.spec, new MemorySink());
    one.rows.forEach((row) => writeRow(writer, row));
    const sizes = (table: Table) => table.spec.columns.map(({ type }) => (['u8', 'u16'].includes(type) ? type : ['u64', 'f64'].includes(type) ? '8' : '4')).join();
    fc.pre(sizes(one) !== sizes(other));
    expect(() => TableWriter.restore(other.spec, new MemorySink(), writer.save())).toThrow(expect.objectContaining({ code: 'ARROW_BAD_STATE' }));
  }));
});

/** Unaligned views, as a pooled Buffer gives them. */
function unaligned(name: string, bytes: Uint8Array): ByteSource {
  return { name, byteLength: bytes.byteLength, read: (offset, length) => {
    const shifted = new Uint8Array(length + 1);
    shifted.set(bytes.subarray(offset, offset + length), 1);
    return Buffer.from(shifted.buffer, 1, Math.min(length, bytes.byteLength - offset));
  } };
}

test('a source may hand out bytes at any alignment', () => {
  fc.assert(fc.property(tables, fc.constantFrom('stream' as const, 'file' as const), ({ spec, rows }, format) => {
    const [batch] = [...readTable(unaligned('odd', write({ spec, rows }, { format }))).batches()];
    spec.columns.forEach(({ name }, column) => expect(Array.from(batch?.numbers(name) ?? [])).toEqual(rows.map((row) => row[column]!)));
  }));
});

test('a table cut at any byte is refused by name; nothing is read of it', () => {
  fc.assert(fc.property(tables, batchSizes, fc.constantFrom('stream' as const, 'file' as const), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (table, batchRows, format, share) => {
    const bytes = write(table, { batchRows, format });
    const cut = bytes.subarray(0, Math.floor(share * bytes.byteLength));
    const code = cut.byteLength === 0 ? 'ARROW_EMPTY' : 'ARROW_TRUNCATED';
    expect(() => readTable(memorySource('links/die-0003.arrow', cut))).toThrow(expect.objectContaining({ code, message: expect.stringContaining('links/die-0003.arrow') as unknown }));
  }), { numRuns: 300 });
});

test('a stream cut between two batches is what apache-arrow reads as a shorter table', () => {
  const table: Table = { spec: { name: 't', metadata: {}, columns: [{ name: 'a', type: 'u32', unit: '', description: '' }] }, rows: [[1], [2], [3]] };
  const bytes = write(table, { batchRows: 1 });
  const cut = bytes.subarray(0, bytes.byteLength - 8);
  expect([...RecordBatchReader.from(cut)].length).toBe(3);
  expect(() => readTable(memorySource('t.arrows', cut))).toThrow('t.arrows: the table was cut off between two batches: the end of the stream is missing.');
});

test('whatever bytes come, there is an answer or an ArrowTableError', () => {
  const bytes = write({ spec: { name: 'x', metadata: {}, columns: TYPES.map((type) => ({ name: type, type, unit: '', description: '', ...(type === 'name' ? { names: ['p', 'q'] } : {}) })) }, rows: [TYPES.map(() => 1), TYPES.map(() => 0)] }, { format: 'stream' });
  const file = toFile(bytes);
  const damaged = fc.constantFrom(bytes, file).chain((whole) => fc.array(fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }).map((changes) => {
    const copy = whole.slice();
    for (const [at, value] of changes) copy[at] = value;
    return copy;
  }));
  fc.assert(fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 64 })), (input) => {
    try {
      for (const batch of readTable(memorySource('input', input)).batches()) for (const type of TYPES) batch.numbers(type);
    } catch (error) {
      expect(error).toMatchObject({ name: 'ArrowTableError', message: expect.stringContaining('input: ') as unknown });
    }
  }), { numRuns: 3000 });
});
