import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MoeError } from './errors.ts';
import { linearPlacement } from './placement.ts';

test('every expert has a die, dies fill in order, and no die holds more than one expert more than another', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 80 }), (experts, dies) => {
    const placement = linearPlacement(experts, dies);
    const held = new Array<number>(dies).fill(0);
    placement.forEach((dieId, expert) => {
      expect(dieId).toBe(Math.floor((expert * dies) / experts));
      expect(dieId).toBeGreaterThanOrEqual(placement[expert - 1] ?? 0);
      held[dieId]!++;
    });
    expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
  }));
});

test('32 experts on 64 dies leave every second die without one', () => {
  expect([...linearPlacement(32, 64)]).toEqual(Array.from({ length: 32 }, (_, expert) => expert * 2));
});

test.each([[0, 4], [4, 0], [2.5, 4], [65_537, 4]])('%s experts on %s dies are refused', (experts, dies) => {
  expect(() => linearPlacement(experts, dies)).toThrow(MoeError);
});
