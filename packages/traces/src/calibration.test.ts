import { expect, test } from 'vitest';
import { nightlyTest } from '../../../test/support/needs.ts';
import { calibrateRouting } from './calibrate.ts';
import { gptOss20b, gptOss20bTargets as targets } from './gpt-oss-20b.ts';
import { measureRouting, type RoutingProperties } from './measure.ts';
import { synthesizeRouting } from './synthesize.ts';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const rms = (a: readonly number[], b: readonly number[]): number => Math.sqrt(mean(a.map((value, i) => (value - b[i]!) ** 2)));

type Measure = (properties: Omit<RoutingProperties, 'requests' | 'tokens'>) => number;
interface Row { readonly property: string; readonly of: Measure; readonly tolerance: number; readonly source: string }

// Source of all targets: gpt-oss-20b.ts, which cites the recording. Tolerances are absolute; those of means allow for 128 requests in
// place of 703, by about three deviations over seeds. "fitted" rows were used for the calibration, "predicted" ones were not. Batches of
// 64 are known to be too even by 5 to 8 % (see the README's deviations), and have room for that.
const rows: readonly Row[] = [
  { property: 'max over mean, mean of layers', of: (p) => mean(p.maxOverMeanByLayer), tolerance: 0.15, source: 'fitted' },
  { property: 'reuse at lag 1', of: (p) => p.reuseByLag[1]!, tolerance: 0.015, source: 'fitted' },
  { property: 'reuse at lag 64', of: (p) => p.reuseByLag[64]!, tolerance: 0.015, source: 'fitted' },
  { property: 'pair share of adjacent layers, mean', of: (p) => mean(p.adjacentLayerTop20pctPairShare), tolerance: 0.015, source: 'fitted' },
  { property: 'the same if layers were independent', of: (p) => mean(p.adjacentLayerTop20pctPairShareIfIndependent), tolerance: 0.015, source: 'fitted' },
  { property: 'mean weight of the first choice', of: (p) => p.meanWeightByRank![0]!, tolerance: 0.01, source: 'fitted' },
  { property: 'reuse at lag 2', of: (p) => p.reuseByLag[2]!, tolerance: 0.015, source: 'carries chosen by hand' },
  { property: 'reuse at lag 8', of: (p) => p.reuseByLag[8]!, tolerance: 0.015, source: 'carries chosen by hand' },
  { property: 'reuse at lag 32', of: (p) => p.reuseByLag[32]!, tolerance: 0.015, source: 'carries chosen by hand' },
  { property: 'reuse expected from popularity alone', of: (p) => p.reuseExpectedFromMarginals, tolerance: 0.006, source: 'predicted' },
  { property: 'mean weight of the second choice', of: (p) => p.meanWeightByRank![1]!, tolerance: 0.01, source: 'predicted' },
  { property: 'mean weight of the third choice', of: (p) => p.meanWeightByRank![2]!, tolerance: 0.01, source: 'predicted' },
  { property: 'mean weight of the fourth choice', of: (p) => p.meanWeightByRank![3]!, tolerance: 0.01, source: 'predicted' },
  { property: 'max over mean of a decode batch of 8', of: (p) => p.decodeBatch[8]!.maxOverMean, tolerance: 0.15, source: 'predicted' },
  { property: 'max over mean of a decode batch of 64', of: (p) => p.decodeBatch[64]!.maxOverMean, tolerance: 0.27, source: 'predicted' },
  { property: 'distinct experts of a decode batch of 8', of: (p) => p.decodeBatch[8]!.distinctExpertFraction, tolerance: 0.01, source: 'predicted' },
  { property: 'distinct experts of a decode batch of 64', of: (p) => p.decodeBatch[64]!.distinctExpertFraction, tolerance: 0.03, source: 'predicted' },
];

let drawn: RoutingProperties | undefined;
const measured = (): RoutingProperties => (drawn ??= measureRouting(synthesizeRouting({ model: 'gpt-oss-20b', requests: 128, tokens: 100, seed: 2026 })));

test.each(rows)('$property is that of the recording within $tolerance ($source)', ({ of, tolerance }) => {
  expect(Math.abs(of(measured()) - of(targets))).toBeLessThanOrEqual(tolerance);
}, 30_000);

test.each([
  ['max over mean', measured, (p: RoutingProperties) => p.maxOverMeanByLayer, targets.maxOverMeanByLayer, 0.3],
  ['reuse at lag 1', measured, (p: RoutingProperties) => p.reuseLag1ByLayer, targets.reuseLag1ByLayer, 0.02],
  ['reuse at lag 64', measured, (p: RoutingProperties) => p.reuseLag64ByLayer, targets.reuseLag64ByLayer, 0.025],
  ['pair share', measured, (p: RoutingProperties) => p.adjacentLayerTop20pctPairShare, targets.adjacentLayerTop20pctPairShare, 0.025],
] as const)('layer by layer, %s is that of the recording', (_, properties, of, target, tolerance) => {
  expect(rms(of(properties()), target)).toBeLessThanOrEqual(tolerance);
}, 30_000);

test('a synthetic trace would be accepted: reuse twice the popularity, layers correlated, fewer distinct experts than uniform routing', () => {
  const p = measured();
  expect(p.reuseByLag[1]).toBeGreaterThan(2 * p.reuseExpectedFromMarginals);
  expect(p.reuseByLag[64]).toBeGreaterThan(1.5 * p.reuseExpectedFromMarginals);
  const points = mean(p.adjacentLayerTop20pctPairShare) - mean(p.adjacentLayerTop20pctPairShareIfIndependent);
  expect(points).toBeGreaterThan(0.03);
  expect(points).toBeLessThan(0.2);
  for (const [batch, { distinctExpertFraction }] of Object.entries(p.decodeBatch)) {
    if (Number(batch) > 1) expect(distinctExpertFraction).toBeLessThan(1 - (1 - 4 / 32) ** Number(batch));
  }
});

test('calibrating moves towards the targets from a wrong start', () => {
  const effort = { rounds: 4, requests: 16, tokens: 68, seed: 3 };
  const start = { ...gptOss20b, layers: gptOss20b.layers.map((layer) => ({ ...layer, request: 0.5, passage: 0.5 })) };
  const measure = (model: typeof gptOss20b): number => measureRouting(synthesizeRouting({ model, requests: 16, tokens: 68, seed: 99 })).reuseByLag[1]!;
  const [before, after] = [measure(start), measure(calibrateRouting(start, targets, effort))];
  expect(Math.abs(after - targets.reuseByLag[1])).toBeLessThan(0.5 * Math.abs(before - targets.reuseByLag[1]));
}, 60_000);

nightlyTest('calibrating once more leaves the calibration where it is', () => {
  const again = calibrateRouting(gptOss20b, targets, { rounds: 6, requests: 128, tokens: 74, seed: 77 });
  const p = measureRouting(synthesizeRouting({ model: again, requests: 128, tokens: 100, seed: 2026 }));
  for (const { property, of, tolerance } of rows) expect(Math.abs(of(p) - of(measured())), property).toBeLessThanOrEqual(tolerance);
}, 300_000);
