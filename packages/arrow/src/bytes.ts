/** Bytes to read at random: a file, a message, memory. Synchronous, so that a reader decides how much it holds. */
export interface ByteSource {
  /** What a person calls it, usually the path; errors name it. */
  readonly name: string;
  readonly byteLength: number;
  /** `length` bytes from `offset`; fewer only at the end. Later reads do not change what an earlier one returned. */
  read(offset: number, length: number): Uint8Array;
}

/** Where bytes go, in order. Synchronous, so that a writer never holds what it has handed over. */
export interface ByteSink {
  /** Takes all of `bytes` before it returns: the caller writes over them next. Throws when it cannot. */
  write(bytes: Uint8Array): void;
}

/** A source over bytes in memory; reads are views, not copies. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return { name, byteLength: bytes.byteLength, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A sink that keeps everything: for tests, and for tables that are small by nature. */
export class MemorySink implements ByteSink {
  #bytes = new Uint8Array(4096);
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  write(bytes: Uint8Array): void {
    const byteLength = this.#byteLength + bytes.byteLength;
    if (byteLength > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(byteLength, 2 * this.#bytes.byteLength));
      larger.set(this.bytes());
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#byteLength);
    this.#byteLength = byteLength;
  }

  /** What was written so far; a view that the next write may leave behind. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#byteLength);
  }

  /** Forgets everything after the first `byteLength` bytes, as one truncates a stream before a restore. */
  truncate(byteLength: number): void {
    this.#byteLength = Math.min(this.#byteLength, byteLength);
  }
}
