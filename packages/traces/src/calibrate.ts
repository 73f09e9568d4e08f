import type { LayerCalibration, RoutingCalibration } from './calibration.ts';
import { measureRouting, type RoutingProperties, type RoutingTargets } from './measure.ts';
import { synthesizeRouting } from './synthesize.ts';

export interface CalibrationEffort {
  readonly rounds: number;
  readonly requests: number;
  /** Tokens of each request, > 64. */
  readonly tokens: number;
  readonly seed: number;
}

/** Where each parameter's effect is nearly linear; a router with states beyond this is deterministic. */
const LARGEST_DEVIATION = 12;

/**
 * Fits the parameters of every layer, and the sharpness of the weights, to measured properties: draws a trace, measures it, and moves
 * each parameter by how far the property that it sets is off, with smaller steps in later rounds; the result is the mean of the
 * last third of them. The number of dimensions and the carries are left as they are.
 *
 * Fitted: load skew, reuse at lags 1 and 64, pair shares of adjacent layers (also the independent ones), weight of the first choice.
 * Left to be predicted, and so a check of the model: reuse at other lags, other weights, decode batches.
 */
export function calibrateRouting(start: RoutingCalibration, targets: RoutingTargets, effort: CalibrationEffort): RoutingCalibration {
  let calibration = start;
  const late: RoutingCalibration[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    const gain = 1 / (1 + (5 * round) / effort.rounds);
    const measured = measureRouting(synthesizeRouting({ model: calibration, requests: effort.requests, tokens: effort.tokens, seed: effort.seed + round }));
    calibration = step(calibration, targets, measured, gain);
    if (3 * round >= 2 * effort.rounds) late.push(calibration);
  }
  return meanOf(late);
}

function step(calibration: RoutingCalibration, targets: RoutingTargets, measured: RoutingProperties, gain: number): RoutingCalibration {
  const move = (value: number, by: number): number => Math.min(LARGEST_DEVIATION, Math.max(0, value + gain * by));
  const layers = calibration.layers.map((was, layer): LayerCalibration => {
    const excess = targets.maxOverMeanByLayer[layer]! / measured.maxOverMeanByLayer[layer]! - 1;
    const lag64 = targets.reuseLag64ByLayer[layer]! - measured.reuseLag64ByLayer[layer]!;
    const lag1 = targets.reuseLag1ByLayer[layer]! - measured.reuseLag1ByLayer[layer]!;
    const independent = aroundLayer(targets.adjacentLayerTop20pctPairShareIfIndependent, measured.adjacentLayerTop20pctPairShareIfIndependent, layer);
    const pairs = aroundLayer(targets.adjacentLayerTop20pctPairShare, measured.adjacentLayerTop20pctPairShare, layer);
    return {
      maxOverMean: Math.max(1, was.maxOverMean * (1 + 0.5 * gain * excess)),
      spread: move(was.spread, 3 * independent),
      request: move(was.request, 25 * lag64),
      passage: move(was.passage, 35 * (lag1 - lag64)),
      word: move(was.word, 25 * pairs),
    };
  });
  const first = targets.meanWeightByRank![0]! / measured.meanWeightByRank![0]!;
  return { ...calibration, layers, weightSharpness: calibration.weightSharpness * (1 + gain * (first - 1)) };
}

/** How far a property of adjacent layers is off on average on the two sides of a layer. */
function aroundLayer(targets: readonly number[], measured: readonly number[], layer: number): number {
  const sides = [layer - 1, layer].filter((side) => side >= 0 && side < targets.length);
  return sides.reduce((sum, side) => sum + targets[side]! - measured[side]!, 0) / sides.length;
}

function meanOf(rounds: readonly RoutingCalibration[]): RoutingCalibration {
  const last = rounds.at(-1)!;
  const mean = (of: (round: RoutingCalibration) => number): number => rounds.reduce((sum, round) => sum + of(round), 0) / rounds.length;
  return {
    ...last,
    weightSharpness: mean((round) => round.weightSharpness),
    layers: last.layers.map((_, layer) => ({
      maxOverMean: mean((round) => round.layers[layer]!.maxOverMean),
      spread: mean((round) => round.layers[layer]!.spread),
      request: mean((round) => round.layers[layer]!.request),
      passage: mean((round) => round.layers[layer]!.passage),
      word: mean((round) => round.layers[layer]!.word),
    })),
  };
}
