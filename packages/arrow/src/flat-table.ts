/**
 * A table in a flatbuffer: a position whose fields are found through a list of offsets. Just what reading Arrow's metadata
 * needs, and no count or offset out of damaged bytes is believed: whatever leaves the buffer throws a RangeError.
 *
 * @see https://flatbuffers.dev/internals/
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #position: number;
  readonly #offsets: number;

  constructor(view: DataView, position: number) {
    this.#view = view;
    this.#position = position;
    this.#offsets = position - view.getInt32(position, true);
  }

  /** The table that a whole flatbuffer holds. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Where the field of a slot lies, or 0 if it is absent and has its default. */
  #field(slot: number): number {
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.#view.getUint16(this.#offsets, true)) return 0;
    const offset = this.#view.getUint16(this.#offsets + entry, true);
    return offset === 0 ? 0 : this.#position + offset;
  }

  int8(slot: number): number {
    const field = this.#field(slot);
    return field === 0 ? 0 : this.#view.getInt8(field);
  }

  int16(slot: number): number {
    const field = this.#field(slot);
    return field === 0 ? 0 : this.#view.getInt16(field, true);
  }

  int32(slot: number): number {
    const field = this.#field(slot);
    return field === 0 ? 0 : this.#view.getInt32(field, true);
  }

  int64(slot: number): number {
    const field = this.#field(slot);
    return field === 0 ? 0 : readInt64(this.#view, field);
  }

  table(slot: number): FlatTable | undefined {
    const field = this.#field(slot);
    return field === 0 ? undefined : new FlatTable(this.#view, field + this.#view.getUint32(field, true));
  }

  string(slot: number): string {
    const field = this.#field(slot);
    if (field === 0) return '';
    const start = field + this.#view.getUint32(field, true);
    const byteLength = this.#view.getUint32(start, true);
    this.#check(start + 4, byteLength);
    return decodeUtf8(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start + 4, byteLength));
  }

  tables(slot: number): FlatTable[] {
    return this.#vector(slot, 4, (at) => new FlatTable(this.#view, at + this.#view.getUint32(at, true)));
  }

  /** A vector of structs of whole numbers; each is read as its 64-bit words, low bits first. */
  structs<T>(slot: number, structBytes: number, read: (view: DataView, position: number) => T): T[] {
    return this.#vector(slot, structBytes, (at) => read(this.#view, at));
  }

  #vector<T>(slot: number, elementBytes: number, read: (position: number) => T): T[] {
    const field = this.#field(slot);
    if (field === 0) return [];
    const start = field + this.#view.getUint32(field, true);
    const length = this.#view.getUint32(start, true);
    this.#check(start + 4, length * elementBytes);
    return Array.from({ length }, (_, element) => read(start + 4 + element * elementBytes));
  }

  #check(start: number, byteLength: number): void {
    if (start + byteLength > this.#view.byteLength) throw new RangeError(`${byteLength} bytes at ${start} of ${this.#view.byteLength}`);
  }
}

/** A 64-bit length or offset; beyond 2^53 there is no such file. */
export function readInt64(view: DataView, position: number): number {
  const value = Number(view.getBigInt64(position, true));
  if (!Number.isSafeInteger(value)) throw new RangeError(`a length of ${value}`);
  return value;
}

// In every JavaScript runtime, but not in the language's own type library.
declare const TextDecoder: new (encoding: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string };
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Throws if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
