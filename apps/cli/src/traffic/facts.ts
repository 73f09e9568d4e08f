import type { Output } from '../errors.ts';
import type { Measurement } from './flags.ts';
import type { TrafficMachine } from './machine.ts';
import type { Measured } from './measure.ts';
import type { StatusLine } from './status-line.ts';

/** Around a measurement. */
export interface TrafficContext {
  readonly signal: AbortSignal;
  readonly status: StatusLine;
  readonly output: Output;
}

/** The fields that every measurement of traffic has, the documented ones first. */
export function measuredJson(measured: Measured): object {
  const { packetLatencyCycles, networkLatencyCycles, hops, offeredFlitRate, acceptedFlitRate, status, cycles, packetHops, flitHops, cpuSeconds, peakRssBytes } = measured;
  const { reason, latencyLimitCycles, latencyPercentiles, packets, packetsLeft, acceptedFlitRateLeast, saturationFlitRate } = measured;
  return {
    packetLatencyCycles, networkLatencyCycles, hops, offeredFlitRate, acceptedFlitRate, status, cycles, packetHops, flitHops, cpuSeconds, peakRssBytes,
    reason, latencyLimitCycles, latencyPercentiles, packets, packetsLeft, acceptedFlitRateLeast, ...(saturationFlitRate === undefined ? {} : { saturationFlitRate }),
  };
}

export function machineFacts({ hardware, fidelity, virtualChannels, bufferFlits, pipeline, switchHold }: TrafficMachine): object {
  return { hardware: hardware.name, fidelity, virtualChannels, bufferFlits, pipeline, ...(fidelity === 'flit' ? { switchHold } : {}) };
}

/** `cycles` of a result are those simulated in all. */
export function measurementFacts({ seed, warmupCycles, cycles }: Measurement): object {
  return { seed, warmupCycles, measuredCycles: cycles };
}

/** Labels and values for a person, in two columns. */
export function twoColumns(rows: readonly (readonly [label: string, value: string])[]): string {
  return rows.map(([label, value]) => `${label.padEnd(18)}${value}\n`).join('');
}
