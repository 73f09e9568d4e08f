import { tilesPerDie, type Hardware } from '@kerf/hardware';
import { elementBytes, ENGINES, NONE, TileEngineId, TileOperation, Vector, type ProgramInstances, type TileProgram } from '@kerf/program';
import { l1TransferCycles } from '../costs/dma.ts';
import { matrixCycles, matrixPhases, type MatrixPhase } from '../costs/matrix-engine.ts';
import type { CostOptions } from '../costs/options.ts';
import { transposeCycles } from '../costs/transpose-engine.ts';
import { unitCycles, vectorCycles, type VectorKind, type VectorRecipe } from '../costs/vector-engine.ts';
import { PART_BARRIER, PART_MATRIX, PART_MEMORY, PART_MULTICAST, PART_OTHER, PART_REDUCE, PART_VECTOR } from './options.ts';
import type { TileHardware } from './tile-hardware.ts';

/** An engine's queue of a role begins here, and that of the next one where it ends. */
export const QUEUE_STRIDE = ENGINES + 1;

/**
 * The queues of all roles of all programs of a die, one after another, with what each entry costs wherever it runs. Nothing here
 * grows with tiles.
 */
export interface LaidOutPrograms {
  readonly programs: readonly ProgramInstances[];
  /** [roles × 6] where the queue of an engine begins among the entries. */
  readonly queueStart: Int32Array;
  /** [entries × 5] entries of each engine that must be done before. */
  readonly needs: Int32Array;
  /** [entries] a `TileOperation`, and a part of the breakdown. */
  readonly kind: Uint8Array;
  readonly part: Uint8Array;
  /** [entries] cycles of work inside the tile, or of issuing what goes to the fabric. */
  readonly cycles: Int32Array;
  /** [entries] bytes of the operand that moves; of work inside the tile, what it reads and writes in L1. */
  readonly bytes: Int32Array;
  /** [entries] lines of a slice of a tensor, and the bytes of one; 1 line where they follow each other. */
  readonly lines: Int32Array;
  readonly lineBytes: Int32Array;
  /** [entries] column of the table of the program, or −1. */
  readonly collective: Int32Array;
  readonly message: Int32Array;
  readonly slice: Int32Array;
  /** [entries] row of the role's table. */
  readonly row: Int32Array;
  /** [entries] matrix job, −1 for none. */
  readonly job: Int32Array;
  /** [jobs + 1] where the phases of a job begin in the following columns, see `MatrixPhase`. */
  readonly jobStart: Int32Array;
  readonly accessCycles: Int32Array;
  readonly arrayCycles: Int32Array;
  readonly repeats: Int32Array;
  /** [roles] */
  readonly programOfRole: Int32Array;
  /** [programs] number of its first role. */
  readonly firstRole: Int32Array;
}

/** Lays out programs for a machine; every number in it follows from (program, hardware, options). */
export function layOut(programs: readonly ProgramInstances[], tile: TileHardware, costs: CostOptions): LaidOutPrograms {
  const roles = programs.flatMap((placed, program) => placed.compiled.roles.map((queues) => ({ program, queues })));
  const entries = roles.reduce((sum, { queues }) => sum + queues.table.operations, 0);
  const firstRole = new Int32Array(programs.length);
  programs.forEach((_, p) => (firstRole[p] = roles.findIndex(({ program }) => program === p)));
  const matrixJobs: (readonly MatrixPhase[])[] = [];
  const jobOf = new Map<string, number>();
  const laid = {
    programs,
    queueStart: new Int32Array(roles.length * QUEUE_STRIDE),
    needs: new Int32Array(entries * ENGINES),
    kind: new Uint8Array(entries), part: new Uint8Array(entries), cycles: new Int32Array(entries), bytes: new Int32Array(entries), lines: new Int32Array(entries), lineBytes: new Int32Array(entries),
    collective: new Int32Array(entries), message: new Int32Array(entries), slice: new Int32Array(entries), row: new Int32Array(entries), job: new Int32Array(entries).fill(-1),
    programOfRole: Int32Array.from(roles, ({ program }) => program), firstRole,
  };
  const vectorOf = new Map<string, number>();
  let base = 0;
  roles.forEach(({ program, queues }, role) => {
    const { table } = queues;
    const tileProgram = programs[program]!.compiled.program;
    for (let e = 0; e <= ENGINES; e++) laid.queueStart[role * QUEUE_STRIDE + e] = base + queues.start[e]!;
    for (let i = 0; i < table.operations; i++) {
      const entry = base + i;
      const row = queues.rows[i]!;
      const kind = table.kind[row]!;
      laid.row[entry] = row;
      laid.kind[entry] = kind;
      laid.part[entry] = partOf(kind);
      laid.collective[entry] = orNone(table.collective[row]!);
      laid.message[entry] = orNone(table.message[row]!);
      laid.slice[entry] = orNone(table.slice[row]!);
      for (let e = 0; e < ENGINES; e++) laid.needs[entry * ENGINES + e] = queues.needs[i * ENGINES + e]!;
      const out = shapeOf(tileProgram, table.out[row]!);
      const a = shapeOf(tileProgram, table.a[row]!);
      const b = shapeOf(tileProgram, table.b[row]!);
      const moved = a ?? out;
      laid.bytes[entry] = moved === null ? 0 : moved.rows * moved.columns * moved.elementBytes;
      switch (kind) {
        case TileOperation.LOAD:
        case TileOperation.STORE: {
          const tensor = tileProgram.tensors[tileProgram.slices.tensor[table.slice[row]!]!]!;
          const columns = tileProgram.slices.columns[table.slice[row]!]!;
          const rows = tileProgram.slices.rows[table.slice[row]!]!;
          const bytes = elementBytes[tensor.elementType];
          const whole = columns === tensor.columns || rows === 1;
          laid.lines[entry] = whole ? 1 : rows;
          laid.lineBytes[entry] = columns * bytes * (whole ? rows : 1);
          laid.bytes[entry] = rows * columns * bytes;
          laid.cycles[entry] = tile.addressCycles + starts(tile);
          break;
        }
        case TileOperation.SEND:
        case TileOperation.REDUCE:
          laid.cycles[entry] = starts(tile);
          break;
        case TileOperation.MULTICAST:
          laid.cycles[entry] = a === null ? 0 : starts(tile);
          break;
        case TileOperation.MATMUL: {
          const shape = { rows: out!.rows, inner: a!.columns, columns: out!.columns };
          const key = `${shape.rows} ${shape.inner} ${shape.columns} ${a!.elementBytes}`;
          let job = jobOf.get(key);
          if (job === undefined) {
            job = matrixJobs.push(matrixPhases(shape, a!.elementBytes, tile.matrix, costs)) - 1;
            jobOf.set(key, job);
          }
          laid.job[entry] = job;
          laid.cycles[entry] = matrixCycles(shape, a!.elementBytes, tile.matrix, costs);
          break;
        }
        case TileOperation.VECTOR: {
          const key = `${table.vector[row]} ${a!.rows} ${a!.columns} ${a!.elementBytes} ${b?.rows} ${b?.columns}`;
          let cycles = vectorOf.get(key);
          if (cycles === undefined) {
            cycles = vectorWork(table.vector[row]!, a!, b, tile, costs);
            vectorOf.set(key, cycles);
          }
          laid.cycles[entry] = cycles;
          laid.bytes[entry] = (2 + (b === null ? 0 : 1)) * a!.rows * a!.columns * a!.elementBytes;
          break;
        }
        case TileOperation.TRANSPOSE:
          laid.cycles[entry] = table.engine[row] === TileEngineId.VECTOR ? copied(a!, tile, costs) : tile.dma.issueCycles + transposeCycles(a!.rows, a!.columns, a!.elementBytes, tile.transpose);
          laid.bytes[entry] *= 2;
          break;
        case TileOperation.CLEAR:
        case TileOperation.COPY:
          laid.cycles[entry] = table.engine[row] === TileEngineId.VECTOR ? copied(moved!, tile, costs) : tile.dma.issueCycles + l1TransferCycles(laid.bytes[entry], tile.dma) + tile.dma.pollCycles;
          if (kind === TileOperation.COPY) laid.bytes[entry] *= 2;
          break;
      }
    }
    base += table.operations;
  });
  const jobStart = new Int32Array(matrixJobs.length + 1);
  matrixJobs.forEach((phases, job) => (jobStart[job + 1] = jobStart[job]! + phases.length));
  const all = matrixJobs.flat();
  return { ...laid, jobStart, accessCycles: Int32Array.from(all, (phase) => phase.accessCycles), arrayCycles: Int32Array.from(all, (phase) => phase.arrayCycles), repeats: Int32Array.from(all, (phase) => phase.repeats) };
}

/** From deciding on a transfer until its first packet is at the network interface, whose link and router are the fabric's. */
function starts({ dma }: TileHardware): number {
  return dma.issueCycles + Math.max(0, dma.firstBeatCycles - 2);
}

interface Shape { readonly rows: number; readonly columns: number; readonly elementBytes: number }

function shapeOf({ views, buffers }: TileProgram, view: number): Shape | null {
  if (view === NONE) return null;
  return { rows: views.rows[view]!, columns: views.columns[view]!, elementBytes: elementBytes[buffers[views.buffer[view]!]!.elementType] };
}

function orNone(value: number): number {
  return value === NONE ? -1 : value;
}

function partOf(kind: number): number {
  switch (kind) {
    case TileOperation.MATMUL: return PART_MATRIX;
    case TileOperation.VECTOR: return PART_VECTOR;
    case TileOperation.LOAD:
    case TileOperation.STORE: return PART_MEMORY;
    case TileOperation.SEND:
    case TileOperation.RECEIVE:
    case TileOperation.MULTICAST: return PART_MULTICAST;
    case TileOperation.REDUCE: return PART_REDUCE;
    case TileOperation.BARRIER: return PART_BARRIER;
    default: return PART_OTHER;
  }
}

/** load, negate and scale, exp, add, divide, store: a / (1 + e^−a). */
const silu: VectorRecipe = {
  before: [],
  perRow: [
    { unit: 'load', writes: 0 }, { unit: 'element', writes: 1, reads: [0] }, { unit: 'element', writes: 1, reads: [1] }, { unit: 'element', writes: 1, reads: [1] }, { unit: 'element', writes: 0, reads: [0, 1] },
    { unit: 'store', reads: [0] }, { unit: 'scalar' }, { unit: 'scalar' },
  ],
  after: [],
};

/** Cycles of a vector operation on a tile: rows are dealt out to the units; a single column is cut into a piece per unit. */
function vectorWork(kind: number, a: Shape, b: Shape | null, tile: TileHardware, costs: CostOptions): number {
  const { units } = tile.vector;
  const column = a.columns === 1 && kind !== Vector.ROW_MAX && kind !== Vector.ROW_SUM;
  const rows = column ? Math.min(units, a.rows) : a.rows;
  const columns = column ? Math.ceil(a.rows / rows) : a.columns;
  const same = b !== null && b.rows === a.rows && b.columns === a.columns;
  if (kind === Vector.SILU) return tile.vector.callCycles + tile.vector.loopCycles + unitCycles(silu, 0, Math.ceil(rows / units), columns, a.elementBytes, tile.vector);
  return vectorCycles(recipeOf(kind, same), rows, columns, a.elementBytes, tile.vector, column ? { ...costs, vectorSkipsPartialBatches: false } : costs);
}

function recipeOf(kind: number, same: boolean): VectorKind {
  switch (kind) {
    case Vector.ROW_MAX: return 'rowMax';
    case Vector.ROW_SUM: return 'rowSum';
    case Vector.EXP: return 'exp';
    case Vector.SCALE: return 'scale';
    case Vector.CONVERT: return 'copy';
    default: return same ? 'add' : 'scale';
  }
}

function copied(shape: Shape, tile: TileHardware, costs: CostOptions): number {
  return vectorCycles('copy', shape.rows, shape.columns, shape.elementBytes, tile.vector, { ...costs, vectorSkipsPartialBatches: false });
}

/** Groups of the programs on one die, and who is where. */
export interface PlacedTiles {
  /** Groups on the die, over all programs. */
  readonly groups: number;
  /** [tiles] role among all roles of the layout; −1: idle. */
  readonly roleOfTile: Int32Array;
  /** [tiles] group among those of the die, and place in it, y × width + x. */
  readonly groupOfTile: Int32Array;
  readonly placeOfTile: Int32Array;
  /** [groups] program, instance in it, and the local tile of its north-west corner. */
  readonly programOfGroup: Int32Array;
  readonly instanceOfGroup: Int32Array;
  readonly cornerOfGroup: Int32Array;
}

export function placeOnDie(hardware: Hardware, dieId: number, { programs, firstRole }: LaidOutPrograms): PlacedTiles {
  const tiles = tilesPerDie(hardware);
  const { tilesX } = hardware.die;
  const roleOfTile = new Int32Array(tiles).fill(-1);
  const groupOfTile = new Int32Array(tiles).fill(-1);
  const placeOfTile = new Int32Array(tiles).fill(-1);
  const programOfGroup: number[] = [];
  const instanceOfGroup: number[] = [];
  const cornerOfGroup: number[] = [];
  programs.forEach((placed, p) => {
    const { group: { width, height }, roleOf } = placed.compiled.program;
    for (let i = 0; i < placed.instances; i++) {
      if (placed.die[i] !== dieId) continue;
      const group = programOfGroup.push(p) - 1;
      instanceOfGroup.push(i);
      const corner = placed.y[i]! * tilesX + placed.x[i]!;
      cornerOfGroup.push(corner);
      for (let place = 0; place < width * height; place++) {
        const tile = corner + Math.floor(place / width) * tilesX + (place % width);
        roleOfTile[tile] = firstRole[p]! + roleOf[place]!;
        groupOfTile[tile] = group;
        placeOfTile[tile] = place;
      }
    }
  });
  return { groups: programOfGroup.length, roleOfTile, groupOfTile, placeOfTile, programOfGroup: Int32Array.from(programOfGroup), instanceOfGroup: Int32Array.from(instanceOfGroup), cornerOfGroup: Int32Array.from(cornerOfGroup) };
}
