import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { streamToFile, type ByteSink } from '@kerf/arrow';
import type { WrittenFile } from '@kerf/cluster';
import { tablePath, type DieTable, type TableName } from '@kerf/results';
import { FileSink, FileSource } from './files.ts';

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
  const sink = new FileSink(join(directory, path));
  try {
    const { rows } = streamToFile(source, sink);
    return { table, dieId: dieId ?? -1, path, rows, bytes: sink.bytes, sha256: sink.sha256() };
  } finally {
    source.close();
    sink.close();
  }
}
