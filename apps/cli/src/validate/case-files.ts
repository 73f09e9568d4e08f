import { writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { writeError } from '@kerf/node';
import type { PlannedCase } from '@kerf/validation';
import { makeFolder } from '../make-folder.ts';

/**
 * Writes the tile programs that the commands of some cases read; each stays, so that the command of a row can be typed again.
 *
 * @throws NodeError `FILE_UNWRITABLE`, `DISK_FULL`
 */
export function writeCaseFiles(cases: readonly PlannedCase[]): void {
  const files = new Map(cases.filter(({ unrun }) => unrun === undefined).flatMap(({ files: own = [] }) => own.map((file) => [file.path, file] as const)));
  for (const { path, content } of files.values()) {
    try {
      makeFolder(dirname(resolve(path)));
      writeFileSync(path, `${JSON.stringify(content())}\n`);
    } catch (error) {
      throw writeError(error, path);
    }
  }
}
