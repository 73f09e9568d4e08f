import { presetHardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatAttention, ringAllReduce, summa, treeBroadcast, type Group } from '../testing/dataflows.ts';
import { TileProgramBuilder } from './builder.ts';
import { checkTileProgram } from './check.ts';
import { execute } from './interpreter.ts';
import { instantiate } from './instances.ts';
import type { TileProgram } from './tile-program.ts';

const hardware = presetHardware('mesh-8x8');

/** Numbers between −1 and 1 that look like nothing in particular. */
function numbers(count: number, seed: number): Float64Array {
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function product(a: Float64Array, b: Float64Array, m: number, n: number, k: number): Float64Array {
  return Float64Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[Math.floor(at / n) * k + i]! * b[i * n + (at % n)]!;
    return sum;
  });
}

/** Softmax attention, row by row, as in a textbook. */
function attention(q: Float64Array, k: Float64Array, v: Float64Array, queries: number, keys: number, d: number): Float64Array {
  const out = new Float64Array(queries * d);
  for (let i = 0; i < queries; i++) {
    const scores = Array.from({ length: keys }, (_, j) => {
      let sum = 0;
      for (let c = 0; c < d; c++) sum += q[i * d + c]! * k[j * d + c]!;
      return sum / Math.sqrt(d);
    });
    const highest = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - highest));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let c = 0; c < d; c++) out[i * d + c] = weights.reduce((sum, weight, j) => sum + weight * v[j * d + c]!, 0) / total;
  }
  return out;
}

function farthest(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Number.isNaN(value) ? Infinity : Math.abs(value - b[i]!)), 0);
}

const group = fc.record({ width: fc.integer({ min: 1, max: 4 }), height: fc.integer({ min: 1, max: 4 }) });
const size = fc.integer({ min: 1, max: 5 });

describe('SUMMA is the plain product', () => {
  const shapes = fc.record({ group, tile: fc.tuple(size, size, size), steps: fc.integer({ min: 1, max: 4 }), cut: fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)), seed: fc.nat(1000) }).map(({ group, tile, steps, cut, seed }) => {
    const [tileM, tileN, tileK] = tile;
    const [cutM, cutN, cutK] = [cut[0] % tileM, cut[1] % tileN, cut[2] % tileK];
    return { group, tile, seed, mnk: [group.height * tileM - cutM, group.width * tileN - cutN, steps * tileK - cutK] as const };
  });

  test('to the last bit in Float64, for any group, even or not', () => {
    fc.assert(fc.property(shapes, ({ group, tile, mnk, seed }) => {
      const [m, n, k] = mnk;
      const program = summa(group, mnk, tile);
      checkTileProgram(program, hardware);
      const [X, W] = [numbers(m * k, seed), numbers(k * n, seed + 1)];
      expect(execute(program, { X, W }).tensors['Z']).toEqual(product(X, W, m, n, k));
    }), { numRuns: 30 });
  }, 60_000);

  test('to a rounding per step in FP16: k · 2^-11 times the largest possible partial sum', () => {
    fc.assert(fc.property(shapes, ({ group, tile, mnk, seed }) => {
      const [m, n, k] = mnk;
      const [X, W] = [numbers(m * k, seed), numbers(k * n, seed + 1)];
      const { tensors } = execute(summa(group, mnk, tile), { X, W }, { arithmetic: 'float32', round: true });
      expect(farthest(tensors['Z']!, product(X, W, m, n, k))).toBeLessThan((k + 3) * k * 2 ** -11);
    }), { numRuns: 30 });
  }, 60_000);
});

const attentionShapes = fc.record({
  group, sliceRows: size, sliceKeys: size, width: size, rowBlocks: fc.integer({ min: 1, max: 3 }), keyBlocks: fc.integer({ min: 1, max: 3 }),
  lastRows: fc.nat(4), lastKeys: fc.nat(4), heads: fc.integer({ min: 1, max: 3 }), seed: fc.nat(1000),
}).map(({ group, sliceRows, sliceKeys, rowBlocks, keyBlocks, lastRows, lastKeys, ...rest }) => ({
  ...rest,
  group,
  sliceRows,
  sliceKeys,
  queries: group.height * (sliceRows * rowBlocks - (lastRows % sliceRows)),
  keys: group.width * (sliceKeys * keyBlocks - (lastKeys % sliceKeys)),
}));

describe('FlatAttention is softmax attention', () => {
  const run = (shape: { group: Group; heads: number; queries: number; sliceRows: number; keys: number; sliceKeys: number; width: number; seed: number }, options: Parameters<typeof execute>[2], types = {}) => {
    const { group, heads, queries, keys, width, seed } = shape;
    const program = flatAttention(group, heads, { ...shape, ...types });
    checkTileProgram(program, hardware);
    const Q = numbers(heads * queries * width, seed);
    const K = numbers(heads * keys * width, seed + 1);
    const V = numbers(heads * keys * width, seed + 2);
    const parameters = Array.from({ length: heads }, (_, head) => ({ head }));
    const got = execute(program, { Q, K, V }, { ...options, parameters }).tensors['O']!;
    const want = new Float64Array(heads * queries * width);
    for (let h = 0; h < heads; h++) {
      const part = (array: Float64Array, rows: number) => array.subarray(h * rows * width, (h + 1) * rows * width);
      want.set(attention(part(Q, queries), part(K, keys), part(V, keys), queries, keys, width), h * queries * width);
    }
    return farthest(got, want);
  };

  test('to 1e-13 in Float64, for any group, blocks and number of heads', () => {
    fc.assert(fc.property(attentionShapes, (shape) => void expect(run(shape, {})).toBeLessThan(1e-13)), { numRuns: 30 });
  }, 60_000);

  test.each([
    ['Float32', { arithmetic: 'float32' }, {}, 2e-6],
    ['FP16', { arithmetic: 'float32', round: true }, {}, 1e-2],
    ['BF16 with FP32 sums', { arithmetic: 'float32', round: true }, { type: 'bf16', sumType: 'fp32' }, 3e-2],
    ['FP8 E4M3 with FP32 sums', { arithmetic: 'float32', round: true }, { type: 'fp8e4m3', sumType: 'fp32' }, 0.25],
    ['FP8 E5M2 with FP32 sums', { arithmetic: 'float32', round: true }, { type: 'fp8e5m2', sumType: 'fp32' }, 0.5],
  ] as const)('in %s to its precision', (_, options, types, tolerance) => {
    fc.assert(fc.property(attentionShapes, (shape) => void expect(run(shape, options, types)).toBeLessThan(tolerance)), { numRuns: 15 });
  }, 60_000);
});

test('a ring adds up every row on every tile, and a tree brings one to all', () => {
  fc.assert(fc.property(fc.integer({ min: 2, max: 9 }), size, fc.nat(1000), (tiles, chunk, seed) => {
    const ring = ringAllReduce(tiles, chunk);
    checkTileProgram(ring, hardware);
    const columns = tiles * chunk;
    const A = numbers(tiles * columns, seed);
    const sums = Float64Array.from({ length: tiles * columns }, (_, at) => {
      let sum = 0;
      for (let row = 0; row < tiles; row++) sum += A[row * columns + (at % columns)]!;
      return sum;
    });
    expect(farthest(execute(ring, { A }).tensors['S']!, sums)).toBeLessThan(1e-14);
    const tree = treeBroadcast(tiles, columns);
    checkTileProgram(tree, hardware);
    expect(execute(tree, { A: A.slice(0, columns) }).tensors['S']).toEqual(Float64Array.from({ length: tiles * columns }, (_, at) => A[at % columns]!));
  }), { numRuns: 20 });
}, 60_000);

test('groups that are placed on a wafer compute what they do alone', () => {
  const program = flatAttention({ width: 2, height: 2 }, 4, { queries: 8, sliceRows: 2, keys: 8, sliceKeys: 2, width: 4 });
  checkTileProgram(program);
  const placed = instantiate(program, hardware, { tiling: { groups: 4, parameters: { head: { step: 1 } } } });
  const [Q, K, V] = [numbers(128, 1), numbers(128, 2), numbers(128, 3)];
  expect(execute(placed, { Q, K, V }).tensors).toEqual(execute(program, { Q, K, V }, { parameters: [{ head: 0 }, { head: 1 }, { head: 2 }, { head: 3 }] }).tensors);
});

test('groups hand on what they have, and only what they order by messages they may share in memory', () => {
  const pipeline = (ordered: boolean) => {
    const p = new TileProgramBuilder('pipeline', { width: 1, height: 1 }, ['self', 'next']);
    const A = p.tensor('A', 3, 2, 'fp16', 'input');
    const B = p.tensor('B', 3, 2, 'fp16', 'output');
    const C = p.tensor('C', 1, 2, 'fp16', 'output');
    const [own, got] = [p.buffer('own', 1, 2, 'fp16'), p.buffer('got', 1, 2, 'fp16')];
    const message = p.message();
    const tile = p.affine(p.parameter('next'));
    p.role('all', () => true, (r) => {
      const loaded = r.load(own, A.at(p.parameter('self'), 0, 1, 2));
      r.send(message, own, { kind: 'tile', tile }, [loaded]);
      const came = r.receive(message, got);
      r.store(B.at(p.parameter('self'), 0, 1, 2), got, [came]);
      if (!ordered) r.store(C.at(0, 0, 1, 2), own, [loaded]);
    });
    const program = p.finish();
    checkTileProgram(program, hardware);
    return instantiate(program, hardware, { groups: [0, 1, 2].map((self) => ({ die: 0, x: self, y: 0, parameters: { self, next: (self + 1) % 3 } })) });
  };
  const A = [1, 2, 3, 4, 5, 6];
  expect([...execute(pipeline(true), { A }).tensors['B']!]).toEqual([5, 6, 1, 2, 3, 4]);
  expect(() => execute(pipeline(false), { A })).toThrow(expect.objectContaining({ code: 'PROGRAM_RACE', message: expect.stringMatching(/of instance \d, which writes, on tensor C/) }));
});

/** The same program without one dependency of one row. */
function withoutDependency(program: TileProgram, role: number, row: number, dependency: number): TileProgram {
  const { table } = program.roles[role]!;
  const at = table.dependsOnStart[row]! + dependency;
  const changed = {
    ...table,
    dependsOn: table.dependsOn.filter((_, d) => d !== at),
    dependsOnStart: table.dependsOnStart.map((start, r) => (r > row ? start - 1 : start)),
  };
  return { ...program, roles: program.roles.map((other, r) => (r === role ? { ...other, table: changed } : other)) };
}

describe('what nothing orders is found', () => {
  const group = { width: 2, height: 2 };
  const arrays = { X: numbers(48, 1), W: numbers(48, 2) };

  test('SUMMA: a multicast that need not wait for the neighbour to be done, with both operations, tile and buffer', () => {
    const program = summa(group, [4, 4, 12], [2, 2, 4]);
    // The barrier of step 2 no longer waits for the product of step 1... which X of step 3 would overwrite.
    const { table } = program.roles[1]!;
    const barrier = table.collective.findIndex((id) => id < program.collectives.length && program.collectives[id]!.name === 'step 1');
    const work = table.dependsOnStart[barrier + 1]! - table.dependsOnStart[barrier]! - 1;
    const racy = withoutDependency(program, 1, barrier, work);
    checkTileProgram(racy);
    expect(() => execute(racy, arrays)).toThrow(expect.objectContaining({
      code: 'PROGRAM_RACE',
      message: expect.stringMatching(/^Nothing orders matmul \(row \d+ of role .*\) on tile \(1, 0\), which reads, and multicast X of step 2 \(row \d+ of role .*\) on tile \(0, 0\), which writes, on buffer x\[0\] of tile \(1, 0\): rows 0 to 1, columns 0 to 3\.$/),
    }));
    expect(() => execute(racy, arrays, { races: false })).not.toThrow();
  });

  test('of every dependency that is taken out of a program, either it was implied, or a race is found: never a wrong number', () => {
    const programs = [
      { program: summa(group, [4, 4, 12], [2, 2, 4]), inputs: arrays, output: 'Z', options: {} },
      { program: flatAttention(group, 1, { queries: 8, sliceRows: 2, keys: 8, sliceKeys: 2, width: 2 }), inputs: { Q: numbers(16, 1), K: numbers(16, 2), V: numbers(16, 3) }, output: 'O', options: { parameters: [{ head: 0 }] } },
    ];
    let races = 0;
    for (const { program, inputs, output, options } of programs) {
      const right = execute(program, inputs, options).tensors[output];
      program.roles.forEach(({ table }, role) => {
        for (let row = 0; row < table.operations; row++) {
          for (let d = 0; d < table.dependsOnStart[row + 1]! - table.dependsOnStart[row]!; d++) {
            try {
              expect(execute(withoutDependency(program, role, row, d), inputs, options).tensors[output]).toEqual(right);
            } catch (error) {
              expect(error).toMatchObject({ code: 'PROGRAM_RACE' });
              races++;
            }
          }
        }
      });
    }
    expect(races).toBeGreaterThan(100);
  }, 60_000);

  test('two groups that store to the same place', () => {
    const program = flatAttention(group, 2, { queries: 4, sliceRows: 2, keys: 4, sliceKeys: 2, width: 2 });
    const zeros = new Float64Array(16);
    expect(() => execute(program, { Q: zeros, K: zeros, V: zeros }, { parameters: [{ head: 1 }, { head: 1 }] }))
      .toThrow(expect.objectContaining({ code: 'PROGRAM_RACE', message: expect.stringContaining('Groups 0 and 1 both use rows 6… of tensor O') }));
  });
});

test.each<[string, () => unknown, string, string]>([
  ['an input too short', () => execute(summa({ width: 1, height: 1 }, [2, 2, 2], [2, 2, 2]), { X: [1], W: [1, 2, 3, 4] }), 'PROGRAM_BAD_ARRAY', 'Tensor X [2, 2] takes 4 numbers, got 1.'],
  ['a missing input', () => execute(summa({ width: 1, height: 1 }, [2, 2, 2], [2, 2, 2]), {}), 'PROGRAM_BAD_ARRAY', 'Tensor X [2, 2] takes 4 numbers, got none.'],
  ['an array that the program lacks', () => execute(summa({ width: 1, height: 1 }, [2, 2, 2], [2, 2, 2]), { Y: [] }), 'PROGRAM_BAD_ARRAY', 'Program summa has no tensor Y; did you mean X.'],
  ['a missing parameter', () => execute(flatAttention({ width: 1, height: 1 }, 1, { queries: 1, sliceRows: 1, keys: 1, sliceKeys: 1, width: 1 }), {}), 'PROGRAM_BAD_PARAMETERS', 'parameter head must be a whole number, got undefined'],
  ['more elements than fit', () => execute(summa({ width: 1, height: 1 }, [20000, 20000, 1], [20000, 20000, 1]), {}), 'PROGRAM_TOO_LARGE', '268435456 is the limit'],
])('%s is refused', (_, run, code, message) => {
  expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
