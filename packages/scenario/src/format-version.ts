import { ScenarioError, type ScenarioErrorCode } from './errors.ts';

/** A kind of file, the version of it that this code reads, and the error that says so. */
export interface FileFormat {
  readonly name: string;
  readonly version: number;
  readonly code: ScenarioErrorCode;
}

/**
 * Refuses a file of another version before its schema speaks: what else is wrong with it may be right in its version.
 * A file without any version is left to the schema.
 *
 * @throws ScenarioError with the code of the format
 */
export function checkFormatVersion(format: FileFormat, value: unknown, source: string, at = ''): void {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'formatVersion')) return;
  const version = (value as { formatVersion: unknown }).formatVersion;
  if (version === format.version) return;
  const path = at === '' ? 'formatVersion' : `${at}.formatVersion`;
  const got = JSON.stringify(version) ?? String(version);
  const expected = String(format.version);
  const message = `${source}: ${path} is ${got}, which this version of Kerf cannot read. It reads ${format.name} of formatVersion ${expected}.`;
  throw new ScenarioError(format.code, message, { source, path, expected, got });
}
