import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { writeError } from '@kerf/node';
import { CliError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';

/**
 * Makes sure, before hours of work, that the ledger can be written there. What is there already is replaced only by a whole new file.
 *
 * @throws CliError `LEDGER_FILE`, NodeError `FILE_UNWRITABLE`
 */
export function assertWritable(path: string): void {
  if (!/\.arrow$/.test(path)) throw new CliError('LEDGER_FILE', `--out takes an Arrow file, such as ledger.arrow; got ${path}.`, { path });
  const there = statSync(resolve(path), { throwIfNoEntry: false });
  if (there !== undefined && !there.isFile()) throw new CliError('LEDGER_FILE', `--out ${path} is there and is no file.`, { path });
  try {
    makeFolder(dirname(resolve(path)));
    accessSync(dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw writeError(error, path);
  }
}

/** @throws NodeError `FILE_UNWRITABLE`, `DISK_FULL` */
export function writeLedger(path: string, bytes: Uint8Array): void {
  const partial = `${resolve(path)}.partial`;
  try {
    writeFileSync(partial, bytes);
    renameSync(partial, resolve(path));
  } catch (error) {
    rmSync(partial, { force: true });
    throw writeError(error, path);
  }
}
