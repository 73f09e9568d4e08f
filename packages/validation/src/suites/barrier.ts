import { Type } from '@sinclair/typebox';
import { readFlatattention } from '../reference/flatattention.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { ProgramFile } from '../tile-programs/program-file.ts';
import { columnsOf, OTHERS, OTHERS_TEXT, referenceOptions, SMALL_PROGRAM, softhierCases, type Plan } from './softhier-cases.ts';

const extent = (what: string) => Type.Integer({ minimum: 1, maximum: 256, description: what });
const op = Type.String({ description: 'What was done.' });
const count = Type.Integer({ minimum: 1, maximum: 10_000, description: 'Barriers in a row.' });

const publishedSchema = Type.Object({
  N: extent('Tiles along an edge.'),
  single_counter: Type.Optional(Type.Number({ minimum: 0, description: 'One counter for all tiles, cycles.' })),
  row_then_column: Type.Optional(Type.Number({ minimum: 0, description: 'A counter for each row and one for the rows, cycles.' })),
});
const runsSchema = Type.Object({ op, count });
const repeatSchema = Type.Object({
  op, count, group_x: extent('Tiles of a group from west to east.'), group_y: extent('Tiles of a group from north to south.'),
  bytes: Type.Optional(Type.Integer({ minimum: 2, maximum: 65_536, description: 'Bytes that are reduced and multicast.' })),
  late_by: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: 'Cycles by which one tile is late.' })),
});

/**
 * The constant of the barrier whose code is inlined, between two barriers as without: from the group of one tile, where nothing
 * else is left (45.2).
 */
const INLINED = 45;
/** Clears take 4 cycles for the barrier of the tile, 14 to be issued, 3 to start and 2 to be noticed. */
const CLEAR_CYCLES = 23;
const L1_ROW_BYTES = 512;

/** Barriers of a group in software, over counters in memory. */
export const barrier: Suite = {
  name: 'barrier',
  title: 'group barriers in software',
  built: true,
  fidelities: ['packet'],
  tolerances: OTHERS_TEXT,
  medianTolerance: 0.05,
  referenceOptions,
  sources: [
    {
      file: 'flatattention.json',
      part: 'barrier',
      cases: (references) => {
        const part = readFlatattention(references, 'barrier', publishedSchema);
        const draft = (name: string, expected: number | undefined, notModelled: string): CaseDraft[] => (expected === undefined ? [] : [{
          name, source: part!.source, fidelity: 'packet', steps: [], costSeconds: 0, notModelled, rows: [{ what: '', unit: 'cycles', expected, tolerance: null, ours: null }],
        }]);
        return part?.rows.flatMap(({ N, single_counter: one, row_then_column: two }) => [
          ...draft(`${N}x${N} tiles, one counter`, one, 'A barrier over a single counter is none that Kerf has.'),
          ...draft(`${N}x${N} tiles, row, then column`, two, 'Software of 2024, of which two figures are published: the later one that Kerf models takes half of it on 4x4 tiles.'),
        ]) ?? [];
      },
    },
    softhierCases('softhier-runs.json', ['barrier'], runsSchema, ({ op: what, count: times }, edge): Plan => {
      const match = /^(?:global_barrier|group_barrier_(row|(\d+)x(\d+)))_x\d+$/.exec(what);
      if (match === null) return `Kerf does not know the operation ${what}.`;
      const [width, height] = match[1] === undefined ? [edge, edge] : match[1] === 'row' ? [edge, 1] : [Number(match[2]), Number(match[3])];
      return { list: 'ours', tolerance: OTHERS, softwareBarriers: true, ...repeated({ width, height, times, edge, before: 'nothing' }) };
    }),
    softhierCases('softhier-components.json', ['barrier_repeat'], repeatSchema, ({ op: what, count: times, group_x: width, group_y: height, bytes = 0, late_by: late = 0 }, edge): Plan => {
      const group = { width, height, times, edge };
      if (width > edge || height > edge) return `A group of ${width} x ${height} tiles does not fit the machine.`;
      switch (what) {
        case 'group_barrier':
          return { list: 'ours', tolerance: OTHERS, softwareBarriers: true, ...repeated({ ...group, before: 'nothing' }) };
        case 'group_barrier_inlined':
          return { list: 'ours', tolerance: OTHERS, softwareBarriers: true, set: { 'tile.barrier.groupCycles': INLINED }, ...repeated({ ...group, before: 'nothing' }), note: 'constant of the inlined code, from the group of one tile' };
        case 'l1_zero_fill_512_then_group_barrier':
          return { list: 'ours', tolerance: OTHERS, softwareBarriers: true, ...repeated({ ...group, before: 'clear' }) };
        case 'group_barrier_one_tile_late':
          return { list: 'ours', tolerance: OTHERS, softwareBarriers: true, ...repeated({ ...group, before: 'late', late }) };
        case 'hbm_load_512_all_tiles_then_group_barrier':
          // The barrier before each of them is an idle time.
          return { idleLoads: times, list: 'reference-options', tolerance: OTHERS, set: SMALL_PROGRAM, edges: { data: 'south' }, ...repeated({ ...group, before: 'load' }) };
        case 'barrier_redmax_barrier_multicast_barrier':
          return { list: 'reference-options', tolerance: OTHERS, ...exchanges({ ...group, bytes }) };
        case 'group_barrier_in_kernel':
          return 'All barriers of an attention kernel, which Kerf has not yet.';
        default:
          return what.endsWith('two_tile_barriers') ? 'A barrier of the cores of one tile is no operation of a tile program.' : `Kerf does not know the operation ${what}.`;
      }
    }),
  ],
};

interface Group {
  readonly width: number;
  readonly height: number;
  readonly times: number;
  readonly edge: number;
}

/** Groups side by side, each with barriers one after the other, and something before each of them. */
function repeated({ width, height, times, edge, before, late = 0 }: Group & { readonly before: 'nothing' | 'clear' | 'late' | 'load'; readonly late?: number }): { readonly name: string; readonly content: () => unknown; readonly groups: number } {
  return {
    name: `barrier-${width}x${height}-n${times}${before === 'nothing' ? '' : `-${before}${late === 0 ? '' : late}`}${before === 'load' ? `-${edge}x${edge}` : ''}`,
    groups: Math.floor(edge / width) * Math.floor(edge / height),
    content: () => {
      const p = new ProgramFile('barriers', width, height);
      // A clear of so many rows of L1 that it takes as long as the tile is late.
      const bytes = before === 'late' ? Math.max(1, late - CLEAR_CYCLES) * L1_ROW_BYTES : L1_ROW_BYTES;
      const work = p.buffer('work', 1, columnsOf(bytes));
      // All groups load the same: where from matters little for 512 bytes.
      if (before === 'load') p.tensor('data', width * height * times, L1_ROW_BYTES / 2, 'input');
      const barriers = Array.from({ length: times }, (_, i) => p.collective(`barrier ${i}`, 'barrier', 'group'));
      return p.finish((x, y) => (x === 0 && y === 0 ? 'first' : 'other'), (r, kind) => {
        let last: number[] = [];
        barriers.forEach((name, i) => {
          if (before === 'clear' || (before === 'late' && kind === 'first')) last = [r.clear(work, last)];
          if (before === 'load') last = [r.load(work, { tensor: 'data', row: { base: i * width * height, x: 1, y: width }, column: 0, rows: 1, columns: L1_ROW_BYTES / 2 }, last)];
          last = [r.barrier(name, last)];
        });
      });
    },
  };
}

/** Maxima of the rows of each group to a tile of the row, and from there to all of it, with barriers before, between and behind. */
function exchanges({ width, height, times, edge, bytes }: Group & { readonly bytes: number }): { readonly name: string; readonly content: () => unknown; readonly groups: number } {
  return {
    name: `barrier-reduce-multicast-${width}x${height}-${bytes}-n${times}`,
    groups: Math.floor(edge / width) * Math.floor(edge / height),
    content: () => {
      const p = new ProgramFile('maxima of rows', width, height);
      const m = p.buffer('m', 1, columnsOf(bytes));
      const turns = Array.from({ length: times }, (_, i) => ({
        barriers: ['before', 'between', 'behind'].map((name) => p.collective(`${name} ${i}`, 'barrier', 'group')), join: p.collective(`join ${i}`, 'reduceMax', 'row'), share: p.collective(`share ${i}`, 'multicast', 'row'),
      }));
      return p.finish((x, y) => (x === y % width ? 'root' : 'other'), (r, kind) => {
        const root = kind === 'root';
        let last: number[] = [];
        for (const { barriers: [before, between, behind], join, share } of turns) {
          last = [r.barrier(before!, last)];
          last = [r.reduce(join, m, root, last)];
          last = [r.barrier(between!, last)];
          last = [r.multicast(share, m, root, last)];
          last = [r.barrier(behind!, last)];
        }
      });
    },
  };
}
