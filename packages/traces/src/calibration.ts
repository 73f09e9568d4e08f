/**
 * Parameters of the routing generator for one model, in units of router logits (the Gumbel noise of a token has a deviation
 * of 1.28). Fitted to measured properties; see {@link drawRouting} for what each one does.
 */
export interface RoutingCalibration {
  readonly model: string;
  readonly experts: number;
  readonly topK: number;
  /** Draws what belongs to the model: which expert is how popular, and what it looks for. Traces of all seeds share it. */
  readonly modelSeed: number;
  /** Dimensions of the state that tokens carry and experts look at. Few: experts are chosen together; many: on their own. */
  readonly stateDimensions: number;
  /** Share of the state that a layer passes on to the next, in [0, 1). */
  readonly layerCarry: number;
  /** Share of the fast part of a passage's state that the next token keeps, in [0, 1). */
  readonly fastCarry: number;
  /** Share of the slow part that the next token keeps, in [0, 1). */
  readonly slowCarry: number;
  /** Deviation of the slow part over that of the fast one, ≥ 0. */
  readonly slowOverFast: number;
  /** Factor from scores to the logits whose softmax over the chosen experts gives the weights, > 0. */
  readonly weightSharpness: number;
  /** One entry per MoE layer. */
  readonly layers: readonly LayerCalibration[];
}

export interface LayerCalibration {
  /** Intended load of the hottest expert over the mean load, ≥ 1. */
  readonly maxOverMean: number;
  /** Exponent of the loads of the other experts over their rank, ≥ 0; 0: all alike. */
  readonly spread: number;
  /** Deviation of what a request keeps from its first to its last token: sets the reuse at long lags. */
  readonly request: number;
  /** Deviation of what neighbouring tokens share: sets the reuse at short lags. */
  readonly passage: number;
  /** Deviation of what a token alone brings, the same in neighbouring layers: sets the correlation of layers. */
  readonly word: number;
}
