import type { ByteSource } from '@kerf/arrow';
import { TraceError } from './errors.ts';
import { halfToNumber } from './half.ts';
import { npyTypes, type NpyHeader } from './npy-header.ts';

/**
 * Values `from` … `from + count - 1` of an array in C order, as numbers. So a large array is read in pieces.
 *
 * @throws TraceError `TRACE_NPY_LENGTH` if the file has become shorter, `TRACE_NPY_VALUE` for a 64-bit integer beyond ±2^53
 */
export function readNpyValues(source: ByteSource, header: NpyHeader, from: number, count: number): Float64Array {
  const { bytes: width } = npyTypes[header.type];
  const bytes = source.read(header.dataOffset + from * width, count * width);
  if (bytes.byteLength !== count * width) {
    throw new TraceError('TRACE_NPY_LENGTH', `${source.name}: expected ${count * width} bytes from byte ${header.dataOffset + from * width}, got ${bytes.byteLength}: it is shorter than when it was opened.`, {
      file: source.name, expected: count * width, got: bytes.byteLength,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float64Array(count);
  const read = readers[header.type];
  for (let i = 0; i < count; i++) values[i] = read(view, i * width);
  if (header.type === '<i8') checkSafe(source, values, from);
  return values;
}

const readers: Readonly<Record<NpyHeader['type'], (view: DataView, at: number) => number>> = {
  '|u1': (view, at) => view.getUint8(at),
  '|i1': (view, at) => view.getInt8(at),
  '<u2': (view, at) => view.getUint16(at, true),
  '<i2': (view, at) => view.getInt16(at, true),
  '<i4': (view, at) => view.getInt32(at, true),
  '<i8': (view, at) => Number(view.getBigInt64(at, true)),
  '<f2': (view, at) => halfToNumber(view.getUint16(at, true)),
  '<f4': (view, at) => view.getFloat32(at, true),
};

function checkSafe(source: ByteSource, values: Float64Array, from: number): void {
  const at = values.findIndex((value) => !Number.isSafeInteger(value));
  if (at < 0) return;
  throw new TraceError('TRACE_NPY_VALUE', `${source.name}: expected whole numbers within ±2^53, got about ${values[at]} as value ${from + at}.`, { file: source.name, value: from + at, got: values[at]! });
}
