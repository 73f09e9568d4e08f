import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { tiles } from '@kerf/hardware';
import { CliError, exitCodes, reportError, type Output } from '../errors.ts';
import { Interruption } from '../interruption.ts';
import { amount } from '../progress.ts';
import { readEvents } from './events-file.ts';
import { machineFacts, measuredJson, measurementFacts, twoColumns, type TrafficContext } from './facts.ts';
import { fidelityOf, flitsOfFlags, lanesOf, measurementOf, patternOf, rateOf, refuseFlags, type TrafficFlags } from './flags.ts';
import { machineOf, type TrafficMachine } from './machine.ts';
import { measure, type Measured, type Traffic } from './measure.ts';
import { collectiveTraffic } from './collective.ts';
import { notesOf } from './notes.ts';
import { StatusLine } from './status-line.ts';
import { streamTraffic } from './stream.ts';
import { sweepTraffic } from './sweep.ts';
import { refuseExisting, writeWhole } from './write-whole.ts';

/**
 * `kerf traffic`: open-loop traffic of a pattern or a trace, a stream, a collective, or a sweep over rates.
 *
 * @returns the exit code
 * @throws KerfError for bad input, before anything was simulated or written
 */
export async function traffic(flags: TrafficFlags, output: Output): Promise<number> {
  const interruption = new Interruption(TERMINATED);
  const status = new StatusLine(process.stderr, () => performance.now());
  try {
    await kindOf(flags)(flags, { signal: interruption.signal, status, output });
    return exitCodes.done;
  } catch (error) {
    status.clear();
    if (!interruption.signal.aborted) throw error;
    const code = reportError(error, flags.json === true, output);
    return (interruption.signal.reason as CliError).context['signal'] === 'SIGTERM' ? TERMINATED : code;
  } finally {
    interruption.end();
  }
}

/** What a shell says of a process that SIGTERM ended. */
const TERMINATED = 143;

type Kind = (flags: TrafficFlags, context: TrafficContext) => Promise<void>;

function kindOf(flags: TrafficFlags): Kind {
  const chosen = (['events', 'stream', 'collective', 'sweep'] as const).filter((kind) => flags[kind] !== undefined);
  if (chosen.length > 1) throw new CliError('CLI_USAGE', `--${chosen[0]} and --${chosen[1]} are different kinds of traffic; give one of them.`);
  switch (chosen[0]) {
    case 'stream':
      return streamTraffic;
    case 'collective':
      return collectiveTraffic;
    case 'sweep':
      return sweepTraffic;
    default:
      return single;
  }
}

const otherKinds = ['bytes', 'packetBytes', 'window', 'region', 'at', 'root', 'repeat', 'rates'] as const;

async function single(flags: TrafficFlags, context: TrafficContext): Promise<void> {
  refuseFlags(flags, 'the traffic of a pattern or a trace', otherKinds);
  const path = flags.out === undefined ? undefined : resolve(flags.out);
  if (path !== undefined) refuseExisting([path], flags.force === true);
  const measurement = measurementOf(flags);
  const fidelity = fidelityOf(flags.fidelity ?? 'packet');
  const virtualChannels = flags.vcs === undefined ? undefined : lanesOf(flags.vcs);
  const { machine, what, facts } = await (flags.events === undefined ? ofPattern(flags) : ofEvents(flags, flags.events));
  const measured = await measure(machine, what, measurement, { ...context, label: machine.hardware.name });
  const result = { ...measuredJson(measured), ...facts, ...machineFacts(machine), ...measurementFacts(measurement), notes: notesOf(machine, 'flits' in what ? what.flits : null, measured.simulated) };
  if (path !== undefined) writeWhole(path, `${JSON.stringify(result, undefined, 2)}\n`);
  context.output.out(flags.json === true ? `${JSON.stringify(result)}\n` : text(result, measured));

  async function ofPattern(given: TrafficFlags): Promise<{ machine: TrafficMachine; what: Traffic; facts: object }> {
    const flits = flitsOfFlags(given);
    const pattern = patternOf(given.pattern ?? 'uniform');
    const rate = rateOf('--rate', given.rate ?? '0.05', flits);
    return { machine: await machineOf(given, fidelity, virtualChannels, flits, context.signal), what: { pattern, rate, flits }, facts: { pattern, rate, flits } };
  }

  async function ofEvents(given: TrafficFlags, file: string): Promise<{ machine: TrafficMachine; what: Traffic; facts: object }> {
    refuseFlags(given, '--events', ['pattern', 'rate', 'cycles', 'latencyLimitCycles']);
    // Transfers are cut into packets, on a mesh by default as large as a buffer holds.
    const flits = given.flits === undefined ? Number(given.bufferFlits ?? 8) : flitsOfFlags(given);
    const chosen = await machineOf(given, fidelity, virtualChannels, flits, context.signal);
    return { machine: chosen, what: { events: readEvents(resolve(file), tiles(chosen.hardware)) }, facts: { events: file } };
  }
}

function text(result: object, measured: Measured): string {
  const { packetLatencyCycles, networkLatencyCycles, hops, offeredFlitRate, acceptedFlitRate, acceptedFlitRateLeast, latencyPercentiles, status, reason, cycles, packetHops, flitHops, cpuSeconds, peakRssBytes, packets } = measured;
  const { hardware, fidelity, notes, pattern, events } = result as { hardware: string; fidelity: string; notes: string[]; pattern?: string; events?: string };
  const number = (value: number | null): string => (value === null ? 'unknown' : value.toFixed(2));
  const per = cpuSeconds > 0 && measured.simulated ? ` (${amount(packetHops / cpuSeconds)} packet-hops and ${amount(flitHops / cpuSeconds)} flit-hops per CPU second)` : '';
  const rows: [string, string][] = [
    ['Traffic', `${pattern ?? events} on ${hardware}, ${fidelity} fidelity`],
    ['Status', reason === null ? status : `${status}: ${reason}`],
    ...(packetLatencyCycles === null
      ? [['Packet latency', measured.simulated ? 'unknown: no packet that was created in the measured cycles, behind the warm-up, arrived' : 'without bound'] as [string, string]]
      : ([['Packet latency', `${number(packetLatencyCycles)} cycles, from creation to the last flit`], ['Network latency', `${number(networkLatencyCycles)} cycles, without the source queue`]] as [string, string][])),
    ...(latencyPercentiles === null ? [] : ([['Percentiles', `p50 ${latencyPercentiles.p50}, p95 ${latencyPercentiles.p95}, p99 ${latencyPercentiles.p99}, max ${latencyPercentiles.max} cycles of ${packets} packets`]] as [string, string][])),
    ...(hops === null ? [] : [['Hops', `${number(hops)} routers`] as [string, string]]),
    ['Offered', `${offeredFlitRate.toPrecision(4)} flits per tile and cycle`],
    ['Accepted', `${acceptedFlitRate.toPrecision(4)} flits per tile and cycle${measured.simulated ? `, ${acceptedFlitRateLeast.toPrecision(4)} at the tile that got least` : ''}`],
    ['Simulated', `${cycles} cycles, ${amount(packetHops)} packet-hops, ${amount(flitHops)} flit-hops after the warm-up`],
    ['Cost', `${cpuSeconds.toFixed(3)} s of CPU${per}, ${amount(peakRssBytes)}B of memory at most`],
    ...notes.map((note): [string, string] => ['Note', note]),
  ];
  return twoColumns(rows);
}
