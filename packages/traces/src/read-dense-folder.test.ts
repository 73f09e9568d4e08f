import { expect, test } from 'vitest';
import { readRoutingTrace } from './read-routing-trace.ts';
import { filesOf } from './testing/files.ts';
import { npyFile } from './testing/npy-file.ts';

/** Two requests of two tokens and one, two layers, top-2 of four experts. */
const ids = [0, 1, 2, 3, 1, 0, 3, 2, 3, 0, 1, 2];
/** float16 bits of 0.75 and 0.25, six times. */
const halves: readonly number[] = ids.map((_, i) => (i % 2 === 0 ? 0x3a00 : 0x3400));

type Json = Record<string, unknown>;
const requests = [
  { request: 7, row_offset: 0, tokens: 2, first_position: 10, dataset: 'any', repetition: true },
  { request: 3, row_offset: 2, tokens: 1, first_position: 4 },
];
const index: Json = {
  format: 'dense-npy', model: 'a/b', num_layers: 2, num_experts: 4, top_k: 2, phase: 'decode',
  expert_ids: { file: 'expert_ids.npy', dtype: 'uint8', shape: [3, 2, 2] },
  expert_weights: { file: 'expert_weights.npy', dtype: 'float16', shape: [3, 2, 2], note: 'softmax' },
  requests,
};

function folder(change: Json = {}, arrays: Record<string, Uint8Array> = {}) {
  return filesOf({
    'requests.json': JSON.stringify({ ...index, ...change }), 'expert_ids.npy': npyFile('|u1', [3, 2, 2], ids), 'expert_weights.npy': npyFile('<f2', [3, 2, 2], halves),
    'notes.json': '{}', ...arrays,
  }, 'rec');
}

test('a folder of dense arrays is read as it is', () => {
  const trace = readRoutingTrace(folder());
  expect(trace).toMatchObject({
    name: 'rec', model: 'a/b', layers: 2, experts: 4, topK: 2, tokens: 3, origin: 'recorded', provenance: { loopingRequests: '1', largestWeightSumDeviation: '0' },
    requests: [{ request: 7, firstRow: 0, tokens: 2, firstPosition: 10 }, { request: 3, firstRow: 2, tokens: 1, firstPosition: 4 }],
  });
  expect([...trace.expertIds]).toEqual(ids);
  expect([...trace.weights!]).toEqual(ids.map((_, i) => (i % 2 === 0 ? 0.75 : 0.25)));
});

test('weights are optional, and rows of a prompt are marked as such', () => {
  const trace = readRoutingTrace(folder({ expert_weights: undefined, phase: 'prefill' }));
  expect(trace.weights).toBeUndefined();
  expect(trace.requests.map(({ prefillTokens }) => prefillTokens)).toEqual([2, 1]);
});

const at = (place: number, value: number): Uint8Array => npyFile('|i1', [3, 2, 2], ids.with(place, value));
const asInt8 = { expert_ids: { file: 'expert_ids.npy', dtype: 'int8', shape: [3, 2, 2] } };
const weightAt = (place: number, bits: number): Record<string, Uint8Array> => ({ 'expert_weights.npy': npyFile('<f2', [3, 2, 2], halves.with(place, bits)) });

test.each<[string, Json, Record<string, Uint8Array>, string, RegExp]>([
  ['an expert beyond the model', asInt8, { 'expert_ids.npy': at(6, 4) }, 'TRACE_EXPERT_RANGE', /expert_ids\.npy: row 1, layer 1, slot 0: expected an expert id from 0 to 3, got 4\./],
  ['a negative expert', asInt8, { 'expert_ids.npy': at(6, -2) }, 'TRACE_EXPERT_RANGE', /row 1, layer 1, slot 0.*got -2/],
  ['padding', asInt8, { 'expert_ids.npy': at(11, -1) }, 'TRACE_PADDING', /row 2, layer 1, slot 1.*got -1/],
  ['an expert twice', asInt8, { 'expert_ids.npy': at(1, 0) }, 'TRACE_EXPERT_DUPLICATE', /row 0, layer 0, slot 1.*expert 0 again, already in slot 0/],
  ['a weight that is not a number', {}, weightAt(2, 0x7e00), 'TRACE_WEIGHT', /expert_weights\.npy: row 0, layer 1, slot 0: expected a finite weight ≥ 0, got NaN/],
  ['an infinite weight', {}, weightAt(2, 0x7c00), 'TRACE_WEIGHT', /got Infinity/],
  ['a negative weight', {}, weightAt(3, 0xb400), 'TRACE_WEIGHT', /row 0, layer 1, slot 1.*got -0.25/],
  ['rising weights', {}, weightAt(4, 0x3000), 'TRACE_WEIGHT_ORDER', /row 1, layer 0, slot 1.*at most 0.125, got 0.25/],
  ['weights that do not sum to 1', {}, weightAt(4, 0x3a10), 'TRACE_WEIGHT_SUM', /row 1, layer 0.*1 ± 0.0040 .*a sum of 1.0078125/],
  ['another element type than announced', { expert_ids: { file: 'expert_ids.npy', dtype: 'uint16', shape: [3, 2, 2] } }, {}, 'TRACE_NPY_TYPE', /expected uint16, as rec\/requests\.json says, got \|u1/],
  ['another shape than announced', { expert_ids: { file: 'expert_ids.npy', dtype: 'uint8', shape: [4, 2, 2] } }, {}, 'TRACE_SHAPE', /expected \[4, 2, 2\], as .* says, got \[3, 2, 2\]/],
  ['another layer count', { num_layers: 3 }, {}, 'TRACE_SHAPE', /expected \[3, 3, 2\], the tokens of all requests/],
  ['more rows than the requests have', { requests: requests.slice(0, 1) }, {}, 'TRACE_SHAPE', /expected \[2, 2, 2\], the tokens of all requests/],
  ['requests that overlap', { requests: [requests[0], { ...requests[1], row_offset: 1, tokens: 2 }] }, {}, 'TRACE_REQUESTS', /requests\.1 \(request 3\): expected row_offset 2, .*got 1: they overlap/],
  ['rows of nobody', { requests: [requests[0], { ...requests[1], row_offset: 3 }] }, {}, 'TRACE_REQUESTS', /belong to nobody/],
  ['a request twice', { requests: [requests[0], { ...requests[1], request: 7 }] }, {}, 'TRACE_REQUESTS', /request 7 again/],
  ['positions beyond 32 bits', { requests: [requests[0], { ...requests[1], first_position: 4294967295, tokens: 2 }] }, {}, 'TRACE_REQUESTS', /below 2\^32/],
  ['more choices than experts', { top_k: 5 }, {}, 'TRACE_SHAPE', /at most num_experts = 4, got 5/],
  ['an array that is not there', { expert_ids: { file: '../expert_ids.npy', dtype: 'uint8', shape: [3, 2, 2] } }, {}, 'TRACE_MISSING_FILE', /"\.\.\/expert_ids\.npy", which is not in rec/],
  ['a truncated array', {}, { 'expert_ids.npy': npyFile('|u1', [3, 2, 2], ids).slice(0, -1) }, 'TRACE_NPY_LENGTH', /truncated/],
  ['weights where ids should be', { expert_ids: { file: 'expert_weights.npy', dtype: 'float16', shape: [3, 2, 2] } }, {}, 'TRACE_NPY_TYPE', /expected whole numbers \(expert ids\), got <f2/],
  ['an array without rows', {}, { 'expert_ids.npy': npyFile('|u1', [0, 2, 2], []) }, 'TRACE_EMPTY', /at least one token/],
  ['an array of two axes', {}, { 'expert_ids.npy': npyFile('|u1', [6, 2], ids) }, 'TRACE_SHAPE', /\[tokens, layers, topK\], got 2 axes: \[6, 2\]/],
  ['another format', { format: 'sglang' }, {}, 'TRACE_UNKNOWN_KIND', /expected "format": "dense-npy", got "sglang"/],
  ['no format', { format: undefined }, {}, 'TRACE_UNKNOWN_KIND', /got no format/],
  ['an unknown key', { experts: 4 }, {}, 'SCHEMA_UNKNOWN_KEY', /requests\.json: unknown key experts\..*num_experts/],
  ['a missing key', { num_experts: undefined }, {}, 'SCHEMA_MISSING_KEY', /lacks the key num_experts/],
  ['a text for a number', { requests: [{ ...requests[0], tokens: '2' }] }, {}, 'SCHEMA_WRONG_TYPE', /requests\.0\.tokens must be of type integer, got "2"/],
  ['no requests', { requests: [] }, {}, 'SCHEMA_OUT_OF_RANGE', /requests/],
])('%s: refused', (_, change, arrays, code, message) => {
  const read = (): unknown => readRoutingTrace(folder(change, arrays));
  expect(read).toThrow(expect.objectContaining({ code }));
  expect(read).toThrow(message);
});

test.each([['text', 'not JSON', /expected JSON in UTF-8, got something else/], ['bytes', '{"format": "\xff"}', /got other bytes/], ['nothing', '', /expected JSON/]])('requests.json that holds %s is refused', (_, content, message) => {
  const read = (): unknown => readRoutingTrace(filesOf({ 'requests.json': content }));
  expect(read).toThrow(expect.objectContaining({ code: 'TRACE_JSON' }));
  expect(read).toThrow(message);
});
