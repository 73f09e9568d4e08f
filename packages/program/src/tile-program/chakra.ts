import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ProgramError } from '../errors.ts';

/** Kinds of node, by their number in the schema. */
export const chakraNodeTypes = ['invalid', 'metadata', 'memLoad', 'memStore', 'compute', 'send', 'receive', 'collective'] as const;
export type ChakraNodeType = (typeof chakraNodeTypes)[number];

/** Kinds of collective, by their number in the attribute `comm_type`. */
export const chakraCollectives = ['allReduce', 'reduce', 'allGather', 'gather', 'scatter', 'broadcast', 'allToAll', 'reduceScatter', 'reduceScatterBlock', 'barrier'] as const;

/** Types of a value, in the order of their fields: a value and a list of each, from field 3 on. */
const scalarTypes = ['double', 'float', 'int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64', 'fixed32', 'fixed64', 'sfixed32', 'sfixed64', 'bool', 'string', 'bytes'] as const;
export type ChakraScalarType = (typeof scalarTypes)[number];
/** 64-bit whole numbers are bigint. */
export type ChakraScalar = number | bigint | boolean | string | Uint8Array;

export interface ChakraAttribute {
  readonly name: string;
  readonly doc?: string;
  readonly type: ChakraScalarType;
  readonly value: ChakraScalar | readonly ChakraScalar[];
}

/** Values, shapes and types of operands, as the recorder wrote them. */
export interface ChakraOperands {
  readonly values: string;
  readonly shapes: string;
  readonly types: string;
}

export interface ChakraNode {
  readonly id: bigint;
  readonly name: string;
  readonly type: ChakraNodeType;
  readonly controlDependencies: readonly bigint[];
  readonly dataDependencies: readonly bigint[];
  readonly startMicroseconds: bigint;
  readonly durationMicroseconds: bigint;
  readonly inputs?: ChakraOperands;
  readonly outputs?: ChakraOperands;
  readonly attributes: readonly ChakraAttribute[];
}

/** The execution trace of one rank. */
export interface ChakraTrace {
  readonly version: string;
  readonly attributes: readonly ChakraAttribute[];
  readonly nodes: readonly ChakraNode[];
}

/**
 * Reads the execution trace of one rank: length-delimited messages, first one of metadata, then the nodes. Fields that are
 * not in the schema are passed over.
 *
 * @throws ProgramError `PROGRAM_BAD_CHAKRA` with the message and byte where the file goes wrong
 * @see mlcommons/chakra, schema/protobuf/et_def.proto
 */
export function readChakra(bytes: Uint8Array, source: string): ChakraTrace {
  const nodes: ChakraNode[] = [];
  let global: { version: string; attributes: ChakraAttribute[] } | undefined;
  let at = 0;
  try {
    while (at < bytes.length) {
      const framing = new BinaryReader(bytes.subarray(at));
      const size = framing.uint32();
      if (size > framing.len - framing.pos) throw new RangeError(`it announces ${size} bytes, and ${framing.len - framing.pos} follow`);
      const from = at + framing.pos;
      const reader = new BinaryReader(bytes.subarray(from, from + size));
      if (global === undefined) global = readMetadata(reader);
      else nodes.push(readNode(reader));
      at = from + size;
    }
    if (global === undefined) throw new RangeError('it is empty');
  } catch (error) {
    const message = `${source} is no Chakra execution trace: message ${global === undefined ? 0 : nodes.length + 1}, at byte ${at}: ${(error as Error).message}.`;
    throw new ProgramError('PROGRAM_BAD_CHAKRA', message, { source, message: nodes.length, byte: at }, error);
  }
  return { ...global, nodes };
}

/** Writes what {@link readChakra} reads. */
export function writeChakra({ version, attributes, nodes }: ChakraTrace): Uint8Array {
  const file = new BinaryWriter();
  const metadata = file.fork();
  if (version !== '') metadata.tag(1, WireType.LengthDelimited).string(version);
  for (const attribute of attributes) writeAttribute(metadata, 2, attribute);
  metadata.join();
  for (const node of nodes) {
    const writer = file.fork();
    if (node.id !== 0n) writer.tag(1, WireType.Varint).uint64(node.id);
    if (node.name !== '') writer.tag(2, WireType.LengthDelimited).string(node.name);
    const type = chakraNodeTypes.indexOf(node.type);
    if (type !== 0) writer.tag(3, WireType.Varint).int32(type);
    for (const [field, ids] of [[4, node.controlDependencies], [5, node.dataDependencies]] as const) {
      if (ids.length === 0) continue;
      writer.tag(field, WireType.LengthDelimited).fork();
      for (const id of ids) writer.uint64(id);
      writer.join();
    }
    if (node.startMicroseconds !== 0n) writer.tag(6, WireType.Varint).uint64(node.startMicroseconds);
    if (node.durationMicroseconds !== 0n) writer.tag(7, WireType.Varint).uint64(node.durationMicroseconds);
    for (const [field, operands] of [[8, node.inputs], [9, node.outputs]] as const) {
      if (operands === undefined) continue;
      writer.tag(field, WireType.LengthDelimited).fork();
      [operands.values, operands.shapes, operands.types].forEach((text, i) => {
        if (text !== '') writer.tag(i + 1, WireType.LengthDelimited).string(text);
      });
      writer.join();
    }
    for (const attribute of node.attributes) writeAttribute(writer, 10, attribute);
    writer.join();
  }
  return file.finish();
}

/** Calls `field` for every field of a message; what it does not take (it returns false) is passed over. */
function eachField(reader: BinaryReader, field: (number: number, wire: WireType) => boolean): void {
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (!field(number, wire)) reader.skip(wire, number);
  }
}

/** A message inside a message. */
function nested(reader: BinaryReader): BinaryReader {
  return new BinaryReader(reader.bytes());
}

function readMetadata(reader: BinaryReader): { version: string; attributes: ChakraAttribute[] } {
  let version = '';
  const attributes: ChakraAttribute[] = [];
  eachField(reader, (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === 1) version = reader.string();
    else if (field === 2) attributes.push(readAttribute(nested(reader)));
    else return false;
    return true;
  });
  return { version, attributes };
}

function readNode(reader: BinaryReader): ChakraNode {
  let [id, startMicroseconds, durationMicroseconds] = [0n, 0n, 0n];
  let name = '';
  let type: ChakraNodeType = 'invalid';
  const [controlDependencies, dataDependencies]: [bigint[], bigint[]] = [[], []];
  const operands: { inputs?: ChakraOperands; outputs?: ChakraOperands } = {};
  const attributes: ChakraAttribute[] = [];
  eachField(reader, (field, wire) => {
    switch (field) {
      case 1: id = BigInt(reader.uint64()); return true;
      case 2: name = reader.string(); return true;
      case 3: {
        const number = reader.int32();
        const known = chakraNodeTypes[number];
        if (known === undefined) throw new RangeError(`a node has the type ${number}`);
        type = known;
        return true;
      }
      case 4:
      case 5: {
        const into = field === 4 ? controlDependencies : dataDependencies;
        if (wire !== WireType.LengthDelimited) into.push(BigInt(reader.uint64()));
        else for (const packed = nested(reader); packed.pos < packed.len;) into.push(BigInt(packed.uint64()));
        return true;
      }
      case 6: startMicroseconds = BigInt(reader.uint64()); return true;
      case 7: durationMicroseconds = BigInt(reader.uint64()); return true;
      case 8: operands.inputs = readOperands(nested(reader)); return true;
      case 9: operands.outputs = readOperands(nested(reader)); return true;
      case 10: attributes.push(readAttribute(nested(reader))); return true;
      default: return false;
    }
  });
  return { id, name, type, controlDependencies, dataDependencies, startMicroseconds, durationMicroseconds, ...operands, attributes };
}

function readOperands(reader: BinaryReader): ChakraOperands {
  const texts = ['', '', ''];
  eachField(reader, (field) => {
    if (field < 1 || field > 3) return false;
    texts[field - 1] = reader.string();
    return true;
  });
  return { values: texts[0]!, shapes: texts[1]!, types: texts[2]! };
}

function readAttribute(reader: BinaryReader): ChakraAttribute {
  let name = '';
  let doc: string | undefined;
  let type: ChakraScalarType = 'bytes';
  let value: ChakraScalar | ChakraScalar[] = new Uint8Array(0);
  eachField(reader, (field) => {
    if (field === 1) name = reader.string();
    else if (field === 2) doc = reader.string();
    else {
      const known = scalarTypes[(field - 3) >> 1];
      if (known === undefined) return false;
      type = known;
      if ((field & 1) === 1) {
        value = readScalar(reader, known);
      } else {
        const list: ChakraScalar[] = [];
        const inside = nested(reader);
        eachField(inside, (number, wire) => {
          if (number !== 1) return false;
          if (wire !== WireType.LengthDelimited || known === 'string' || known === 'bytes') list.push(readScalar(inside, known));
          else for (const packed = nested(inside); packed.pos < packed.len;) list.push(readScalar(packed, known));
          return true;
        });
        value = list;
      }
    }
    return true;
  });
  return { name, ...(doc === undefined ? {} : { doc }), type, value };
}

function writeAttribute(writer: BinaryWriter, field: number, { name, doc, type, value }: ChakraAttribute): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  if (name !== '') writer.tag(1, WireType.LengthDelimited).string(name);
  if (doc !== undefined) writer.tag(2, WireType.LengthDelimited).string(doc);
  const at = 3 + 2 * scalarTypes.indexOf(type);
  if (!Array.isArray(value)) {
    writer.tag(at, wireTypeOf(type));
    writeScalar(writer, type, value as ChakraScalar);
  } else {
    writer.tag(at + 1, WireType.LengthDelimited).fork();
    const list = value as readonly ChakraScalar[];
    if (type === 'string' || type === 'bytes') {
      for (const one of list) {
        writer.tag(1, WireType.LengthDelimited);
        writeScalar(writer, type, one);
      }
    } else if (list.length > 0) {
      writer.tag(1, WireType.LengthDelimited).fork();
      for (const one of list) writeScalar(writer, type, one);
      writer.join();
    }
    writer.join();
  }
  writer.join();
}

function wireTypeOf(type: ChakraScalarType): WireType {
  switch (type) {
    case 'double': case 'fixed64': case 'sfixed64': return WireType.Bit64;
    case 'float': case 'fixed32': case 'sfixed32': return WireType.Bit32;
    case 'string': case 'bytes': return WireType.LengthDelimited;
    default: return WireType.Varint;
  }
}

function readScalar(reader: BinaryReader, type: ChakraScalarType): ChakraScalar {
  switch (type) {
    case 'int64': case 'uint64': case 'sint64': case 'fixed64': case 'sfixed64': return BigInt(reader[type]());
    default: return reader[type]();
  }
}

function writeScalar(writer: BinaryWriter, type: ChakraScalarType, value: ChakraScalar): void {
  switch (type) {
    case 'bool': writer.bool(value as boolean); break;
    case 'string': writer.string(value as string); break;
    case 'bytes': writer.bytes(value as Uint8Array); break;
    case 'int64': case 'uint64': case 'sint64': case 'fixed64': case 'sfixed64': writer[type](value as bigint); break;
    default: writer[type](value as number);
  }
}
