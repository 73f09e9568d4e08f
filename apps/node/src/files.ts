import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readSync, statSync, writeSync, type Stats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ByteSink, ByteSource } from '@kerf/arrow';
import { KerfError } from '@kerf/checks';
import { NodeError } from './errors.ts';

/** A file to read at random. It stays open until `close`. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #descriptor: number;

  /** @throws NodeError `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
  constructor(path: string) {
    this.name = path;
    assertFile(path);
    try {
      this.#descriptor = openSync(path, 'r');
      this.byteLength = fstatSync(this.#descriptor).size;
    } catch (error) {
      throw readError(error, path);
    }
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, this.byteLength - offset)));
    let done = 0;
    try {
      while (done < bytes.length) {
        const got = readSync(this.#descriptor, bytes, done, bytes.length - done, offset + done);
        if (got === 0) break;
        done += got;
      }
    } catch (error) {
      throw readError(error, this.name);
    }
    return done === bytes.length ? bytes : bytes.subarray(0, done);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** A new file, written in order. */
export class FileSink implements ByteSink {
  readonly path: string;
  readonly #descriptor: number;
  readonly #hash = createHash('sha256');
  #open = true;
  /** Written so far. */
  bytes = 0;

  /** @throws NodeError `FILE_UNWRITABLE` also when the file exists, `DISK_FULL` */
  constructor(path: string) {
    this.path = path;
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#descriptor = openSync(path, 'wx');
    } catch (error) {
      throw writeError(error, path);
    }
  }

  write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
    } catch (error) {
      throw writeError(error, this.path);
    }
    this.bytes += bytes.length;
    this.#hash.update(bytes);
  }

  /** Of all that was written. Ask once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }
}

/** The files of a trace, as `TraceFiles` of @kerf/traces asks for them. */
export interface OpenTraceFiles {
  readonly name: string;
  list(): string[];
  open(file: string): FileSource;
  /** Closes whatever was opened. */
  close(): void;
}

/**
 * The files of a trace: a folder's own files, or one file by itself.
 *
 * @throws NodeError `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function traceFiles(path: string): OpenTraceFiles {
  const opened: FileSource[] = [];
  const open = (file: string) => {
    const source = new FileSource(file);
    opened.push(source);
    return source;
  };
  const close = () => {
    for (const source of opened.splice(0)) source.close();
  };
  try {
    if (statSync(path).isDirectory()) {
      const list = () => readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile() || entry.isSymbolicLink()).map((entry) => entry.name).sort();
      list();
      return { name: path, list, open: (file) => open(join(path, basename(file))), close };
    }
  } catch (error) {
    throw readError(error, path);
  }
  assertFile(path);
  return { name: path, list: () => [basename(path)], open: (file) => open(join(dirname(path), basename(file))), close };
}

/** SHA-256 in the shape that the pure packages ask for. */
export function sha256(): { update(bytes: Uint8Array): void; hex(): string } {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
}

const CHUNK_BYTES = 1 << 20;

/** SHA-256 of a file, read piece by piece. */
export function hashOf(source: ByteSource): string {
  const hash = sha256();
  for (let offset = 0; offset < source.byteLength; offset += CHUNK_BYTES) hash.update(source.read(offset, CHUNK_BYTES));
  return hash.hex();
}

/**
 * Opening a pipe waits for a writer, and reading some devices never ends: both are refused by name.
 *
 * @throws NodeError `FILE_NOT_FOUND`, `FILE_UNREADABLE`
 */
export function assertFile(path: string): void {
  let stat: Stats;
  try {
    stat = statSync(path);
  } catch (error) {
    throw readError(error, path);
  }
  if (stat.isFile()) return;
  const kind = stat.isDirectory() ? 'folder' : stat.isFIFO() ? 'pipe' : stat.isSocket() ? 'socket' : 'device';
  throw new NodeError('FILE_UNREADABLE', `${path} is a ${kind}, not a file.`, { path, kind });
}

/** What a failed read means to the person who named the file. */
export function readError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code === undefined || error instanceof KerfError) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new NodeError('FILE_NOT_FOUND', `There is no file ${path}.`, { path }, error);
  if (code === 'EISDIR') return new NodeError('FILE_UNREADABLE', `${path} is a folder, not a file.`, { path }, error);
  return new NodeError('FILE_UNREADABLE', `${path} cannot be read (${code}).`, { path, systemCode: code }, error);
}

/** What a failed write means: a full disk (or quota) ends the run as incomplete, anything else is a path one cannot write. */
export function writeError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new NodeError('DISK_FULL', `The disk is full: ${path} could not be written (${code}).`, { path, systemCode: code }, error);
  }
  if (code === undefined || error instanceof KerfError) return error;
  return new NodeError('FILE_UNWRITABLE', `${path} cannot be written (${code}).`, { path, systemCode: code }, error);
}

/** The system's code of a failed call (`ENOENT`), or undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
