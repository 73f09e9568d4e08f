import type { PatternName } from '@kerf/fabric';
import type { TrafficMachine } from './machine.ts';
import type { Measured } from './measure.ts';

/** One latency–load curve. */
export interface Series {
  readonly machine: TrafficMachine;
  readonly pattern: PatternName;
  readonly flits: number;
  readonly name: string;
  /** In the order in which they were measured. */
  readonly points: { readonly rate: number; readonly saturated: boolean; readonly measured: Measured }[];
}
