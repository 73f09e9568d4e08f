import { resolve } from 'node:path';
import { runTilePrograms } from '@kerf/engine';
import type { TileProgram } from '@kerf/program';
import type { Output } from '../errors.ts';
import { twoColumns } from '../traffic/facts.ts';
import { refuseExisting, writeWhole } from '../traffic/write-whole.ts';
import { ganttOf, tilesToDraw, windowOf } from './gantt.ts';
import { ganttSvg } from './gantt-svg.ts';
import { machineOf, simulationFacts, simulationOf, type MachineFlags, type SimulationFlags } from './machine.ts';
import { roleText } from './operation-text.ts';
import { placed, type PlacementFlags } from './placement.ts';
import { named, readProgram } from './program-file.ts';
import { runFacts, runText } from './run-facts.ts';
import { summaryOf, summaryText } from './summary.ts';

export interface RunProgramFlags extends MachineFlags, SimulationFlags, PlacementFlags {
  readonly svg?: string;
  readonly tile?: readonly string[];
  readonly cycles?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

export interface ShowFlags extends RunProgramFlags {
  readonly all?: boolean;
}

const USUAL_MACHINE = 'mesh-8x8';
const SHOWN_ROWS = 40;

/** `kerf program run`: what the program costs on a machine. */
export function runProgramFile(path: string, flags: RunProgramFlags, output: Output): void {
  const program = readProgram(path);
  const { facts, svg } = simulate(path, program, flags);
  if (flags.json === true) output.out(`${JSON.stringify({ status: 'ok', program: program.name, ...facts, ...(svg === undefined ? {} : { svg }) })}\n`);
  else output.out(twoColumns([['Program', `${program.name} on ${facts.hardware}, ${facts.groups} of ${program.group.width} × ${program.group.height} tiles`], ...runText(facts), ...(svg === undefined ? [] : [['Drawn', svg] as [string, string]])]));
}

/** `kerf program show`: what is in a program, and with --svg what its tiles do when. */
export function showProgramFile(path: string, flags: ShowFlags, output: Output): void {
  const program = readProgram(path);
  const summary = summaryOf(program);
  const drawn = flags.svg === undefined ? undefined : simulate(path, program, flags);
  if (flags.json === true) {
    output.out(`${JSON.stringify({ status: 'ok', source: path, ...summary, ...(drawn === undefined ? {} : { run: drawn.facts, svg: drawn.svg }) })}\n`);
    return;
  }
  const roles = program.roles.flatMap(({ name }, role) => ['', `Role ${name}`, ...roleText(program, role, flags.all === true ? Infinity : SHOWN_ROWS)]);
  output.out(`${twoColumns([...summaryText(summary), ...(drawn === undefined ? [] : [...runText(drawn.facts), ['Drawn', drawn.svg!] as [string, string]])])}${roles.join('\n')}\n`);
}

function simulate(path: string, program: TileProgram, flags: RunProgramFlags) {
  const hardware = machineOf(flags, USUAL_MACHINE);
  const svg = flags.svg === undefined ? undefined : resolve(flags.svg);
  if (svg !== undefined) refuseExisting([svg], flags.force === true);
  const options = simulationOf(flags);
  const instances = named(path, () => placed(program, hardware, flags));
  const tiles = svg === undefined ? [] : tilesToDraw([instances], hardware, flags.tile ?? []);
  if (flags.cycles !== undefined) windowOf(flags.cycles, 0);
  const run = named(path, () => runTilePrograms(hardware, [instances], { ...options, record: tiles }));
  const { multiplyAdds } = summaryOf(program);
  const eight = program.buffers.some(({ elementType }) => elementType.startsWith('fp8'));
  const facts = { hardware: hardware.name, groups: instances.instances, ...simulationFacts(options), ...runFacts(run, hardware, multiplyAdds * instances.instances, eight ? 'fp8' : 'fp16') };
  if (svg !== undefined) {
    const note = `${hardware.name}, ${options.fidelity} fidelity: ${run.cycles} cycles`;
    writeWhole(svg, ganttSvg(ganttOf(program.name, note, [instances], hardware, run, tiles, windowOf(flags.cycles, run.cycles))));
  }
  return { facts, svg };
}
