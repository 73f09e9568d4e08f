import { BYTES_PER_VALUE, type ColumnSpec, type ColumnType } from './spec.ts';

export type ColumnArray = Uint8Array | Uint16Array | Uint32Array | BigUint64Array | Int32Array | Float32Array | Float64Array;

type View = { readonly [type in ColumnType]: (buffer: ArrayBuffer, byteOffset: number, rows: number) => ColumnArray };

const VIEW: View = {
  u8: (buffer, byteOffset, rows) => new Uint8Array(buffer, byteOffset, rows),
  u16: (buffer, byteOffset, rows) => new Uint16Array(buffer, byteOffset, rows),
  u32: (buffer, byteOffset, rows) => new Uint32Array(buffer, byteOffset, rows),
  u64: (buffer, byteOffset, rows) => new BigUint64Array(buffer, byteOffset, rows),
  i32: (buffer, byteOffset, rows) => new Int32Array(buffer, byteOffset, rows),
  f32: (buffer, byteOffset, rows) => new Float32Array(buffer, byteOffset, rows),
  f64: (buffer, byteOffset, rows) => new Float64Array(buffer, byteOffset, rows),
  name: (buffer, byteOffset, rows) => new Int32Array(buffer, byteOffset, rows),
};

/** `rows` values of a column as a typed array over bytes that lie at a multiple of the value's size. */
export function viewColumn(type: ColumnType, bytes: Uint8Array, rows: number): ColumnArray {
  return VIEW[type](bytes.buffer as ArrayBuffer, bytes.byteOffset, rows);
}

/** [columns] One buffer for `rows` values of each column, zeroed. */
export function allocateColumns(columns: readonly ColumnSpec[], rows: number): Uint8Array[] {
  return columns.map(({ type }) => new Uint8Array(rows * BYTES_PER_VALUE[type]));
}
