import type { CommandLine, CommandOutput } from './planned-case.ts';
import { numberIn } from './run-case.ts';

// The public commands that suites use, in one place: how they are written, and what is read of what they print.

export interface MeshTraffic {
  readonly columns: number;
  readonly rows: number;
  readonly fidelity: 'flit' | 'packet' | 'analytic';
  readonly pattern: string;
  /** Offered load, flits per node and cycle. */
  readonly flitRate: number;
  readonly packetFlits: number;
  readonly virtualChannels: number;
  readonly bufferFlits: number;
  /** Name or JSON of a router pipeline. */
  readonly pipeline: string;
  /** Flit fidelity only: `packet` holds a link until the tail. */
  readonly switchHold?: 'flit' | 'packet';
  readonly warmupCycles: number;
  /** Cycles of measurement, after the warm-up. */
  readonly cycles: number;
  readonly seed: number;
  /** Mean latency from which the network is called saturated; 500 if absent. */
  readonly latencyLimitCycles?: number;
}

/** `kerf traffic` with a pattern on a mesh. */
export function trafficLine(t: MeshTraffic): CommandLine {
  return [
    'traffic', '--mesh', `${t.columns}x${t.rows}`, '--fidelity', t.fidelity, '--pattern', t.pattern, '--rate', decimal(t.flitRate), '--flits', String(t.packetFlits),
    '--vcs', String(t.virtualChannels), '--buffer-flits', String(t.bufferFlits), '--pipeline', t.pipeline, ...(t.switchHold === undefined ? [] : ['--switch-hold', t.switchHold]),
    '--warmup-cycles', String(t.warmupCycles), '--cycles', String(t.cycles), ...(t.latencyLimitCycles === undefined ? [] : ['--latency-limit-cycles', String(t.latencyLimitCycles)]), '--seed', String(t.seed), '--json',
  ];
}

/** A number without an exponent, as a person would type it. */
function decimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/0+$/, '').replace(/(\d*\.0*[1-9]\d{0,5}).*/, '$1') : text;
}

/**
 * CPU seconds of such a run, a rough statement: 0.1 s to start, 5 million flit-hops per second, and 20 ns for each node and
 * cycle in which a packet might be born.
 */
export function trafficCostSeconds({ columns, rows, flitRate, warmupCycles, cycles, fidelity }: MeshTraffic): number {
  if (fidelity === 'analytic') return 0.1;
  const nodeCycles = columns * rows * (warmupCycles + cycles);
  const routers = (columns + rows) / 3 + 1;
  return 0.1 + (nodeCycles * flitRate * routers) / 5e6 + nodeCycles * 2e-9;
}

export interface Collective {
  readonly hardware: string;
  readonly collective: string;
  /** Rectangle of tiles, columns × rows. */
  readonly columns: number;
  readonly rows: number;
  readonly bytes: number;
}

/** `kerf traffic` with one collective in an empty network. */
export function collectiveLine({ hardware, collective, columns, rows, bytes }: Collective, fidelity: 'flit' | 'packet' | 'analytic'): CommandLine {
  return ['traffic', '--hardware', hardware, '--fidelity', fidelity, '--collective', collective, '--region', `${columns}x${rows}`, '--bytes', String(bytes), '--json'];
}

export const packetLatency = (output: CommandOutput | undefined): number => numberIn(output, 'packetLatencyCycles');
export const acceptedRate = (output: CommandOutput | undefined): number => numberIn(output, 'acceptedFlitRate');
/** Mean routers traversed: links + 1. */
export const meanHops = (output: CommandOutput | undefined): number => numberIn(output, 'hops');
export const cyclesOf = (output: CommandOutput | undefined): number => numberIn(output, 'cycles');
export const isSaturated = (output: CommandOutput | undefined): boolean => output?.['status'] === 'saturated';

/** `kerf traffic` with the events of a trace on a mesh, from its first cycle on; buffers hold four packets, more than a round trip takes. */
export function eventsLine(path: string, { columns, rows, fidelity, packetFlits, pipeline }: Pick<MeshTraffic, 'columns' | 'rows' | 'fidelity' | 'packetFlits' | 'pipeline'>): CommandLine {
  return [
    'traffic', '--mesh', `${columns}x${rows}`, '--fidelity', fidelity, '--events', path, '--flits', String(packetFlits), '--buffer-flits', String(4 * packetFlits), '--pipeline', pipeline,
    '--warmup-cycles', '0', '--json',
  ];
}

/** `kerf traffic` with one tile of a mesh that sends to another as fast as it can; buffers as in {@link eventsLine}. */
export function meshStreamLine(t: Pick<MeshTraffic, 'columns' | 'rows' | 'fidelity' | 'packetFlits' | 'pipeline'>, from: number, to: number, bytes: number): CommandLine {
  return [
    'traffic', '--mesh', `${t.columns}x${t.rows}`, '--fidelity', t.fidelity, '--stream', `${from}:${to}`, '--bytes', String(bytes), '--flits', String(t.packetFlits),
    '--buffer-flits', String(4 * t.packetFlits), '--pipeline', t.pipeline, '--json',
  ];
}

/** `kerf traffic` with a stream from one chip to the next, over a link of so many nanoseconds, which at 1 GHz are cycles. */
export function chipStreamLine(latencyNanoseconds: number, bytes: number): CommandLine {
  return ['traffic', '--hardware', 'c2c-256g', '--set', `hardware.d2d.link.cycles=${latencyNanoseconds}`, '--fidelity', 'packet', '--stream', '0:1', '--bytes', String(bytes), '--json'];
}

/** Bytes of a flit on a mesh of bare routers. */
export const MESH_FLIT_BYTES = 16;

/** GB/s that a stream gets behind its first packet; at 1 GHz, as meshes and chips here have, also bytes per cycle. */
export const streamThroughput = (output: CommandOutput | undefined): number => numberIn(output, 'throughputGigabytesPerSecond');
/** GB/s of a whole stream, up to its last arrival and with the way of its first packet. */
export const wholeThroughput = (output: CommandOutput | undefined): number => numberIn(output, 'wholeGigabytesPerSecond');
/** The longest way of all packets, from creation to the arrival of the tail. */
export const longestLatency = (output: CommandOutput | undefined): number => numberIn(output, 'latencyPercentiles.max');
/** Load at which the busiest link is always busy, as analytic fidelity estimates it. */
export const boundOf = (output: CommandOutput | undefined): number => numberIn(output, 'saturationFlitRate');

/** `kerf hardware show`. */
export function hardwareLine(preset: string): CommandLine {
  return ['hardware', 'show', preset, '--json'];
}

/** Bytes per second, each way, over the narrower cut through the middle of a die. */
export const bisectionBandwidth = (output: CommandOutput | undefined): number => numberIn(output, 'figures.die.bisectionBytesPerSecond');
