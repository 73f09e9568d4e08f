import { MemorySink, TableWriter, type TableSpec } from '@kerf/arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRoutingTrace } from './read-routing-trace.ts';
import type { RoutingTrace } from './routing-trace.ts';
import { filesOf } from './testing/files.ts';
import { npyFile } from './testing/npy-file.ts';
import { arrowBytes, fallingWeights, smallTraces } from './testing/traces.ts';
import { traceTable } from './trace-table.ts';

const array = npyFile('<u2', [2, 1, 2], [0, 1, 2, 3]);
const model = { model: 'a/b', experts: 4 };

test('a trace that was written is read back, from a file or a folder', () => {
  fc.assert(fc.property(smallTraces, (trace) => {
    const bytes = arrowBytes(trace);
    const read = readRoutingTrace(filesOf({ 'any.bin': bytes }, 'small'));
    expect(read).toEqual(normal(trace));
    expect(readRoutingTrace(filesOf({ 'README.md': '# A trace', 'trace.arrow': bytes }, 'small'))).toEqual(read);
  }));
});

test('the bytes depend on the trace alone', () => {
  fc.assert(fc.property(smallTraces, (trace) => {
    expect(arrowBytes(readRoutingTrace(filesOf({ 'a.arrow': arrowBytes(trace) }, 'renamed')))).toEqual(arrowBytes(trace));
  }), { numRuns: 30 });
});

test('a trace longer than a batch of the table is put together again', () => {
  const layers = 3;
  const tokens = 40_000;
  const trace: RoutingTrace = {
    name: 'long', model: 'any', layers, experts: 5, topK: 1, tokens, expertIds: Uint16Array.from({ length: tokens * layers }, (_, i) => i % 5), weights: undefined,
    requests: [{ request: 0, firstRow: 0, tokens, firstPosition: 0 }], origin: 'recorded', provenance: {},
  };
  const read = readRoutingTrace(filesOf({ 'a.arrow': arrowBytes(trace) }, 'long'));
  expect(read.expertIds.every((expert, i) => expert === i % 5)).toBe(true);
  expect(read.requests).toEqual(trace.requests);
});

test('a bare array is one request of the model that is named', () => {
  const trace = readRoutingTrace(filesOf({ 'routed.npy': array }), { ...model, promptTokens: 1 });
  expect(trace).toMatchObject({ model: 'a/b', experts: 4, layers: 1, topK: 2, tokens: 2, weights: undefined, requests: [{ request: 0, firstRow: 0, tokens: 2, firstPosition: 0, prefillTokens: 1 }] });
  expect([...trace.expertIds]).toEqual([0, 1, 2, 3]);
});

test.each([
  ['no facts', undefined, array, 'TRACE_MODEL_FACTS', /does not say of which model/],
  ['a model with fewer experts than choices', { ...model, experts: 1 }, array, 'TRACE_MODEL_FACTS', /at most 1 choices per token/],
  ['a model with too few experts', { ...model, experts: 3 }, array, 'TRACE_EXPERT_RANGE', /row 1, layer 0, slot 1/],
  ['a prompt longer than the array', { ...model, promptTokens: 3 }, array, 'TRACE_MODEL_FACTS', /0 to 2 tokens, got 3/],
  ['an array of layers of all kinds', model, npyFile('<i4', [1, 2, 2], [0, 0, 1, 2]), 'TRACE_EXPERT_DUPLICATE', /row 0, layer 0, slot 1/],
  ['axes in another order', model, npyFile('<u2', [1, 2000, 1], new Uint16Array(2000)), 'TRACE_SHAPE', /another order/],
])('a bare array with %s is refused', (_, facts, bytes, code, message) => {
  const read = (): unknown => readRoutingTrace(filesOf({ 'routed.npy': bytes }), facts);
  expect(read).toThrow(expect.objectContaining({ code }));
  expect(read).toThrow(message);
});

test.each<[string, Record<string, Uint8Array | string>, RegExp]>([
  ['JSON', { 'meta_info.json': '{"a": 1}' }, /got meta_info\.json \(JSON\)/],
  ['a zip', { 'trace.pt': 'PK\x03\x04zip' }, /trace\.pt \(a zip archive/],
  ['a zip that calls itself an array', { 'trace.npy': 'PK\x03\x04zip' }, /trace\.npy \(a zip archive/],
  ['Parquet', { 'a.parquet': 'PAR1....' }, /Parquet/],
  ['text', { 'README.md': '# Hello' }, /README\.md \(text\)/],
  ['an empty file', { 'trace.arrow': '' }, /trace\.arrow \(empty\)/],
  ['bytes', { x: '\x00\x01\x02' }, /unknown binary data/],
  ['two arrays', { 'a.npy': array, 'b.npy': array }, /a\.npy \(a NumPy array\), b\.npy \(a NumPy array\)/],
  ['two tables', { 'a.arrow': 'ARROW1', 'b.arrow': '\xff\xff\xff\xff' }, /a\.arrow \(an Arrow file\), b\.arrow \(an Arrow stream\)/],
  ['many files', Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`f${i}`, 'x'])), /and 62 more files/],
])('%s is not a trace, and the error says what was looked for and found', (_, contents, message) => {
  const read = (): unknown => readRoutingTrace(filesOf(contents));
  expect(read).toThrow(expect.objectContaining({ code: 'TRACE_UNKNOWN_KIND' }));
  expect(read).toThrow(/expected a folder with requests\.json .*\.arrow.*\.npy.*; got /);
  expect(read).toThrow(message);
});

test('an empty folder is refused', () => {
  expect(() => readRoutingTrace(filesOf({}))).toThrow(expect.objectContaining({ code: 'TRACE_EMPTY' }));
});

// Tables that are Arrow and nearly a trace: two tokens, two layers, top-1 of three experts.

const good: RoutingTrace = {
  name: 'folder', model: 'any', layers: 2, experts: 3, topK: 1, tokens: 2, expertIds: Uint16Array.of(0, 1, 2, 0), weights: Float32Array.from({ length: 4 }, () => 1),
  requests: [{ request: 5, firstRow: 0, tokens: 2, firstPosition: 8 }], origin: 'recorded', provenance: {},
};
type Row = Record<string, number>;
const goodRows: readonly Row[] = [0, 1, 2, 3].map((i) => ({ request: 5, position: 8 + (i >> 1), forwardPass: i >> 1, phase: 1, layer: i & 1, expert0: [0, 1, 2, 0][i]!, weight0: 1 }));
/** How many tokens there are, `table` says. */
const goodSpec = { ...traceTable(good), metadata: Object.fromEntries(Object.entries(traceTable(good).metadata).filter(([key]) => key !== 'tokens')) };

function table(spec: TableSpec, rows: readonly Row[]): Uint8Array {
  const sink = new MemorySink();
  const writer = new TableWriter({ ...spec, metadata: { tokens: String(Math.ceil(rows.length / 2)), ...spec.metadata } }, sink);
  for (const row of rows) {
    spec.columns.forEach(({ name }, column) => writer.set(column, row[name] ?? 0));
    writer.endRow();
  }
  writer.finish();
  return sink.bytes();
}
const withMetadata = (change: Record<string, string>): TableSpec => ({ ...goodSpec, metadata: { ...goodSpec.metadata, ...change } });
const without = (key: string): TableSpec => ({ ...goodSpec, metadata: Object.fromEntries(Object.entries(goodSpec.metadata).filter(([name]) => name !== key)) });
const change = (at: number, values: Row): Row[] => goodRows.map((row, i) => (i === at ? { ...row, ...values } : row));
const columns = (map: (column: TableSpec['columns'][number]) => TableSpec['columns'][number]): TableSpec => ({ ...goodSpec, columns: goodSpec.columns.map(map) });

test('the table that the next cases spoil is right', () => {
  expect(readRoutingTrace(filesOf({ 'a.arrow': table(goodSpec, goodRows) }))).toEqual(good);
});

test.each<[string, TableSpec, readonly Row[], string, RegExp]>([
  ['another table', { ...goodSpec, name: 'links' }, goodRows, 'TRACE_TABLE', /expected an Arrow table named "routing", got "links"/],
  ['a table without a name', { ...goodSpec, name: '' }, goodRows, 'TRACE_TABLE', /one without a name/],
  ['another version', withMetadata({ formatVersion: '2' }), goodRows, 'TRACE_VERSION', /expected format version 1, got 2/],
  ['no model', without('model'), goodRows, 'TRACE_TABLE', /a model/],
  ['an unknown origin', withMetadata({ origin: 'guessed' }), goodRows, 'TRACE_TABLE', /"recorded" or "synthetic".*"guessed"/],
  ['no layers', without('layers'), goodRows, 'TRACE_TABLE', /"layers" in its metadata, got none/],
  ['layers that are no number', withMetadata({ layers: '2.0' }), goodRows, 'TRACE_TABLE', /"layers".*"2\.0"/],
  ['more choices than experts', withMetadata({ topK: '4' }), goodRows, 'TRACE_TABLE', /at most 3, the experts, got 4/],
  ['a missing expert column', withMetadata({ topK: '2' }), goodRows, 'TRACE_TABLE', /a column expert1 of type u16, got none/],
  ['an unknown column', columns((column) => (column.name === 'expert0' ? { ...column, name: 'expert' } : column)), goodRows, 'TRACE_TABLE', /unknown column expert\. Did you mean "expert0"/],
  ['a column of another type', columns((column) => (column.name === 'layer' ? { ...column, type: 'u32' } : column)), goodRows, 'TRACE_TABLE', /layer of type u16, got type u32/],
  ['no rows', goodSpec, [], 'TRACE_EMPTY', /no rows/],
  ['a token that is cut off', goodSpec, goodRows.slice(0, 3), 'TRACE_TRUNCATED', /expected 4 rows, for each of 2 tokens one per layer, got 3/],
  ['a token too few', withMetadata({ tokens: '3' }), goodRows, 'TRACE_TRUNCATED', /expected 6 rows.*got 4/],
  ['a layer out of order', goodSpec, change(1, { layer: 0 }), 'TRACE_REQUESTS', /token 0: expected layer 1 in row 1 .*got layer 0/],
  ['a token of two requests', goodSpec, change(1, { request: 6 }), 'TRACE_REQUESTS', /request 5 in all layers.*got 6 in layer 1/],
  ['a token of two phases', goodSpec, change(1, { phase: 0 }), 'TRACE_REQUESTS', /phase 1 in all layers/],
  ['a position that jumps', goodSpec, goodRows.map((row, i) => (i < 2 ? row : { ...row, position: 12 })), 'TRACE_REQUESTS', /token 1: expected position 9.*got 12/],
  ['prefill after decode', goodSpec, goodRows.map((row, i) => (i < 2 ? row : { ...row, phase: 0 })), 'TRACE_REQUESTS', /prefill after decode/],
  ['a request in two pieces', goodSpec, [...goodRows, ...goodRows.map((row) => ({ ...row, request: 6 })), ...goodRows], 'TRACE_REQUESTS', /request 5 again after another one/],
  ['another phase', columns((column) => (column.name === 'phase' ? { ...column, names: ['prefill', 'training'] } : column)), goodRows, 'TRACE_REQUESTS', /the phase prefill or decode, got "training"/],
  ['an expert beyond the model', goodSpec, change(3, { expert0: 3 }), 'TRACE_EXPERT_RANGE', /a\.arrow: row 1, layer 1, slot 0.*got 3/],
  ['a weight of 0.5 alone', goodSpec, change(2, { weight0: 0.5 }), 'TRACE_WEIGHT_SUM', /row 1, layer 0/],
  ['a negative weight', goodSpec, change(2, { weight0: -1 }), 'TRACE_WEIGHT', /a finite weight ≥ 0, got -1/],
])('%s: refused', (_, spec, rows, code, message) => {
  const read = (): unknown => readRoutingTrace(filesOf({ 'a.arrow': table(spec, rows) }));
  expect(read).toThrow(expect.objectContaining({ code }));
  expect(read).toThrow(message);
});

test('an Arrow table that was cut off is refused by name', () => {
  const bytes = table(goodSpec, goodRows);
  const read = (): unknown => readRoutingTrace(filesOf({ 'a.arrow': bytes.slice(0, -9) }));
  expect(read).toThrow(expect.objectContaining({ name: 'ArrowTableError', code: 'ARROW_TRUNCATED' }));
  expect(read).toThrow(/folder\/a\.arrow/);
});

test('weights that fall by halves sum to 1', () => {
  for (let topK = 1; topK < 9; topK++) expect(fallingWeights(topK).reduce((sum, weight) => sum + weight, 0)).toBe(1);
});

/** As a reader gives it: without columns that say nothing. */
function normal(trace: RoutingTrace): RoutingTrace {
  const { forwardPasses, ...rest } = trace;
  const alone = forwardPasses === undefined || trace.requests.every(({ firstRow, tokens }) => forwardPasses.subarray(firstRow, firstRow + tokens).every((pass, token) => pass === token));
  return alone ? rest : trace;
}
