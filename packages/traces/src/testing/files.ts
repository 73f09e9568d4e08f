import { memorySource } from '@kerf/arrow';
import type { TraceFiles } from '../routing-trace.ts';

/** A folder in memory. */
export function filesOf(contents: Readonly<Record<string, Uint8Array | string>>, name = 'folder'): TraceFiles {
  return {
    name,
    list: () => Object.keys(contents),
    open: (file) => {
      const content = contents[file];
      if (content === undefined) throw new Error(`${file} was opened and does not exist`);
      return memorySource(`${name}/${file}`, typeof content === 'string' ? bytesOf(content) : content);
    },
  };
}

/** Latin-1 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
