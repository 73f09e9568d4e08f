import { HardwareError, rationalOf, type ElementType, type Hardware } from '@kerf/hardware';

/** What the tiles of a die can do per cycle. */
export interface ComputeRates {
  /** Peak of one matrix engine, floating-point operations per cycle. */
  readonly flopsPerCycle: number;
  /** All memory channels of the die together, bytes per cycle; 0 on a machine without memory channels. */
  readonly memoryBytesPerCycle: number;
  /** What one tile can take in, bytes per cycle: its link to the router. */
  readonly tileBytesPerCycle: number;
}

export function computeRates(hardware: Hardware, elementType: ElementType): ComputeRates {
  const { memory } = hardware;
  const channel = memory === null ? { numerator: 0, denominator: 1 } : rationalOf(memory.bytesPerCyclePerChannel);
  const local = rationalOf(hardware.localLink.bytesPerCycle);
  return {
    flopsPerCycle: hardware.tile.matrix.flopsPerCycle[elementType],
    memoryBytesPerCycle: ((memory?.channels ?? 0) * channel.numerator) / channel.denominator,
    tileBytesPerCycle: local.numerator / local.denominator,
  };
}

/**
 * Cycles of matrix work on one tile by the roofline: the longer of computing and of streaming the operands from the
 * die's memory, at least one. The memory is shared evenly by the tiles of the die that compute in this kernel, and no tile
 * takes in more than its link carries. Left out: array fill and drain, tiling losses, memory latency and row misses.
 *
 * @param sharingTiles tiles that compute in this kernel, ≥ 1
 * @throws HardwareError `HARDWARE_NO_MEMORY` for operands in the memory of a machine that has none
 * @see Williams, Waterman & Patterson, Roofline (CACM 2009)
 */
export function computeCycles(flops: number, memoryBytes: number, rates: ComputeRates, sharingTiles: number): number {
  if (memoryBytes === 0) return Math.max(1, Math.ceil(flops / rates.flopsPerCycle));
  if (rates.memoryBytesPerCycle === 0) {
    const message = `Matrix work reads ${memoryBytes} bytes from the memory of its die, but the hardware has no memory channels: its memory is null.`;
    throw new HardwareError('HARDWARE_NO_MEMORY', message, { path: 'memory', got: 'null', memoryBytes });
  }
  const bytesPerCycle = Math.min(rates.tileBytesPerCycle, rates.memoryBytesPerCycle / sharingTiles);
  return Math.max(1, Math.ceil(flops / rates.flopsPerCycle), Math.ceil(memoryBytes / bytesPerCycle));
}
