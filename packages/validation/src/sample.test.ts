import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlannedCase } from './planned-case.ts';
import { QUICK_SECONDS, quickSample } from './sample.ts';

const planned = (name: string, costSeconds: number): PlannedCase => ({ suite: 's', name, source: '', fidelity: 'flit', list: 'ours', options: '', steps: [], rows: [], costSeconds });
const cases = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), fc.double({ min: 0, max: 100, noNaN: true })), { selector: ([name]) => name, maxLength: 40 }).map((all) => all.map(([name, cost]) => planned(name, cost)));

test('a quick run has all cheap cases and as many dear ones as were asked for, in their order', () => {
  fc.assert(fc.property(cases, fc.nat(50), fc.nat(), (all, count, seed) => {
    const drawn = quickSample(all, count, seed);
    expect(all.filter((one) => drawn.includes(one))).toEqual(drawn);
    const dear = all.filter(({ costSeconds }) => costSeconds >= QUICK_SECONDS);
    expect(drawn.filter(({ costSeconds }) => costSeconds < QUICK_SECONDS)).toHaveLength(all.length - dear.length);
    expect(drawn.filter(({ costSeconds }) => costSeconds >= QUICK_SECONDS)).toHaveLength(Math.min(count, dear.length));
  }));
});

test('the same seed draws the same cases, in whatever order they come', () => {
  fc.assert(fc.property(cases, fc.nat(20), fc.nat(), (all, count, seed) => {
    const names = (drawn: readonly PlannedCase[]) => drawn.map(({ name }) => name).sort();
    expect(names(quickSample([...all].reverse(), count, seed))).toEqual(names(quickSample(all, count, seed)));
  }));
});

test('seeds draw differently, and every case comes up', () => {
  const all = Array.from({ length: 20 }, (_, i) => planned(`case ${i}`, 10));
  const seen = new Set(Array.from({ length: 60 }, (_, seed) => quickSample(all, 4, seed).map(({ name }) => name)).flat());
  expect(seen.size).toBe(20);
  expect(quickSample(all, 4, 1)).not.toEqual(quickSample(all, 4, 2));
});

test('the cost that divides is exactly two seconds', () => {
  expect(quickSample([planned('below', 1.999), planned('at', 2)], 0, 1).map(({ name }) => name)).toEqual(['below']);
});
