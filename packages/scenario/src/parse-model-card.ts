import { checkSchema } from '@kerf/checks';
import { ScenarioError } from './errors.ts';
import { checkFormatVersion } from './format-version.ts';
import { modelCardFormat, modelCardSchema, type ModelCard } from './model-card.ts';

/**
 * Takes the contents of a model card for a model, or says what is wrong with it. Nothing is filled in.
 *
 * @param value parsed JSON
 * @param source what a person calls it: a file name, the name of a card
 * @throws SchemaError for a wrong shape
 * @throws ScenarioError `MODEL_FORMAT_VERSION`, `MODEL_TOO_MANY_CHOICES`, `MODEL_TOO_FEW_LAYERS`
 */
export function parseModelCard(value: unknown, source: string): ModelCard {
  checkFormatVersion(modelCardFormat, value, source);
  const card = checkSchema(modelCardSchema, value, source);
  crossCheckModelCard(card, source);
  return card;
}

/** What a schema cannot say of a card; `at` is where the card lies in its file. Throws as {@link parseModelCard}. */
export function crossCheckModelCard({ topK, experts, firstMoeLayer, moeLayers, layers }: ModelCard, source: string, at = ''): void {
  const prefix = at === '' ? '' : `${at}.`;
  if (topK > experts) {
    const path = `${prefix}topK`;
    const message = `${source}: ${path} must be at most experts = ${experts}, got ${topK}. A token is sent to different experts.`;
    throw new ScenarioError('MODEL_TOO_MANY_CHOICES', message, { source, path, expected: `at most ${experts}`, got: topK });
  }
  if (firstMoeLayer + moeLayers > layers) {
    const path = `${prefix}moeLayers`;
    const most = Math.max(0, layers - firstMoeLayer);
    const message = `${source}: ${path} must be at most ${most}, got ${moeLayers}. They begin at layer ${firstMoeLayer} of ${layers}, counted from 0.`;
    throw new ScenarioError('MODEL_TOO_FEW_LAYERS', message, { source, path, expected: `at most ${most}`, got: moeLayers });
  }
}
