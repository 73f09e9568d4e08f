import { checkSideBySide, ENGINES, type ProgramInstances } from '@kerf/program';
import { dies, type Hardware } from '@kerf/hardware';
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

export interface DieRun {
  readonly dieId: number;
  readonly cycles: number;
  /** Critical path; the parts add up to `cycles`. */
  readonly breakdown: Readonly<Record<BreakdownPart, number>>;
  readonly memoryBytes: number;
  readonly fabricByteHops: number;
  readonly tiles: TileTable;
  readonly memory: MemoryTable | null;
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

/** Runs placed programs side by side, each die alone. */
export function runTilePrograms(hardware: Hardware, programs: readonly ProgramInstances[], options: TileRunOptions = {}): TileRun {
  checkSideBySide(programs);
  const used = new Set(programs.flatMap(({ die, instances }) => [...die.subarray(0, instances)]));
  const runs: DieRun[] = [];
  for (let dieId = 0; dieId < dies(hardware); dieId++) if (used.has(dieId)) runs.push(runDie(hardware, dieId, programs, options));
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

function runDie(hardware: Hardware, dieId: number, programs: readonly ProgramInstances[], options: TileRunOptions): DieRun {
  const engine = new TileEngine(hardware, dieId, programs, options);
  engine.runUntil(Infinity);
  engine.wide.assertQuiescent();
  engine.sync?.assertQuiescent();
  return resultOf(engine);
}

function resultOf(engine: TileEngine): DieRun {
  const tileCount = engine.topology.tiles;
  const creditStallCycles = new Float64Array(tileCount);
  const arbitrationStallCycles = new Float64Array(tileCount);
  let fabricByteHops = 0;
  engine.drainLinks(Infinity, (router, bytes, credit, arbitration, isMesh) => {
    if (isMesh) fabricByteHops += bytes;
    const tile = Math.min(router, tileCount - 1);
    creditStallCycles[tile]! += credit;
    arbitrationStallCycles[tile]! += arbitration;
  });
  const { busyCycles, stallCycles } = engine.columns;
  const stalls = Object.fromEntries(stallReasons.map((reason, r) => [reason, Float64Array.from({ length: tileCount * ENGINES }, (_, slot) => stallCycles[slot * REASONS + r]!)])) as Record<StallReason, Float64Array>;
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
    recorded: engine.recorded,
    replayed: false,
  };
}

function breakdownOf(path: Float64Array): Record<BreakdownPart, number> {
  return Object.fromEntries(breakdownParts.map((part, p) => [part, path[p]!])) as Record<BreakdownPart, number>;
}

function sum(column: Float64Array): number {
  return column.reduce((total, value) => total + value, 0);
}
