import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { memorySource } from '@kerf/arrow';
import { expect } from 'vitest';
import { testWithReference } from '../../../test/support/needs.ts';
import { checkTraceAgainstModel } from './check-model.ts';
import { gptOss20bTargets } from './gpt-oss-20b.ts';
import { measureRouting } from './measure.ts';
import { readRoutingTrace } from './read-routing-trace.ts';
import type { TraceFiles } from './routing-trace.ts';
import { filesOf } from './testing/files.ts';
import { arrowBytes } from './testing/traces.ts';
import { traceWarnings } from './trace-warnings.ts';

function folder(path: string): TraceFiles {
  return { name: path, list: () => readdirSync(path), open: (file) => memorySource(join(path, file), new Uint8Array(readFileSync(join(path, file)))) };
}
const recording = (reference: string): TraceFiles => folder(join(reference, 'traces/gpt-oss-20b-decode'));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

testWithReference('the recording of gpt-oss-20b is read whole', (reference) => {
  const trace = readRoutingTrace(recording(reference));
  expect(trace).toMatchObject({ model: 'openai/gpt-oss-20b', layers: 24, experts: 32, topK: 4, tokens: 21661, origin: 'recorded' });
  expect(trace.requests.length).toBe(64);
  expect(trace.requests[0]).toEqual({ request: 0, firstRow: 0, tokens: 511, firstPosition: 101 });
  expect(trace.expertIds.length).toBe(21661 * 24 * 4);
  expect([...trace.expertIds.subarray(0, 8)]).toEqual([31, 21, 22, 6, 18, 29, 12, 9]);
  expect(trace.provenance['largestWeightSumDeviation']).toBe(String(3 / 1024));
  expect(traceWarnings(trace)).toEqual([expect.stringContaining('18 of 64 requests as looping')]);
  checkTraceAgainstModel(trace, { name: 'gpt-oss-20b', moeLayers: 24, experts: 32, topK: 4 });
});

testWithReference('the recording survives being written as an Arrow trace', (reference) => {
  const trace = readRoutingTrace(recording(reference));
  const { expertIds, weights, ...facts } = readRoutingTrace(filesOf({ 'trace.arrow': arrowBytes(trace) }, trace.name));
  expect(Buffer.compare(new Uint8Array(expertIds.buffer), new Uint8Array(trace.expertIds.buffer))).toBe(0);
  expect(Buffer.compare(new Uint8Array(weights!.buffer), new Uint8Array(trace.weights!.buffer))).toBe(0);
  expect({ ...trace, expertIds: undefined, weights: undefined }).toEqual({ ...facts, expertIds: undefined, weights: undefined });
}, 30_000);

testWithReference('the request that was put into a bare array is the same request', (reference) => {
  const path = join(reference, 'traces/gpt-oss-20b-decode');
  const blob = /"routed_experts":\s*"([A-Za-z0-9+/=]+)"/.exec(readFileSync(join(path, 'reencoded-vllm-npy-base64.json'), 'utf8'))?.[1];
  const array = readRoutingTrace(filesOf({ 'routed.npy': new Uint8Array(Buffer.from(blob!, 'base64')) }), { model: 'openai/gpt-oss-20b', experts: 32 });
  const trace = readRoutingTrace(recording(reference));
  expect(array.tokens).toBe(511);
  expect(String(array.expertIds)).toBe(String(trace.expertIds.subarray(0, array.expertIds.length)));
});

testWithReference('measured on 64 of its 703 requests, the recording has the published properties, within what a sample can show', (reference) => {
  const measured = measureRouting(readRoutingTrace(recording(reference)));
  const targets = gptOss20bTargets;
  const offBy = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  expect(offBy(measured.reuseLag1ByLayer, targets.reuseLag1ByLayer)).toBeLessThan(0.015);
  expect(offBy(measured.reuseLag64ByLayer, targets.reuseLag64ByLayer)).toBeLessThan(0.0006); // from this very sample, to three digits
  expect(offBy(measured.adjacentLayerTop20pctPairShare, targets.adjacentLayerTop20pctPairShare)).toBeLessThan(0.015);
  expect(offBy(measured.adjacentLayerTop20pctPairShareIfIndependent, targets.adjacentLayerTop20pctPairShareIfIndependent)).toBeLessThan(0.045);
  expect(offBy(measured.meanWeightByRank!, targets.meanWeightByRank)).toBeLessThan(0.003);
  expect(Math.abs(measured.reuseExpectedFromMarginals - targets.reuseExpectedFromMarginals)).toBeLessThan(0.008);
  for (const lag of [1, 2, 4, 8, 16, 32, 64, 128] as const) expect(Math.abs(measured.reuseByLag[lag]! - targets.reuseByLag[lag])).toBeLessThan(0.011);
  // Benchmarks have favourite experts, and 64 requests hold them in other shares: the hottest experts are less hot.
  expect(mean(measured.maxOverMeanByLayer) / mean(targets.maxOverMeanByLayer)).toBeCloseTo(0.92, 2);
  for (const batch of [1, 2, 4, 8, 16, 32, 64] as const) {
    expect(Math.abs(measured.decodeBatch[batch]!.maxOverMean / targets.decodeBatch[batch].maxOverMean - 1)).toBeLessThan(0.08);
    expect(Math.abs(measured.decodeBatch[batch]!.distinctExpertFraction - targets.decodeBatch[batch].distinctExpertFraction)).toBeLessThan(0.013);
  }
}, 30_000);
