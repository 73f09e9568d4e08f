import { checkTileProgram } from '@kerf/program';
import type { Output } from '../errors.ts';
import { twoColumns } from '../traffic/facts.ts';
import { machineOf } from './machine.ts';
import { placed, type PlacementFlags } from './placement.ts';
import { named, readProgram } from './program-file.ts';
import { summaryOf, summaryText } from './summary.ts';

export interface CheckFlags extends PlacementFlags {
  readonly hardware?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

/** `kerf program check`: whatever is wrong with a program, on a machine too if one is named, is an error. */
export function checkProgramFile(path: string, flags: CheckFlags, output: Output): void {
  const program = readProgram(path);
  const hardware = flags.hardware === undefined ? undefined : machineOf(flags, flags.hardware);
  const places = flags.groups !== undefined || flags.at !== undefined || (flags.parameter ?? []).length > 0 || program.parameters.length === 0;
  const groups = hardware === undefined ? 0 : named(path, () => {
    checkTileProgram(program, hardware);
    return places ? placed(program, hardware, flags).instances : 0;
  });
  const summary = summaryOf(program);
  const checked = hardware === undefined ? 'in itself' : groups === 0 ? `for tiles of ${hardware.name}` : `placed ${groups === 1 ? 'once' : `${groups} times`} on ${hardware.name}`;
  if (flags.json === true) output.out(`${JSON.stringify({ status: 'ok', source: path, ...(hardware === undefined ? {} : { hardware: hardware.name, groups }), ...summary })}\n`);
  else output.out(twoColumns([...summaryText(summary), ['Checked', `${checked}: no fault found`]]));
}
