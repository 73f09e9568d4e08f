import type { ByteSource } from '@kerf/arrow';
import { TraceError, type TraceErrorCode } from './errors.ts';
import { LiteralError, parsePythonLiteral, type PythonLiteral } from './python-literal.ts';

/** Element types that are read, by NumPy's descriptor. All little-endian. */
export const npyTypes = {
  '|u1': { bytes: 1, integer: true }, '|i1': { bytes: 1, integer: true },
  '<u2': { bytes: 2, integer: true }, '<i2': { bytes: 2, integer: true },
  '<i4': { bytes: 4, integer: true }, '<i8': { bytes: 8, integer: true },
  '<f2': { bytes: 2, integer: false }, '<f4': { bytes: 4, integer: false },
} as const;
export type NpyType = keyof typeof npyTypes;

/** What a `.npy` file holds and where. The file has exactly the bytes that shape and type ask for. */
export interface NpyHeader {
  readonly type: NpyType;
  /** Outermost first; C order. */
  readonly shape: readonly number[];
  /** Product of the shape. */
  readonly values: number;
  readonly dataOffset: number;
}

const MAGIC = '\x93NUMPY';
/** NumPy itself refuses headers beyond 10,000 characters; a plain array needs some 100. */
const LONGEST_HEADER_BYTES = 65_536;

/** True if the file begins as a `.npy` file does. */
export function isNpy(start: Uint8Array): boolean {
  return latin1(start.subarray(0, MAGIC.length)) === MAGIC;
}

/**
 * Reads and checks the header of a `.npy` file, versions 1 and 2.
 *
 * @throws TraceError `TRACE_NPY_HEADER`, `TRACE_NPY_TYPE`, `TRACE_NPY_ORDER`, `TRACE_NPY_LENGTH`
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function readNpyHeader(source: ByteSource): NpyHeader {
  const start = source.read(0, Math.min(12, source.byteLength));
  if (!isNpy(start)) throw error(source, 'TRACE_NPY_HEADER', 'a NumPy array (first bytes \\x93NUMPY)', `${JSON.stringify(latin1(start.subarray(0, 6)))}`);
  const major = start[6];
  if (major !== 1 && major !== 2) throw error(source, 'TRACE_NPY_HEADER', 'format version 1 or 2', `${major ?? 'the end of the file'}`);
  const prefixBytes = major === 1 ? 10 : 12;
  if (start.byteLength < prefixBytes) throw error(source, 'TRACE_NPY_HEADER', `a header of at least ${prefixBytes} bytes`, `a file of ${source.byteLength}`);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > LONGEST_HEADER_BYTES) throw error(source, 'TRACE_NPY_HEADER', `a header of at most ${LONGEST_HEADER_BYTES} bytes`, `one of ${headerBytes}`);
  const header = source.read(prefixBytes, headerBytes);
  if (header.byteLength < headerBytes) throw error(source, 'TRACE_NPY_HEADER', `a header of ${headerBytes} bytes`, `a file that ends after ${header.byteLength} of them`);
  const { type, shape } = parseHeader(source, latin1(header));
  const values = shape.reduce((product, length) => product * length, 1);
  const dataOffset = prefixBytes + headerBytes;
  const expectedBytes = dataOffset + values * npyTypes[type].bytes;
  if (source.byteLength !== expectedBytes) {
    const state = source.byteLength < expectedBytes ? 'it is truncated' : 'more follows than the array';
    throw error(source, 'TRACE_NPY_LENGTH', `${expectedBytes} bytes for ${type} [${shape.join(', ')}]`, `${source.byteLength}: ${state}`);
  }
  return { type, shape, values, dataOffset };
}

function parseHeader(source: ByteSource, text: string): { type: NpyType; shape: number[] } {
  if (!text.endsWith('\n')) throw error(source, 'TRACE_NPY_HEADER', 'a header that ends with a new line', JSON.stringify(text.slice(-8)));
  let literal: PythonLiteral;
  try {
    literal = parsePythonLiteral(text);
  } catch (cause) {
    if (!(cause instanceof LiteralError)) throw cause;
    throw error(source, 'TRACE_NPY_HEADER', "a header like {'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }", `this: ${cause.message}`, cause);
  }
  const keys = literal instanceof Map ? [...literal.keys()].sort().join(', ') : `${typeof literal}`;
  if (!(literal instanceof Map) || keys !== 'descr, fortran_order, shape') throw error(source, 'TRACE_NPY_HEADER', 'the keys descr, fortran_order, shape', keys);
  return { type: checkType(source, literal.get('descr')), shape: checkShape(source, literal.get('shape'), literal.get('fortran_order')) };
}

function checkType(source: ByteSource, descr: PythonLiteral | undefined): NpyType {
  if (typeof descr === 'string' && Object.hasOwn(npyTypes, descr)) return descr as NpyType;
  const got = typeof descr === 'string' ? descr : 'a structure of fields';
  const why = got.startsWith('>') ? ' (big-endian)' : got.includes('O') ? ' (Python objects)' : '';
  throw error(source, 'TRACE_NPY_TYPE', `one of ${Object.keys(npyTypes).join(', ')}`, `${got}${why}`);
}

function checkShape(source: ByteSource, shape: PythonLiteral | undefined, fortranOrder: PythonLiteral | undefined): number[] {
  if (typeof fortranOrder !== 'boolean') throw error(source, 'TRACE_NPY_HEADER', 'True or False as fortran_order', JSON.stringify(fortranOrder));
  if (fortranOrder) throw error(source, 'TRACE_NPY_ORDER', 'C order (last axis fastest)', 'Fortran order; save numpy.ascontiguousarray(array)');
  if (!Array.isArray(shape) || !shape.every((length): length is number => typeof length === 'number')) {
    throw error(source, 'TRACE_NPY_HEADER', 'a tuple of whole numbers as shape', JSON.stringify(shape instanceof Map ? Object.fromEntries(shape) : shape));
  }
  if (shape.reduce((product, length) => product * Math.max(1, length), 1) > 2 ** 45) throw error(source, 'TRACE_NPY_HEADER', 'at most 2^45 values', `[${shape.join(', ')}]`);
  return shape;
}

function error(source: ByteSource, code: TraceErrorCode, expected: string, got: string, cause?: unknown): TraceError {
  return new TraceError(code, `${source.name}: expected ${expected}, got ${got}.`, { file: source.name, expected, got }, cause);
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
