import { expect, test } from 'vitest';
import { nextRate, type Point } from './sweep-points.ts';
import { SweepProgress, type SweptCurve } from './sweep-progress.ts';

const curve = (points: readonly Point[], more: Partial<SweptCurve> = {}): SweptCurve => ({ name: 'uniform', points, fidelity: 'packet', bound: 0.5, most: 1, rates: undefined, ...more });

test('the share of a whole sweep grows with every run and ends at one, whatever rate a network saturates at', () => {
  for (const edge of [0.05, 0.22, 0.43, 0.7]) {
    for (const bound of [0.5, undefined]) {
      const curves: Point[][] = [[], []];
      const progress = new SweepProgress(curves.map((points) => curve(points, { bound })), () => 0);
      const shares: number[] = [];
      for (const [index, points] of curves.entries()) {
        for (let rate = nextRate(points, bound, 1); rate !== undefined; rate = nextRate(points, bound, 1)) {
          shares.push(progress.share(index, rate, 0.5));
          if (index === 1 && nextRate([...points, { rate, saturated: rate > edge }], bound, 1) === undefined) shares.push(progress.share(index, rate, 1));
          points.push({ rate, saturated: rate > edge });
        }
      }
      // Of a network that never saturates more was foreseen than came.
      expect(shares.at(-1)).toBeGreaterThan(edge < 0.6 ? 0.9 : 0.5);
      expect(shares[0]).toBeLessThan(0.05);
      // The first saturated rate may come late: then more is left than was foreseen.
      for (let at = 1; at < shares.length; at++) expect(shares[at]).toBeGreaterThan(shares[at - 1]! - 0.1);
    }
  }
});

test('rates that were given are known, and slower fidelities count more', () => {
  let now = 0;
  const progress = new SweepProgress([curve([{ rate: 0.5, saturated: true }], { rates: [0.5, 0.5], fidelity: 'packet' }), curve([], { rates: [0.5], fidelity: 'flit' })], () => now);
  expect(progress.share(0, 0.5, 0)).toBeCloseTo(1 / 5, 12);
  now = 10_000;
  expect(progress.text(0, 0.5, 0)).toBe('sweep 20 % · about 40.0 s left · curve 1/2, uniform, rate 0.5: 0 %');
});
