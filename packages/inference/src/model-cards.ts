import { suggestion } from '@kerf/checks';
import type { ModelCard } from '@kerf/scenario';
import { deepseekV3 } from './cards/deepseek-v3.ts';
import { gptOss120b } from './cards/gpt-oss-120b.ts';
import { gptOss20b } from './cards/gpt-oss-20b.ts';
import { mixtral8x7b } from './cards/mixtral-8x7b.ts';
import { olmoe1b7b } from './cards/olmoe-1b-7b.ts';
import { qwen3A3b } from './cards/qwen3-30b-a3b.ts';
import { InferenceError } from './errors.ts';

const cards: ReadonlyMap<string, ModelCard> = new Map(
  [gptOss20b, gptOss120b, qwen3A3b, mixtral8x7b, olmoe1b7b, deepseekV3].map((card) => [card.name, card]),
);

/** Names of the model cards that come with Kerf. */
export const modelCardNames: readonly string[] = [...cards.keys()];

/**
 * A model card that comes with Kerf.
 *
 * @throws InferenceError `INFERENCE_UNKNOWN_MODEL`, naming the nearest known card
 */
export function modelCard(name: string): ModelCard {
  const card = cards.get(name);
  if (card !== undefined) return card;
  const known = modelCardNames.join(', ');
  throw new InferenceError('INFERENCE_UNKNOWN_MODEL', `There is no model card "${name}".${suggestion(name, modelCardNames)} Known: ${known}.`, { model: name, known });
}
