import { KerfError } from '@kerf/checks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRoutingTrace } from './read-routing-trace.ts';
import type { RoutingTrace } from './routing-trace.ts';
import { bytesOf, filesOf } from './testing/files.ts';
import { npyFile } from './testing/npy-file.ts';
import { arrowBytes, fallingWeights } from './testing/traces.ts';

const layers = 2;
const topK = 2;
const tokens = 5;
const choices = tokens * layers * topK;
const expertIds = Uint16Array.from({ length: choices }, (_, i) => (i * 3 + (i >> 1)) % 2 + 2 * (i % 2));
const trace: RoutingTrace = {
  name: 'small', model: 'any', layers, experts: 4, topK, tokens, expertIds, weights: Float32Array.from({ length: choices }, (_, i) => fallingWeights(topK)[i % topK]!),
  requests: [{ request: 1, firstRow: 0, tokens: 2, firstPosition: 3 }, { request: 2, firstRow: 2, tokens: 3, firstPosition: 9, prefillTokens: 1 }], origin: 'recorded', provenance: { licence: 'none' },
};
const index = bytesOf(JSON.stringify({
  format: 'dense-npy', model: 'any', num_layers: layers, num_experts: 4, top_k: topK, phase: 'decode', expert_ids: { file: 'expert_ids.npy', dtype: 'uint8', shape: [tokens, layers, topK] },
  requests: [{ request: 1, row_offset: 0, tokens: 2, first_position: 3 }, { request: 2, row_offset: 2, tokens: 3, first_position: 9 }],
}));

/** Every reader, with the file that is spoiled, and whether a shorter or longer file can ever be right. */
const readers: readonly [string, Uint8Array, (bytes: Uint8Array) => RoutingTrace][] = [
  ['an Arrow trace', arrowBytes(trace), (bytes) => readRoutingTrace(filesOf({ 'a.arrow': bytes }))],
  ['a bare array', npyFile('|u1', [tokens, layers, topK], expertIds), (bytes) => readRoutingTrace(filesOf({ 'a.npy': bytes }), { model: 'any', experts: 4 })],
  ['the array of a folder', npyFile('|u1', [tokens, layers, topK], expertIds), (bytes) => readRoutingTrace(filesOf({ 'requests.json': String.fromCharCode(...index), 'expert_ids.npy': bytes }))],
  ['the index of a folder', index, (bytes) => readRoutingTrace(filesOf({ 'requests.json': String.fromCharCode(...bytes), 'expert_ids.npy': npyFile('|u1', [tokens, layers, topK], expertIds) }))],
];

/** Nothing but a trace that is right throughout, or a coded error. */
function readOrRefuse(read: () => RoutingTrace): RoutingTrace | undefined {
  let found: RoutingTrace;
  try {
    found = read();
  } catch (error) {
    if (error instanceof KerfError) return undefined;
    throw error;
  }
  expect(found.expertIds.length).toBe(found.tokens * found.layers * found.topK);
  if (found.weights !== undefined) expect(found.weights.length).toBe(found.expertIds.length);
  expect(found.requests.reduce((row, request) => (request.firstRow === row ? row + request.tokens : NaN), 0)).toBe(found.tokens);
  for (let at = 0; at < found.expertIds.length; at += found.topK) {
    const chosen = found.expertIds.subarray(at, at + found.topK);
    expect(new Set(chosen).size).toBe(found.topK);
    expect(Math.max(...chosen)).toBeLessThan(found.experts);
  }
  return found;
}

test.each(readers)('%s is read when nothing is wrong with it', (_, bytes, read) => {
  expect(readOrRefuse(() => read(bytes))).toBeDefined();
});

test.each(readers)('%s that is cut off anywhere is refused with a coded error', (_, bytes, read) => {
  for (let length = 0; length < bytes.length; length++) expect(readOrRefuse(() => read(bytes.slice(0, length))), `${length} bytes`).toBeUndefined();
});

test.each(readers)('%s with bytes changed is read as a right trace or refused with a coded error', (_, bytes, read) => {
  const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(changes, (list) => {
    const spoiled = bytes.slice();
    for (const [at, value] of list) spoiled[at] = value;
    readOrRefuse(() => read(spoiled));
  }), { numRuns: 1500 });
});

test.each(readers)('%s with a piece missing, repeated or moved is read as a right trace or refused with a coded error', (_, bytes, read) => {
  const cuts = fc.tuple(fc.nat(bytes.length), fc.nat(bytes.length), fc.nat(bytes.length));
  fc.assert(fc.property(cuts, ([a, b, c]) => {
    const spoiled = new Uint8Array([...bytes.slice(0, a), ...bytes.slice(Math.min(b, c), Math.max(b, c)), ...bytes.slice(a + 1)]);
    readOrRefuse(() => read(spoiled));
  }), { numRuns: 500 });
});
