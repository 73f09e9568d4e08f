import type { ByteSink } from './bytes.ts';
import { allocateColumns } from './columns.ts';
import { ArrowTableError } from './errors.ts';
import { RecordBatches, type TableFormat } from './record-batches.ts';
import { BYTES_PER_VALUE, checkTableSpec, type ColumnType, type TableSpec } from './spec.ts';

/** Rows of every record batch of a finished file but its last one. */
export const BATCH_ROWS = 65_536;

export interface TableWriterOptions {
  /** Rows held before a record batch is written, 1 to 2^24; {@link BATCH_ROWS} if absent. Fewer rows take less memory. */
  readonly batchRows?: number;
  /** `stream` if absent. A `file` cannot be saved and restored, since its footer comes last. */
  readonly format?: TableFormat;
}

/** Everything a restored writer needs besides the first `bytesWritten` bytes of its stream. Plain numbers and bytes. */
export interface TableWriterState {
  readonly bytesWritten: number;
  /** Rows ended so far, written or not. */
  readonly rows: number;
  /** Rows of the open batch: ended, not yet written. */
  readonly openRows: number;
  /** [columns] values of the open batch, little-endian, `openRows` of them. */
  readonly openColumns: readonly Uint8Array[];
}

const FIRST_CAPACITY_ROWS = 256;

const TYPE_CODE: Readonly<Record<ColumnType, number>> = { u8: 0, u16: 1, u32: 2, u64: 3, i32: 4, f32: 5, f64: 6, name: 7 };

/**
 * Writes one table, row by row, in bounded memory: at most one batch is held. No row allocates; the columns grow in a few
 * steps to the size of a batch, so that many small tables stay small.
 *
 * Every value is checked. A value that does not fit its column, or a row with a column missing, is a bug of the caller and
 * throws ArrowTableError `ARROW_BAD_VALUE` before anything of it is written.
 */
export class TableWriter {
  readonly spec: TableSpec;
  readonly #batches: RecordBatches;
  readonly #format: TableFormat;
  readonly #batchRows: number;
  readonly #columns: number;

  /** [columns] TYPE_CODE of each. */
  readonly #type: Uint8Array;
  /** [columns] number of names of a `name` column. */
  readonly #names: Uint32Array;
  /** Words of 32 columns each: which columns of the open row have their value, and which should have in the end. */
  readonly #filled: Int32Array;
  readonly #complete: Int32Array;

  #buffers: Uint8Array[] = [];
  // One array of views for each type, so that every store in `set` sees one type of array only.
  #u8: Uint8Array[] = [];
  #u16: Uint16Array[] = [];
  #u32: Uint32Array[] = [];
  #i32: Int32Array[] = [];
  #f32: Float32Array[] = [];
  #f64: Float64Array[] = [];

  #capacityRows = 0;
  #openRows = 0;
  #writtenRows = 0;
  #closed = false;

  constructor(spec: TableSpec, sink: ByteSink, options: TableWriterOptions = {}, state?: TableWriterState) {
    checkTableSpec(spec);
    const { batchRows = BATCH_ROWS, format = 'stream' } = options;
    if (!Number.isInteger(batchRows) || batchRows < 1 || batchRows > 2 ** 24) {
      throw new ArrowTableError('ARROW_BAD_SPEC', `Table ${spec.name}: a batch has 1 to 16777216 rows, got ${batchRows}.`, { table: spec.name, batchRows });
    }
    this.spec = spec;
    this.#format = format;
    this.#batchRows = batchRows;
    this.#columns = spec.columns.length;
    this.#type = Uint8Array.from(spec.columns, ({ type }) => TYPE_CODE[type]);
    this.#names = Uint32Array.from(spec.columns, ({ names }) => names?.length ?? 0);
    this.#filled = new Int32Array(Math.ceil(this.#columns / 32));
    this.#complete = new Int32Array(this.#filled.length);
    for (let column = 0; column < this.#columns; column++) this.#complete[column >>> 5]! |= 1 << (column & 31);
    if (state !== undefined) checkState(spec, options, state);
    this.#grow(Math.min(batchRows, Math.max(FIRST_CAPACITY_ROWS, state?.openRows ?? 0)));
    this.#batches = new RecordBatches(spec, format, sink, state?.bytesWritten);
    if (state !== undefined) {
      this.#openRows = state.openRows;
      this.#writtenRows = state.rows - state.openRows;
      for (let column = 0; column < this.#columns; column++) this.#buffers[column]!.set(state.openColumns[column]!);
      if (this.#openRows === batchRows) this.flush();
    }
  }

  /**
   * A writer that continues a stream behind its first `state.bytesWritten` bytes, which must be there, and nothing after
   * them: the owner truncates the stream first. The schema is not written again.
   */
  static restore(spec: TableSpec, sink: ByteSink, state: TableWriterState, options: TableWriterOptions = {}): TableWriter {
    return new TableWriter(spec, sink, options, state);
  }

  /** Rows ended so far. */
  get rows(): number {
    return this.#writtenRows + this.#openRows;
  }

  /** Bytes handed to the sink so far, those in front of a restored stream included. */
  get bytesWritten(): number {
    return this.#batches.bytesWritten;
  }

  /**
   * Sets one value of the row being written. Unsigned and signed columns take whole numbers of their range (`u64` up to
   * 2^53 − 1), `f32` and `f64` finite numbers, `name` the index of its word.
   */
  set(column: number, value: number): void {
    const row = this.#openRows;
    switch (this.#type[column]!) {
      case 0:
        if ((value & 0xff) !== value) this.#reject(column, value);
        this.#u8[column]![row] = value;
        break;
      case 1:
        if ((value & 0xffff) !== value) this.#reject(column, value);
        this.#u16[column]![row] = value;
        break;
      case 2:
        if (value >>> 0 !== value) this.#reject(column, value);
        this.#u32[column]![row] = value;
        break;
      case 3: {
        const low = value >>> 0;
        const words = this.#u32[column]!;
        words[2 * row] = low;
        if (low === value) {
          words[2 * row + 1] = 0;
        } else {
          if (!Number.isSafeInteger(value) || value < 0) this.#reject(column, value);
          words[2 * row + 1] = (value - low) / 0x1_0000_0000;
        }
        break;
      }
      case 4:
        if ((value | 0) !== value) this.#reject(column, value);
        this.#i32[column]![row] = value;
        break;
      case 5: {
        const values = this.#f32[column]!;
        values[row] = value;
        if (!Number.isFinite(values[row])) this.#reject(column, value);
        break;
      }
      case 6:
        if (!Number.isFinite(value)) this.#reject(column, value);
        this.#f64[column]![row] = value;
        break;
      case 7:
        if (value >>> 0 !== value || value >= this.#names[column]!) this.#reject(column, value);
        this.#i32[column]![row] = value;
        break;
      default:
        this.#reject(column, value);
    }
    this.#filled[column >>> 5]! |= 1 << (column & 31);
  }

  /** Ends the row; a full batch is written. Throws if a column of the row was not set. */
  endRow(): void {
    if (this.#closed) this.#refuse();
    const filled = this.#filled;
    for (let word = 0; word < filled.length; word++) if (filled[word] !== this.#complete[word]) this.#rejectRow();
    for (let word = 0; word < filled.length; word++) filled[word] = 0;
    this.#openRows++;
    if (this.#openRows === this.#batchRows) this.flush();
    else if (this.#openRows === this.#capacityRows) this.#grow(Math.min(this.#batchRows, 4 * this.#capacityRows));
  }

  /** Writes the open batch if it has rows; between two rows only. */
  flush(): void {
    if (this.#closed) this.#refuse();
    const rows = this.#openRows;
    if (rows === 0) return;
    if (this.#filled.some((word) => word !== 0)) this.#rejectRow();
    this.#closed = true; // Whoever goes on after a sink has failed would write behind half a batch.
    this.#batches.write(this.#buffers, rows);
    this.#closed = false;
    this.#writtenRows += rows;
    this.#openRows = 0;
  }

  /** Writes the open batch and the end of the stream or file. Nothing can be written afterwards. */
  finish(): void {
    this.flush();
    if (this.#filled.some((word) => word !== 0)) this.#rejectRow();
    this.#closed = true;
    this.#batches.finish();
  }

  /** A copy of the state between two rows; the sink's first `bytesWritten` bytes belong to it. */
  save(): TableWriterState {
    if (this.#closed) this.#refuse();
    if (this.#format === 'file') throw new ArrowTableError('ARROW_BAD_STATE', `Table ${this.spec.name}: a file cannot be saved half written; write a stream.`, { table: this.spec.name });
    if (this.#filled.some((word) => word !== 0)) this.#rejectRow();
    const openColumns = this.spec.columns.map(({ type }, column) => this.#buffers[column]!.slice(0, this.#openRows * BYTES_PER_VALUE[type]));
    return { bytesWritten: this.bytesWritten, rows: this.rows, openRows: this.#openRows, openColumns };
  }

  #grow(rows: number): void {
    const buffers = allocateColumns(this.spec.columns, rows);
    buffers.forEach((bytes, column) => { if (column < this.#buffers.length) bytes.set(this.#buffers[column]!); });
    const words = <A>(view: (buffer: ArrayBuffer) => A, bytesPerWord: number) => buffers.map((bytes) => view(bytes.byteLength % bytesPerWord === 0 ? bytes.buffer as ArrayBuffer : new ArrayBuffer(0)));
    this.#buffers = buffers;
    this.#u8 = buffers;
    this.#u16 = words((buffer) => new Uint16Array(buffer), 2);
    this.#u32 = words((buffer) => new Uint32Array(buffer), 4);
    this.#i32 = words((buffer) => new Int32Array(buffer), 4);
    this.#f32 = words((buffer) => new Float32Array(buffer), 4);
    this.#f64 = words((buffer) => new Float64Array(buffer), 8);
    this.#capacityRows = rows;
  }

  #reject(column: number, value: number): never {
    const { name, type, names } = this.spec.columns[column] ?? { name: `number ${column}`, type: 'none' };
    const takes = type === 'name' ? `an index of its ${names!.length} names` : `a value of type ${type}`;
    const message = `Table ${this.spec.name}, column ${name}, row ${this.rows}: takes ${takes}, got ${value}.`;
    throw new ArrowTableError('ARROW_BAD_VALUE', message, { table: this.spec.name, column: name, row: this.rows, value });
  }

  #rejectRow(): never {
    const missing = this.spec.columns.filter((_, column) => (this.#filled[column >>> 5]! & (1 << (column & 31))) === 0).map(({ name }) => name);
    const message = `Table ${this.spec.name}, row ${this.rows}: ${missing.length === 0 ? 'the row was not ended' : `no value was set for ${missing.join(', ')}`}.`;
    throw new ArrowTableError('ARROW_BAD_VALUE', message, { table: this.spec.name, row: this.rows });
  }

  #refuse(): never {
    throw new ArrowTableError('ARROW_WRITER_CLOSED', `Table ${this.spec.name}: the writer has finished, or its sink has failed.`, { table: this.spec.name });
  }
}

function checkState(spec: TableSpec, options: TableWriterOptions, state: TableWriterState): void {
  const { bytesWritten, rows, openRows, openColumns } = state;
  const fits = Number.isSafeInteger(bytesWritten) && bytesWritten > 0 && Number.isSafeInteger(rows) && Number.isInteger(openRows) && openRows >= 0 && openRows <= rows
    && openRows <= (options.batchRows ?? BATCH_ROWS) && options.format !== 'file' && openColumns.length === spec.columns.length
    && spec.columns.every(({ type }, column) => openColumns[column]!.byteLength === openRows * BYTES_PER_VALUE[type]);
  if (!fits) throw new ArrowTableError('ARROW_BAD_STATE', `Table ${spec.name}: the saved state does not belong to a writer of this table.`, { table: spec.name, rows, openRows });
}
