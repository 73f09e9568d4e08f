import type { ModelCard } from '@kerf/scenario';

export const deepseekV3: ModelCard = {
  formatVersion: 1,
  name: 'deepseek-v3',
  source:
    'config.json of deepseek-ai/DeepSeek-V3 on Hugging Face. ' +
    'Weights are FP8, their scales (one per 128 x 128 block) not counted. Dispatch in FP8, without its scales, and combine in BF16: DeepSeek-V3 Technical Report (2024), section 3.2.2.',
  hiddenWidth: 7168,
  layers: 61,
  firstMoeLayer: 3,
  moeLayers: 58,
  experts: 256,
  topK: 8,
  expertIntermediateWidth: 2048,
  expertMatrices: 3,
  sharedExperts: 1,
  activationBytes: 1,
  combineBytes: 2,
  weightBits: 8,
  computeType: 'fp8',
};
