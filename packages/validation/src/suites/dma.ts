import { Type } from '@sinclair/typebox';
import type { Suite } from '../suite.ts';
import { ProgramFile } from '../tile-programs/program-file.ts';
import { insideL1 } from './l1.ts';
import { columnsOf, OTHERS, OTHERS_TEXT, referenceOptions, SMALL_PROGRAM, softhierCases, tile00, type Plan } from './softhier-cases.ts';
import { listOfPulls, transfers } from './unicast.ts';

const schema = Type.Object({
  op: Type.String({ description: 'What was done.' }),
  bytes: Type.Integer({ minimum: 2, maximum: 2 ** 20, description: 'Bytes of a transfer, of all its lines.' }),
  count: Type.Integer({ minimum: 1, maximum: 1000, description: 'Transfers.' }),
  dependent: Type.Optional(Type.Boolean({ description: 'Each waits for the one before.' })),
  lines: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536, description: 'Lines of a 2-D transfer.' })),
  line_bytes: Type.Optional(Type.Integer({ minimum: 2, maximum: 65_536, description: 'Bytes of a line.' })),
});

/** Cycles between handing over two transfers: shorter ones wait for software, not for their way. */
const ISSUE_PERIOD = 14;
const LINK_BYTES = 128;
const L1_BYTES = 512;
/** Software of the measurement, as the reference says: once per region, and from the second transfer on between two that wait for each other. */
const REGION_CYCLES = 13;
const LOOP_CYCLES = 5;
/** What two buffers of a tile hold together. */
const ROOM = 262_144;

/** Transfers of one tile, one after the other or queued: to and from memory, another tile, inside L1. */
export const dma: Suite = {
  name: 'dma',
  title: 'latency of DMA transfers',
  built: true,
  fidelities: ['packet'],
  tolerances: OTHERS_TEXT,
  medianTolerance: 0.05,
  referenceOptions,
  sources: [softhierCases('softhier-components.json', ['dma_latency'], schema, (row, edge): Plan => {
    const { op, bytes, count } = row;
    const match = /^dma_(?:(load|store)_(south|west)|(push|pull)_(1hop|corner)|l1_(copy)|l1_(zero_fill)|(zero_fill))(_2d)?$/.exec(op);
    if (match === null) return `Kerf does not know the operation ${op}.`;
    const [, memory, side, way, to, copy, , , twoDimensional] = match;
    const inside = memory === undefined && way === undefined;
    const software = { softwareCycles: row.dependent === false ? 0 : REGION_CYCLES + (count - 1) * LOOP_CYCLES };
    // Loads behind the first follow traffic.
    const idle = { ...software, ...(memory === 'load' ? { idleLoads: 1 } : {}) };
    if (twoDimensional !== undefined) {
      const { lines = 64, line_bytes: lineBytes = bytes / 64 } = row;
      const strided = { count: lines, columns: columnsOf(lineBytes) };
      const name = `${op.replaceAll('_', '-')}-${bytes}`;
      if (memory !== undefined) return { ...idle, list: 'reference-options', tolerance: OTHERS, set: SMALL_PROGRAM, edges: { data: side! }, at: tile00(edge), name, content: () => memoryLines(memory === 'store', strided) };
      if (way !== undefined) return { ...software, list: way === 'push' ? 'reference-options' : listOfPulls(bytes), tolerance: OTHERS, ...transfers(way as 'push' | 'pull', to as '1hop' | 'corner', edge, [bytes], strided) };
      return { ...software, list: 'ours', tolerance: OTHERS, name, content: () => linesInsideL1(copy !== undefined, strided) };
    }
    const list = row.dependent === false ? merged(bytes, count, inside ? L1_BYTES : LINK_BYTES, copy === undefined ? ROOM : ROOM / 2) : Array.from({ length: count }, () => bytes);
    if (list === null) return 'Short transfers queued one behind the other: an engine of a tile does one operation at a time.';
    const note = row.dependent === false ? { note: 'queued transfers as one, as far as a tile has room' } : {};
    if (memory !== undefined) {
      const name = `${memory}-${list[0]}-n${list.length}`;
      return { ...idle, list: 'reference-options', tolerance: OTHERS, set: SMALL_PROGRAM, edges: { data: side! }, at: tile00(edge), name, content: () => memoryTransfers(memory === 'store', list), ...note };
    }
    if (way !== undefined) return { ...software, list: way === 'push' ? 'reference-options' : listOfPulls(bytes), tolerance: OTHERS, ...transfers(way as 'push' | 'pull', to as '1hop' | 'corner', edge, list), ...note };
    return { ...software, list: 'ours', tolerance: OTHERS, name: `${copy === undefined ? 'l1-zero-fill' : 'l1-copy'}-${list[0]}-n${list.length}`, content: () => insideL1(copy !== undefined, list), ...note };
  })],
};

/** Queued transfers whose way takes longer than handing them over: as one of all bytes, or as few as a tile has room for. Null for short ones. */
function merged(bytes: number, count: number, bytesPerCycle: number, room: number): number[] | null {
  if (count > 1 && bytes < ISSUE_PERIOD * bytesPerCycle) return null;
  const together = Math.max(1, Math.min(count, Math.floor(room / bytes)));
  const list = Array.from({ length: Math.floor(count / together) }, () => bytes * together);
  return count % together === 0 ? list : [...list, bytes * (count % together)];
}

/** Tile (0, 0) loads or stores, from addresses in sequence. */
export function memoryTransfers(stores: boolean, list: readonly number[]): unknown {
  const p = new ProgramFile(stores ? 'stores of one tile' : 'loads of one tile', 1, 1);
  const columns = columnsOf(Math.max(...list));
  const buffer = p.buffer('buffer', 1, columns);
  p.tensor('data', list.length, columns, stores ? 'output' : 'input');
  return p.finish(() => 'tile', (r) => {
    let last: number[] = [];
    list.forEach((bytes, i) => {
      const slice = { tensor: 'data', row: i, column: 0, rows: 1, columns: columnsOf(bytes) };
      const view = [buffer[0], 0, 0, 1, columnsOf(bytes)] as const;
      last = [stores ? r.store(slice, view, last) : r.load(view, slice, last)];
    });
  });
}

interface Lines {
  readonly count: number;
  readonly columns: number;
}

/** One transfer of lines that lie two lines apart. */
function memoryLines(stores: boolean, { count, columns }: Lines): unknown {
  const p = new ProgramFile(stores ? 'a store of lines' : 'a load of lines', 1, 1);
  const buffer = p.buffer('buffer', count, columns);
  p.tensor('data', count, 2 * columns, stores ? 'output' : 'input');
  const slice = { tensor: 'data', row: 0, column: 0, rows: count, columns };
  return p.finish(() => 'tile', (r) => (stores ? r.store(slice, buffer) : r.load(buffer, slice)));
}

function linesInsideL1(copies: boolean, { count, columns }: Lines): unknown {
  const p = new ProgramFile(copies ? 'a copy of lines' : 'a clear of lines', 1, 1);
  const to = p.buffer('to', count, 2 * columns);
  const from = copies ? p.buffer('from', count, 2 * columns) : to;
  const lines = (buffer: typeof to) => [buffer[0], 0, 0, count, columns] as const;
  return p.finish(() => 'tile', (r) => (copies ? r.copy(lines(to), lines(from)) : r.clear(lines(to))));
}
