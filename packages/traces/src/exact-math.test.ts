import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactExp, exactLog } from './exact-math.ts';

test('the logarithm agrees with that of the engine', () => {
  fc.assert(fc.property(fc.double({ min: 2 ** -1000, max: 2 ** 1000, noNaN: true }), (x) => {
    expect(Math.abs(exactLog(x) - Math.log(x))).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(Math.log(x))));
  }), { numRuns: 2000 });
});

test('close to 1 the logarithm keeps its relative accuracy, so the logarithm of it is good as well', () => {
  for (let i = 1; i < 40; i++) expect(Math.abs(exactLog(1 - 2 ** -i) / Math.log1p(-(2 ** -i)) - 1)).toBeLessThan(1e-14);
});

test('the exponential agrees with that of the engine', () => {
  fc.assert(fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
    expect(Math.abs(exactExp(x) / Math.exp(x) - 1)).toBeLessThan(1e-13);
  }), { numRuns: 2000 });
});
