import { resolve } from 'node:path';
import { collectiveNames, CollectiveRun, planMulticast, planReduction, type CollectiveName } from '@kerf/fabric';
import type { Rectangle } from '@kerf/hardware';
import { CliError } from '../errors.ts';
import { drive } from './drive.ts';
import { machineFacts, twoColumns, type TrafficContext } from './facts.ts';
import { fidelityOf, flitsOfFlags, lanesOf, refuseFlags, type TrafficFlags } from './flags.ts';
import { fabricOf, machineOf } from './machine.ts';
import { notesOf } from './notes.ts';
import { place, size, whole, word } from './numbers.ts';
import { refuseExisting, writeWhole } from './write-whole.ts';

const MOST_BYTES = 2 ** 32;

/** `kerf traffic --collective`: a multicast, reduction or barrier inside the network, in an otherwise empty die. */
export async function collectiveTraffic(flags: TrafficFlags, context: TrafficContext): Promise<void> {
  refuseFlags(flags, '--collective', ['pattern', 'rate', 'warmupCycles', 'cycles', 'latencyLimitCycles', 'packetBytes', 'window', 'rates']);
  const path = flags.out === undefined ? undefined : resolve(flags.out);
  if (path !== undefined) refuseExisting([path], flags.force === true);
  const kind = word('--collective', flags.collective!, collectiveNames);
  const machine = machineOf(flags, fidelityOf(flags.fidelity ?? 'packet'), flags.vcs === undefined ? undefined : lanesOf(flags.vcs), flags.flits === undefined ? null : flitsOfFlags(flags));
  const { hardware } = machine;
  const { tilesX, tilesY } = hardware.die;
  const bytes = bytesOf(kind, flags.bytes);
  const repeat = flags.repeat === undefined ? 1 : whole('--repeat', flags.repeat, 1, 1_000_000);
  const region = regionOf(flags, tilesX, tilesY);
  const root = flags.root === undefined ? region : place('--root', flags.root);
  if (root.x >= tilesX || root.y >= tilesY) throw new CliError('CLI_USAGE', `--root is a tile of the die, from 0,0 to ${tilesX - 1},${tilesY - 1}, got ${flags.root}.`, { flag: '--root', got: flags.root ?? '' });
  const rootTile = root.y * tilesX + root.x;
  const multicast = kind === 'reduce' ? undefined : planMulticast(hardware, 0, rootTile, region);
  const reduction = kind === 'multicast' ? undefined : planReduction(hardware, 0, rootTile, region);
  // A machine with a network for synchronisation has its barriers there.
  const network = kind === 'barrier' && hardware.syncLink !== undefined ? 'sync' : 'wide';
  const fabric = fabricOf(machine, 0, { network, reductions: kind !== 'multicast' });
  const run = new CollectiveRun(fabric, {
    kind, bytes, repeat, ...(multicast === undefined ? {} : { multicast }), ...(reduction === undefined ? {} : { reduction, contributors: reduction.tiles }),
  });
  const cost = await drive(run, { ...context, label: `${kind} on ${hardware.name}` });
  const { cycles, beats, repetitions, packetHops, flitHops } = run.result();
  const members = (multicast ?? reduction!).tiles.length;
  const absent = (multicast ?? reduction!).absent.length;
  const result = {
    cycles, beats, members, cyclesOfEach: cycles / repeat, firstCycles: repetitions[0]!, packetHops, flitHops, ...cost,
    collective: kind, region: `${region.width}x${region.height}`, at: `${region.x},${region.y}`, root: `${root.x},${root.y}`, bytes, repeat, network, absentTiles: absent,
    ...machineFacts(machine), notes: notesOf(machine, beats, true),
  };
  if (path !== undefined) writeWhole(path, `${JSON.stringify(result, undefined, 2)}\n`);
  context.output.out(
    flags.json === true
      ? `${JSON.stringify(result)}\n`
      : twoColumns([
          ['Collective', `${kind} over ${members} tiles (${result.region} at ${result.at}, root ${result.root}) of ${hardware.name}, ${machine.fidelity} fidelity, ${network} network`],
          ['Cycles', repeat === 1 ? `${cycles}` : `${cycles} for ${repeat}, ${result.cyclesOfEach.toFixed(1)} each`],
          ['Beats', `${beats} flits`],
          ...(absent === 0 ? [] : [['Absent', `${absent} tiles of the region are missing; the tree goes around them`] as const]),
          ['Cost', `${cost.cpuSeconds.toFixed(3)} s of CPU`],
          ...result.notes.map((note) => ['Note', note] as const),
        ]),
  );
}

function bytesOf(kind: CollectiveName, text: string | undefined): number {
  if (kind === 'barrier') {
    if (text !== undefined && whole('--bytes', text, 0, MOST_BYTES) !== 0) throw new CliError('CLI_USAGE', `A barrier carries no data: leave --bytes out, or give 0; got ${text}.`, { flag: '--bytes', got: text });
    return 0;
  }
  if (text === undefined) throw new CliError('CLI_USAGE', `--collective ${kind} needs --bytes, from 1 to ${MOST_BYTES}.`, { flag: '--bytes' });
  return whole('--bytes', text, 1, MOST_BYTES);
}

function regionOf(flags: TrafficFlags, tilesX: number, tilesY: number): Rectangle {
  const { x, y } = flags.at === undefined ? { x: 0, y: 0 } : place('--at', flags.at);
  const { width, height } = flags.region === undefined ? { width: tilesX - x, height: tilesY - y } : size('--region', flags.region, Math.max(tilesX, tilesY));
  if (x + width > tilesX || y + height > tilesY || width < 1 || height < 1) {
    throw new CliError('CLI_USAGE', `The region ${width}x${height} at ${x},${y} does not fit the die: it has ${tilesX}x${tilesY} tiles.`, { flag: '--region', got: flags.region ?? '' });
  }
  return { x, y, width, height };
}
