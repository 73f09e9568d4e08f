export { memorySource, MemorySink, type ByteSink, type ByteSource } from './bytes.ts';
export type { ColumnArray } from './columns.ts';
export { ArrowTableError, type ArrowTableErrorCode } from './errors.ts';
export type { TableFormat } from './record-batches.ts';
export { rowBytes, type ColumnSpec, type ColumnType, type TableSpec } from './spec.ts';
export { streamToFile } from './stream-to-file.ts';
export { readTable, type NumberArray, type TableBatch, type TableReader } from './table-reader.ts';
export { BATCH_ROWS, TableWriter, type TableWriterOptions, type TableWriterState } from './table-writer.ts';
