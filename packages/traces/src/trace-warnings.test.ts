import { expect, test } from 'vitest';
import { synthesizeRouting } from './synthesize.ts';
import { traceWarnings } from './trace-warnings.ts';

const trace = synthesizeRouting({ model: 'gpt-oss-20b', requests: 4, tokens: 16, seed: 1 });

test('there is nothing to say about an ordinary trace', () => {
  expect(traceWarnings(trace)).toEqual([]);
});

test('a layer that sends nearly everyone to one expert is named', () => {
  const expertIds = trace.expertIds.slice();
  for (let row = 0; row < trace.tokens; row++) expertIds.set([0, 1, 2, 3], (row * 24 + 5) * 4);
  expect(traceWarnings({ ...trace, expertIds })).toEqual([expect.stringContaining('In 1 of 24 layers (5) one expert is chosen by more than 90 %')]);
});

test('requests marked as looping are counted', () => {
  expect(traceWarnings({ ...trace, provenance: { loopingRequests: '2' } })).toEqual([expect.stringContaining('2 of 4 requests')]);
});
