import { expect, test } from 'vitest';
import { checkTraceAgainstModel } from './check-model.ts';

const trace = { name: 'my.arrow', model: 'openai/gpt-oss-20b', layers: 24, experts: 32, topK: 4 };
const model = { name: 'gpt-oss-20b', moeLayers: 24, experts: 32, topK: 4 };

test('a trace fits the model it was recorded from', () => {
  expect(() => checkTraceAgainstModel(trace, model)).not.toThrow();
});

test.each([
  [{ moeLayers: 36 }, 'the model has 36 MoE layers, the trace 24'],
  [{ experts: 128 }, 'the model has 128 experts per layer, the trace 32'],
  [{ topK: 8 }, 'the model has 8 experts per token, the trace 4'],
])('%o does not fit, and both are named', (change, sentence) => {
  const check = (): void => checkTraceAgainstModel(trace, { ...model, ...change });
  expect(check).toThrow(expect.objectContaining({ code: 'TRACE_MODEL_MISMATCH' }));
  expect(check).toThrow(`Trace my.arrow was recorded from openai/gpt-oss-20b and does not fit model gpt-oss-20b: ${sentence}.`);
});

test('all differences are listed', () => {
  expect(() => checkTraceAgainstModel(trace, { name: 'x', moeLayers: 1, experts: 2, topK: 1 })).toThrow(/1 MoE layers.*; .*2 experts per layer.*; .*1 experts per token/);
});
