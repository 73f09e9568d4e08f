import { ProgramError, parseTileProgram, type TileProgram } from '@kerf/program';
import { readJson } from '../files.ts';

/**
 * The program of a file. Whatever is wrong is said with the file, and with line and column, field, or role and operation.
 *
 * @throws CliError, SchemaError, ProgramError
 */
export function readProgram(path: string): TileProgram {
  const value = readJson(path);
  return named(path, () => parseTileProgram(value, path));
}

/** Errors of a program say from which file it is. */
export function named<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ProgramError) || error.message.startsWith(`${path}`)) throw error;
    throw new ProgramError(error.code, `${path}: ${error.message}`, { ...error.context, source: path }, error);
  }
}
