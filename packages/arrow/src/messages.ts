import { FlatTable, readInt64 } from './flat-table.ts';
import type { ColumnType } from './spec.ts';

/** One column as the schema of a file has it: of a type that Kerf has, or a sentence that says which other one. */
export interface SchemaField {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly type: ColumnType | { readonly unsupported: string };
  /** Of a `name` column. */
  readonly dictionary: { readonly id: number; readonly indexBytes: 1 | 2 | 4 } | undefined;
}

export interface SchemaMessage {
  readonly fields: readonly SchemaField[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly littleEndian: boolean;
}

/** Offsets count from the start of the message's body, in bytes. */
export interface BatchMessage {
  readonly rows: number;
  readonly nodes: readonly { readonly length: number; readonly nulls: number }[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
  readonly compressed: boolean;
}

export type ArrowMessage = { readonly bodyBytes: number } & (
  | { readonly kind: 'schema'; readonly schema: SchemaMessage }
  | { readonly kind: 'dictionary'; readonly id: number; readonly isDelta: boolean; readonly batch: BatchMessage }
  | { readonly kind: 'batch'; readonly batch: BatchMessage }
);

export interface FooterBlock {
  readonly offset: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

export interface Footer {
  readonly schema: SchemaMessage;
  readonly dictionaries: readonly FooterBlock[];
  readonly batches: readonly FooterBlock[];
}

/**
 * Reads the metadata of one Arrow message. Slots and codes are those of Arrow's Message.fbs, Schema.fbs and File.fbs.
 *
 * @throws RangeError or TypeError for bytes that are no such message
 * @see https://arrow.apache.org/docs/format/Columnar.html
 */
export function readMessage(metadata: Uint8Array): ArrowMessage {
  const message = FlatTable.root(metadata);
  const header = message.table(2);
  const bodyBytes = message.int64(3);
  if (header === undefined || bodyBytes < 0) throw new RangeError('a message without a header');
  switch (message.int8(1)) {
    case 1: return { kind: 'schema', bodyBytes, schema: readSchema(header) };
    case 2: {
      const data = header.table(1);
      if (data === undefined) throw new RangeError('a dictionary without data');
      return { kind: 'dictionary', bodyBytes, id: header.int64(0), isDelta: header.int8(2) !== 0, batch: readBatch(data) };
    }
    case 3: return { kind: 'batch', bodyBytes, batch: readBatch(header) };
    default: throw new RangeError(`a message of kind ${message.int8(1)}`);
  }
}

/** Throws as {@link readMessage}. */
export function readFooter(bytes: Uint8Array): Footer {
  const footer = FlatTable.root(bytes);
  const schema = footer.table(1);
  if (schema === undefined) throw new RangeError('a footer without a schema');
  const block = (view: DataView, at: number): FooterBlock => ({ offset: readInt64(view, at), metadataBytes: view.getInt32(at + 8, true), bodyBytes: readInt64(view, at + 16) });
  return { schema: readSchema(schema), dictionaries: footer.structs(2, 24, block), batches: footer.structs(3, 24, block) };
}

function readSchema(schema: FlatTable): SchemaMessage {
  return { littleEndian: schema.int16(0) === 0, fields: schema.tables(1).map(readField), metadata: readKeyValues(schema.tables(2)) };
}

function readKeyValues(pairs: readonly FlatTable[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => [pair.string(0), pair.string(1)]));
}

function readField(field: FlatTable): SchemaField {
  const encoding = field.table(4);
  const common = { name: field.string(0), metadata: readKeyValues(field.tables(6)) };
  const valueType = typeOf(field.int8(2), field.table(3));
  if (encoding === undefined) return { ...common, type: valueType === 'Utf8' ? { unsupported: 'Utf8' } : valueType, dictionary: undefined };
  const indexBits = encoding.table(1)?.int32(0) ?? 32;
  if (valueType !== 'Utf8' || (indexBits !== 8 && indexBits !== 16 && indexBits !== 32)) {
    const values = typeof valueType === 'object' ? valueType.unsupported : valueType;
    return { ...common, type: { unsupported: `Dictionary<${values}, Int${indexBits}>` }, dictionary: undefined };
  }
  return { ...common, type: 'name', dictionary: { id: encoding.int64(0), indexBytes: (indexBits / 8) as 1 | 2 | 4 } };
}

/** Names of Arrow's types by their code, for messages about those that Kerf does not read. */
const TYPE_NAMES = ['none', 'Null', 'Int', 'Float', 'Binary', 'Utf8', 'Bool', 'Decimal', 'Date', 'Time', 'Timestamp', 'Interval', 'List', 'Struct', 'Union', 'FixedSizeBinary',
  'FixedSizeList', 'Map', 'Duration', 'LargeBinary', 'LargeUtf8', 'LargeList', 'RunEndEncoded', 'BinaryView', 'Utf8View', 'ListView', 'LargeListView'];

function typeOf(code: number, details: FlatTable | undefined): ColumnType | 'Utf8' | { unsupported: string } {
  if (code === 2) {
    const name = `${details?.int8(1) === 0 ? 'Uint' : 'Int'}${details?.int32(0) ?? 0}`;
    const known: Readonly<Record<string, ColumnType>> = { Uint8: 'u8', Uint16: 'u16', Uint32: 'u32', Uint64: 'u64', Int32: 'i32' };
    return known[name] ?? { unsupported: name };
  }
  if (code === 3) return ([{ unsupported: 'Float16' }, 'f32', 'f64'] as const)[details?.int16(0) ?? 0] ?? { unsupported: 'Float' };
  if (code === 5) return 'Utf8';
  return { unsupported: TYPE_NAMES[code] ?? `number ${code}` };
}

function readBatch(batch: FlatTable): BatchMessage {
  return {
    rows: batch.int64(0),
    nodes: batch.structs(1, 16, (view, at) => ({ length: readInt64(view, at), nulls: readInt64(view, at + 8) })),
    buffers: batch.structs(2, 16, (view, at) => ({ offset: readInt64(view, at), length: readInt64(view, at + 8) })),
    compressed: batch.table(3) !== undefined,
  };
}
