import { Type } from '@sinclair/typebox';
import type { Suite } from '../suite.ts';
import { ProgramFile } from '../tile-programs/program-file.ts';
import { unitsOf } from './matrix-engine.ts';
import { columnsOf, OTHERS, OTHERS_TEXT, referenceOptions, softhierCases, type Plan } from './softhier-cases.ts';

/** Rows that the loops of the reference's kernels do at once; what is left over they skip. */
const BATCH = 16;

const extent = (what: string) => Type.Integer({ minimum: 1, maximum: 65_536, description: what });
const op = Type.String({ description: 'What was done.' });

const addSchema = Type.Object({ op, bytes: Type.Integer({ minimum: 8, maximum: 2 ** 20, description: 'Bytes of an operand.' }) });
const transposeSchema = Type.Object({ shape_rows_cols: Type.Array(extent('Rows, columns.'), { minItems: 2, maxItems: 2, description: 'Rows and columns.' }) });
const softmaxSchema = Type.Object({ op, rows: extent('Rows on the tile.'), cols: extent('Elements of a row.'), vector_cores: Type.Integer({ minimum: 1, maximum: 64, description: 'Vector units that work.' }) });

/** Steps over [rows, columns], and what they do with a column of one value per row. */
const rowSteps: Readonly<Record<string, { readonly vector: string; readonly column: 'none' | 'operand' | 'result' }>> = {
  softmax_rowmax: { vector: 'rowMax', column: 'result' },
  softmax_rowsum: { vector: 'rowSum', column: 'result' },
  softmax_exp: { vector: 'exp', column: 'none' },
  softmax_divide_O: { vector: 'div', column: 'operand' },
  softmax_rescale_O: { vector: 'mul', column: 'operand' },
  softmax_rescale_O_colsplit: { vector: 'mul', column: 'operand' },
};

/** Steps over columns, as several operations. */
const columnSteps: Readonly<Record<string, readonly string[]>> = { softmax_exp_vv: ['sub', 'exp'], softmax_update_l: ['mul', 'add'] };

/** Vector units and the transposer of one tile, nothing else running. */
export const vectorEngine: Suite = {
  name: 'vector-engine',
  title: 'work of the vector units',
  built: true,
  fidelities: ['packet'],
  tolerances: OTHERS_TEXT,
  medianTolerance: 0.05,
  referenceOptions,
  sources: [
    softhierCases('softhier-runs.json', ['vector'], addSchema, (row): Plan => {
      if (row.op !== 'vector_add') return `Kerf does not know the operation ${row.op}.`;
      // One row of the operands for each of the four units.
      const columns = columnsOf(row.bytes / 4);
      return {
        list: 'ours', tolerance: OTHERS, name: `vector-add-${row.bytes}`,
        content: () => {
          const p = new ProgramFile('a += b', 1, 1);
          const [a, b] = [p.buffer('a', 4, columns), p.buffer('b', 4, columns)];
          return p.finish(() => 'tile', (r) => r.vector('add', a, a, b));
        },
      };
    }),
    softhierCases('softhier-runs.json', ['transpose_engine'], transposeSchema, ({ shape_rows_cols: [rows, columns] }): Plan => ({
      list: 'ours', tolerance: OTHERS, name: `transpose-${rows}x${columns}`,
      content: () => {
        const p = new ProgramFile('transpose', 1, 1);
        const [from, to] = [p.buffer('from', rows!, columns!), p.buffer('to', columns!, rows!)];
        return p.finish(() => 'tile', (r) => r.transpose(to, from));
      },
    })),
    softhierCases('softhier-components.json', ['softmax_steps'], softmaxSchema, ({ op: step, rows, cols, vector_cores: cores }): Plan => {
      const set = unitsOf(cores);
      const name = `${step.toLowerCase().replaceAll('_', '-')}-${rows}x${cols}${step.endsWith('colsplit') ? `-${cores}` : ''}`;
      const vectors = columnSteps[step];
      if (vectors !== undefined) return { list: 'ours', tolerance: OTHERS, name, set, content: () => columnStep(vectors, rows) };
      const known = rowSteps[step];
      if (known === undefined) return `Kerf does not know the operation ${step}.`;
      // Split by columns, every unit does all rows and a part of each.
      const parts = step.endsWith('colsplit') ? cores : 1;
      const skips = (rows * parts) % (cores * BATCH) !== 0;
      return {
        list: skips ? 'reference-options' : 'ours', tolerance: OTHERS, name, set, content: () => rowStep(known, rows * parts, columnsOf((2 * cols) / parts)),
        ...(skips ? { note: 'the kernel skips rows that fill no batch of 16 on every unit' } : {}),
      };
    }),
  ],
};

function rowStep({ vector, column }: (typeof rowSteps)[string], rows: number, columns: number): unknown {
  const p = new ProgramFile(`${vector} of rows`, 1, 1);
  const block = p.buffer('block', rows, columns);
  const values = column === 'none' ? null : p.buffer('column', rows, 1);
  return p.finish(() => 'tile', (r) => r.vector(vector, column === 'result' ? values! : block, block, column === 'operand' ? values : null));
}

function columnStep(vectors: readonly string[], rows: number): unknown {
  const p = new ProgramFile(vectors.join(', then '), 1, 1);
  const [out, a, b] = [p.buffer('out', rows, 1), p.buffer('a', rows, 1), p.buffer('b', rows, 1)];
  return p.finish(() => 'tile', (r) => {
    let last: number[] = [];
    vectors.forEach((vector, i) => (last = [r.vector(vector, out, i === 0 ? a : out, vector === 'exp' ? null : b, last)]));
  });
}
