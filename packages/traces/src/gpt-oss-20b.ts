import type { RoutingCalibration } from './calibration.ts';
import type { RoutingTargets } from './measure.ts';

/**
 * What was measured on recorded decode routing of openai/gpt-oss-20b: 703 requests, 215,438 tokens, 24 MoE layers, 32 experts,
 * top-4, from GitHub AmanPriyanshu/GPT-OSS-MoE-ExpertFingerprinting at commit 72b368f60045221f21eeb65debb27d58de92e565
 * (Apache-2.0). `reuseLag64ByLayer` alone is from a sample of 64 of those requests, by {@link measureRouting}.
 */
export const gptOss20bTargets = {
  maxOverMeanByLayer: [
    1.9765, 2.2082, 2.3778, 2.7981, 2.8102, 2.4472, 2.1777, 2.0443, 1.9491, 2.5352, 3.2597, 2.797,
    2.9998, 3.1591, 2.9038, 2.2946, 2.3996, 2.5135, 2.5556, 2.1627, 2.0876, 2.9476, 3.7606, 3.7757,
  ],
  reuseByLag: { 1: 0.4372, 2: 0.3819, 4: 0.3639, 8: 0.3507, 16: 0.3407, 32: 0.3362, 64: 0.3305, 128: 0.3259 },
  reuseLag1ByLayer: [
    0.1929, 0.284, 0.3889, 0.4353, 0.4877, 0.4183, 0.3868, 0.3388, 0.4089, 0.4921, 0.5765, 0.5795,
    0.5876, 0.5919, 0.4293, 0.3848, 0.4571, 0.4687, 0.3718, 0.4126, 0.3504, 0.4552, 0.4437, 0.5501,
  ],
  reuseLag64ByLayer: [
    0.194, 0.258, 0.274, 0.349, 0.359, 0.31, 0.278, 0.246, 0.291, 0.37, 0.426, 0.432,
    0.44, 0.436, 0.305, 0.259, 0.304, 0.33, 0.282, 0.311, 0.273, 0.366, 0.357, 0.433,
  ],
  reuseExpectedFromMarginals: 0.1904,
  adjacentLayerTop20pctPairShare: [
    0.5902, 0.6418, 0.683, 0.687, 0.6459, 0.6126, 0.6501, 0.6857, 0.7087, 0.7582, 0.7915, 0.7878,
    0.7892, 0.7425, 0.7368, 0.7381, 0.7515, 0.7382, 0.7439, 0.7064, 0.7296, 0.7767, 0.7681,
  ],
  adjacentLayerTop20pctPairShareIfIndependent: [
    0.4342, 0.5089, 0.5771, 0.5785, 0.5326, 0.4941, 0.4789, 0.4811, 0.5237, 0.6221, 0.6756, 0.6667,
    0.6757, 0.6353, 0.554, 0.5587, 0.6047, 0.5763, 0.5473, 0.5259, 0.5776, 0.6516, 0.6834,
  ],
  meanWeightByRank: [0.351, 0.2619, 0.2116, 0.1745],
  decodeBatch: {
    1: { maxOverMean: 8.0, distinctExpertFraction: 0.125 },
    2: { maxOverMean: 6.176, distinctExpertFraction: 0.225 },
    4: { maxOverMean: 4.914, distinctExpertFraction: 0.376 },
    8: { maxOverMean: 4.063, distinctExpertFraction: 0.561 },
    16: { maxOverMean: 3.513, distinctExpertFraction: 0.726 },
    32: { maxOverMean: 3.175, distinctExpertFraction: 0.84 },
    64: { maxOverMean: 3.003, distinctExpertFraction: 0.91 },
    128: { maxOverMean: 2.88, distinctExpertFraction: 0.953 },
    256: { maxOverMean: 2.826, distinctExpertFraction: 0.974 },
    512: { maxOverMean: 2.792, distinctExpertFraction: 0.986 },
  },
} as const satisfies RoutingTargets;

/** Per layer: maxOverMean, spread, request, passage, word. Result of {@link calibrateRouting} for the targets above, rounded. */
const layers = [
  [1.88, 0.51, 1.56, 0.01, 3.69],
  [1.83, 0.56, 2.72, 1.88, 3.49],
  [2.18, 0.95, 3.39, 4.76, 2.69],
  [2.71, 1.16, 2.01, 1.81, 0],
  [2.44, 0.93, 3.66, 3.64, 0],
  [2.23, 0.84, 2.16, 2.32, 0],
  [1.93, 0.71, 2.1, 2.5, 0.83],
  [1.71, 0.74, 4.76, 6.54, 5.24],
  [1.61, 0.82, 4.12, 4.78, 2.28],
  [2.13, 1.04, 4.18, 3.97, 1.17],
  [2.99, 1.35, 10.99, 10.76, 0],
  [2.49, 1.21, 11.09, 10.53, 0],
  [2.89, 1.22, 11.85, 10.85, 0],
  [2.82, 1.32, 12, 11.97, 0],
  [2.67, 1.03, 3.26, 4.22, 1.78],
  [2.12, 0.8, 7.31, 11.74, 8.26],
  [1.94, 1.1, 5.77, 8.24, 1.96],
  [2.31, 1.1, 6.79, 8.32, 2.89],
  [2.28, 0.88, 7.69, 9.51, 8.91],
  [1.66, 0.83, 7.79, 8.53, 6.39],
  [2.04, 0.89, 2.48, 2.71, 2.19],
  [2.6, 1.13, 6.09, 5.67, 4.37],
  [3.51, 1.42, 2.34, 2.3, 1.15],
  [3.5, 1.64, 4.36, 3.82, 0],
] as const;

export const gptOss20b: RoutingCalibration = {
  model: 'gpt-oss-20b',
  experts: 32,
  topK: 4,
  modelSeed: 20,
  stateDimensions: 5,
  layerCarry: 0.98,
  fastCarry: 0.38,
  slowCarry: 0.9,
  slowOverFast: 0.5,
  weightSharpness: 0.115,
  layers: layers.map(([maxOverMean, spread, request, passage, word]) => ({ maxOverMean, spread, request, passage, word })),
};
