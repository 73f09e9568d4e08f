import { Type } from '@sinclair/typebox';
import { programRun } from '../program-commands.ts';
import { readFlatattention } from '../reference/flatattention.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { ProgramFile, type FileView } from '../tile-programs/program-file.ts';
import { cyclesOf } from '../traffic-commands.ts';
import { OTHERS, referenceOptions, SMALL_PROGRAM, softhierCases, tile00, type Plan, type Tolerance } from './softhier-cases.ts';

/** A matrix job, alone or as what takes longest. */
const JOB: Tolerance = { share: 0.01, cycles: 0 };

const size = (what: string) => Type.Integer({ minimum: 1, maximum: 65_536, description: what });

const rtlSchema = Type.Object({ M: size('Rows.'), N: size('Inner dimension.'), K: size('Columns.'), cycles: Type.Number({ exclusiveMinimum: 0, description: 'RTL cycles of the product.' }) });

const shape = Type.Array(Type.Integer({ minimum: 1, maximum: 65_536 }), { minItems: 3, maxItems: 3, description: 'Rows, inner dimension, columns.' });
const jobSchema = Type.Object({ shape_rows_inner_cols: shape });

const times = Type.Integer({ minimum: 1, maximum: 1000, description: 'How often, one after the other.' });
const contentionSchema = Type.Object({
  op: Type.String({ description: 'What was done.' }),
  shape_rows_inner_cols: Type.Optional(shape),
  active_tiles: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096, description: 'Tiles that work.' })),
  hbm_load_32KiB: Type.Optional(Type.Object({ tiles: Type.String({ description: 'Which tiles load.' }), times }, { description: 'Loads of 32 KiB beside the job.' })),
  column_multicast_32KiB: Type.Optional(Type.Object({ times }, { description: 'Multicasts of 32 KiB down the columns beside the job.' })),
  vector: Type.Optional(Type.Object({ cores: Type.Integer({ minimum: 1, maximum: 64, description: 'Vector units that work.' }), times }, { description: 'Row maxima and exponentials beside the job.' })),
  vector_work: Type.Optional(Type.String({ description: 'Vector work without a job.' })),
  vector_cores: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, description: 'Vector units that work.' })),
  rows: Type.Optional(size('Rows of the vector work.')),
  cols: Type.Optional(size('Columns of the vector work.')),
});

/** Single jobs of the matrix engine: on RTL, on the reference simulator, and beside other work of the tile. */
export const matrixEngine: Suite = {
  name: 'matrix-engine',
  title: 'jobs of the matrix engine',
  built: true,
  fidelities: ['packet'],
  tolerances: 'jobs 1 %; where other work beside the job takes longer, 15 %',
  medianTolerance: 0.05,
  referenceOptions,
  sources: [
    {
      file: 'flatattention.json',
      part: 'redmule_rtl',
      cases: (references) => {
        const part = readFlatattention(references, 'redmule_rtl', rtlSchema);
        return part?.rows.map(({ M, N, K, cycles }): CaseDraft => {
          // What was measured begins and ends with the engine.
          const { line, file } = programRun(references, {
            ...matrixJob(M, N, K), hardware: 'softhier-4x4',
            set: { 'tile.matrix.rows': 12, 'tile.matrix.columns': 4, 'tile.matrix.pipelineStages': 3, 'tile.matrix.flopsPerCycle.fp16': 96, 'tile.matrix.issueCycles': 0, 'tile.l1BytesPerCycle': 64 },
          });
          return {
            name: `12x4 elements, ${M}-${N}-${K}`, source: part.source, fidelity: 'packet', steps: [line], files: [file], costSeconds: 0.3,
            rows: [{ what: '', unit: 'cycles', expected: cycles, tolerance: JOB.share, ours: ([output]) => cyclesOf(output) }],
          };
        }) ?? [];
      },
    },
    softhierCases('softhier-runs.json', ['matrix_job'], jobSchema, ({ shape_rows_inner_cols: [rows, inner, columns] }): Plan => ({ ...matrixJob(rows!, inner!, columns!), list: 'reference-options', tolerance: JOB })),
    softhierCases('softhier-components.json', ['matrix_contention'], contentionSchema, (row, edge): Plan => {
      const { op, hbm_load_32KiB: loads, column_multicast_32KiB: multicasts, vector, vector_work: work } = row;
      const cores = vector?.cores ?? row.vector_cores ?? 4;
      const set = { ...SMALL_PROGRAM, ...unitsOf(cores) };
      if (op === 'vector_only') {
        const steps = [...(/row max/.test(work ?? '') ? ['rowMax'] : []), ...(/exp/.test(work ?? '') ? ['exp'] : [])];
        const { rows = 128, cols = 128 } = row;
        return {
          list: 'reference-options', tolerance: OTHERS, set, name: `vector-${steps.join('-')}-${rows}x${cols}`,
          content: () => beside({ edge: 1, vector: { steps, rows, columns: cols, times: 1 } }),
        };
      }
      if (!op.startsWith('matrix_') || row.shape_rows_inner_cols === undefined) return `Kerf does not know the operation ${op}.`;
      const [rows, inner, columns] = row.shape_rows_inner_cols as [number, number, number];
      const one = row.active_tiles === 1;
      // The job takes longer than one pass of other work, which takes a third to a half of it.
      const longest = (vector === undefined || vector.times / cores <= 1 / 4) && (loads?.times ?? 0) <= 1 && (multicasts?.times ?? 0) <= 15;
      const name = [`matrix-${rows}-${inner}-${columns}`, ...(loads ? [`load${loads.times}${loads.tiles.startsWith('diagonal') ? 'd' : ''}`] : []), ...(multicasts ? [`multicast${multicasts.times}`] : []), ...(vector ? [`vector${vector.times}`] : []), one ? 'one' : `${edge}x${edge}`].join('-');
      return {
        list: 'reference-options', tolerance: longest ? JOB : OTHERS, set, name, edges: { data: 'south' }, ...(one ? { at: tile00(edge) } : {}),
        content: () => beside({
          edge: one ? 1 : edge, job: [rows, inner, columns],
          ...(loads ? { loads: { times: loads.times, diagonal: loads.tiles.startsWith('diagonal') } } : {}), ...(multicasts ? { multicasts: multicasts.times } : {}),
          ...(vector ? { vector: { steps: ['rowMax', 'exp'], rows: 128, columns: 128, times: vector.times } } : {}),
        }),
      };
    }),
  ],
};

/** A tile with so many of the four vector units of the reference. */
export function unitsOf(cores: number): Readonly<Record<string, number>> {
  return cores === 4 ? {} : { 'tile.vector.units': cores, 'tile.vector.flopsPerCycle': 32 * cores };
}

function matrixJob(rows: number, inner: number, columns: number): { readonly name: string; readonly content: () => unknown } {
  return { name: `matrix-${rows}-${inner}-${columns}`, content: () => beside({ edge: 1, job: [rows, inner, columns] }) };
}

interface Work {
  readonly edge: number;
  readonly job?: readonly [rows: number, inner: number, columns: number];
  readonly loads?: { readonly times: number; readonly diagonal: boolean };
  readonly multicasts?: number;
  readonly vector?: { readonly steps: readonly string[]; readonly rows: number; readonly columns: number; readonly times: number };
}

const BLOCK_COLUMNS = 16_384;

/** Tiles with a matrix job and, side by side with it, loads of 32 KiB, multicasts of 32 KiB down the columns, and vector work. */
function beside({ edge, job, loads, multicasts = 0, vector }: Work): unknown {
  const p = new ProgramFile('engines of a tile side by side', edge, edge);
  const [z, x, w] = job === undefined ? [] : [p.buffer('z', job[0], job[2]), p.buffer('x', job[0], job[1]), p.buffer('w', job[1], job[2])];
  const block: FileView = p.buffer('block', 1, BLOCK_COLUMNS);
  const s = vector === undefined ? undefined : p.buffer('s', vector.rows, vector.columns);
  const m = vector === undefined ? undefined : p.buffer('m', vector.rows, 1);
  const tiles = edge * edge;
  if (loads !== undefined) p.tensor('data', tiles * loads.times, BLOCK_COLUMNS, 'input');
  const trees = Array.from({ length: edge > 1 ? multicasts : 0 }, (_, i) => p.collective(`column ${i}`, 'multicast', 'column'));
  return p.finish((column, row) => (column === row ? 'diagonal' : 'other'), (r, kind) => {
    if (job !== undefined) r.matmul(z!, x!, w!);
    let last: number[] = [];
    if (loads !== undefined && (kind === 'diagonal' || !loads.diagonal)) {
      for (let i = 0; i < loads.times; i++) last = [r.load(block, { tensor: 'data', row: { base: i * tiles, x: 1, y: edge }, column: 0, rows: 1, columns: BLOCK_COLUMNS }, last)];
    }
    last = [];
    for (const tree of trees) last = [r.multicast(tree, block, kind === 'diagonal', last)];
    last = [];
    for (let i = 0; i < (vector?.times ?? 0); i++) for (const step of vector!.steps) last = [r.vector(step, step === 'rowMax' ? m! : s!, s!, null, last)];
  });
}
