import type { ByteSink, ByteSource } from './bytes.ts';
import { allocateColumns } from './columns.ts';
import { ArrowTableError } from './errors.ts';
import { RecordBatches } from './record-batches.ts';
import { BYTES_PER_VALUE } from './spec.ts';
import { readTable } from './table-reader.ts';
import { BATCH_ROWS } from './table-writer.ts';

/**
 * Makes a stream (or a file) into a file whose batches have exactly {@link BATCH_ROWS} rows, the last one excepted. So its
 * bytes depend on the table's spec and rows alone, never on where the stream was flushed, cut or continued; and they are
 * those of a TableWriter of format `file` that was given the same rows. Holds two batches.
 *
 * @throws ArrowTableError as {@link readTable}
 */
export function streamToFile(stream: ByteSource, file: ByteSink): { rows: number } {
  const table = readTable(stream);
  const { spec } = table;
  for (const { name, names } of spec.columns) {
    if (names?.length === 0) throw new ArrowTableError('ARROW_DAMAGED', `${stream.name}: column ${name} has no words.`, { source: stream.name, column: name });
  }
  const output = new RecordBatches(spec, 'file', file, undefined);
  const held = allocateColumns(spec.columns, Math.min(table.rows, BATCH_ROWS));
  let heldRows = 0;
  for (const batch of table.batches()) {
    const values = spec.columns.map(({ name }) => {
      const array = batch.column(name);
      return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    });
    for (let row = 0; row < batch.rows;) {
      const rows = Math.min(batch.rows - row, BATCH_ROWS - heldRows);
      for (const [column, { type }] of spec.columns.entries()) {
        const bytes = BYTES_PER_VALUE[type];
        held[column]!.set(values[column]!.subarray(row * bytes, (row + rows) * bytes), heldRows * bytes);
      }
      row += rows;
      heldRows += rows;
      if (heldRows === BATCH_ROWS) {
        output.write(held, heldRows);
        heldRows = 0;
      }
    }
  }
  if (heldRows > 0) output.write(held, heldRows);
  output.finish();
  return { rows: table.rows };
}
