import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

test('mean and maximum are exact, percentiles within 0.1 % and exact below 8192 cycles', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.nat(8191), fc.nat(2 ** 30)), { minLength: 1, maxLength: 200 }), fc.double({ min: 0.01, max: 1, noNaN: true }), (latencies, share) => {
    const histogram = new LatencyHistogram();
    for (const latency of latencies) histogram.add(latency);
    const sorted = [...latencies].sort((a, b) => a - b);
    const exact = sorted[Math.ceil(share * sorted.length) - 1]!;
    const got = histogram.percentile(share)!;
    expect(got).toBeLessThanOrEqual(exact);
    expect(got).toBeGreaterThanOrEqual(exact < 8192 ? exact : exact * 0.999);
    expect(histogram.max).toBe(sorted.at(-1));
    expect(histogram.mean).toBeCloseTo(latencies.reduce((sum, latency) => sum + latency, 0) / latencies.length, 6);
  }));
});

test('nothing has no mean', () => {
  const histogram = new LatencyHistogram();
  expect([histogram.mean, histogram.max, histogram.percentile(0.5)]).toEqual([null, null, null]);
});
