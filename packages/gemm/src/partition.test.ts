import fc from 'fast-check';
import { expect, test } from 'vitest';
import { largestOf, partition, rangeOf, startOf } from './partition.ts';

const cuts = fc.record({ length: fc.integer({ min: 1, max: 5000 }), parts: fc.integer({ min: 1, max: 80 }), unit: fc.integer({ min: 1, max: 64 }) })
  .map(({ length, parts, unit }) => partition(length, Math.min(parts, length), unit));

test('ranges follow each other without a gap, cover everything, and none is empty', () => {
  fc.assert(fc.property(cuts, (cut) => {
    let at = 0;
    for (let part = 0; part < cut.parts; part++) {
      const { size } = rangeOf(cut, part);
      expect(startOf(cut, part)).toBe(at);
      expect(size).toBeGreaterThan(0);
      expect(size).toBeLessThanOrEqual(largestOf(cut));
      at += size;
    }
    expect(at).toBe(cut.length);
  }));
});

test('all ranges but the last differ by at most one unit, begin on units, and are of two kinds', () => {
  fc.assert(fc.property(cuts, (cut) => {
    const sizes = Array.from({ length: cut.parts - 1 }, (_, part) => rangeOf(cut, part));
    expect(largestOf(cut) - Math.min(...sizes.map(({ size }) => size), largestOf(cut))).toBeLessThanOrEqual(cut.unit);
    for (let part = 0; part < cut.parts; part++) expect(startOf(cut, part) % cut.unit).toBe(0);
    expect(new Set(sizes.map((range) => JSON.stringify(range))).size).toBeLessThanOrEqual(2);
  }));
});
