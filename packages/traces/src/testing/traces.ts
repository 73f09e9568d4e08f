import { MemorySink } from '@kerf/arrow';
import fc from 'fast-check';
import type { RoutingTrace, TraceRequest } from '../routing-trace.ts';
import { writeRoutingTrace } from '../write-trace.ts';

/** Any small trace that is right: a few requests, layers and experts, with or without weights, ranks and batched passes. */
export const smallTraces: fc.Arbitrary<RoutingTrace> = fc.record({
  layers: fc.integer({ min: 1, max: 4 }), topK: fc.integer({ min: 1, max: 4 }), spare: fc.nat(6), lengths: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
  withWeights: fc.boolean(), withRanks: fc.boolean(), batched: fc.boolean(), prefill: fc.boolean(), synthetic: fc.boolean(), seed: fc.nat(1000),
}).map(({ layers, topK, spare, lengths, withWeights, withRanks, batched, prefill, synthetic, seed }) => {
  const experts = topK + spare;
  const requests = lengths.map((tokens, at): TraceRequest => ({
    request: (at * 7 + seed) % 1009, firstRow: lengths.slice(0, at).reduce((sum, length) => sum + length, 0), tokens, firstPosition: seed + at,
    ...(prefill && at % 2 === 0 ? { prefillTokens: Math.ceil(tokens / 2) } : {}),
  }));
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const choices = tokens * layers * topK;
  return {
    name: 'small', model: 'any', layers, experts, topK, tokens, requests,
    expertIds: Uint16Array.from({ length: choices }, (_, i) => (Math.floor(i / topK) * 5 + (i % topK) + seed) % experts),
    weights: withWeights ? Float32Array.from({ length: choices }, (_, i) => fallingWeights(topK)[i % topK]!) : undefined,
    ...(batched ? { forwardPasses: Uint32Array.from({ length: tokens }, (_, row) => row + 3) } : {}),
    ...(withRanks ? { sourceRanks: Uint16Array.from({ length: tokens }, (_, row) => row % 3) } : {}),
    origin: synthetic ? 'synthetic' : 'recorded', provenance: { licence: 'none', seed: String(seed) },
  };
});

/** 2^-1, 2^-2, … with the last one twice: exact, falling, of sum 1. */
export function fallingWeights(topK: number): number[] {
  return Array.from({ length: topK }, (_, slot) => 2 ** -Math.min(slot + 1, topK - 1));
}

export function arrowBytes(trace: RoutingTrace): Uint8Array {
  const sink = new MemorySink();
  writeRoutingTrace(trace, sink);
  return sink.bytes().slice();
}
