import { rationalOf, tilesPerDie, type ElementType, type Hardware } from '@kerf/hardware';

/** What one tile of a die can do per cycle. */
export interface TileRates {
  /** Peak of the matrix engine, floating-point operations per cycle. */
  readonly flopsPerCycle: number;
  /** The tile's even share of the die's memory bandwidth, bytes per cycle. */
  readonly memoryBytesPerCycle: number;
}

export function tileRates(hardware: Hardware, elementType: ElementType): TileRates {
  const { channels, bytesPerCyclePerChannel } = hardware.memory;
  const { numerator, denominator } = rationalOf(bytesPerCyclePerChannel);
  return {
    flopsPerCycle: hardware.tile.matrix.flopsPerCycle[elementType],
    memoryBytesPerCycle: (channels * numerator) / (denominator * tilesPerDie(hardware)),
  };
}

/**
 * Cycles of matrix work on one tile by the roofline: the longer of computing and of streaming the operands from the
 * die's memory, at least one. Left out: array fill and drain, tiling losses, memory latency and row misses.
 *
 * @see Williams, Waterman & Patterson, Roofline (CACM 2009)
 */
export function computeCycles(flops: number, memoryBytes: number, rates: TileRates): number {
  return Math.max(1, Math.ceil(flops / rates.flopsPerCycle), Math.ceil(memoryBytes / rates.memoryBytesPerCycle));
}
