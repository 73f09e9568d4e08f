import type { ModelCard } from '@kerf/scenario';

export const olmoe1b7b: ModelCard = {
  formatVersion: 1,
  name: 'olmoe-1b-7b',
  source:
    'config.json of allenai/OLMoE-1B-7B on Hugging Face. ' +
    'Weights and activations are taken as BF16, the type OLMoE is served in; the copy of the configuration that was read says float32.',
  hiddenWidth: 2048,
  layers: 16,
  firstMoeLayer: 0,
  moeLayers: 16,
  experts: 64,
  topK: 8,
  expertIntermediateWidth: 1024,
  expertMatrices: 3,
  sharedExperts: 0,
  activationBytes: 2,
  combineBytes: 2,
  weightBits: 16,
  computeType: 'fp16',
};
