/** The sizes of a model's experts, as a model card gives them. Shared experts are not among them. */
export interface ExpertShape {
  /** Values in a token's hidden vector. */
  readonly hiddenWidth: number;
  /** Bytes per value that travel to an expert. */
  readonly activationBytes: number;
  /** Bytes per value that travel back. */
  readonly combineBytes: number;
  /** Weight matrices of one expert, each hiddenWidth × expertIntermediateWidth: 3 with a gated activation (gate, up, down). */
  readonly expertMatrices: number;
  readonly expertIntermediateWidth: number;
  /** Bits per weight in memory, scales included; may be a fraction (MXFP4: 4.25). */
  readonly weightBits: number;
}

/** Bytes of one copy on its way to an expert, whole. */
export function dispatchCopyBytes(shape: ExpertShape): number {
  return Math.ceil(shape.hiddenWidth * shape.activationBytes);
}

/** Bytes of one copy on its way back, whole. */
export function combineCopyBytes(shape: ExpertShape): number {
  return Math.ceil(shape.hiddenWidth * shape.combineBytes);
}

/** Floating-point operations of one copy in its expert: a multiplication and an addition per weight. */
export function copyFlops(shape: ExpertShape): number {
  return 2 * shape.expertMatrices * shape.hiddenWidth * shape.expertIntermediateWidth;
}

/** Bytes of one expert's weights, rounded up to whole bytes. */
export function expertWeightBytes(shape: ExpertShape): number {
  return Math.ceil((shape.expertMatrices * shape.hiddenWidth * shape.expertIntermediateWidth * shape.weightBits) / 8);
}
