import { elementBytes } from '@kerf/program';
import type { GemmTypes } from './mapping.ts';
import type { Grain } from './summa.ts';

/** Bytes of one access to a memory channel: two bursts of 32 bytes, one from each pseudo-channel. */
const MEMORY_ACCESS_BYTES = 64;

/**
 * What pieces should be a multiple of: columns and inner dimension of a memory access, so that no line of a slice shares one with
 * its neighbour. Rows may be cut anywhere: each is a line of its own.
 */
export function grainOf({ input, output }: GemmTypes): Grain {
  return { m: 1, n: MEMORY_ACCESS_BYTES / Math.min(elementBytes[input], elementBytes[output]), k: MEMORY_ACCESS_BYTES / elementBytes[input] };
}
