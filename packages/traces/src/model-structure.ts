import type { RoutingCalibration } from './calibration.ts';
import { exactExp, exactLog } from './exact-math.ts';
import { philox } from './philox.ts';
import { drawPermutation, keyOf, nearlyNormal, streams } from './random-streams.ts';

/** π² / 6 */
const GUMBEL_VARIANCE = 1.6449340668482264;

/**
 * [experts] share of tokens that choose each expert of a layer, as intended. The hottest takes maxOverMean times the mean; the
 * others follow u^spread with u spread evenly over (0, 1), dealt in the model's own order. Recorded loads of gpt-oss-20b look
 * like that: nearly a straight line over the rank, where log-normal loads would leave too few cold experts.
 */
export function intendedShares(calibration: RoutingCalibration, layer: number): Float64Array {
  const { experts, topK, modelSeed } = calibration;
  const { maxOverMean, spread } = calibration.layers[layer]!;
  const order = drawPermutation(experts, keyOf(modelSeed, streams.popularity), layer, 0);
  const shares = new Float64Array(experts);
  const hottest = (maxOverMean * topK) / experts;
  let sum = 0;
  for (let rank = 0; rank < experts - 1; rank++) sum += shares[order[rank]!] = exactExp(spread * exactLog((rank + 0.5) / (experts - 1)));
  for (let rank = 0; rank < experts - 1; rank++) shares[order[rank]!] = Math.min(hottest, (shares[order[rank]!]! * (topK - hottest)) / sum);
  shares[order[experts - 1]!] = hottest;
  return shares;
}

/** [experts] constant part of the scores: lets a score exceed 0 as often as intended, were the layer's noise normal. */
export function popularityOf(calibration: RoutingCalibration, layer: number): Float64Array {
  const { request, passage, word } = calibration.layers[layer]!;
  const variance = GUMBEL_VARIANCE + request ** 2 + passage ** 2 + word ** 2;
  return intendedShares(calibration, layer).map((share) => Math.sqrt(variance) * normalQuantile(share));
}

/** [experts, stateDimensions] what each expert of a layer looks for: a direction of length 1. */
export function directionsOf(calibration: RoutingCalibration, layer: number): Float64Array {
  const { experts, stateDimensions, modelSeed } = calibration;
  const key = keyOf(modelSeed, streams.directions);
  const block = new Uint32Array(4);
  const directions = new Float64Array(experts * stateDimensions);
  for (let e = 0; e < experts; e++) {
    const direction = directions.subarray(e * stateDimensions, (e + 1) * stateDimensions);
    for (let d = 0; d < stateDimensions; d++) {
      philox(block, d, e, layer, 0, key[0], key[1]);
      direction[d] = nearlyNormal(block[0]!);
    }
    const length = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0));
    for (let d = 0; d < stateDimensions; d++) direction[d]! /= length;
  }
  return directions;
}

/**
 * Standard normal quantile of p in (0, 1), |error| < 4.5e-4: plenty for a popularity. Uses only arithmetic that is the same in
 * every engine.
 *
 * @see Abramowitz & Stegun, Handbook of Mathematical Functions, 26.2.23
 */
export function normalQuantile(p: number): number {
  if (p > 0.5) return -normalQuantile(1 - p);
  const t = Math.sqrt(-2 * exactLog(p));
  return ((0.010328 * t + 0.802853) * t + 2.515517) / (((0.001308 * t + 0.189269) * t + 1.432788) * t + 1) - t;
}
