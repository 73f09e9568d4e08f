import { Type } from '@sinclair/typebox';
import { gemmLine } from '../program-commands.ts';
import { readSofthierAs } from '../reference/softhier.ts';
import { numberIn } from '../run-case.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { cyclesOf } from '../traffic-commands.ts';
import { machines, referenceOptions } from './softhier-cases.ts';

const TOLERANCE = 0.05;
/** Points of utilisation, read off a plot. */
const POINTS = 4;

const size = (what: string) => Type.Integer({ minimum: 1, maximum: 2 ** 24, description: what });
const schema = Type.Object({
  workload: Type.Object({ M: size('Rows.'), N: size('Columns.'), K: size('Inner dimension.') }, { description: 'The product.' }),
  mapping: Type.Object(
    { group_x: size('Tiles of a group from west to east.'), group_y: size('Tiles of a group from north to south.'), groups: size('Groups.'), tile_m: size('Rows of a piece.'), tile_n: size('Columns of a piece.'), tile_k: size('Inner dimension of a piece.') },
    { description: 'How it was laid out.' },
  ),
});

/** Utilisation of the best group and block size on 32 x 32 tiles with 2 TB/s. */
const published = [
  { m: 8192, n: 8192, k: 8192, percent: 89 },
  { m: 16_384, n: 8192, k: 7168, percent: 89 },
  { m: 16_384, n: 3594, k: 8192, percent: 80 },
] as const;

/** Whole matrix products. */
export const gemm: Suite = {
  name: 'gemm',
  title: 'matrix products over all tiles',
  built: true,
  fidelities: ['packet'],
  tolerances: 'cycles 5 % each; published utilisations 4 points',
  medianTolerance: 0.03,
  referenceOptions,
  sources: [{
    file: 'softhier-runs.json',
    part: 'gemm',
    cases: (references) => {
      const read = readSofthierAs(references, 'softhier-runs.json', ['gemm'], schema);
      return read?.rows.map(({ id, machine, cycles, workload: { M, N, K }, mapping }): CaseDraft => {
        const known = machines[machine];
        const { group_x: x, group_y: y, tile_m: m, tile_n: n, tile_k: k, groups } = mapping;
        const row = { what: '', unit: 'cycles', expected: cycles ?? null, tolerance: TOLERANCE, ours: ([output]: readonly Readonly<Record<string, unknown>>[]) => cyclesOf(output) };
        const notModelled = known === undefined ? `Kerf has no preset for the machine "${machine}".` : groups > 1 ? 'Several groups of the reference share the inner dimension in a way that Kerf does not copy.' : undefined;
        return {
          name: id, source: read.tool, fidelity: 'packet', list: 'reference-options', costSeconds: 0.5 + (M * N * K) / 4e9, rows: [row],
          steps: [gemmLine(known?.hardware ?? machine, { m: M, n: N, k: K }, ['--group', `${x}x${y}`, '--piece', `${m}x${n}x${k}`, '--schedule', 'blockwise'])], ...(notModelled === undefined ? {} : { notModelled }),
        };
      }) ?? [];
    },
  }],
  formulas: () => published.map(({ m, n, k, percent }): CaseDraft => ({
    name: `${m}-${n}-${k} on 32x32 tiles`, source: 'arXiv 2604.02110, utilisation of SUMMA, read off a plot', fidelity: 'packet', costSeconds: (m * n * k) / 2e10,
    steps: [gemmLine('flat-32x32', { m, n, k }, []), gemmLine('flat-32x32', { m, n, k }, ['--mapping', 'published'])],
    rows: [
      { what: 'utilisation, layout chosen by Kerf', unit: '%', expected: percent, tolerance: POINTS / percent, ours: ([output]) => 100 * numberIn(output, 'utilisation') },
      { what: 'utilisation, layout and schedule of the published kernel', unit: '%', expected: percent, tolerance: null, ours: ([, output]) => 100 * numberIn(output, 'utilisation') },
    ],
  })),
};
