import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { destinationOf, patternName, patternNames, trafficPattern, type PatternGrid } from './patterns.ts';

const grid = (width: number, height: number, absent?: Uint8Array): PatternGrid => ({ width, height, tileAt: (x, y) => y * width + x, ...(absent === undefined ? {} : { absent }) });
const fixed = patternNames.filter((name) => name !== 'uniform' && name !== 'hotspot');

test.each([
  ['transpose', [1, 2], [2, 1]], ['neighbor', [7, 2], [0, 3]], ['tornado', [1, 6], [4, 1]], ['bitcomp', [1, 2], [6, 5]],
] as const)('%s sends (%j) to (%j) on 8 x 8 tiles', (name, [x, y], [toX, toY]) => {
  expect(trafficPattern(name, grid(8, 8), 1).fixed![y * 8 + x]).toBe(toY * 8 + toX);
});

test.each(fixed)('%s is a permutation: everybody sends to one, and one sends to everybody', (name) => {
  const { fixed: to, senders } = trafficPattern(name, grid(8, 8), 3);
  expect(senders).toBe(64);
  expect(new Set(to).size).toBe(64);
});

test('a random permutation depends on the seed and on nothing else', () => {
  const of = (seed: number): string => trafficPattern('permutation', grid(6, 5), seed).fixed!.join();
  expect(of(1)).toBe(of(1));
  expect(of(1)).not.toBe(of(2));
});

test('hotspots are those of BookSim', () => {
  expect([...trafficPattern('hotspot', grid(8, 8), 1).among]).toEqual([18, 22, 50, 54]);
  expect([...trafficPattern('hotspot', grid(16, 16), 1).among]).toEqual([68, 76, 196, 204]);
});

test('uniform reaches every tile about equally often, itself included', () => {
  const pattern = trafficPattern('uniform', grid(4, 4), 1);
  const counts = new Float64Array(16);
  for (let tile = 0; tile < 16; tile++) for (let packet = 0; packet < 1000; packet++) counts[destinationOf(pattern, 9, tile, packet)]! += 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(6 * Math.sqrt(1000));
});

test('nothing goes to a missing tile, and none sends', () => {
  fc.assert(fc.property(fc.constantFrom(...patternNames), fc.uniqueArray(fc.nat(63), { maxLength: 20 }), fc.nat(), (name, gone, seed) => {
    const absent = new Uint8Array(64);
    for (const tile of gone) absent[tile] = 1;
    if (name === 'hotspot' && [18, 22, 50, 54].every((tile) => absent[tile] === 1)) return;
    const pattern = trafficPattern(name, grid(8, 8, absent), seed);
    for (let tile = 0; tile < 64; tile++) {
      if (pattern.sends[tile] === 0) continue;
      expect(absent[tile]).toBe(0);
      expect(absent[destinationOf(pattern, seed, tile, 1)]).toBe(0);
    }
  }));
});

describe('a mesh that does not fit is refused, with one that does', () => {
  test.each([['transpose', 8, 4, /needs a square mesh, such as 4x4; this one has 8x4/], ['bitcomp', 6, 8, /powers of two, such as 4x8/], ['hotspot', 6, 8, /multiples of 4, such as 4x8/]] as const)('%s on %i x %i', (name, width, height, message) => {
    expect(() => trafficPattern(name, grid(width, height), 1)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_PATTERN', message: expect.stringMatching(message) as string }));
  });

  test('an unknown name comes with the nearest one', () => {
    expect(() => patternName('tornadoo')).toThrow(expect.objectContaining({ code: 'FABRIC_UNKNOWN_PATTERN', message: expect.stringContaining('Did you mean "tornado"?') as string }));
  });
});
