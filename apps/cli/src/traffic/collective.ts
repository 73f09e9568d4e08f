import { resolve } from 'node:path';
import { checkConcurrentReductions, collectiveNames, CollectiveRun, planMulticast, planReduction, type CollectiveName, type PlannedSet } from '@kerf/fabric';
import { reductionOf, type Rectangle } from '@kerf/hardware';
import { CliError } from '../errors.ts';
import { breathe, drive } from './drive.ts';
import { machineFacts, twoColumns, type TrafficContext } from './facts.ts';
import { fidelityOf, flitsOfFlags, lanesOf, refuseFlags, type TrafficFlags } from './flags.ts';
import { fabricOf, machineOf } from './machine.ts';
import { notesOf } from './notes.ts';
import { place, size, whole, word } from './numbers.ts';
import { refuseExisting, writeWhole } from './write-whole.ts';

const MOST_BYTES = 2 ** 32;

/** `kerf traffic --collective`: a multicast, reduction or barrier inside the network of an otherwise empty die, in one or several regions at once. */
export async function collectiveTraffic(flags: TrafficFlags, context: TrafficContext): Promise<void> {
  refuseFlags(flags, '--collective', ['pattern', 'rate', 'warmupCycles', 'cycles', 'latencyLimitCycles', 'packetBytes', 'window', 'rates']);
  const path = flags.out === undefined ? undefined : resolve(flags.out);
  if (path !== undefined) refuseExisting([path], flags.force === true);
  const kind = word('--collective', flags.collective!, collectiveNames);
  const machine = await machineOf(flags, fidelityOf(flags.fidelity ?? 'packet'), flags.vcs === undefined ? undefined : lanesOf(flags.vcs), flags.flits === undefined ? null : flitsOfFlags(flags), context.signal);
  const { hardware } = machine;
  const { tilesX, tilesY } = hardware.die;
  const bytes = bytesOf(kind, flags.bytes);
  const repeat = flags.repeat === undefined ? 1 : whole('--repeat', flags.repeat, 1, 1_000_000);
  const regions = regionsOf(flags, tilesX, tilesY);
  const groups = regions.map((region) => {
    const root = rootOf(flags, region, tilesX, tilesY);
    const multicast = kind === 'reduce' ? undefined : planMulticast(hardware, 0, root, region);
    const reduction = kind === 'multicast' ? undefined : planReduction(hardware, 0, root, region);
    return { region, root, ...(multicast === undefined ? {} : { multicast }), ...(reduction === undefined ? {} : { reduction, contributors: reduction.tiles }), ...tilesOf(multicast ?? reduction!) };
  });
  const reductions = groups.flatMap(({ reduction }) => (reduction === undefined ? [] : [{ plan: reduction }]));
  checkConcurrentReductions(hardware, reductions, reductionOf(hardware).tableEntries);
  // A machine with a network for synchronisation has its barriers there.
  const network = kind === 'barrier' && hardware.syncLink !== undefined ? 'sync' : 'wide';
  const fabric = fabricOf(machine, 0, { network, reductions: kind !== 'multicast' });
  await breathe(context.signal);
  const run = new CollectiveRun(fabric, { kind, groups, bytes, repeat });
  const cost = await drive(run, { ...context, label: `${kind} on ${hardware.name}` });
  const { cycles, beats, repetitions, packetHops, flitHops } = run.result();
  const sum = (of: 'members' | 'absentTiles'): number => groups.reduce((total, group) => total + group[of], 0);
  const [members, absent] = [sum('members'), sum('absentTiles')];
  const places = groups.map(({ region, root }) => ({ region: `${region.width}x${region.height}`, at: `${region.x},${region.y}`, root: `${root % tilesX},${Math.floor(root / tilesX)}` }));
  const result = {
    cycles, beats, members, cyclesOfEach: cycles / repeat, firstCycles: repetitions[0]!, packetHops, flitHops, ...cost,
    collective: kind, ...places[0]!, ...(places.length === 1 ? {} : { regions: places }), bytes, repeat, network, absentTiles: absent,
    ...machineFacts(machine), notes: notesOf(machine, beats, true),
  };
  if (path !== undefined) writeWhole(path, `${JSON.stringify(result, undefined, 2)}\n`);
  context.output.out(
    flags.json === true
      ? `${JSON.stringify(result)}\n`
      : twoColumns([
          ['Collective', `${kind} over ${members} tiles (${places.map(({ region, at, root }) => `${region} at ${at}, root ${root}`).join('; ')}) of ${hardware.name}, ${machine.fidelity} fidelity, ${network} network`],
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

/** `8x4`, or `8x4@0,4` with its north-west corner; without any, the whole die from --at on. */
function regionsOf(flags: TrafficFlags, tilesX: number, tilesY: number): Rectangle[] {
  const texts = flags.region ?? [];
  const corner = flags.at === undefined ? undefined : place('--at', flags.at);
  if (corner !== undefined && (texts.length > 1 || texts.some((text) => text.includes('@')))) {
    throw new CliError('CLI_USAGE', '--at is the corner of a single region; where there are several, each has its own, such as --region 4x4@0,0 --region 4x4@4,0.', { flag: '--at', got: flags.at ?? '' });
  }
  if (texts.length === 0) return [inside(corner ?? { x: 0, y: 0 }, undefined, '')];
  return texts.map((text) => {
    const [extent, ...at] = text.split('@');
    if (at.length > 1) throw new CliError('CLI_USAGE', `--region takes a size, and behind an @ the corner, such as 4x4@0,8, got "${text}".`, { flag: '--region', got: text });
    return inside(at.length === 0 ? (corner ?? { x: 0, y: 0 }) : place('--region', at[0]!), size('--region', extent!, Math.max(tilesX, tilesY)), text);
  });

  function inside({ x, y }: { x: number; y: number }, extent: { width: number; height: number } | undefined, text: string): Rectangle {
    const { width, height } = extent ?? { width: tilesX - x, height: tilesY - y };
    if (x + width > tilesX || y + height > tilesY || width < 1 || height < 1) {
      throw new CliError('CLI_USAGE', `The region ${width}x${height} at ${x},${y} does not fit the die: it has ${tilesX}x${tilesY} tiles.`, { flag: '--region', got: text });
    }
    return { x, y, width, height };
  }
}

/** The tile that sends or receives: of a single region any of the die, else the north-west corner of each. */
function rootOf(flags: TrafficFlags, region: Rectangle, tilesX: number, tilesY: number): number {
  if (flags.root === undefined) return region.y * tilesX + region.x;
  if ((flags.region ?? []).length > 1) throw new CliError('CLI_USAGE', '--root is for a single region; of several, each has its north-west corner as its root.', { flag: '--root', got: flags.root });
  const { x, y } = place('--root', flags.root);
  if (x >= tilesX || y >= tilesY) throw new CliError('CLI_USAGE', `--root is a tile of the die, from 0,0 to ${tilesX - 1},${tilesY - 1}, got ${flags.root}.`, { flag: '--root', got: flags.root });
  return y * tilesX + x;
}

function tilesOf({ tiles, absent }: PlannedSet): { members: number; absentTiles: number } {
  return { members: tiles.length, absentTiles: absent.length };
}
