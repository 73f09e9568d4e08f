import { npyTypes, type NpyType } from '../npy-header.ts';
import { bytesOf } from './files.ts';

/** Bytes of a `.npy` file as NumPy writes it; float16 values are given as their bits. */
export function npyFile(type: NpyType, shape: readonly number[], values: ArrayLike<number>, version: 1 | 2 = 1): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const data = new DataView(new ArrayBuffer(values.length * npyTypes[type].bytes));
  for (let i = 0; i < values.length; i++) writers[type](data, i * npyTypes[type].bytes, values[i]!);
  return npyWithHeader(`{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`, new Uint8Array(data.buffer), version);
}

/** Any header text in front of any data; padded to 64 bytes as NumPy does. */
export function npyWithHeader(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const prefixBytes = version === 1 ? 10 : 12;
  const padded = header.padEnd(Math.ceil((prefixBytes + header.length + 1) / 64) * 64 - prefixBytes - 1) + '\n';
  const bytes = new Uint8Array(prefixBytes + padded.length + data.length);
  bytes.set([...bytesOf('\x93NUMPY'), version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, padded.length, true);
  else view.setUint32(8, padded.length, true);
  bytes.set(bytesOf(padded), prefixBytes);
  bytes.set(data, prefixBytes + padded.length);
  return bytes;
}

const writers: Readonly<Record<NpyType, (data: DataView, at: number, value: number) => void>> = {
  '|u1': (data, at, value) => data.setUint8(at, value),
  '|i1': (data, at, value) => data.setInt8(at, value),
  '<u2': (data, at, value) => data.setUint16(at, value, true),
  '<i2': (data, at, value) => data.setInt16(at, value, true),
  '<i4': (data, at, value) => data.setInt32(at, value, true),
  '<i8': (data, at, value) => data.setBigInt64(at, BigInt(value), true),
  '<f2': (data, at, value) => data.setUint16(at, value, true),
  '<f4': (data, at, value) => data.setFloat32(at, value, true),
};
