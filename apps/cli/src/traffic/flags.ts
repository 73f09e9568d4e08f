import { patternName, type Fidelity, type PatternName } from '@kerf/fabric';
import { CliError } from '../errors.ts';
import { fidelities, MOST_LANES, type MachineFlags } from './machine.ts';
import { positiveNumber, whole, word } from './numbers.ts';

/** What a person wrote behind `kerf traffic`: text, as it stands. */
export interface TrafficFlags extends MachineFlags {
  readonly fidelity?: string;
  readonly pattern?: string;
  readonly rate?: string;
  readonly flits?: string;
  readonly vcs?: string;
  readonly warmupCycles?: string;
  readonly cycles?: string;
  readonly latencyLimitCycles?: string;
  readonly seed?: string;
  readonly events?: string;
  readonly stream?: string | true;
  readonly bytes?: string;
  readonly packetBytes?: string;
  readonly window?: string;
  readonly collective?: string;
  readonly region?: readonly string[];
  readonly at?: string;
  readonly root?: string;
  readonly repeat?: string;
  readonly sweep?: boolean;
  readonly rates?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** How traffic is measured, whatever it is. */
export interface Measurement {
  readonly seed: number;
  readonly warmupCycles: number;
  readonly cycles: number;
  /** Undefined: as the network is large. */
  readonly latencyLimitCycles: number | undefined;
}

const MOST_CYCLES = 1_000_000_000;
export const MOST_PACKET_FLITS = 4095;

export function measurementOf(flags: TrafficFlags): Measurement {
  return {
    seed: flags.seed === undefined ? 1 : whole('--seed', flags.seed, 0, Number.MAX_SAFE_INTEGER),
    warmupCycles: flags.warmupCycles === undefined ? 1000 : whole('--warmup-cycles', flags.warmupCycles, 0, MOST_CYCLES),
    cycles: flags.cycles === undefined ? 10_000 : whole('--cycles', flags.cycles, 1, MOST_CYCLES),
    latencyLimitCycles: flags.latencyLimitCycles === undefined ? undefined : whole('--latency-limit-cycles', flags.latencyLimitCycles, 1, MOST_CYCLES),
  };
}

export function flitsOfFlags(flags: TrafficFlags): number {
  return flags.flits === undefined ? 1 : whole('--flits', flags.flits, 1, MOST_PACKET_FLITS);
}

export const fidelityOf = (text: string): Fidelity => word('--fidelity', text, fidelities);
export const lanesOf = (text: string): number => whole('--vcs', text, 1, MOST_LANES);
export const patternOf = (text: string): PatternName => patternName(text);

/** The rate is at most a packet per cycle; at flit level that is as many flits as a packet has. */
export function rateOf(flag: string, text: string, flits: number): number {
  return positiveNumber(flag, text, flits);
}

/** Refuses flags that mean nothing in this kind of run. */
export function refuseFlags(flags: TrafficFlags, with_: string, names: readonly (keyof TrafficFlags)[]): void {
  for (const name of names) {
    if (flags[name] === undefined) continue;
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new CliError('CLI_USAGE', `${flag} means nothing with ${with_}.`, { flag });
  }
}
