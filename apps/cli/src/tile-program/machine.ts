import { physicalOptions, referenceOptions, type TileRunOptions } from '@kerf/engine';
import { checkReachable, requireDeadlockFreedom } from '@kerf/fabric';
import type { Hardware } from '@kerf/hardware';
import { buildScenario, hardwareOf } from '../scenario-options.ts';
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

export function simulationOf({ fidelity = 'packet', costs = 'physical', barriers }: SimulationFlags): TileRunOptions {
  return {
    fidelity: word('--fidelity', fidelity, fidelities),
    costs: word('--costs', costs, ['physical', 'reference']) === 'reference' ? referenceOptions : physicalOptions,
    ...(barriers === undefined ? {} : { barriers: word('--barriers', barriers, ['network', 'software']) }),
  };
}

/** What was chosen, as results say it. */
export function simulationFacts({ fidelity, costs, barriers }: TileRunOptions): object {
  return { fidelity, costs: costs?.name, ...(barriers === undefined ? {} : { barriers }) };
}
