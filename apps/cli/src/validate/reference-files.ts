import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { REFERENCE_FILES, type EventTraceName, type ReferenceFileName, type References } from '@kerf/validation';
import { readError } from '@kerf/node';
import { CliError } from '../errors.ts';
import { readJson } from '../files.ts';

const require = createRequire(import.meta.url);

/**
 * The figures that ship with Kerf.
 *
 * @param programs folder that tile programs of cases are written to
 */
export function shippedReferences(programs: string): References {
  const files = new Map(REFERENCE_FILES.map((name): [ReferenceFileName, unknown] => [name, readJson(require.resolve(`@kerf/validation/figures/${name}`))]));
  return { folder: '', files, tracePath, programPath: (name) => join(programs, `${name}.json`), hasRecording: (path) => isFileUnder(process.env['KERF_REFERENCE'], path) };
}

/**
 * The reference files of a folder. Recordings that they refer to are looked for beside the folder, then under KERF_REFERENCE.
 *
 * @throws CliError `REFERENCE_FOLDER`, `JSON_SYNTAX`; NodeError `FILE_UNREADABLE`
 */
export function referencesIn(folder: string, programs: string): References {
  const path = resolve(folder);
  if (!(statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
    const problem = existsSync(path) ? 'is not a folder' : 'does not exist';
    throw new CliError('REFERENCE_FOLDER', `--reference takes a folder with reference files, and ${folder} ${problem}.`, { folder });
  }
  let names: Set<string>;
  try {
    names = new Set(readdirSync(path));
  } catch (error) {
    throw readError(error, path);
  }
  const files = new Map(REFERENCE_FILES.filter((name) => names.has(name)).map((name): [ReferenceFileName, unknown] => [name, readJson(join(path, name))]));
  return { folder, files, tracePath, programPath: (name) => join(programs, `${name}.json`), hasRecording: (recording) => isFileUnder(dirname(path), recording) || isFileUnder(process.env['KERF_REFERENCE'], recording) };
}

/** Relative where that is shorter: the path stands in command lines that people read. */
function tracePath(name: EventTraceName): string {
  const path = require.resolve(`@kerf/validation/figures/${name}`);
  const near = relative('', path);
  return near.startsWith('..') ? path : near;
}

function isFileUnder(folder: string | undefined, path: string): boolean {
  if (folder === undefined || folder === '' || folder === 'none') return false;
  return statSync(join(folder, path), { throwIfNoEntry: false })?.isFile() ?? false;
}
