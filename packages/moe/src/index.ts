export { expertTileOf, indexBatch, type BatchIndex, type TokenBatch } from './batch-index.ts';
export { MoeError, type MoeErrorCode } from './errors.ts';
export { combineCopyBytes, copyFlops, dispatchCopyBytes, expertWeightBytes, type ExpertShape } from './expert-shape.ts';
export { expertTiles, type ExpertTiles } from './expert-tiles.ts';
export { COMBINE, DISPATCH, moeChannels, moeLayerProgram } from './layer-program.ts';
export { linearPlacement } from './placement.ts';
