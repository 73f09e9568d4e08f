import { readFileSync } from 'node:fs';
import { readTable } from '@kerf/arrow';
import { checkEvents, eventColumns, parseEvents, type RawEvents, type TrafficEvents } from '@kerf/fabric';
import { assertFile, FileSource, readError } from '@kerf/node';
import { CliError } from '../errors.ts';

/** Text beyond this would not fit one string. */
const MOST_TEXT_BYTES = 400_000_000;

/**
 * A trace of events: an Arrow file or stream, a CSV with a heading, or JSON lines; told by their first bytes, with the columns
 * cycle, source, destination, bytes.
 *
 * @param tiles of the machine
 * @throws KerfError for what cannot be read, and FabricError `FABRIC_BAD_EVENT` with the row
 */
export function readEvents(path: string, tiles: number): TrafficEvents {
  assertFile(path);
  const source = new FileSource(path);
  try {
    const start = source.byteLength >= 8 ? source.read(0, 8) : new Uint8Array(8);
    const arrow = Buffer.from(start.subarray(0, 6)).toString('latin1') === 'ARROW1' || Buffer.from(start.subarray(0, 4)).equals(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    if (arrow) return checkEvents(arrowColumns(source, path), tiles, path);
    if (source.byteLength > MOST_TEXT_BYTES) throw new CliError('CLI_USAGE', `${path} is text of ${source.byteLength} bytes; up to ${MOST_TEXT_BYTES} are read, larger traces are Arrow files.`, { path });
  } finally {
    source.close();
  }
  try {
    return parseEvents(readFileSync(path, 'utf8'), tiles, path);
  } catch (error) {
    throw readError(error, path);
  }
}

function arrowColumns(source: FileSource, path: string): RawEvents {
  const table = readTable(source);
  const names = table.spec.columns.map(({ name }) => name);
  for (const column of eventColumns) {
    if (!names.includes(column)) throw new CliError('CLI_USAGE', `${path}: a trace of events has the columns ${eventColumns.join(', ')}; ${column} is missing among ${names.join(', ')}.`, { path, column });
  }
  const raw: Record<(typeof eventColumns)[number], (number | bigint)[]> = { cycle: [], source: [], destination: [], bytes: [] };
  for (const batch of table.batches()) {
    for (const column of eventColumns) for (const value of batch.numbers(column)) raw[column].push(value);
  }
  return raw;
}
