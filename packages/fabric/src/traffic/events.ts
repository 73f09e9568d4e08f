import { suggestion } from '@kerf/checks';
import { FabricError } from '../errors.ts';

/** A recorded or made-up traffic: one transfer per row, in the order of cycles. */
export interface TrafficEvents {
  /** [events] cycle of creation, from 0. */
  readonly cycle: Int32Array;
  /** [events] wafer-wide tiles. */
  readonly source: Int32Array;
  readonly destination: Int32Array;
  /** [events] payload; more than one packet's worth is cut into packets. */
  readonly bytes: Int32Array;
}

/** The columns of a trace of events, in text and in Arrow. */
export const eventColumns = ['cycle', 'source', 'destination', 'bytes'] as const;

/** Last cycle of an event: simulated time ends before 2^31, and what is sent has to arrive. */
export const LAST_EVENT_CYCLE = 2 ** 30;
const LARGEST_EVENT_BYTES = 2 ** 30;

/** Columns of numbers as they were read, to be checked. */
export type RawEvents = Readonly<Record<(typeof eventColumns)[number], ArrayLike<number | bigint>>>;

/**
 * Checks every row: whole numbers, tiles of the mesh, cycles that do not go back.
 *
 * @param tiles of the wafer
 * @param source what a person calls the trace: a file name
 * @param firstRow what the first row is called in messages: 1, or the first line of data in a text
 * @throws FabricError `FABRIC_BAD_EVENT`, with the row and the valid range
 */
export function checkEvents(raw: RawEvents, tiles: number, source: string, rowName: (row: number) => string = (row) => `row ${row + 1}`): TrafficEvents {
  const rows = raw.cycle.length;
  if (rows === 0) throw new FabricError('FABRIC_BAD_EVENT', `${source} holds no events.`, { source });
  const events = { cycle: new Int32Array(rows), source: new Int32Array(rows), destination: new Int32Array(rows), bytes: new Int32Array(rows) };
  const most = { cycle: LAST_EVENT_CYCLE, source: tiles - 1, destination: tiles - 1, bytes: LARGEST_EVENT_BYTES };
  const least = { cycle: 0, source: 0, destination: 0, bytes: 1 };
  for (let row = 0; row < rows; row++) {
    for (const column of eventColumns) {
      const value = Number(raw[column][row]);
      if (!Number.isSafeInteger(value) || value < least[column] || value > most[column]) {
        const off = column === 'source' || column === 'destination' ? ` The mesh has ${tiles} tiles.` : '';
        const message = `${source}, ${rowName(row)}: ${column} is a whole number from ${least[column]} to ${most[column]}, got ${String(raw[column][row])}.${off}`;
        throw new FabricError('FABRIC_BAD_EVENT', message, { source, row, column, got: String(raw[column][row]) });
      }
      events[column][row] = value;
    }
    if (row > 0 && events.cycle[row]! < events.cycle[row - 1]!) {
      const message = `${source}, ${rowName(row)}: cycle ${events.cycle[row]} comes after cycle ${events.cycle[row - 1]} of the row before; events are in the order of time.`;
      throw new FabricError('FABRIC_BAD_EVENT', message, { source, row, column: 'cycle', got: events.cycle[row]!, expected: `at least ${events.cycle[row - 1]}` });
    }
  }
  return events;
}

/**
 * A trace of events from text: CSV with a heading that names the columns in any order, or one JSON object per line.
 *
 * @throws FabricError `FABRIC_BAD_EVENT`, with the line
 */
export function parseEvents(text: string, tiles: number, source: string): TrafficEvents {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() !== '');
  if (first < 0) throw new FabricError('FABRIC_BAD_EVENT', `${source} holds no events.`, { source });
  const raw: Record<(typeof eventColumns)[number], number[]> = { cycle: [], source: [], destination: [], bytes: [] };
  const lineOf: number[] = [];
  const json = lines[first]!.trimStart().startsWith('{');
  const order = json ? [] : heading(lines[first]!, source, first + 1);
  for (let line = json ? first : first + 1; line < lines.length; line++) {
    if (lines[line]!.trim() === '') continue;
    const fields = json ? jsonFields(lines[line]!, source, line + 1) : csvFields(lines[line]!, order, source, line + 1);
    for (const column of eventColumns) raw[column].push(fields[column]);
    lineOf.push(line + 1);
  }
  return checkEvents(raw, tiles, source, (row) => `line ${lineOf[row]}`);
}

type Fields = Record<(typeof eventColumns)[number], number>;

function heading(line: string, source: string, number: number): string[] {
  const names = line.split(',').map((name) => name.trim());
  const columns: readonly string[] = eventColumns;
  for (const name of names) {
    if (columns.includes(name)) continue;
    throw bad(source, number, `the heading names the columns ${eventColumns.join(',')}, got ${JSON.stringify(name.slice(0, 40))}.${suggestion(name, eventColumns)}`);
  }
  for (const column of eventColumns) {
    const times = names.filter((name) => name === column).length;
    if (times !== 1) throw bad(source, number, `the heading names the column ${column} once, got ${times} times.`);
  }
  return names;
}

function csvFields(line: string, order: readonly string[], source: string, number: number): Fields {
  const values = line.split(',').map((value) => value.trim());
  if (values.length !== order.length) throw bad(source, number, `a row has ${order.length} values, got ${values.length}.`);
  return Object.fromEntries(order.map((column, i) => {
    if (!/^[+-]?\d+(\.\d+)?$/.test(values[i]!)) throw bad(source, number, `${column} is a whole number, got "${values[i]!.slice(0, 40)}".`);
    return [column, Number(values[i])];
  })) as Fields;
}

function jsonFields(line: string, source: string, number: number): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw bad(source, number, `one JSON object per line, such as {"cycle":0,"source":0,"destination":1,"bytes":64}, got ${JSON.stringify(line.slice(0, 40))}.`);
  }
  const columns: readonly string[] = eventColumns;
  const object = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    if (!columns.includes(key)) throw bad(source, number, `unknown key ${key}.${suggestion(key, eventColumns)} Keys: ${eventColumns.join(', ')}.`);
  }
  for (const column of eventColumns) {
    if (typeof object[column] !== 'number') throw bad(source, number, `${column} is a whole number, got ${JSON.stringify(object[column]) ?? 'nothing'}.`);
  }
  return object as Fields;
}

function bad(source: string, line: number, what: string): FabricError {
  return new FabricError('FABRIC_BAD_EVENT', `${source}, line ${line}: ${what}`, { source, line });
}
