import { bench, describe } from 'vitest';
import { TableWriter, type TableWriterOptions } from './table-writer.ts';
import type { TableSpec } from './spec.ts';

const column = (name: string, type: 'u32' | 'u64' | 'f64') => ({ name, type, unit: '', description: '' });
const numeric: TableSpec = { name: 'six numbers', metadata: {}, columns: [column('cycle', 'u64'), column('a', 'f64'), column('b', 'f64'), column('c', 'u32'), column('d', 'u32'), column('e', 'u32')] };
const ROWS = 1_000_000;

/** One million rows; the rate that matters is rows per second: 1,000,000 × the `hz` that the bench reports. */
function sixNumbers(options: TableWriterOptions): void {
  let bytes = 0;
  const writer = new TableWriter(numeric, { write: (chunk) => { bytes += chunk.byteLength; } }, options);
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
  if (writer.rows !== ROWS || bytes < ROWS * 36) throw new Error(`${writer.rows} rows, ${bytes} bytes`);
}

describe('one million rows of six numbers (u64, 2 × f64, 3 × u32)', () => {
  bench('batches of 65,536 rows', () => sixNumbers({}));
  bench('batches of 8,192 rows', () => sixNumbers({ batchRows: 8192 }));
  bench('batches of 1,024 rows', () => sixNumbers({ batchRows: 1024 }));
});
