import { expect, test } from 'vitest';
import { counterHash } from './counter-hash.ts';

test('seeds that differ in any word, and counters, give different numbers of 32 bits', () => {
  const seen = new Set<number>();
  for (const seed of [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) for (let counter = 0; counter < 1000; counter++) seen.add(counterHash(seed, counter));
  expect(seen.size).toBeGreaterThan(4990);
  for (const number of seen) expect(number >= 0 && number < 2 ** 32 && Number.isInteger(number)).toBe(true);
});

test('numbers spread evenly: each of 16 bins holds its share within five standard deviations', () => {
  const bins = new Array<number>(16).fill(0);
  for (let counter = 0; counter < 16_000; counter++) bins[counterHash(7, counter) >>> 28]!++;
  for (const count of bins) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
});
