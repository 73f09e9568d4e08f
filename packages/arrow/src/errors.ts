import { KerfError } from '@kerf/checks';

/**
 * `ARROW_BAD_SPEC`, `ARROW_BAD_VALUE`, `ARROW_BAD_STATE` and `ARROW_WRITER_CLOSED` are bugs of the caller and are thrown
 * loudly at the first wrong value; the others say what is wrong with an input.
 */
export type ArrowTableErrorCode =
  | 'ARROW_BAD_SPEC'
  | 'ARROW_BAD_VALUE'
  | 'ARROW_BAD_STATE'
  | 'ARROW_WRITER_CLOSED'
  | 'ARROW_EMPTY'
  | 'ARROW_NOT_ARROW'
  | 'ARROW_TRUNCATED'
  | 'ARROW_DAMAGED'
  | 'ARROW_UNSUPPORTED'
  | 'ARROW_UNKNOWN_COLUMN'
  | 'ARROW_UNSAFE_INTEGER';

/** A table that cannot be written or read. The message names the table or the file, and the column where there is one. */
export class ArrowTableError extends KerfError<ArrowTableErrorCode> {
  override readonly name = 'ArrowTableError';
}
