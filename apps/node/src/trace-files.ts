import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TraceFiles } from '@kerf/traces';
import { FileSource } from './table-files.ts';

/** The files of a trace: a folder's own, or one file by itself. `close` closes whatever was opened. */
export function traceFiles(path: string): TraceFiles & { close(): void } {
  const opened: FileSource[] = [];
  const folder = statSync(path).isDirectory();
  return {
    name: path,
    list: () => (folder ? readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name).sort() : [basename(path)]),
    open: (file) => {
      const source = new FileSource(join(folder ? path : dirname(path), basename(file)));
      opened.push(source);
      return source;
    },
    close: () => opened.splice(0).forEach((source) => source.close()),
  };
}
