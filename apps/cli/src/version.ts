import { readFileSync } from 'node:fs';

/** The version of this package, which is the version of Kerf. */
export function kerfVersion(): string {
  const file = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
