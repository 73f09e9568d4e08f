import type { RoutingCalibration } from './calibration.ts';
import { exactExp } from './exact-math.ts';
import { directionsOf, popularityOf } from './model-structure.ts';
import { philox } from './philox.ts';
import { gumbel, keyOf, streams } from './random-streams.ts';
import { TokenState } from './token-state.ts';

export interface RoutingShape {
  readonly requests: number;
  /** Tokens of each request. */
  readonly tokens: number;
  readonly seed: number;
}

/** [requests × tokens, layers, topK], as in a routing trace. */
export interface Routing {
  readonly expertIds: Uint16Array;
  readonly weights: Float32Array;
}

/**
 * Draws the routing of `requests` requests of `tokens` tokens. As in a real router, a layer scores its experts by what they look
 * for in the state of a token. For expert e of layer l
 *
 *     score = popularity(l, e) + direction(l, e) · state(request, token, l) + Gumbel
 *     state = request_l · R + passage_l · P + word_l · W,   each of deviation 1 along any direction
 *
 * R is the same for all tokens of a request, P fades over tokens (a fast and a slow autoregression), W is drawn anew for every
 * token; all of them change slowly from layer to layer. The topK largest scores are chosen, so each token draws topK experts
 * from a softmax without replacement. The weights are softmax(weightSharpness · score) over the chosen ones, rounded to
 * bfloat16 as a recording has them. Popularity and directions belong to the model, not to the seed. Every draw is a function of
 * (seed, stream, request, layer, token, expert or dimension): a request is routed the same whatever else is drawn.
 */
export function drawRouting(calibration: RoutingCalibration, shape: RoutingShape): Routing {
  const { topK, layers } = calibration;
  const choices = shape.requests * shape.tokens * layers.length * topK;
  const routing = { expertIds: new Uint16Array(choices), weights: new Float32Array(choices) };
  const routers = layers.map((_, layer) => ({ popularity: popularityOf(calibration, layer), directions: directionsOf(calibration, layer) }));
  const state = new TokenState(calibration, shape);
  for (let request = 0; request < shape.requests; request++) {
    routers.forEach((router, layer) => {
      state.advance(request, layer);
      drawLayer(calibration, router, state.columns, routing, shape, request, layer);
    });
  }
  return routing;
}

interface Router {
  readonly popularity: Float64Array;
  readonly directions: Float64Array;
}

function drawLayer(
  { experts, topK, layers, stateDimensions, weightSharpness }: RoutingCalibration, { popularity, directions }: Router, states: Float64Array,
  { expertIds, weights }: Routing, shape: RoutingShape, request: number, layer: number,
): void {
  const key = keyOf(shape.seed, streams.choice);
  const block = new Uint32Array(4);
  const scores = new Float64Array(experts);
  const logits = new Float64Array(topK);
  for (let token = 0; token < shape.tokens; token++) {
    for (let e = 0; e < experts; e++) {
      if ((e & 3) === 0) philox(block, e >>> 2, token, layer, request, key[0], key[1]);
      let score = popularity[e]! + gumbel(block[e & 3]!);
      for (let d = 0; d < stateDimensions; d++) score += directions[e * stateDimensions + d]! * states[token * stateDimensions + d]!;
      scores[e] = score;
    }
    const at = ((request * shape.tokens + token) * layers.length + layer) * topK;
    chooseLargest(scores, expertIds, at, topK);
    for (let k = 0; k < topK; k++) logits[k] = weightSharpness * scores[expertIds[at + k]!]!;
    softmaxInto(weights, at, logits);
  }
}

/** Writes the indices of the `topK` largest scores in falling order; of equal ones the lower index first. */
function chooseLargest(scores: Float64Array, out: Uint16Array, at: number, topK: number): void {
  for (let e = 0, filled = 0; e < scores.length; e++) {
    let place = filled;
    while (place > 0 && scores[out[at + place - 1]!]! < scores[e]!) place--;
    if (place >= topK) continue;
    if (filled < topK) filled++;
    for (let k = filled - 1; k > place; k--) out[at + k] = out[at + k - 1]!;
    out[at + place] = e;
  }
}

/** Softmax of falling logits, each rounded to bfloat16. */
function softmaxInto(weights: Float32Array, at: number, logits: Float64Array): void {
  let sum = 0;
  for (let k = 0; k < logits.length; k++) sum += exactExp(Math.max(-80, logits[k]! - logits[0]!));
  for (let k = 0; k < logits.length; k++) weights[at + k] = toBfloat16(exactExp(Math.max(-80, logits[k]! - logits[0]!)) / sum);
}

const float = new DataView(new ArrayBuffer(4));

/** Nearest bfloat16 of a finite number, ties to even. */
export function toBfloat16(x: number): number {
  float.setFloat32(0, x);
  const bits = float.getUint32(0);
  float.setUint32(0, (bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff0000);
  return float.getFloat32(0);
}
