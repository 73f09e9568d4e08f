import type { RoutingCalibration } from './calibration.ts';
import { philox } from './philox.ts';
import { keyOf, nearlyNormal, streams } from './random-streams.ts';

/** The states of one request's tokens, walked from its first layer to its last. */
export class TokenState {
  /** [tokens, stateDimensions] states in the layer last advanced to. */
  readonly columns: Float64Array;
  readonly #calibration: RoutingCalibration;
  readonly #shape: { readonly tokens: number; readonly seed: number };
  /** [stateDimensions], then [tokens, stateDimensions] each: the parts, of deviation 1. */
  readonly #request: Float64Array;
  readonly #passage: Float64Array;
  readonly #word: Float64Array;

  constructor(calibration: RoutingCalibration, shape: { readonly tokens: number; readonly seed: number }) {
    this.#calibration = calibration;
    this.#shape = shape;
    const { stateDimensions } = calibration;
    this.#request = new Float64Array(stateDimensions);
    this.columns = new Float64Array(shape.tokens * stateDimensions);
    this.#passage = new Float64Array(shape.tokens * stateDimensions);
    this.#word = new Float64Array(shape.tokens * stateDimensions);
  }

  /** Moves on to a layer of a request: layer 0 starts it, and layers follow one another. */
  advance(request: number, layer: number): void {
    const { stateDimensions, layerCarry, fastCarry, slowCarry, slowOverFast } = this.#calibration;
    const { seed, tokens } = this.#shape;
    const { request: requestScale, passage: passageScale, word: wordScale } = this.#calibration.layers[layer]!;
    const requestKey = keyOf(seed, streams.requestState);
    const tokenKey = keyOf(seed, streams.tokenState);
    const block = new Uint32Array(4);
    const carry = layer === 0 ? 0 : layerCarry;
    const renewal = Math.sqrt(1 - carry * carry);
    const fastRenewal = Math.sqrt(1 - fastCarry * fastCarry);
    const slowRenewal = Math.sqrt(1 - slowCarry * slowCarry);
    const passageNorm = renewal / Math.sqrt(1 + slowOverFast * slowOverFast);
    for (let d = 0; d < stateDimensions; d++) {
      philox(block, d, 0, layer, request, requestKey[0], requestKey[1]);
      const shared = (this.#request[d] = carry * this.#request[d]! + renewal * nearlyNormal(block[0]!));
      let fast = 0;
      let slow = 0;
      for (let token = 0; token < tokens; token++) {
        philox(block, d, token, layer, request, tokenKey[0], tokenKey[1]);
        fast = token === 0 ? nearlyNormal(block[0]!) : fastCarry * fast + fastRenewal * nearlyNormal(block[0]!);
        slow = token === 0 ? nearlyNormal(block[1]!) : slowCarry * slow + slowRenewal * nearlyNormal(block[1]!);
        const at = token * stateDimensions + d;
        const passage = (this.#passage[at] = carry * this.#passage[at]! + passageNorm * (fast + slowOverFast * slow));
        const word = (this.#word[at] = carry * this.#word[at]! + renewal * nearlyNormal(block[2]!));
        this.columns[at] = requestScale * shared + passageScale * passage + wordScale * word;
      }
    }
  }
}
