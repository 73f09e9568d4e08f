import type { ModelCard } from '@kerf/scenario';

export const qwen3A3b: ModelCard = {
  formatVersion: 1,
  name: 'qwen3-30b-a3b',
  source:
    'config.json of Qwen/Qwen3-30B-A3B on Hugging Face. ' +
    'Weights and activations are BF16.',
  hiddenWidth: 2048,
  layers: 48,
  firstMoeLayer: 0,
  moeLayers: 48,
  experts: 128,
  topK: 8,
  expertIntermediateWidth: 768,
  expertMatrices: 3,
  sharedExperts: 0,
  activationBytes: 2,
  combineBytes: 2,
  weightBits: 16,
  computeType: 'fp16',
};
