import { ENGINES } from '@kerf/program';
import { PARTS } from './options.ts';

/** What the engine of a tile is doing, column `phase`. */
export const IDLE = 0;
/** The software hands the operation over; then its packets leave. */
export const ISSUING = 1;
/** Something has to arrive. */
export const IN_FLIGHT = 2;
/** The cycle of its end is known. */
export const FINISHING = 3;
/** A matrix job, likewise, and what it met in L1 is counted in. */
export const HELD_UP = 4;

/** Why an engine of a tile stood still before an operation, by what it waited for last. */
export const stallReasons = ['memory', 'fabric', 'barrier', 'dependency'] as const;
export type StallReason = (typeof stallReasons)[number];
export const REASONS = stallReasons.length;
export const REASON_MEMORY = 0;
export const REASON_FABRIC = 1;
export const REASON_BARRIER = 2;
export const REASON_DEPENDENCY = 3;

/** State of the tiles of a die and of what is between them. A slot is tile × engines + engine. */
export interface TileColumns {
  /** [slots] entries of the queue that are done; that is all that a tile knows of its program. */
  readonly done: Int32Array;
  readonly phase: Uint8Array;
  /** [slots] packets of the operation in progress that are still to be answered. */
  readonly left: Int32Array;
  /** [slots] exchange that it waits for, −1 for none. */
  readonly waiting: Int32Array;
  /** [slots] cycle in which the operation in progress started, and in which the last one ended. */
  readonly startCycle: Int32Array;
  readonly endCycle: Int32Array;
  /** [slots × parts] critical path to the end of the last operation, or, while one is in progress, to its start: cycles by part. They add up to that cycle. */
  readonly path: Float64Array;
  /** [slots] cycles in which the engine was at work. */
  readonly busyCycles: Float64Array;
  /** [slots × reasons] cycles in which it had an operation that could not start. */
  readonly stallCycles: Float64Array;
  /** [tiles] first cycle in which its port to memory without a place is free. */
  readonly portFreeCycle: Float64Array;
  /** [tiles] bytes that others than the matrix engine moved to and from L1. */
  readonly l1Bytes: Float64Array;
  /** [tiles] the same when its matrix job in progress began. */
  readonly l1BytesBefore: Float64Array;
}

export function createTileColumns(tiles: number): TileColumns {
  const slots = tiles * ENGINES;
  return {
    done: new Int32Array(slots), phase: new Uint8Array(slots), left: new Int32Array(slots), waiting: new Int32Array(slots).fill(-1), startCycle: new Int32Array(slots), endCycle: new Int32Array(slots),
    path: new Float64Array(slots * PARTS), busyCycles: new Float64Array(slots), stallCycles: new Float64Array(slots * REASONS), portFreeCycle: new Float64Array(tiles),
    l1Bytes: new Float64Array(tiles), l1BytesBefore: new Float64Array(tiles),
  };
}

/**
 * Exchanges in progress: collectives and messages, from the first tile that starts its part or receives something until all are done.
 * As many rows as were ever open at once.
 */
export interface ExchangeColumns {
  /** [exchanges] next free row. */
  next: Int32Array;
  /** [exchanges] where it stands in `exchangeOf`. */
  key: Int32Array;
  /** [exchanges] its trees, −1 for a message. */
  tree: Int32Array;
  /** [exchanges] members that have started, and that are not done. */
  started: Int32Array;
  unfinished: Int32Array;
  /** [exchanges] slot of the root or sender, −1 until it has started. */
  rootSlot: Int32Array;
  /** [exchanges] packets of what is sent; −1 until known; and packets that have arrived, over all receivers. */
  packets: Int32Array;
  arrived: Int32Array;
  /** [exchanges] bytes of the last packet but those before it. */
  bytes: Int32Array;
  /** [exchanges] start of the root, or of the last member that all wait for. */
  sinceCycle: Int32Array;
  /** [exchanges × parts] critical path to that start. */
  path: Float64Array;
  /** [exchanges × members] packets that have arrived at a member of a multicast or message. */
  arrivals: Uint16Array;
}

export function createExchangeColumns(rows: number, members: number): ExchangeColumns {
  return {
    next: new Int32Array(rows), key: new Int32Array(rows), tree: new Int32Array(rows), started: new Int32Array(rows), unfinished: new Int32Array(rows), rootSlot: new Int32Array(rows), packets: new Int32Array(rows),
    arrived: new Int32Array(rows), bytes: new Int32Array(rows), sinceCycle: new Int32Array(rows), path: new Float64Array(rows * PARTS), arrivals: new Uint16Array(rows * members),
  };
}

/** Packets that have come to memory nodes, from then until they are answered. */
export interface AnswerColumns {
  /** [packets] next in the queue of the node, or next free row. */
  next: Int32Array;
  node: Int32Array;
  tile: Int32Array;
  packet: Int32Array;
  /** [packets] payload of the packet, and of its answer. */
  flits: Int32Array;
  bytes: Int32Array;
  isStore: Uint8Array;
  /** [packets] byte to go on at; bytes of a line of the slice, those of it that are done, and from the end of one to the start of the next. */
  address: Float64Array;
  lineBytes: Int32Array;
  inLine: Int32Array;
  skipBytes: Float64Array;
  leftBytes: Int32Array;
  /** [packets] cycle in which the last line so far is back, or accepted. */
  doneCycle: Float64Array;
}

export function createAnswerColumns(rows: number): AnswerColumns {
  const whole = () => new Int32Array(rows);
  return {
    next: whole(), node: whole(), tile: whole(), packet: whole(), flits: whole(), bytes: whole(), isStore: new Uint8Array(rows), address: new Float64Array(rows), lineBytes: whole(), inLine: whole(),
    skipBytes: new Float64Array(rows), leftBytes: whole(), doneCycle: new Float64Array(rows),
  };
}

/** Memory nodes that take packets line by line. */
export interface NodeColumns {
  /** [nodes] first and last packet that waits, or −1. */
  readonly head: Int32Array;
  readonly tail: Int32Array;
  /** [nodes] first cycle in which the node offers another line. */
  readonly freeCycle: Float64Array;
}

export function createNodeColumns(nodes: number): NodeColumns {
  return { head: new Int32Array(nodes).fill(-1), tail: new Int32Array(nodes).fill(-1), freeCycle: new Float64Array(nodes) };
}

type Column = Int32Array | Uint8Array | Uint16Array | Float64Array;

/** A copy that shares nothing with the original. */
export function copied<T extends object>(columns: T): T {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, (column as Column).slice()])) as T;
}

/** Columns twice as long, the new rows empty. */
export function doubled<T extends object>(columns: T): T {
  return Object.fromEntries((Object.entries(columns) as [string, Column][]).map(([name, column]) => {
    const longer = new (column.constructor as new (length: number) => Column)(column.length * 2);
    longer.set(column);
    return [name, longer];
  })) as T;
}
