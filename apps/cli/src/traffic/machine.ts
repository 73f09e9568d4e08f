import {
  AnalyticFabric, checkReachable, CLASS_REDUCTION, dieTopology, FlitKernel, meshMachine, PacketKernel, parseFlitPipeline, requiringDeadlockFreedom, type Fabric, type Fidelity, type FlitPipeline, type Network,
} from '@kerf/fabric';
import { dies, isAbsentTile, tiles, type Hardware } from '@kerf/hardware';
import { applySettings, defaultScenario } from '@kerf/scenario';
import { CliError } from '../errors.ts';
import { buildScenario, hardwareOf } from '../scenario-options.ts';
import { breathe, inPieces } from './drive.ts';
import { size, whole, word } from './numbers.ts';

/** What of a command line says on which machine traffic runs. */
export interface MachineFlags {
  readonly mesh?: string;
  readonly hardware?: string;
  readonly pipeline?: string;
  readonly switchHold?: string;
  readonly bufferFlits?: string;
  readonly set?: readonly string[];
}

export type SwitchHold = 'flit' | 'packet';

/** A machine, and how its fabric is simulated. */
export interface TrafficMachine {
  readonly hardware: Hardware;
  readonly fidelity: Fidelity;
  readonly virtualChannels: number;
  /** Flits per lane; null: as the hardware has it. */
  readonly bufferFlits: number | null;
  readonly pipeline: FlitPipeline | null;
  readonly switchHold: SwitchHold;
  /** [tiles] 1: a missing tile; undefined on whole machines. */
  readonly absent: Uint8Array | undefined;
}

export const fidelities = ['flit', 'packet', 'analytic'] as const satisfies readonly Fidelity[];
export const MOST_LANES = 16;
const MOST_FLITS = 4095;
/** The flit kernel counts the flits of a buffer in a byte. */
const MOST_BUFFER_FLITS = 254;
/** The router of --hardware at flit fidelity: what its links take beyond one cycle is wire. */
const SINGLE_CYCLE: FlitPipeline = { routing: 0, vcAllocation: 1, switchAllocation: 1, switchTraversal: 0, creditDelay: 0, lookAhead: true, speculative: true };

/**
 * The machine that the flags mean: a mesh of bare routers with a pipeline, or hardware as it stands (with the lanes and buffers
 * that were asked for).
 *
 * @param packetFlits largest packet; null: as large as the hardware has it
 */
export async function machineOf(flags: MachineFlags, fidelity: Fidelity, virtualChannels: number | undefined, packetFlits: number | null, signal: AbortSignal): Promise<TrafficMachine> {
  const { mesh, hardware: name, set = [] } = flags;
  if (mesh !== undefined && name !== undefined) throw new CliError('CLI_USAGE', 'Traffic runs on a --mesh or on --hardware, not on both.');
  const bufferFlits = flags.bufferFlits === undefined ? undefined : whole('--buffer-flits', flags.bufferFlits, 1, fidelity === 'flit' ? MOST_BUFFER_FLITS : MOST_FLITS);
  const switchHold = flags.switchHold === undefined ? 'flit' : word('--switch-hold', flags.switchHold, ['flit', 'packet']);
  if (name === undefined) {
    const { width, height } = size('--mesh', mesh ?? '8x8', 4096);
    const pipeline = pipelineOf(flags.pipeline ?? 'A');
    const choice = { width, height, virtualChannels: virtualChannels ?? 1, bufferFlits: bufferFlits ?? 8, packetFlits: packetFlits ?? 1, pipeline };
    const hardware = withSettings(meshMachine(choice, fidelity, fidelity !== 'flit' || switchHold === 'packet'), set);
    await checkNetwork(hardware, signal);
    return { hardware, fidelity, virtualChannels: choice.virtualChannels, bufferFlits: choice.bufferFlits, pipeline, switchHold, absent: absentTiles(hardware) };
  }
  if (flags.pipeline !== undefined && fidelity !== 'flit') {
    throw new CliError('CLI_USAGE', '--pipeline describes the routers of a --mesh, or of --hardware at flit fidelity; at packet and analytic fidelity --hardware has its latencies in its links.');
  }
  const given = withSettings(hardwareOf(buildScenario({ hardware: name }, process.cwd()).hardware), set);
  const link = { ...given.link, ...(virtualChannels === undefined ? {} : { virtualChannels }), ...(bufferFlits === undefined ? {} : { credits: bufferFlits }) };
  const hardware = virtualChannels === undefined && bufferFlits === undefined ? given : { ...given, link };
  await checkNetwork(hardware, signal);
  return {
    hardware, fidelity, virtualChannels: link.virtualChannels ?? 1, bufferFlits: bufferFlits ?? null,
    pipeline: flags.pipeline === undefined ? null : pipelineOf(flags.pipeline), switchHold, absent: absentTiles(hardware),
  };
}

/** Every tile can be reached, and no packets can wait for each other in a circle. */
async function checkNetwork(hardware: Hardware, signal: AbortSignal): Promise<void> {
  await breathe(signal);
  checkReachable(hardware);
  await breathe(signal);
  await inPieces(requiringDeadlockFreedom(hardware), signal);
  await breathe(signal);
}

/** `A`, `B`, or an object. */
function pipelineOf(text: string): FlitPipeline {
  if (!text.trimStart().startsWith('{')) return parseFlitPipeline(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError('CLI_USAGE', `--pipeline takes A, B or a JSON object such as {"routing":1,"vcAllocation":1}, got ${text}.`, { flag: '--pipeline', got: text });
  }
  return parseFlitPipeline(value);
}

function withSettings(hardware: Hardware, settings: readonly string[]): Hardware {
  if (settings.length === 0) return hardware;
  const { hardware: changed } = applySettings({ ...defaultScenario(), hardware }, settings);
  return hardwareOf(changed);
}

function absentTiles(hardware: Hardware): Uint8Array | undefined {
  if (hardware.defects === undefined) return undefined;
  return Uint8Array.from({ length: tiles(hardware) }, (_, tile) => (isAbsentTile(hardware, tile) ? 1 : 0));
}

/** One fabric per die. */
export async function fabricsOf(machine: TrafficMachine, signal: AbortSignal): Promise<Fabric[]> {
  const fabrics: Fabric[] = [];
  for (let die = 0; die < dies(machine.hardware); die++) {
    fabrics.push(fabricOf(machine, die));
    await breathe(signal);
  }
  return fabrics;
}

/** The fabric of one die, for one of its networks; with buffers for reductions where they are asked for. */
export function fabricOf(machine: TrafficMachine, die: number, { network = 'wide', reductions = false }: { network?: Network; reductions?: boolean } = {}): Fabric {
  const { hardware, fidelity, pipeline, virtualChannels, bufferFlits, switchHold } = machine;
  const topology = dieTopology(hardware, die, network);
  switch (fidelity) {
    case 'analytic':
      return new AnalyticFabric(topology, { channels: 1 });
    case 'packet':
      return new PacketKernel(topology, { channels: 1, ...(reductions ? { classes: [CLASS_REDUCTION] } : {}) });
    case 'flit':
      return new FlitKernel(topology, {
        channels: 1,
        pipeline: pipeline ?? SINGLE_CYCLE,
        virtualChannels,
        bufferFlits: bufferFlits ?? Math.min(MOST_BUFFER_FLITS, topology.types[0]!.creditFlits),
        switchHold,
      });
  }
}
