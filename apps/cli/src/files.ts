import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ByteSink, ByteSource } from '@kerf/arrow';
import { CliError, systemCode, writeError } from './errors.ts';
import { jsonFault } from './json-syntax.ts';

/** A file to read at random. It stays open until `close`. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly byteLength: number;
  readonly #descriptor: number;

  /** @throws CliError `FILE_NOT_FOUND`, `FILE_UNREADABLE` */
  constructor(path: string) {
    this.name = path;
    try {
      this.#descriptor = openSync(path, 'r');
      const stat = fstatSync(this.#descriptor);
      if (stat.isDirectory()) {
        closeSync(this.#descriptor);
        throw new CliError('FILE_UNREADABLE', `${path} is a folder, not a file.`, { path });
      }
      this.byteLength = stat.size;
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

  /** @throws CliError `FILE_UNWRITABLE` also when the file exists, `DISK_FULL` */
  constructor(path: string) {
    this.path = path;
    try {
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
  }

  close(): void {
    closeSync(this.#descriptor);
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
 * @throws CliError `FILE_NOT_FOUND`, `FILE_UNREADABLE`
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
      const list = () => readdirSync(path, { withFileTypes: true }).filter((entry) => !entry.isDirectory()).map((entry) => entry.name).sort();
      list();
      return { name: path, list, open: (file) => open(join(path, basename(file))), close };
    }
  } catch (error) {
    throw readError(error, path);
  }
  return { name: path, list: () => [basename(path)], open: (file) => open(join(dirname(path), basename(file))), close };
}

/** @throws CliError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, and `JSON_SYNTAX` with line and column */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw readError(error, path);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const fault = jsonFault(text);
    if (fault === undefined) throw error;
    const { line, column, expected } = fault;
    const got = text.split('\n')[line - 1]!.slice(column - 1, column + 19).trimEnd();
    const message = `${path}, line ${line}, column ${column}: not JSON. Expected ${expected}, got ${got === '' ? 'the end of the line' : JSON.stringify(got)}.`;
    throw new CliError('JSON_SYNTAX', message, { path, line, column, expected }, error);
  }
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
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

/** What a failed read means to the person who named the file. */
export function readError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (code === undefined || error instanceof CliError) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new CliError('FILE_NOT_FOUND', `There is no file ${path}.`, { path }, error);
  if (code === 'EISDIR') return new CliError('FILE_UNREADABLE', `${path} is a folder, not a file.`, { path }, error);
  return new CliError('FILE_UNREADABLE', `${path} cannot be read (${code}).`, { path, systemCode: code }, error);
}
