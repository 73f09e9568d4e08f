import { drawPermutation, drawBelow, keyOf, streams } from './random-streams.ts';
import type { RoutingTrace } from './routing-trace.ts';

/** Where tokens went: the properties by which a synthetic trace is judged against a recorded one. */
export interface RoutingProperties {
  readonly requests: number;
  readonly tokens: number;
  /** [layers] load of the most loaded expert over the mean load, over the whole trace. */
  readonly maxOverMeanByLayer: readonly number[];
  /** Mean share of a token's experts that the token `lag` rows before it in its request used too, by lag; lags no request reaches are absent. */
  readonly reuseByLag: Readonly<Record<number, number>>;
  /** The same at lag 1, [layers]. */
  readonly reuseLag1ByLayer: readonly number[];
  /** The same at lag 64, [layers]; empty when no request is that long. */
  readonly reuseLag64ByLayer: readonly number[];
  /** The reuse that independent tokens of the same popularity would show, mean of layers. */
  readonly reuseExpectedFromMarginals: number;
  /** [layers - 1] share of co-activations carried by the most frequent 20 % of pairs (expert in layer l, expert in l + 1). */
  readonly adjacentLayerTop20pctPairShare: readonly number[];
  /** The same for independent layers of the same popularity, [layers - 1]. */
  readonly adjacentLayerTop20pctPairShareIfIndependent: readonly number[];
  /** [topK] mean weight of the first, second, … choice; undefined where weights were not recorded. */
  readonly meanWeightByRank: readonly number[] | undefined;
  /** By batch size: one decode step with that many tokens, each of another request; sizes beyond the trace's requests are absent. */
  readonly decodeBatch: Readonly<Record<number, DecodeBatchProperties>>;
}

/** The properties that the generator is fitted to, or compared with. */
export type RoutingTargets = Omit<RoutingProperties, 'requests' | 'tokens'>;

export interface DecodeBatchProperties {
  /** Load of the most loaded expert over the mean load of the step, mean of layers and draws. */
  readonly maxOverMean: number;
  /** Share of a layer's experts that at least one token of the step chose, mean of layers and draws. */
  readonly distinctExpertFraction: number;
}

const LAGS = [1, 2, 4, 8, 16, 32, 64, 128] as const;
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] as const;
const BATCH_DRAWS = 200;
const TOP_SHARE = 0.2;

/** Measures a trace. Decode batches are drawn with a fixed seed: requests without repetition, a uniform row of each. */
export function measureRouting(trace: RoutingTrace): RoutingProperties {
  const load = loadByLayer(trace);
  const reuse = new Map(LAGS.map((lag) => [lag, reuseByLayer(trace, lag)] as const).filter(([, layers]) => layers.length > 0));
  const layers = Array.from({ length: trace.layers }, (_, layer) => layer);
  return {
    requests: trace.requests.length,
    tokens: trace.tokens,
    maxOverMeanByLayer: layers.map((layer) => maxOverMean(load.subarray(layer * trace.experts, (layer + 1) * trace.experts))),
    reuseByLag: Object.fromEntries([...reuse].map(([lag, values]) => [lag, mean(values)])),
    reuseLag1ByLayer: reuse.get(1) ?? [],
    reuseLag64ByLayer: reuse.get(64) ?? [],
    reuseExpectedFromMarginals: mean(layers.map((layer) => marginalReuse(trace, load, layer))),
    adjacentLayerTop20pctPairShare: layers.slice(1).map((layer) => topShare(pairCounts(trace, layer - 1))),
    adjacentLayerTop20pctPairShareIfIndependent: layers.slice(1).map((layer) => topShare(independentPairs(trace, load, layer - 1))),
    meanWeightByRank: trace.weights && meanByRank(trace.weights, trace.topK),
    decodeBatch: Object.fromEntries(BATCHES.filter((batch) => batch <= trace.requests.length).map((batch) => [batch, decodeBatch(trace, batch)])),
  };
}

/** [layers, experts] how many tokens chose each expert. */
export function loadByLayer(trace: RoutingTrace): Float64Array {
  const { layers, experts, topK, expertIds } = trace;
  const load = new Float64Array(layers * experts);
  for (let i = 0; i < expertIds.length; i++) load[(Math.floor(i / topK) % layers) * experts + expertIds[i]!]!++;
  return load;
}

/** [layers] reuse at one lag; empty when no request has more rows than that. */
function reuseByLayer(trace: RoutingTrace, lag: number): number[] {
  const { layers, topK, expertIds } = trace;
  const shared = new Float64Array(layers);
  let pairs = 0;
  for (const { firstRow, tokens } of trace.requests) {
    for (let row = firstRow + lag; row < firstRow + tokens; row++, pairs++) {
      for (let layer = 0; layer < layers; layer++) {
        const now = (row * layers + layer) * topK;
        const before = now - lag * layers * topK;
        for (let k = now; k < now + topK; k++) for (let j = before; j < before + topK; j++) if (expertIds[k] === expertIds[j]) shared[layer]!++;
      }
    }
  }
  return pairs === 0 ? [] : Array.from(shared, (count) => count / (pairs * topK));
}

function marginalReuse(trace: RoutingTrace, load: Float64Array, layer: number): number {
  const choices = trace.tokens * trace.topK;
  let sum = 0;
  for (let e = 0; e < trace.experts; e++) sum += (load[layer * trace.experts + e]! / choices) ** 2;
  return sum * trace.topK;
}

/** [experts, experts] tokens that chose the one in `layer` and the other in the next. */
function pairCounts(trace: RoutingTrace, layer: number): Float64Array {
  const { layers, experts, topK, expertIds } = trace;
  const counts = new Float64Array(experts * experts);
  for (let row = 0; row < trace.tokens; row++) {
    const at = (row * layers + layer) * topK;
    for (let k = at; k < at + topK; k++) for (let j = at + topK; j < at + 2 * topK; j++) counts[expertIds[k]! * experts + expertIds[j]!]!++;
  }
  return counts;
}

function independentPairs(trace: RoutingTrace, load: Float64Array, layer: number): Float64Array {
  const { experts } = trace;
  const products = new Float64Array(experts * experts);
  for (let a = 0; a < experts; a++) {
    for (let b = 0; b < experts; b++) products[a * experts + b] = load[layer * experts + a]! * load[(layer + 1) * experts + b]!;
  }
  return products;
}

/** Share of the sum that the largest fifth of the entries holds. */
function topShare(counts: Float64Array): number {
  const rising = counts.toSorted();
  const top = rising.subarray(rising.length - Math.max(1, Math.floor(rising.length * TOP_SHARE)));
  return sum(top) / sum(rising);
}

function meanByRank(weights: Float32Array, topK: number): number[] {
  const sums = new Float64Array(topK);
  for (let i = 0; i < weights.length; i++) sums[i % topK]! += weights[i]!;
  return Array.from(sums, (total) => (total * topK) / weights.length);
}

function decodeBatch(trace: RoutingTrace, batch: number): DecodeBatchProperties {
  const { layers, experts, topK, expertIds, requests } = trace;
  const key = keyOf(0, streams.batch);
  let ratios = 0;
  let distinct = 0;
  for (let draw = 0; draw < BATCH_DRAWS; draw++) {
    const load = new Float64Array(layers * experts);
    for (const chosen of drawPermutation(requests.length, key, batch, 2 * draw).subarray(0, batch)) {
      const { firstRow, tokens } = requests[chosen]!;
      const row = firstRow + drawBelow(tokens, key, chosen, batch, 2 * draw + 1, 0);
      for (let i = 0; i < layers * topK; i++) load[Math.floor(i / topK) * experts + expertIds[row * layers * topK + i]!]!++;
    }
    for (let layer = 0; layer < layers; layer++) ratios += maxOverMean(load.subarray(layer * experts, (layer + 1) * experts));
    distinct += load.reduce((count, tokens) => count + (tokens > 0 ? 1 : 0), 0);
  }
  return { maxOverMean: ratios / (BATCH_DRAWS * layers), distinctExpertFraction: distinct / (BATCH_DRAWS * layers * experts) };
}

function maxOverMean(load: Float64Array): number {
  return (load.reduce((most, tokens) => Math.max(most, tokens), 0) * load.length) / sum(load);
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
