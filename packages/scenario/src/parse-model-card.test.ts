import { KerfError } from '@kerf/checks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModelCard } from './model-card.ts';
import { parseModelCard } from './parse-model-card.ts';

/** DeepSeek-V3 dispatching in FP8 and combining in BF16, from its public config.json. */
const card: ModelCard = {
  formatVersion: 1, name: 'deepseek-v3', source: 'config.json of deepseek-ai/DeepSeek-V3', hiddenWidth: 7168, layers: 61, firstMoeLayer: 3, moeLayers: 58,
  experts: 256, topK: 8, expertIntermediateWidth: 2048, expertMatrices: 3, sharedExperts: 1, activationBytes: 1, combineBytes: 2, weightBits: 8, computeType: 'fp8',
};

test('a card passes unchanged', () => {
  expect(parseModelCard(card, 'deepseek-v3.json')).toBe(card);
});

test('any key renamed, left out or of a wrong type is an error that names it', () => {
  fc.assert(fc.property(fc.constantFrom(...Object.keys(card)), fc.constantFrom('rename', 'delete', 'type'), (key, change) => {
    const broken: Record<string, unknown> = { ...card };
    if (change !== 'type') delete broken[key];
    if (change === 'rename') broken[`${key}s_`] = 1;
    if (change === 'type') broken[key] = [card[key as keyof ModelCard]];
    expect(() => parseModelCard(broken, 'card.json')).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(SCHEMA|MODEL)_/), message: expect.stringContaining(key) }));
    expect(() => parseModelCard(broken, 'card.json')).toThrow(KerfError);
  }));
});

test('a number is taken at the ends of its range and refused beyond them', () => {
  expect(() => parseModelCard({ ...card, topK: 256 }, 'card.json')).not.toThrow();
  expect(() => parseModelCard({ ...card, topK: 257 }, 'card.json')).toThrow('card.json: topK must be <= 256, got 257');
  expect(() => parseModelCard({ ...card, experts: 65_535 }, 'card.json')).not.toThrow();
  expect(() => parseModelCard({ ...card, experts: 65_536 }, 'card.json')).toThrow('experts must be <= 65535');
});

test.each<[string, Partial<Record<keyof ModelCard, unknown>>, string, string]>([
  ['another format version', { formatVersion: 2 }, 'MODEL_FORMAT_VERSION', 'It reads model cards of formatVersion 1.'],
  ['more choices than experts', { experts: 7 }, 'MODEL_TOO_MANY_CHOICES', 'topK must be at most experts = 7, got 8'],
  ['more MoE layers than layers', { firstMoeLayer: 4 }, 'MODEL_TOO_FEW_LAYERS', 'moeLayers must be at most 57, got 58. They begin at layer 4 of 61'],
  ['MoE layers that begin behind the last layer', { firstMoeLayer: 70 }, 'MODEL_TOO_FEW_LAYERS', 'moeLayers must be at most 0, got 58'],
])('%s is refused', (_what, change, code, message) => {
  expect(() => parseModelCard({ ...card, ...change }, 'card.json')).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});
