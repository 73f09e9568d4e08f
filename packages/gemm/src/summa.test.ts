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
});
