import fc from 'fast-check';
import { expect, test } from 'vitest';
import { philox } from './philox.ts';
import { drawBelow, drawPermutation, gumbel, keyOf, nearlyNormal, streams } from './random-streams.ts';

const words = (count: number): number[] => {
  const block = new Uint32Array(4);
  return Array.from({ length: count }, (_, i) => {
    philox(block, i, 0, 0, 0, 1, 2);
    return block[0]!;
  });
};
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('a permutation holds everyone once', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.maxSafeNat(), fc.nat(100), (count, seed, layer) => {
    const order = drawPermutation(count, keyOf(seed, streams.popularity), layer, 0);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  }));
});

test('seeds and streams have keys of their own', () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.constantFrom(...Object.values(streams)), fc.constantFrom(...Object.values(streams)), (a, b, s, t) => {
    expect(String(keyOf(a, s)) === String(keyOf(b, t))).toBe(a === b && s === t);
  }));
});

test('drawBelow reaches every number about equally often', () => {
  const counts = new Array<number>(5).fill(0);
  for (let i = 0; i < 10_000; i++) counts[drawBelow(5, keyOf(7, streams.prompt), i, 0, 0, 0)]!++;
  for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200); // five deviations
});

test('nearly normal numbers have mean 0 and deviation 1', () => {
  const drawn = words(20_000).map(nearlyNormal);
  expect(Math.abs(mean(drawn))).toBeLessThan(0.035);
  expect(Math.abs(mean(drawn.map((x) => x * x)) - 1)).toBeLessThan(0.05);
  expect(Math.abs(nearlyNormal(0))).toBe(Math.abs(nearlyNormal(0xffffffff)));
});

test('Gumbel numbers have mean 0.5772 and variance π² / 6, at both ends of the words too', () => {
  const drawn = words(20_000).map(gumbel);
  expect(Math.abs(mean(drawn) - 0.5772)).toBeLessThan(0.05);
  expect(Math.abs(mean(drawn.map((x) => (x - 0.5772) ** 2)) - 1.645)).toBeLessThan(0.12);
  expect(gumbel(0)).toBeCloseTo(-Math.log(33 * Math.LN2), 10);
  expect(gumbel(0xffffffff)).toBeCloseTo(33 * Math.LN2, 6);
});
