import { physicalOptions, referenceOptions, type TileRunOptions } from '@kerf/engine';
import { checkReachable, requireDeadlockFreedom } from '@kerf/fabric';
import type { Hardware } from '@kerf/hardware';
import { buildScenario, hardwareOf } from '../scenario-options.ts';
import { CliError } from '../errors.ts';
import { word } from '../traffic/numbers.ts';

/** What of a command line says on which machine a tile program runs. */
export interface MachineFlags {
  readonly hardware?: string;
  readonly set?: readonly string[];
}

/** What of a command line says how it is simulated. */
export interface SimulationFlags {
  readonly fidelity?: string;
  readonly costs?: string;
  readonly barriers?: string;
  readonly edge?: readonly string[];
}

/** The machine, sound: every tile reachable, no circle of channels. */
export function machineOf({ hardware, set = [] }: MachineFlags, usual: string): Hardware {
  const machine = hardwareOf(buildScenario({ hardware: hardware ?? usual, set }, process.cwd()).hardware);
  checkReachable(machine);
  requireDeadlockFreedom(machine);
  return machine;
}

/** Levels at which tiles run. */
const fidelities = ['packet', 'analytic'] as const;

const edges = ['west', 'north', 'east', 'south'] as const;

export function simulationOf({ fidelity = 'packet', costs = 'physical', barriers, edge = [] }: SimulationFlags): TileRunOptions {
  return {
    fidelity: word('--fidelity', fidelity, fidelities),
    costs: word('--costs', costs, ['physical', 'reference']) === 'reference' ? referenceOptions : physicalOptions,
    ...(barriers === undefined ? {} : { barriers: word('--barriers', barriers, ['network', 'software']) }),
    ...(edge.length === 0 ? {} : { edges: edgesOf(edge) }),
  };
}

/** `Z=south` */
function edgesOf(flags: readonly string[]): Record<string, (typeof edges)[number]> {
  return Object.fromEntries(flags.map((text) => {
    const at = text.lastIndexOf('=');
    if (at < 1) throw new CliError('CLI_USAGE', `--edge takes a tensor and an edge of the die such as Z=south, got "${text}".`, { flag: '--edge', got: text });
    return [text.slice(0, at), word('--edge', text.slice(at + 1), edges)];
  }));
}

/** What was chosen, as results say it. */
export function simulationFacts({ fidelity, costs, barriers }: TileRunOptions): object {
  return { fidelity, costs: costs?.name, ...(barriers === undefined ? {} : { barriers }) };
}
