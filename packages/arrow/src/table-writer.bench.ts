import { bench, describe } from 'vitest';
import { memorySource, MemorySink, type ByteSink } from './bytes.ts';
import { streamToFile } from './stream-to-file.ts';
import { readTable } from './table-reader.ts';
import { TableWriter, type TableWriterOptions } from './table-writer.ts';
import type { TableSpec } from './spec.ts';

const column = (name: string, type: 'u32' | 'u64' | 'f64') => ({ name, type, unit: '', description: '' });
const numeric: TableSpec = { name: 'six numbers', metadata: {}, columns: [column('cycle', 'u64'), column('a', 'f64'), column('b', 'f64'), column('c', 'u32'), column('d', 'u32'), column('e', 'u32')] };
const ROWS = 1_000_000;

/** One million rows: the rate that matters is rows per second, in millions the `hz` of the report. */
function sixNumbers(options: TableWriterOptions, sink: ByteSink = { write: () => undefined }): void {
  const writer = new TableWriter(numeric, sink, options);
  for (let row = 0; row < ROWS; row++) {
    writer.set(0, row * 4096);
    writer.set(1, row * 0.5);
    writer.set(2, row * 0.25);
    writer.set(3, row);
    writer.set(4, row & 1023);
    writer.set(5, 7);
    writer.endRow();
  }
  writer.finish();
  if (writer.rows !== ROWS || writer.bytesWritten < ROWS * 36) throw new Error(`${writer.rows} rows, ${writer.bytesWritten} bytes`);
}

const written = new MemorySink();
sixNumbers({ batchRows: 8192 }, written);
const stream = memorySource('six numbers', written.bytes());

describe('one million rows of six numbers (u64, 2 × f64, 3 × u32; 36 MB)', () => {
  bench('write, batches of 65,536 rows', () => sixNumbers({}));
  bench('write, batches of 8,192 rows', () => sixNumbers({ batchRows: 8192 }));
  bench('write, batches of 1,024 rows', () => sixNumbers({ batchRows: 1024 }));
  bench('make a stream into a file', () => {
    if (streamToFile(stream, { write: () => undefined }).rows !== ROWS) throw new Error('rows were lost');
  });
  bench('read and add up all columns', () => {
    let sum = 0;
    for (const batch of readTable(stream).batches()) {
      for (const { name } of numeric.columns) {
        const values = batch.numbers(name);
        for (let row = 0; row < batch.rows; row++) sum += values[row]!;
      }
    }
    if (sum < ROWS) throw new Error('values were lost');
  });
});
