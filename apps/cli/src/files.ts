import { readFileSync, statSync } from 'node:fs';
import { assertFile, readError } from '@kerf/node';
import { CliError } from './errors.ts';
import { jsonFault } from './json-syntax.ts';

/** @throws CliError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, and `JSON_SYNTAX` with line and column */
export function readJson(path: string): unknown {
  assertFile(path);
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
