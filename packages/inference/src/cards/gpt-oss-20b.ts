import type { ModelCard } from '@kerf/scenario';

export const gptOss20b: ModelCard = {
  formatVersion: 1,
  name: 'gpt-oss-20b',
  source:
    'config.json of openai/gpt-oss-20b on Hugging Face. ' +
    'Expert weights are MXFP4: 4 bits and one 8-bit scale per 32 weights (OCP Microscaling Formats 1.0); activations are BF16.',
  hiddenWidth: 2880,
  layers: 24,
  firstMoeLayer: 0,
  moeLayers: 24,
  experts: 32,
  topK: 4,
  expertIntermediateWidth: 2880,
  expertMatrices: 3,
  sharedExperts: 0,
  activationBytes: 2,
  combineBytes: 2,
  weightBits: 4.25,
  computeType: 'fp16',
};
