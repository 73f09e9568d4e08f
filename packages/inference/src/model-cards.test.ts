import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseModelCard } from '@kerf/scenario';
import { describe, expect, test } from 'vitest';
import { modelCard, modelCardNames } from './model-cards.ts';

/** The part of a Hugging Face config.json that a card repeats; families name the same thing differently. */
interface Configuration {
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_experts_per_tok: number;
  readonly first_k_dense_replace?: number;
  readonly num_experts?: number;
  readonly num_local_experts?: number;
  readonly n_routed_experts?: number;
  readonly n_shared_experts?: number;
  readonly moe_intermediate_size?: number;
  readonly intermediate_size: number;
}

const reference = process.env['KERF_REFERENCE'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const hasReference = reference !== 'none' && existsSync(reference);

describe.each(modelCardNames)('%s', (name) => {
  test('is a valid card under its own name, with a source', () => {
    const card = modelCard(name);
    expect(parseModelCard(card, name)).toEqual(card);
    expect(card.name).toBe(name);
    expect(card.source).toMatch(/^config\.json of .+ on Hugging Face\./);
    expect(card.firstMoeLayer + card.moeLayers).toBe(card.layers);
  });

  test.skipIf(!hasReference)('repeats the published configuration (needs KERF_REFERENCE)', () => {
    const config = JSON.parse(readFileSync(`${reference}/models/${name}.json`, 'utf8')) as Configuration;
    expect(modelCard(name)).toMatchObject({
      hiddenWidth: config.hidden_size,
      layers: config.num_hidden_layers,
      firstMoeLayer: config.first_k_dense_replace ?? 0,
      experts: config.n_routed_experts ?? config.num_local_experts ?? config.num_experts,
      topK: config.num_experts_per_tok,
      expertIntermediateWidth: config.moe_intermediate_size ?? config.intermediate_size,
      sharedExperts: config.n_shared_experts ?? 0,
    });
  });
});

test('an unknown card names the nearest one and all others', () => {
  expect(() => modelCard('gpt-oss-20')).toThrow('There is no model card "gpt-oss-20". Did you mean "gpt-oss-20b"? Known: gpt-oss-20b, gpt-oss-120b,');
  expect(() => modelCard('llama')).toThrow('There is no model card "llama". Known:');
});
