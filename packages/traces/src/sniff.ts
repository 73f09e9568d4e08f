import { isNpy } from './npy-header.ts';

/** What a file is, from its first bytes. */
export type FileKind = 'arrow' | 'npy' | 'other';

/** First bytes of formats that people hand in by mistake, so that an error can say what was found. */
const known: readonly (readonly [start: string, what: string])[] = [
  ['PK\x03\x04', 'a zip archive (an .npz, or torch .pt)'],
  ['PAR1', 'a Parquet table'],
  ['\x1f\x8b', 'gzip-compressed data'],
  ['\x28\xb5\x2f\xfd', 'Zstandard-compressed data'],
  ['\x89HDF', 'an HDF5 file'],
  ['\x80\x02', 'a Python pickle'],
  ['\x80\x04', 'a Python pickle'],
  ['\x80\x05', 'a Python pickle'],
  ['FEA1', 'a Feather version 1 table'],
];

export const SNIFF_BYTES = 64;

/** Kind of a file and, for people, what its first bytes look like. */
export function sniff(start: Uint8Array): { kind: FileKind; description: string } {
  const text = String.fromCharCode(...start.subarray(0, SNIFF_BYTES));
  if (isNpy(start)) return { kind: 'npy', description: 'a NumPy array' };
  if (text.startsWith('ARROW1')) return { kind: 'arrow', description: 'an Arrow file' };
  if (text.startsWith('\xff\xff\xff\xff')) return { kind: 'arrow', description: 'an Arrow stream' };
  return { kind: 'other', description: describe(text) };
}

function describe(text: string): string {
  if (text === '') return 'empty';
  const found = known.find(([start]) => text.startsWith(start));
  if (found !== undefined) return found[1];
  if (/^\s*[{[]/.test(text)) return 'JSON';
  return /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(text) ? 'text' : 'unknown binary data';
}
