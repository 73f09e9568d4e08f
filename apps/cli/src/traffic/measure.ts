import { defaultLatencyLimit, estimatingTraffic, longestIdleCycles, trafficPattern, TrafficRun, waferFabric, type PatternName, type TrafficEvents, type TrafficResult } from '@kerf/fabric';
import { drive, inPieces, peakRssBytes, type Cost, type DriveOptions } from './drive.ts';
import type { Measurement } from './flags.ts';
import { fabricsOf, type TrafficMachine } from './machine.ts';

/** The traffic of one measurement. */
export type Traffic =
  | { readonly pattern: PatternName; readonly rate: number; readonly flits: number }
  | { readonly events: TrafficEvents };

export type Measured = TrafficResult & Cost & { readonly simulated: boolean; readonly saturationFlitRate?: number };

/** Measures traffic on a machine; at analytic fidelity patterns on a single whole die are estimated, without simulating anything. */
export async function measure(machine: TrafficMachine, traffic: Traffic, measurement: Measurement, options: DriveOptions): Promise<Measured> {
  const { hardware, fidelity, absent } = machine;
  const { seed, warmupCycles, cycles, latencyLimitCycles } = measurement;
  if ('pattern' in traffic && fidelity === 'analytic' && hardware.wafer.diesX * hardware.wafer.diesY === 1 && absent === undefined) return estimated(machine, traffic, seed, latencyLimitCycles, options.signal);
  const fabrics = await fabricsOf(machine, options.signal);
  const missing = absent === undefined ? {} : { absent };
  const run =
    'pattern' in traffic
      ? new TrafficRun(fabrics, { ...missing, pattern: traffic.pattern, rate: traffic.rate, bytes: traffic.flits * hardware.link.bytesPerCycle, seed, warmupCycles, cycles, ...(latencyLimitCycles === undefined ? {} : { latencyLimitCycles }) })
      : new TrafficRun(fabrics, { ...missing, events: traffic.events, seed, warmupCycles, cycles: 1 });
  const cost = await drive(run, options);
  return { ...run.result(), ...cost, simulated: true };
}

async function estimated(machine: TrafficMachine, { pattern: name, rate, flits }: Extract<Traffic, { pattern: PatternName }>, seed: number, limit: number | undefined, signal: AbortSignal): Promise<Measured> {
  const fabric = (await fabricsOf(machine, signal))[0]!;
  const { topology } = fabric;
  const wafer = waferFabric(fabric);
  const pattern = trafficPattern(name, wafer.grid, seed);
  const latencyLimitCycles = limit ?? defaultLatencyLimit(longestIdleCycles(wafer, flits));
  const before = process.cpuUsage();
  const estimate = await inPieces(estimatingTraffic(topology, pattern, rate, flits * topology.flitBytes), signal);
  const { user, system } = process.cpuUsage(before);
  const { packetLatencyCycles, networkLatencyCycles, hops, offeredFlitRate, acceptedFlitRate, saturationFlitRate } = estimate;
  const full = packetLatencyCycles === null ? `the busiest link is full from ${Number(saturationFlitRate.toPrecision(4))} flits per tile and cycle on` : null;
  const reason = full ?? (packetLatencyCycles! > latencyLimitCycles ? `the mean latency passed ${latencyLimitCycles} cycles` : null);
  return {
    packetLatencyCycles, networkLatencyCycles, hops, offeredFlitRate, acceptedFlitRate, acceptedFlitRateLeast: 0, status: reason === null ? 'stable' : 'saturated', reason, latencyLimitCycles,
    cycles: 0, packetHops: 0, flitHops: 0, packets: 0, packetsLeft: 0, latencyPercentiles: null,
    cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRssBytes(), simulated: false, saturationFlitRate,
  };
}
