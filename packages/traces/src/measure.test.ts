import { expect, test } from 'vitest';
import { measureRouting } from './measure.ts';
import type { RoutingTrace } from './routing-trace.ts';

/** Two requests (three tokens, one token), two layers, top-2 of four experts. */
const worked: RoutingTrace = {
  name: 'worked', model: 'any', layers: 2, experts: 4, topK: 2, tokens: 4,
  //                        layer 0  layer 1
  expertIds: Uint16Array.of(0, 1,    2, 3,
                            0, 2,    2, 3,
                            1, 0,    3, 2,
                            0, 3,    0, 1),
  weights: Float32Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 0.75 : 0.25)),
  requests: [{ request: 0, firstRow: 0, tokens: 3, firstPosition: 0 }, { request: 1, firstRow: 3, tokens: 1, firstPosition: 0 }],
  origin: 'recorded', provenance: {},
};

test('a worked example is measured as by hand', () => {
  const measured = measureRouting(worked);
  expect(measured.tokens).toBe(4);
  expect(measured.maxOverMeanByLayer).toEqual([2, 1.5]); // expert 0 by all 4 tokens, mean 2; experts 2 and 3 by 3
  // Token 1 shares one of two with token 0, token 2 one with token 1; in layer 1 both share both.
  expect(measured.reuseLag1ByLayer).toEqual([0.5, 1]);
  expect(measured.reuseByLag).toEqual({ 1: 0.75, 2: 1 }); // token 2 against token 0: both, in both layers
  expect(measured.reuseLag64ByLayer).toEqual([]);
  // Σ p² × topK: (16 + 4 + 1 + 1) / 64 × 2 and (1 + 1 + 9 + 9) / 64 × 2
  expect(measured.reuseExpectedFromMarginals).toBeCloseTo((22 + 20) / 64, 12);
  // A fifth of 16 pairs is 3. The largest counts are 3, 3, 2 of 16; independent loads 4, 2, 1, 1 and 3, 3, 1, 1 give 12, 12, 6 of 64.
  expect(measured.adjacentLayerTop20pctPairShare).toEqual([8 / 16]);
  expect(measured.adjacentLayerTop20pctPairShareIfIndependent).toEqual([30 / 64]);
  expect(measured.meanWeightByRank).toEqual([0.75, 0.25]);
  expect(measured.decodeBatch[1]).toEqual({ maxOverMean: 2, distinctExpertFraction: 0.5 });
  expect(Object.keys(measured.decodeBatch)).toEqual(['1', '2']);
});

test('without weights there is no mean weight', () => {
  expect(measureRouting({ ...worked, weights: undefined }).meanWeightByRank).toBeUndefined();
});
