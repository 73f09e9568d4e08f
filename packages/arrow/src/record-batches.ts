import {
  AsyncByteQueue, Dictionary, Field, Float32, Float64, Int32, makeData, Message, RecordBatch, RecordBatchFileWriter,
  RecordBatchStreamWriter, Schema, Struct, Uint16, Uint32, Uint64, Uint8, Utf8, vectorFromArray, type Data, type DataType, type Vector,
} from 'apache-arrow';
import type { ByteSink } from './bytes.ts';
import { viewColumn } from './columns.ts';
import { schemaMetadata, type ColumnSpec, type TableSpec } from './spec.ts';

/** `stream` grows and can be cut and continued; `file` ends with a footer, and is what analytics tools open by its path. */
export type TableFormat = 'stream' | 'file';

/** apache-arrow writes into queues; this one passes every chunk on at once and counts it. */
class SinkQueue extends AsyncByteQueue {
  byteLength = 0;
  /** Undefined while what is written lies in front of a restored stream already. */
  sink: ByteSink | undefined;

  override write(chunk: ArrayBufferView): void {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (bytes.byteLength === 0) return;
    this.sink?.write(bytes);
    this.byteLength += bytes.byteLength;
  }
}

class StreamWriter extends RecordBatchStreamWriter {
  begin(queue: SinkQueue, schema: Schema, empty: RecordBatch): void {
    this.reset(queue, schema);
    this._writeDictionaries(empty);
  }
  batch(batch: RecordBatch): void {
    this._writeRecordBatch(batch);
  }
}

class FileWriter extends RecordBatchFileWriter {
  begin(queue: SinkQueue, schema: Schema, empty: RecordBatch): void {
    this.reset(queue, schema);
    this._writeDictionaries(empty);
  }
  batch(batch: RecordBatch): void {
    this._writeRecordBatch(batch);
  }
  /** The Arrow format puts a whole stream, schema included, behind the magic; apache-arrow leaves the schema to the footer. */
  protected override _writeSchema(schema: Schema): this {
    return this._writeMagic()._writePadding(2)._writeMessage(Message.from(schema));
  }
}

function arrowType(column: ColumnSpec, columnId: number): DataType {
  switch (column.type) {
    case 'u8': return new Uint8();
    case 'u16': return new Uint16();
    case 'u32': return new Uint32();
    case 'u64': return new Uint64();
    case 'i32': return new Int32();
    case 'f32': return new Float32();
    case 'f64': return new Float64();
    case 'name': return new Dictionary(new Utf8(), new Int32(), columnId);
  }
}

/** What every writer of one spec shares. */
interface Layout {
  readonly schema: Schema;
  readonly types: readonly DataType[];
  /** [columns] the words of a `name` column. */
  readonly dictionaries: readonly (Vector | undefined)[];
}

/** A run has a writer per die and table, and only a few specs; apache-arrow takes half a millisecond for a long list of words. */
const layouts = new WeakMap<TableSpec, Layout>();

function layoutOf(spec: TableSpec): Layout {
  let layout = layouts.get(spec);
  if (layout === undefined) {
    const types = spec.columns.map(arrowType);
    const dictionaries = spec.columns.map(({ names }) => (names === undefined ? undefined : vectorFromArray(names, new Utf8())));
    const fields = spec.columns.map(({ name, unit, description }, column) => new Field(name, types[column]!, false, new Map([['unit', unit], ['description', description]])));
    layout = { schema: new Schema(fields, schemaMetadata(spec)), types, dictionaries };
    layouts.set(spec, layout);
  }
  return layout;
}

/**
 * The Arrow messages of one table, one record batch for each call. Schema and dictionaries go out at once, so that every
 * stream of a table begins with the same bytes however many rows follow.
 */
export class RecordBatches {
  readonly #spec: TableSpec;
  readonly #layout: Layout;
  readonly #queue = new SinkQueue();
  readonly #writer: StreamWriter | FileWriter;

  /** @param written bytes of this table that lie in front of `sink` already: begin nothing, continue behind them */
  constructor(spec: TableSpec, format: TableFormat, sink: ByteSink, written: number | undefined) {
    this.#spec = spec;
    this.#layout = layoutOf(spec);
    this.#writer = format === 'file' ? new FileWriter() : new StreamWriter();
    if (written === undefined) this.#queue.sink = sink;
    this.#writer.begin(this.#queue, this.#layout.schema, this.#recordBatch(spec.columns.map(() => new Uint8Array(0)), 0));
    if (written !== undefined) {
      this.#queue.byteLength = written;
      this.#queue.sink = sink;
    }
  }

  get bytesWritten(): number {
    return this.#queue.byteLength;
  }

  /** Writes the first `rows` values of each column's buffer; the buffers are the caller's again when it returns. */
  write(buffers: readonly Uint8Array[], rows: number): void {
    this.#writer.batch(this.#recordBatch(buffers, rows));
  }

  finish(): void {
    this.#writer.finish();
  }

  #recordBatch(buffers: readonly Uint8Array[], rows: number): RecordBatch {
    const { schema, types, dictionaries } = this.#layout;
    const children = this.#spec.columns.map(({ type }, column): Data => {
      const data = viewColumn(type, buffers[column]!, rows);
      const dictionary = dictionaries[column];
      const shape = { type: types[column]!, length: rows, nullCount: 0, data };
      return makeData((dictionary === undefined ? shape : { ...shape, dictionary }) as Parameters<typeof makeData>[0]);
    });
    return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children }));
  }
}
