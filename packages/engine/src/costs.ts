import { rationalOf, type ElementType, type Hardware } from '@kerf/hardware';

/** What the tiles of a die can do per cycle. */
export interface ComputeRates {
  /** Peak of one matrix engine, floating-point operations per cycle. */
  readonly flopsPerCycle: number;
  /** All memory channels of the die together, bytes per cycle. */
  readonly memoryBytesPerCycle: number;
  /** What one tile can take in, bytes per cycle: its link to the router. */
  readonly tileBytesPerCycle: number;
}

export function computeRates(hardware: Hardware, elementType: ElementType): ComputeRates {
  const channel = rationalOf(hardware.memory.bytesPerCyclePerChannel);
  const local = rationalOf(hardware.localLink.bytesPerCycle);
  return {
    flopsPerCycle: hardware.tile.matrix.flopsPerCycle[elementType],
    memoryBytesPerCycle: (hardware.memory.channels * channel.numerator) / channel.denominator,
    tileBytesPerCycle: local.numerator / local.denominator,
  };
}

/**
 * Cycles of matrix work on one tile by the roofline: the longer of computing and of streaming the operands from the
 * die's memory, at least one. The memory is shared evenly by the tiles of the die that compute in this kernel, and no tile
 * takes in more than its link carries. Left out: array fill and drain, tiling losses, memory latency and row misses.
 *
 * @param sharingTiles tiles that compute in this kernel, ≥ 1
 * @see Williams, Waterman & Patterson, Roofline (CACM 2009)
 */
export function computeCycles(flops: number, memoryBytes: number, rates: ComputeRates, sharingTiles: number): number {
  const bytesPerCycle = Math.min(rates.tileBytesPerCycle, rates.memoryBytesPerCycle / sharingTiles);
  return Math.max(1, Math.ceil(flops / rates.flopsPerCycle), Math.ceil(memoryBytes / bytesPerCycle));
}
