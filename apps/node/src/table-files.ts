import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { streamToFile, type ByteSink, type ByteSource } from '@kerf/arrow';
import type { WrittenFile } from '@kerf/cluster';
import { tablePath, type DieTable, type TableName } from '@kerf/results';
import { NodeError } from './errors.ts';

/** The streams of a live run, and the files made of them at its end. */
export class TableFiles {
  readonly #directory: string;
  readonly #streams = new Map<string, { table: DieTable; dieId: number; path: string; sink: FileSink }>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A new stream for a table of a die. */
  open(table: DieTable, dieId: number): ByteSink {
    const path = join(this.#directory, tablePath(table, dieId, 'stream'));
    const sink = new FileSink(path);
    this.#streams.set(`${table} ${dieId}`, { table, dieId, path, sink });
    return sink;
  }

  /** Makes each finished stream into an Arrow file and removes the stream. */
  convert(): WrittenFile[] {
    return [...this.#streams.values()].map(({ table, dieId, path, sink }) => {
      sink.close();
      const file = writeTableFile(this.#directory, table, dieId, path);
      unlinkSync(path);
      return file;
    });
  }

  close(): void {
    for (const { sink } of this.#streams.values()) sink.close();
  }
}

/** The Arrow file of a stream: `dieId` is null for tables of the whole wafer. */
export function writeTableFile(directory: string, table: TableName, dieId: number | null, streamPath: string): WrittenFile {
  const path = tablePath(table, dieId);
  const source = new FileSource(streamPath);
  const sink = new FileSink(join(directory, path), true);
  try {
    const { rows } = streamToFile(source, sink);
    return { table, dieId: dieId ?? -1, path, rows, bytes: sink.bytes, sha256: sink.sha256() };
  } finally {
    source.close();
    sink.close();
  }
}

class FileSink implements ByteSink {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  readonly #hashed: boolean;
  bytes = 0;
  #open = true;

  constructor(path: string, hashed = false) {
    this.#path = path;
    this.#hashed = hashed;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#descriptor = openSync(path, 'wx');
    } catch (error) {
      throw fileError(error, path);
    }
  }

  write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
    } catch (error) {
      throw fileError(error, this.#path);
    }
    this.bytes += bytes.length;
    if (this.#hashed) this.#hash.update(bytes);
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }
}

export class FileSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.name = path;
    this.#descriptor = openSync(path, 'r');
    this.byteLength = fstatSync(this.#descriptor).size;
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.byteLength - offset)));
    let done = 0;
    while (done < bytes.length) {
      const got = readSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return done === bytes.length ? bytes : bytes.subarray(0, done);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

function fileError(error: unknown, path: string): NodeError {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (code === 'ENOSPC' || code === 'EDQUOT') return new NodeError('DISK_FULL', `The disk is full: ${path} cannot be written.`, { path }, error);
  return new NodeError('NODE_FILE', `${path} cannot be written (${code}).`, { path, systemCode: code }, error);
}
