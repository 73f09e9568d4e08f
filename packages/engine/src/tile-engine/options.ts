import { physicalOptions, type CostOptions } from '../costs/options.ts';
import type { Fidelity } from '@kerf/fabric';

/** How a run of tile programs is simulated. Everything but `record` belongs to its identity. */
export interface TileRunOptions {
  readonly fidelity?: Fidelity;
  readonly costs?: CostOptions;
  /**
   * `network`: a barrier joins and is released inside the network, the narrow one where there is one. `software`: atomics on counters
   * in the middle of the group, as a formula.
   */
  readonly barriers?: 'network' | 'software';
  /** Matrix jobs are held up by what else uses L1. */
  readonly l1Contention?: boolean;
  /** Edge of the die that a tensor lies at, where memory has a place: by name. Others: inputs and outputs alternate over the edges that have nodes. */
  readonly edges?: Readonly<Record<string, 'west' | 'north' | 'east' | 'south'>>;
  /** Local tiles whose operations are recorded, one row each. */
  readonly record?: readonly number[];
  /** Visit routers in reverse: must change nothing. */
  readonly reverseVisits?: boolean;
}

export function costsOf({ costs = physicalOptions }: TileRunOptions): CostOptions {
  return costs;
}

/** Message channels of the fabric: what a packet is. */
export const CHANNEL_REQUEST = 0; // asks for a packet of a load
export const CHANNEL_LOAD = 1; // data from memory; where answers take no time, the request that stands for them
export const CHANNEL_STORE = 2; // data to memory
export const CHANNEL_SEND = 3;
export const CHANNEL_MULTICAST = 4; // and its acknowledgements
export const CHANNEL_REDUCE = 5; // and the news that a result is in place
export const CHANNEL_BARRIER = 6;
export const CHANNEL_ANSWER = 7; // acknowledges a packet of a store or send
export const tileChannels = ['request', 'load', 'store', 'send', 'multicast', 'reduce', 'barrier', 'answer'] as const;

/** Parts of the critical path. */
export const breakdownParts = ['matrix', 'vector', 'memory', 'multicast', 'reduce', 'barrier', 'other'] as const;
export type BreakdownPart = (typeof breakdownParts)[number];
export const PARTS = breakdownParts.length;
export const PART_MATRIX = 0;
export const PART_VECTOR = 1;
export const PART_MEMORY = 2;
export const PART_MULTICAST = 3;
export const PART_REDUCE = 4;
export const PART_BARRIER = 5;
export const PART_OTHER = 6;
