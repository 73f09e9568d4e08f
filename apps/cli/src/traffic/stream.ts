import { resolve } from 'node:path';
import { StreamRun } from '@kerf/fabric';
import { tiles } from '@kerf/hardware';
import { CliError } from '../errors.ts';
import { drive } from './drive.ts';
import { machineFacts, twoColumns, type TrafficContext } from './facts.ts';
import { fidelityOf, flitsOfFlags, lanesOf, refuseFlags, type TrafficFlags } from './flags.ts';
import { fabricsOf, machineOf } from './machine.ts';
import { notesOf } from './notes.ts';
import { whole } from './numbers.ts';
import { refuseExisting, writeWhole } from './write-whole.ts';

/** Packets of a stream whose bytes nobody says: enough for the first ones not to count. */
const DEFAULT_PACKETS = 100_000;

/** `kerf traffic --stream FROM:TO`: the throughput of one tile that sends to another as fast as it can. */
export async function streamTraffic(flags: TrafficFlags, context: TrafficContext): Promise<void> {
  refuseFlags(flags, '--stream', ['pattern', 'rate', 'warmupCycles', 'cycles', 'latencyLimitCycles', 'region', 'at', 'root', 'repeat', 'rates']);
  const path = flags.out === undefined ? undefined : resolve(flags.out);
  if (path !== undefined) refuseExisting([path], flags.force === true);
  const machine = await machineOf(flags, fidelityOf(flags.fidelity ?? 'packet'), flags.vcs === undefined ? undefined : lanesOf(flags.vcs), flags.flits === undefined ? null : flitsOfFlags(flags), context.signal);
  const { hardware } = machine;
  const { from, to } = pairOf(flags.stream, tiles(hardware));
  const packetBytes = flags.packetBytes === undefined ? hardware.link.maxPacketBytes : whole('--packet-bytes', flags.packetBytes, 1, hardware.link.maxPacketBytes);
  const bytes = flags.bytes === undefined ? packetBytes * DEFAULT_PACKETS : whole('--bytes', flags.bytes, 1, packetBytes * 10_000_000);
  const window = flags.window === undefined ? 4096 : whole('--window', flags.window, 1, 10_000_000);
  const run = new StreamRun(await fabricsOf(machine, context.signal), { from, to, bytes, packetBytes, window });
  const cost = await drive(run, { ...context, label: `${from}:${to} on ${hardware.name}` });
  const { cycles, packets, flits, firstArrivalCycle, bytesPerCycle, steadyBytesPerCycle, networkLatencyCycles, hops, packetHops, flitHops } = run.result();
  const gigabytesPerSecond = (perCycle: number): number => (perCycle * hardware.clockMegahertz) / 1000;
  const result = {
    throughputGigabytesPerSecond: gigabytesPerSecond(steadyBytesPerCycle), wholeGigabytesPerSecond: gigabytesPerSecond(bytesPerCycle), cycles, packets, flits, firstArrivalCycle, networkLatencyCycles,
    hops, packetHops, flitHops, ...cost, stream: `${from}:${to}`, bytes, packetBytes, window, ...machineFacts(machine), notes: notesOf(machine, Math.ceil(packetBytes / hardware.link.bytesPerCycle), true),
  };
  if (path !== undefined) writeWhole(path, `${JSON.stringify(result, undefined, 2)}\n`);
  context.output.out(
    flags.json === true
      ? `${JSON.stringify(result)}\n`
      : twoColumns([
          ['Stream', `tile ${from} to tile ${to} of ${hardware.name}, ${machine.fidelity} fidelity: ${packets} packets of ${packetBytes} B`],
          ['Throughput', `${result.throughputGigabytesPerSecond.toFixed(2)} GB/s behind the first packet, ${result.wholeGigabytesPerSecond.toFixed(2)} GB/s with its way there`],
          ['First arrival', `cycle ${firstArrivalCycle}`],
          ['Simulated', `${cycles} cycles, ${hops} routers on the way`],
          ['Cost', `${cost.cpuSeconds.toFixed(3)} s of CPU`],
          ...result.notes.map((note) => ['Note', note] as const),
        ]),
  );
}

/** `3:17` as two tiles; without it the first and the last of the machine. */
function pairOf(text: string | true | undefined, count: number): { from: number; to: number } {
  if (typeof text !== 'string') return { from: 0, to: count - 1 };
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(text.trim());
  const [from, to] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from >= count || to >= count) {
    throw new CliError('CLI_USAGE', `--stream takes two tiles such as 0:${count - 1}, each from 0 to ${count - 1}, got "${text}".`, { flag: '--stream', got: text });
  }
  return { from, to };
}
