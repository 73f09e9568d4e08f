import { suggestion } from '@kerf/checks';
import type { ByteSource } from './bytes.ts';
import { viewColumn, type ColumnArray } from './columns.ts';
import { ArrowTableError, type ArrowTableErrorCode } from './errors.ts';
import { decodeUtf8 } from './flat-table.ts';
import { readFooter, readMessage, type ArrowMessage, type BatchMessage, type FooterBlock, type SchemaMessage } from './messages.ts';
import type { TableFormat } from './record-batches.ts';
import { BYTES_PER_VALUE, type ColumnSpec, type ColumnType, type TableSpec } from './spec.ts';

export type NumberArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** Some consecutive rows. A column is read from the source when it is asked for, and not kept. */
export interface TableBatch {
  readonly rows: number;
  /** [rows] values as they are stored: `u64` as a BigUint64Array, `name` as an Int32Array of indices of its words. */
  column(name: string): ColumnArray;
  /** [rows] the same as numbers; throws `ARROW_UNSAFE_INTEGER` for a `u64` beyond 2^53 − 1. */
  numbers(name: string): NumberArray;
  /** [rows] words of a `name` column. */
  names(name: string): string[];
}

export interface TableReader {
  /** The name of the source. */
  readonly source: string;
  readonly format: TableFormat;
  /** As it was written; the words of `name` columns come from the table's dictionaries. */
  readonly spec: TableSpec;
  readonly rows: number;
  /** In order, one at a time: what was taken from a batch is free when the next one comes. Can be called again. */
  batches(): IterableIterator<TableBatch>;
}

/** Where one record batch lies: checked against the schema and against the end of the source. */
interface BatchPlace {
  readonly bodyOffset: number;
  readonly batch: BatchMessage;
}

const MAGIC = 'ARROW1';
const CONTINUATION = 0xffff_ffff;
const PREFIX_BYTES = 8;

/**
 * Opens an Arrow IPC file or stream; which of them, its first bytes tell. Everything but the values is read at once, a few
 * hundred bytes for each batch, and checked: that the end is there, and that no batch reaches beyond it. So a table that
 * was cut off is refused here and never read as a shorter one.
 *
 * Flat columns of {@link ColumnType} only, without nulls and without compression. apache-arrow's own reader takes a stream
 * that was cut between two batches for a complete one, hence this one.
 *
 * @throws ArrowTableError with the name of the source: `ARROW_EMPTY`, `ARROW_NOT_ARROW`, `ARROW_TRUNCATED`,
 * `ARROW_DAMAGED`, `ARROW_UNSUPPORTED`
 */
export function readTable(source: ByteSource): TableReader {
  return new Opening(source).open();
}

class Opening {
  readonly #source: ByteSource;
  readonly #places: BatchPlace[] = [];
  /** [dictionary id] its words so far. */
  readonly #words = new Map<number, string[]>();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  open(): TableReader {
    const { byteLength } = this.#source;
    if (byteLength === 0) throw this.#error('ARROW_EMPTY', 'the file is empty');
    const start = this.#source.read(0, Math.min(8, byteLength));
    if (ascii(start).startsWith(MAGIC)) return this.#openFile();
    if (start.byteLength >= 4 && uint32(start, 0) === CONTINUATION) return this.#openStream();
    const cutMagic = start.byteLength < MAGIC.length && MAGIC.startsWith(ascii(start));
    if (cutMagic || start.every((byte) => byte === 0xff)) throw this.#truncated('in its first bytes');
    throw this.#error('ARROW_NOT_ARROW', `this is neither an Arrow file nor an Arrow stream: it begins with the bytes ${[...start].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`);
  }

  #openStream(): TableReader {
    let schema: SchemaMessage | undefined;
    for (let offset = 0; ;) {
      const { message, bodyOffset } = this.#messageAt(offset, 'stream');
      if (message === undefined) {
        if (schema === undefined) throw this.#damaged('the stream ends before its schema');
        return this.#reader('stream', schema);
      }
      if (message.kind === 'schema') {
        if (schema !== undefined) throw this.#damaged('the stream has two schemas');
        schema = message.schema;
      } else {
        if (schema === undefined) throw this.#damaged('the stream has values before its schema');
        this.#take(message, bodyOffset, schema);
      }
      offset = bodyOffset + message.bodyBytes;
    }
  }

  #openFile(): TableReader {
    const { byteLength } = this.#source;
    const tailBytes = 4 + MAGIC.length;
    if (byteLength < 8 + PREFIX_BYTES + tailBytes) throw this.#truncated('before its footer');
    const tail = this.#read(byteLength - tailBytes, tailBytes);
    if (ascii(tail.subarray(4)) !== MAGIC) throw this.#truncated('before the end of its footer');
    const footerBytes = uint32(tail, 0);
    const footerOffset = byteLength - tailBytes - footerBytes;
    if (footerOffset < 8) throw this.#damaged(`a footer of ${footerBytes} bytes in a file of ${byteLength}`);
    const footer = this.#decode(() => readFooter(this.#read(footerOffset, footerBytes)), 'its footer');
    for (const block of [...footer.dictionaries, ...footer.batches]) this.#takeBlock(block, footerOffset, footer.schema);
    return this.#reader('file', footer.schema);
  }

  #takeBlock({ offset, metadataBytes, bodyBytes }: FooterBlock, footerOffset: number, schema: SchemaMessage): void {
    if (offset < 8 || bodyBytes < 0 || offset + metadataBytes + bodyBytes > footerOffset) throw this.#damaged(`its footer names a batch at byte ${offset}, which reaches beyond the file`);
    const { message, bodyOffset } = this.#messageAt(offset, 'file');
    if (message === undefined || message.kind === 'schema' || bodyOffset !== offset + metadataBytes || message.bodyBytes !== bodyBytes) {
      throw this.#damaged(`its footer names a batch at byte ${offset}, where there is none`);
    }
    this.#take(message, bodyOffset, schema);
  }

  /** The message at `offset`, all of which is there; undefined at the end of a stream. */
  #messageAt(offset: number, format: TableFormat): { message: ArrowMessage | undefined; bodyOffset: number } {
    const left = this.#source.byteLength - offset;
    if (left < PREFIX_BYTES) throw this.#truncated(left === 0 ? 'between two batches: the end of the stream is missing' : `at byte ${this.#source.byteLength}`);
    const prefix = this.#read(offset, PREFIX_BYTES);
    const metadataBytes = uint32(prefix, 4);
    if (uint32(prefix, 0) !== CONTINUATION || metadataBytes > 0x7fff_ffff) throw this.#damaged(`no Arrow message at byte ${offset}`);
    if (metadataBytes === 0) {
      if (left > PREFIX_BYTES && format === 'stream') throw this.#damaged(`${left - PREFIX_BYTES} bytes follow the end of the stream`);
      return { message: undefined, bodyOffset: offset + PREFIX_BYTES };
    }
    const bodyOffset = offset + PREFIX_BYTES + metadataBytes;
    if (bodyOffset > this.#source.byteLength) throw this.#truncated(`inside the message at byte ${offset}`);
    const message = this.#decode(() => readMessage(this.#read(offset + PREFIX_BYTES, metadataBytes)), `the message at byte ${offset}`);
    if (bodyOffset + message.bodyBytes > this.#source.byteLength) throw this.#truncated(`inside the batch at byte ${offset}`);
    return { message, bodyOffset };
  }

  #take(message: Exclude<ArrowMessage, { kind: 'schema' }>, bodyOffset: number, schema: SchemaMessage): void {
    const { batch } = message;
    if (batch.compressed) throw this.#error('ARROW_UNSUPPORTED', 'its batches are compressed; write it without compression');
    for (const { offset, length } of batch.buffers) {
      if (offset < 0 || length < 0 || offset + length > message.bodyBytes) throw this.#damaged(`a buffer of the batch at byte ${bodyOffset} reaches beyond the batch`);
    }
    if (message.kind === 'dictionary') this.#takeWords(message.id, message.isDelta, batch, bodyOffset);
    else if (this.#fits(batch, schema)) this.#places.push({ bodyOffset, batch });
    else throw this.#damaged(`the batch at byte ${bodyOffset} does not have the columns of the schema`);
  }

  /** Each flat column is one node and two buffers: validity (unused without nulls) and values. */
  #fits({ rows, nodes, buffers }: BatchMessage, schema: SchemaMessage): boolean {
    if (rows < 0 || schema.fields.some(({ type }) => typeof type === 'object')) return rows >= 0;
    return nodes.length === schema.fields.length && buffers.length === 2 * nodes.length && schema.fields.every(({ name, type, dictionary }, column) => {
      const { length, nulls } = nodes[column]!;
      if (nulls !== 0) throw this.#error('ARROW_UNSUPPORTED', `column ${name} has ${nulls} nulls`, { column: name });
      return length === rows && buffers[2 * column + 1]!.length >= rows * (dictionary?.indexBytes ?? BYTES_PER_VALUE[type as ColumnType]);
    });
  }

  /** A dictionary may grow; that it changes would mean another word for an index that was used before. */
  #takeWords(id: number, isDelta: boolean, batch: BatchMessage, bodyOffset: number): void {
    const words = this.#decode(() => this.#readWords(batch, bodyOffset), `the dictionary at byte ${bodyOffset}`);
    const before = this.#words.get(id);
    if (isDelta) this.#words.set(id, [...(before ?? []), ...words]);
    else if (before === undefined || before.every((word, index) => word === words[index])) this.#words.set(id, words);
    else throw this.#error('ARROW_UNSUPPORTED', `the words of dictionary ${id} change between its batches`);
  }

  #readWords({ rows, nodes, buffers }: BatchMessage, bodyOffset: number): string[] {
    if (rows === 0) return [];
    const [, ends, text] = buffers;
    if (nodes[0]?.nulls !== 0 || ends === undefined || text === undefined || ends.length < 4 * (rows + 1)) throw new RangeError(`${rows} words`);
    const offsets = this.#aligned(bodyOffset + ends.offset, 4 * (rows + 1), 4);
    const bytes = this.#read(bodyOffset + text.offset, text.length);
    return Array.from({ length: rows }, (_, word) => {
      const start = uint32(offsets, 4 * word);
      const end = uint32(offsets, 4 * word + 4);
      if (start > end || end > bytes.byteLength) throw new RangeError(`word ${word}`);
      return decodeUtf8(bytes.subarray(start, end));
    });
  }

  #reader(format: TableFormat, schema: SchemaMessage): TableReader {
    if (!schema.littleEndian) throw this.#error('ARROW_UNSUPPORTED', 'its numbers are big-endian');
    if (schema.fields.length === 0) throw this.#error('ARROW_UNSUPPORTED', 'the table has no columns');
    const columns = schema.fields.map((field): ColumnSpec => {
      const { name, type, metadata, dictionary } = field;
      if (typeof type === 'object') {
        throw this.#error('ARROW_UNSUPPORTED', `column ${name} is of Arrow type ${type.unsupported}; Kerf reads Uint8, Uint16, Uint32, Uint64, Int32, Float32, Float64 and Dictionary<Utf8>`, { column: name });
      }
      const common = { name, type, unit: metadata['unit'] ?? '', description: metadata['description'] ?? '' };
      return dictionary === undefined ? common : { ...common, names: this.#words.get(dictionary.id) ?? [] };
    });
    const { name = '', ...metadata } = schema.metadata;
    const spec: TableSpec = { name, columns, metadata };
    const places = this.#places;
    const read = (place: BatchPlace) => this.#batch(spec, schema, place);
    return {
      source: this.#source.name,
      format,
      spec,
      rows: places.reduce((sum, { batch }) => sum + batch.rows, 0),
      *batches() {
        for (const place of places) yield read(place);
      },
    };
  }

  #batch(spec: TableSpec, schema: SchemaMessage, { bodyOffset, batch }: BatchPlace): TableBatch {
    const { rows } = batch;
    const find = (name: string): number => {
      const column = spec.columns.findIndex((candidate) => candidate.name === name);
      if (column >= 0) return column;
      const known = spec.columns.map((candidate) => candidate.name);
      throw this.#error('ARROW_UNKNOWN_COLUMN', `there is no column ${name}.${suggestion(name, known)} Its columns: ${known.join(', ')}`, { column: name });
    };
    const column = (name: string): ColumnArray => {
      const at = find(name);
      const { type, names } = spec.columns[at]!;
      const valueBytes = schema.fields[at]!.dictionary?.indexBytes ?? BYTES_PER_VALUE[type];
      const bytes = this.#aligned(bodyOffset + batch.buffers[2 * at + 1]!.offset, rows * valueBytes, valueBytes);
      if (names === undefined) return viewColumn(type, bytes, rows);
      const indices = valueBytes === 1 ? Int32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, rows))
        : valueBytes === 2 ? Int32Array.from(new Int16Array(bytes.buffer, bytes.byteOffset, rows)) : new Int32Array(bytes.buffer, bytes.byteOffset, rows);
      for (let row = 0; row < rows; row++) {
        if (indices[row]! >>> 0 >= names.length) throw this.#damaged(`column ${name} has the index ${indices[row]} of ${names.length} words`);
      }
      return indices;
    };
    const numbers = (name: string): NumberArray => {
      const values = column(name);
      if (!(values instanceof BigUint64Array)) return values;
      const words = new Uint32Array(values.buffer, values.byteOffset, 2 * rows);
      const exact = new Float64Array(rows);
      for (let row = 0; row < rows; row++) {
        const high = words[2 * row + 1]!;
        if (high >= 0x20_0000) throw this.#error('ARROW_UNSAFE_INTEGER', `column ${name} has the value ${values[row]}, beyond the whole numbers that are exact (2^53 − 1)`, { column: name });
        exact[row] = high * 0x1_0000_0000 + words[2 * row]!;
      }
      return exact;
    };
    const names = (name: string): string[] => {
      const { names: words } = spec.columns[find(name)]!;
      if (words === undefined) throw this.#error('ARROW_UNKNOWN_COLUMN', `column ${name} holds numbers, not names`, { column: name });
      return Array.from(column(name) as Int32Array, (index) => words[index]!);
    };
    return { rows, column, numbers, names };
  }

  #read(offset: number, length: number): Uint8Array {
    const bytes = this.#source.read(offset, length);
    if (bytes.byteLength !== length) throw this.#truncated(`at byte ${offset + bytes.byteLength}: it is shorter than it was when it was opened`);
    return bytes;
  }

  #aligned(offset: number, length: number, valueBytes: number): Uint8Array {
    const bytes = this.#read(offset, length);
    return bytes.byteOffset % valueBytes === 0 ? bytes : new Uint8Array(bytes); // Not slice(): of a Node Buffer that is no copy.
  }

  #decode<T>(decode: () => T, what: string): T {
    try {
      return decode();
    } catch (error) {
      if (error instanceof ArrowTableError) throw error;
      throw this.#error('ARROW_DAMAGED', `${what} cannot be decoded`, {}, error);
    }
  }

  #truncated(where: string): ArrowTableError {
    return this.#error('ARROW_TRUNCATED', `the table was cut off ${where}`);
  }

  #damaged(problem: string): ArrowTableError {
    return this.#error('ARROW_DAMAGED', `the file is damaged: ${problem}`);
  }

  #error(code: ArrowTableErrorCode, problem: string, context: Record<string, number | string> = {}, cause?: unknown): ArrowTableError {
    return new ArrowTableError(code, `${this.#source.name}: ${problem}.`, { source: this.#source.name, ...context }, cause);
  }
}

function uint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
