import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gptOss20b } from './gpt-oss-20b.ts';
import { readRoutingTrace } from './read-routing-trace.ts';
import { synthesizeRouting } from './synthesize.ts';
import { filesOf } from './testing/files.ts';
import { arrowBytes } from './testing/traces.ts';

const order = fc.record({ requests: fc.integer({ min: 1, max: 4 }), tokens: fc.integer({ min: 1, max: 6 }), seed: fc.maxSafeNat() });
const choicesPerToken = 24 * 4;

test('a synthetic trace passes the checks of every recorded one, and comes back from its file', () => {
  fc.assert(fc.property(order, (options) => {
    const trace = synthesizeRouting({ model: 'gpt-oss-20b', ...options });
    expect(readRoutingTrace(filesOf({ 'trace.arrow': arrowBytes(trace) }, trace.name))).toEqual(trace);
  }), { numRuns: 20 });
});

test('a request is routed the same whatever else is drawn: more requests, more tokens', () => {
  fc.assert(fc.property(order, fc.nat(3), fc.nat(3), (options, moreRequests, moreTokens) => {
    const few = synthesizeRouting({ model: 'gpt-oss-20b', ...options });
    const many = synthesizeRouting({ model: 'gpt-oss-20b', requests: options.requests + moreRequests, tokens: options.tokens + moreTokens, seed: options.seed });
    few.requests.forEach((request, at) => {
      const other = many.requests[at]!;
      const [from, start, length] = [request.firstRow * choicesPerToken, other.firstRow * choicesPerToken, request.tokens * choicesPerToken];
      expect(request.firstPosition).toBe(other.firstPosition);
      expect(few.expertIds.subarray(from, from + length)).toEqual(many.expertIds.subarray(start, start + length));
      expect(few.weights!.subarray(from, from + length)).toEqual(many.weights!.subarray(start, start + length));
    });
  }), { numRuns: 20 });
});

test('another seed gives other routing', () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
    fc.pre(a !== b);
    const draw = (seed: number): string => String(synthesizeRouting({ model: 'gpt-oss-20b', requests: 1, tokens: 2, seed }).expertIds);
    expect(draw(a)).not.toBe(draw(b));
  }), { numRuns: 30 });
});

test('it says that it is synthetic, and from what it was drawn', () => {
  const { origin, provenance } = synthesizeRouting({ model: 'gpt-oss-20b', requests: 2, tokens: 3, seed: 9 });
  expect(origin).toBe('synthetic');
  expect(provenance).toMatchObject({ requests: '2', tokensPerRequest: '3', seed: '9', licence: 'Apache-2.0', generatorVersion: '1', note: expect.stringMatching(/^Synthetic: /) as unknown });
});

test('a calibration of one\'s own is taken as well', () => {
  const trace = synthesizeRouting({ model: { ...gptOss20b, model: 'mine', experts: 64, topK: 8, layers: gptOss20b.layers.slice(0, 2) }, requests: 1, tokens: 4, seed: 1 });
  expect(trace).toMatchObject({ model: 'mine', layers: 2, experts: 64, topK: 8 });
  readRoutingTrace(filesOf({ 'trace.arrow': arrowBytes(trace) }));
});

test.each([
  [{ model: 'gpt-oss-20' }, 'TRACE_UNKNOWN_MODEL', /no calibration for "gpt-oss-20"\. Did you mean "gpt-oss-20b"\? Known: gpt-oss-20b\./],
  [{ model: 'toString' }, 'TRACE_UNKNOWN_MODEL', /Known: gpt-oss-20b/],
  [{ requests: 0 }, 'TRACE_OPTION', /Option requests: expected a whole number from 1 to 1048576, got 0\./],
  [{ tokens: 1.5 }, 'TRACE_OPTION', /Option tokens: .* got 1\.5/],
  [{ tokens: NaN }, 'TRACE_OPTION', /Option tokens: .* got NaN/],
  [{ seed: -1 }, 'TRACE_OPTION', /Option seed: expected a whole number from 0 to 9007199254740991, got -1/],
  [{ seed: 2 ** 53 }, 'TRACE_OPTION', /Option seed/],
  [{ requests: 2 ** 20, tokens: 2 ** 20 }, 'TRACE_OPTION', /at most 2796202 tokens of gpt-oss-20b in all, got 1099511627776/],
])('the order %o is refused', (change, code, message) => {
  const draw = (): unknown => synthesizeRouting({ model: 'gpt-oss-20b', requests: 1, tokens: 1, seed: 0, ...change });
  expect(draw).toThrow(expect.objectContaining({ code }));
  expect(draw).toThrow(message);
});
