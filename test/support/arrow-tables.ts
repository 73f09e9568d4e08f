import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';

export type Row = Readonly<Record<string, number | string>>;

/** All rows of a table of a run, die by die, read with apache-arrow: not by our own reader. */
export function rowsOf(runDir: string, table: string): Row[] {
  return tableFiles(runDir, table).flatMap((file) => tableFromIPC(readFileSync(file)).toArray().map((row) => {
    const values = Object.entries(row.toJSON() as Record<string, number | bigint | string>);
    return Object.fromEntries(values.map(([name, value]) => [name, typeof value === 'bigint' ? exactNumber(value) : value]));
  }));
}

/** The files of a table, by die. */
export function tableFiles(runDir: string, table: string): string[] {
  return readdirSync(join(runDir, table)).sort().map((name) => join(runDir, table, name));
}

function exactNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} is beyond 2^53 − 1`);
  return Number(value);
}
