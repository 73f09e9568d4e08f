import { COUNT_ARBITRATION_STALL, COUNT_BUSY, COUNT_BYTES, COUNT_CREDIT_STALL, COUNT_PACKETS } from '@kerf/fabric';
import { dies, hasDefects, type Hardware } from '@kerf/hardware';
import { checkSideBySide, ENGINES, type ProgramInstances } from '@kerf/program';
import { drainWrites } from '../costs/memory-channel.ts';
import { REASONS, stallReasons, type StallReason } from './engine-state.ts';
import { breakdownParts, type BreakdownPart, type TileRunOptions } from './options.ts';
import { TileEngine, type RecordedOperation } from './tile-engine.ts';

/** What the tiles of a die did: [tiles × engines], in the order of `tileEngines`. */
export interface TileTable {
  readonly busyCycles: Float64Array;
  readonly stallCycles: Readonly<Record<StallReason, Float64Array>>;
  /** [tiles] cycles that heads of packets waited at the router of the tile for a credit, and for their turn. */
  readonly creditStallCycles: Float64Array;
  readonly arbitrationStallCycles: Float64Array;
}

/** What each channel of a die did: [channels]. */
export interface MemoryTable {
  readonly readBytes: Float64Array;
  readonly writtenBytes: Float64Array;
  readonly rowHits: Float64Array;
  readonly rowMisses: Float64Array;
  readonly rowConflicts: Float64Array;
  readonly refreshes: Float64Array;
}

/** What each output port of the wide fabric carried for each channel that used it: rows in the order of ports. */
export interface LinkTable {
  /** [rows] router × 8 + port, and channel of `tileChannels`. */
  readonly port: Int32Array;
  readonly channel: Uint8Array;
  /** [rows] 1: it leads to another router. */
  readonly isMesh: Uint8Array;
  readonly bytes: Float64Array;
  readonly packets: Float64Array;
  readonly busyCycles: Float64Array;
  readonly creditStallCycles: Float64Array;
  readonly arbitrationStallCycles: Float64Array;
}

export interface DieRun {
  readonly dieId: number;
  readonly cycles: number;
  /** Critical path; the parts add up to `cycles`. */
  readonly breakdown: Readonly<Record<BreakdownPart, number>>;
  readonly memoryBytes: number;
  readonly fabricByteHops: number;
  readonly tiles: TileTable;
  readonly memory: MemoryTable | null;
  readonly links: LinkTable;
  readonly recorded: readonly RecordedOperation[];
  /** Was this die simulated, or is it the copy of one that did the same? */
  readonly replayed: boolean;
}

export interface TileRun {
  /** Until the last die is done. */
  readonly cycles: number;
  /** Of the die that is done last; the first of several. */
  readonly breakdown: Readonly<Record<BreakdownPart, number>>;
  /** Of all dies. */
  readonly memoryBytes: number;
  readonly fabricByteHops: number;
  readonly dies: readonly DieRun[];
}

/**
 * What has been simulated before. A die on which nothing crosses from outside depends on hardware, programs, placement and options
 * alone, since every kernel begins in the canonical state: so a run with the same ones is a copy of the first, exactly. Hardware and
 * programs are told apart by identity.
 */
export class TileRunMemo {
  simulated = 0;
  replayed = 0;
  readonly #numbers = new WeakMap<object, number>();
  readonly #runs = new Map<string, DieRun>();
  #next = 0;

  /** The run of a die, copied where the same has been simulated. */
  run(hardware: Hardware, dieId: number, programs: readonly ProgramInstances[], options: TileRunOptions): DieRun {
    const key = this.#key(hardware, dieId, programs, options);
    const known = this.#runs.get(key);
    if (known !== undefined) {
      this.replayed++;
      return { ...known, dieId, replayed: true };
    }
    this.simulated++;
    const run = simulate(hardware, dieId, programs, options);
    this.#runs.set(key, run);
    return run;
  }

  #key(hardware: Hardware, dieId: number, programs: readonly ProgramInstances[], options: TileRunOptions): string {
    const parts: unknown[] = [this.#numberOf(hardware), hasDefects(hardware) ? dieId : -1, options];
    for (const { compiled, die, x, y, parameters, instances } of programs) {
      const count = compiled.program.parameters.length;
      const groups: number[] = [];
      for (let i = 0; i < instances; i++) if (die[i] === dieId) groups.push(x[i]!, y[i]!, ...parameters.subarray(i * count, (i + 1) * count));
      // Peers that are tiles of the wafer are other ones on each die.
      parts.push(this.#numberOf(compiled.program), compiled.program.peers.some(({ kind }) => kind === 'tile') ? dieId : -1, groups);
    }
    return JSON.stringify(parts);
  }

  #numberOf(object: object): number {
    let number = this.#numbers.get(object);
    if (number === undefined) {
      number = this.#next++;
      this.#numbers.set(object, number);
    }
    return number;
  }
}

export interface TileRunSetup extends TileRunOptions {
  /** What to look up and note runs of dies in; false: every die is simulated. By default dies of one run that do the same are simulated once. */
  readonly memo?: TileRunMemo | false;
}

/** Runs placed programs side by side, each die alone; dies that do the same are simulated once. */
export function runTilePrograms(hardware: Hardware, programs: readonly ProgramInstances[], { memo: given, ...options }: TileRunSetup = {}): TileRun {
  checkSideBySide(programs);
  const used = new Set(programs.flatMap(({ die, instances }) => [...die.subarray(0, instances)]));
  const memo = given === false ? null : given ?? new TileRunMemo();
  const runs: DieRun[] = [];
  for (let dieId = 0; dieId < dies(hardware); dieId++) if (used.has(dieId)) runs.push(memo === null ? simulate(hardware, dieId, programs, options) : memo.run(hardware, dieId, programs, options));
  let last = 0;
  runs.forEach((run, i) => {
    if (run.cycles > runs[last]!.cycles) last = i;
  });
  return {
    cycles: runs[last]?.cycles ?? 0,
    breakdown: runs[last]?.breakdown ?? breakdownOf(new Float64Array(breakdownParts.length)),
    memoryBytes: runs.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    fabricByteHops: runs.reduce((sum, { fabricByteHops }) => sum + fabricByteHops, 0),
    dies: runs,
  };
}

function simulate(hardware: Hardware, dieId: number, programs: readonly ProgramInstances[], options: TileRunOptions): DieRun {
  const engine = new TileEngine(hardware, dieId, programs, options);
  engine.runUntil(Infinity);
  engine.wide.assertQuiescent();
  engine.sync?.assertQuiescent();
  return resultOf(engine);
}

function resultOf(engine: TileEngine): DieRun {
  const { topology } = engine;
  const tileCount = topology.tiles;
  const creditStallCycles = new Float64Array(tileCount);
  const arbitrationStallCycles = new Float64Array(tileCount);
  const links = linksOf(engine);
  let fabricByteHops = 0;
  for (let row = 0; row < links.port.length; row++) {
    if (links.isMesh[row] === 1) fabricByteHops += links.bytes[row]!;
    const tile = Math.min(links.port[row]! >>> 3, tileCount - 1);
    creditStallCycles[tile]! += links.creditStallCycles[row]!;
    arbitrationStallCycles[tile]! += links.arbitrationStallCycles[row]!;
  }
  const { busyCycles, stallCycles } = engine.columns;
  const stalls = Object.fromEntries(stallReasons.map((reason, r) => [reason, Float64Array.from({ length: tileCount * ENGINES }, (_, slot) => stallCycles[slot * REASONS + r]!)])) as Record<StallReason, Float64Array>;
  if (engine.memory !== null) drainWrites(engine.memory.memory);
  const memory = engine.memory?.memory.columns ?? null;
  return {
    dieId: engine.dieId,
    cycles: engine.lastEndCycle,
    breakdown: breakdownOf(engine.criticalPath),
    memoryBytes: memory === null ? 0 : sum(memory.readBytes) + sum(memory.writtenBytes),
    fabricByteHops,
    tiles: { busyCycles: busyCycles.slice(), stallCycles: stalls, creditStallCycles, arbitrationStallCycles },
    memory: memory === null ? null : {
      readBytes: memory.readBytes.slice(), writtenBytes: memory.writtenBytes.slice(), rowHits: memory.rowHits.slice(), rowMisses: memory.rowMisses.slice(), rowConflicts: memory.rowConflicts.slice(), refreshes: memory.refreshes.slice(),
    },
    links,
    recorded: engine.recorded,
    replayed: false,
  };
}

function linksOf({ wide, topology }: TileEngine): LinkTable {
  const rows: number[][] = [];
  wide.drainCounters(Infinity, (port, channel, counters, at) => {
    rows.push([port, channel, topology.peer[port]! === -1 ? 0 : 1, counters[at + COUNT_BYTES]!, counters[at + COUNT_PACKETS]!, counters[at + COUNT_BUSY]!, counters[at + COUNT_CREDIT_STALL]!, counters[at + COUNT_ARBITRATION_STALL]!]);
  });
  const column = (field: number) => Float64Array.from(rows, (row) => row[field]!);
  return {
    port: Int32Array.from(rows, (row) => row[0]!), channel: Uint8Array.from(rows, (row) => row[1]!), isMesh: Uint8Array.from(rows, (row) => row[2]!),
    bytes: column(3), packets: column(4), busyCycles: column(5), creditStallCycles: column(6), arbitrationStallCycles: column(7),
  };
}

function breakdownOf(path: Float64Array): Record<BreakdownPart, number> {
  return Object.fromEntries(breakdownParts.map((part, p) => [part, path[p]!])) as Record<BreakdownPart, number>;
}

function sum(column: Float64Array): number {
  return column.reduce((total, value) => total + value, 0);
}
