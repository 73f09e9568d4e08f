import { accessSync, constants, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeError } from '@kerf/node';
import { CliError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';

/**
 * Before anything is simulated: files that are there stay, and those that are asked for can be written.
 *
 * @throws CliError `OUTPUT_EXISTS`, and what writing would throw
 */
export function refuseExisting(paths: readonly string[], force: boolean): void {
  const there = paths.find((path) => existsSync(path));
  if (!force && there !== undefined) throw new CliError('OUTPUT_EXISTS', `${there} exists; --force replaces it.`, { path: there });
  for (const path of paths) {
    try {
      let folder = dirname(path);
      while (!existsSync(folder)) folder = dirname(folder);
      if (!statSync(folder).isDirectory()) throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR', path: folder });
      accessSync(folder, constants.W_OK);
      if (existsSync(path) && statSync(path).isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR', path });
    } catch (error) {
      throw writeError(error, path);
    }
  }
}

/** Writes a file that is there as a whole or not at all. */
export function writeWhole(path: string, data: string | Uint8Array): void {
  const partial = `${path}.partial`;
  try {
    makeFolder(dirname(path));
    writeFileSync(partial, data);
    renameSync(partial, path);
  } catch (error) {
    try {
      rmSync(partial, { force: true });
    } catch {
      // Under a path that leads through a file there is nothing to remove.
    }
    throw writeError(error, path);
  }
}
