import { checkTileProgram, elementBytes, execute, l1BytesOf, roundTo, type NumberFormat } from '@kerf/program';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gemmTypes, type GemmMapping, type GemmShape } from './mapping.ts';
import { summaLayout, summaProgram, type Grain } from './summa.ts';

/** Whole numbers, so that sums in Float64 are exact in any order. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 24) - 128;
  });
}

function product({ m, n, k }: GemmShape, x: Float64Array, w: Float64Array): Float64Array {
  const z = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let l = 0; l < k; l++) for (let j = 0; j < n; j++) z[i * n + j]! += x[i * k + l]! * w[l * n + j]!;
  return z;
}

const types = gemmTypes('fp16');

const cases = fc.record({
  m: fc.integer({ min: 1, max: 14 }), n: fc.integer({ min: 1, max: 14 }), k: fc.integer({ min: 1, max: 14 }),
  groupWidth: fc.integer({ min: 1, max: 4 }), groupHeight: fc.integer({ min: 1, max: 4 }), splitK: fc.integer({ min: 1, max: 4 }),
  tileM: fc.integer({ min: 1, max: 5 }), tileN: fc.integer({ min: 1, max: 5 }), tileK: fc.integer({ min: 1, max: 5 }),
  stages: fc.integer({ min: 2, max: 4 }), blockwise: fc.boolean(), edges: fc.boolean(),
  grain: fc.record({ m: fc.integer({ min: 1, max: 2 }), n: fc.integer({ min: 1, max: 3 }), k: fc.integer({ min: 1, max: 3 }) }),
}).map(({ m, n, k, grain, blockwise, edges, ...rest }): { shape: GemmShape; mapping: GemmMapping; grain: Grain } => ({
  shape: { m, n, k },
  grain,
  mapping: {
    ...rest,
    groupWidth: Math.min(rest.groupWidth, n), groupHeight: Math.min(rest.groupHeight, m), splitK: Math.min(rest.splitK, k), splitM: 1, splitN: 1,
    stages: blockwise ? 2 : rest.stages, schedule: blockwise ? 'blockwise' : 'continuous', loaders: edges ? 'edges' : 'diagonal',
  },
}));

describe('SUMMA computes the product', () => {
  test('for any shape, group, pieces, parts, schedule and loaders: checked, without races, exact', () => {
    fc.assert(fc.property(cases, fc.nat(1000), ({ shape, mapping, grain }, seed) => {
      const program = summaProgram(shape, mapping, { types, grain });
      checkTileProgram(program);
      const [x, w] = [numbers(shape.m * shape.k, seed), numbers(shape.k * shape.n, seed + 1)];
      expect(execute(program, { X: x, W: w }, { parameters: [{ row: 0, column: 0 }] }).tensors['Z']).toEqual(product(shape, x, w));
    }), { numRuns: 150 });
  }, 120_000);

  test('the layout says how much L1 the program needs, at least', () => {
    fc.assert(fc.property(cases, ({ shape, mapping, grain }) => {
      const program = summaProgram(shape, mapping, { types, grain });
      expect(Math.max(...l1BytesOf(program))).toBeLessThanOrEqual(summaLayout(shape, mapping, types, grain, elementBytes).l1Bytes);
    }), { numRuns: 150 });
  });

  test('for any element type: with rounding, as near as rounding every partial sum allows', () => {
    // Half a unit of the last place of each format of sums.
    const unit = { fp32: 2 ** -24, fp16: 2 ** -11, bf16: 2 ** -8 } as const;
    fc.assert(fc.property(cases, fc.constantFrom<NumberFormat>('fp32', 'fp16', 'bf16', 'fp8e4m3', 'fp8e5m2'), fc.boolean(), fc.nat(1000), ({ shape, mapping, grain }, input, narrow, seed) => {
      const { sum } = gemmTypes(input);
      const output = narrow && sum === 'fp16' ? 'bf16' : sum;
      const program = summaProgram(shape, mapping, { types: { input, sum, output }, grain });
      checkTileProgram(program);
      const [x, w] = [numbers(shape.m * shape.k, seed), numbers(shape.k * shape.n, seed + 1)].map((values) => values.map((value) => roundTo(input, value / 128))) as [Float64Array, Float64Array];
      const got = execute(program, { X: x, W: w }, { parameters: [{ row: 0, column: 0 }], round: true }).tensors['Z']!;
      const exact = product(shape, x, w);
      const size = product(shape, x.map(Math.abs), w.map(Math.abs));
      const roundings = shape.k + mapping.splitK;
      exact.forEach((value, i) => {
        const within = size[i]! * (roundings * unit[sum as 'fp16'] + (output === sum ? 0 : 1.01 * unit.bf16)) + 2 ** -24;
        if (!(Math.abs(got[i]! - value) <= within)) expect.fail(`element ${i} is ${got[i]}, not ${value} ± ${within}`);
      });
    }), { numRuns: 100 });
  }, 120_000);
});
