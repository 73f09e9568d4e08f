import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { memorySource } from '@kerf/arrow';
import { tableFromIPC } from '@uwdata/flechette';
import { expect, test } from 'vitest';
import { checkTraceAgainstModel } from './check-model.ts';
import { measureRouting } from './measure.ts';
import { readRoutingTrace } from './read-routing-trace.ts';
import { synthesizeRouting } from './synthesize.ts';
import { arrowBytes } from './testing/traces.ts';

const folder = new URL('../../../traces/gpt-oss-20b-synthetic/', import.meta.url);
const bytes = new Uint8Array(readFileSync(new URL('trace.arrow', folder)));
const readme = readFileSync(new URL('README.md', folder), 'utf8');
const trace = readRoutingTrace({ name: 'bundled', list: () => ['README.md', 'trace.arrow'], open: (file) => memorySource(file, bytes) });

test('the bundled trace is what its options draw, byte for byte', () => {
  const { requests, tokensPerRequest, seed } = trace.provenance;
  const again = synthesizeRouting({ model: trace.model, requests: Number(requests), tokens: Number(tokensPerRequest), seed: Number(seed) });
  const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
  expect(sha256(arrowBytes(again))).toBe(sha256(bytes));
  expect(readme).toContain(sha256(bytes));
  expect(readme).toContain(`kerf trace synthesize --model ${trace.model} --requests ${requests} --tokens ${tokensPerRequest} --seed ${seed} --out traces/gpt-oss-20b-synthetic`);
}, 30_000);

test('it is labelled synthetic, and fits the model it imitates', () => {
  expect(trace.origin).toBe('synthetic');
  expect(trace.provenance['note']).toMatch(/^Synthetic: /);
  checkTraceAgainstModel(trace, { name: 'gpt-oss-20b', moeLayers: 24, experts: 32, topK: 4 });
});

test('its README says what was measured', () => {
  const { reuseByLag, meanWeightByRank, decodeBatch, maxOverMeanByLayer } = measureRouting(trace);
  const line = (label: string): string => readme.split('\n').find((text) => text.startsWith(`| ${label} `)) ?? '';
  expect(line('load, max over mean, mean of layers')).toContain(`| ${(maxOverMeanByLayer.reduce((sum, value) => sum + value, 0) / 24).toFixed(2)} |`);
  expect(line('reuse at lag 1')).toContain(`| ${reuseByLag[1]!.toFixed(3)} |`);
  expect(line('… at lag 64')).toContain(`| ${reuseByLag[64]!.toFixed(3)} |`);
  expect(line('mean weight of the first choice')).toContain(`| ${meanWeightByRank![0]!.toFixed(3)} |`);
  expect(line('decode batch of 64, max over mean')).toContain(`| ${decodeBatch[64]!.maxOverMean.toFixed(2)} |`);
}, 30_000);

test('another reader of Arrow sees the same table', () => {
  const table = tableFromIPC(bytes);
  expect(table.numRows).toBe(trace.tokens * trace.layers);
  expect(table.schema.metadata?.get('origin')).toBe('synthetic');
  const row = 12_345; // token 514, layer 9
  expect(table.getChild('layer').at(row)).toBe(9);
  expect(table.getChild('phase').at(row)).toBe('decode');
  for (let slot = 0; slot < 4; slot++) {
    expect(table.getChild(`expert${slot}`).at(row)).toBe(trace.expertIds[row * 4 + slot]);
    expect(table.getChild(`weight${slot}`).at(row)).toBe(trace.weights![row * 4 + slot]);
  }
});
