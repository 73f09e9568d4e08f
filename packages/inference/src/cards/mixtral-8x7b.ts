import type { ModelCard } from '@kerf/scenario';

export const mixtral8x7b: ModelCard = {
  formatVersion: 1,
  name: 'mixtral-8x7b',
  source:
    'config.json of mistralai/Mixtral-8x7B-v0.1 on Hugging Face. ' +
    'Weights and activations are BF16.',
  hiddenWidth: 4096,
  layers: 32,
  firstMoeLayer: 0,
  moeLayers: 32,
  experts: 8,
  topK: 2,
  expertIntermediateWidth: 14336,
  expertMatrices: 3,
  sharedExperts: 0,
  activationBytes: 2,
  combineBytes: 2,
  weightBits: 16,
  computeType: 'fp16',
};
