import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allToAllBisectionCycles, busiestLinkFlits, flitsOf, zeroLoadCycles } from './latency.ts';

test.each([[0, 1], [1, 1], [128, 1], [129, 2], [4096, 32]])('a payload of %i bytes is %i flits of 128 bytes', (bytes, flits) => {
  expect(flitsOf(bytes, 128)).toBe(flits);
});

test.each([-1, 0.5, NaN, Infinity, 2 ** 53])('a payload of %d bytes is refused', (bytes) => {
  expect(() => flitsOf(bytes, 128)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_PAYLOAD' }));
});

test('zero load: a tile that sends a flit to itself pays for injection and ejection; each link and each further flit adds to that', () => {
  expect(zeroLoadCycles(0, 1, 1, 1)).toBe(2);
  expect(zeroLoadCycles(5, 1, 3, 1)).toBe(17);
  expect(zeroLoadCycles(5, 32, 3, 2)).toBe(50);
});

describe('the busiest link', () => {
  const side = fc.integer({ min: 1, max: 6 });

  test('carries at least the mean: all flits × hops over all links', () => {
    fc.assert(fc.property(side, side, fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 9 })), { maxLength: 40 }), (width, height, pairs) => {
      const tiles = width * height;
      const flows = pairs.map(([a, b, flits]) => [a % width, Math.floor((a % tiles) / width), b % width, Math.floor((b % tiles) / width), flits] as const);
      const flitHops = flows.reduce((sum, [fromX, fromY, toX, toY, flits]) => sum + flits * (Math.abs(fromX - toX) + Math.abs(fromY - toY)), 0);
      const links = 2 * (width * (height - 1) + height * (width - 1));
      const busiest = busiestLinkFlits(width, height, flows);
      expect(busiest * links).toBeGreaterThanOrEqual(flitHops);
      expect(busiest).toBeLessThanOrEqual(flows.reduce((sum, flow) => sum + flow[4], 0));
    }));
  });

  test('of a uniform all-to-all on a k × k mesh is the middle one, and takes as long as the bisection allows', () => {
    for (const k of [2, 4, 6]) {
      const flows: [number, number, number, number, number][] = [];
      for (let a = 0; a < k * k; a++) for (let b = 0; b < k * k; b++) flows.push([a % k, Math.floor(a / k), b % k, Math.floor(b / k), 1]);
      // Every node sends k² flits of one byte at one byte per cycle.
      expect(busiestLinkFlits(k, k, flows)).toBe(allToAllBisectionCycles(k, k * k, 1));
    }
  });
});
