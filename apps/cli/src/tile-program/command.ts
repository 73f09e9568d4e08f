import type { Command } from 'commander';
import type { Output } from '../errors.ts';
import { checkProgramFile, type CheckFlags } from './check.ts';
import { executeProgram, type ExecuteFlags } from './execute.ts';
import { runProgramFile, showProgramFile, type RunProgramFlags, type ShowFlags } from './run.ts';

const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

/** Options that say where a program runs. */
function onMachine(command: Command, usual: string): Command {
  return command
    .option('--hardware <preset|file>', `machine: a preset (kerf hardware list) or a JSON file${usual}`)
    .option('--set <key=value>', 'any value of the machine, such as hardware.link.cycles=2 (repeatable)', collect, [])
    .option('--groups <n>', 'groups side by side, row by row (default 1)')
    .option('--parameter <name=value>', 'parameter of a group: a number, or base+step/every%values by the number of the group (repeatable)', collect, []);
}

/** Options that say how it is simulated, and what is drawn. */
export function simulated(command: Command): Command {
  return command
    .option('--fidelity <level>', 'packet or analytic (default packet)')
    .option('--costs <set>', 'physical, or reference: the simplifications of the reference simulator (default physical)')
    .option('--barriers <how>', 'network or software (default: network; with --costs reference software)')
    .option('--edge <tensor=edge>', 'edge of the die whose memory a tensor lies in: west, north, east or south (repeatable; default: inputs alternate)', collect, [])
    .option('--svg <file>', 'draw what some tiles do when, into this file')
    .option('--tile <x,y>', 'tile to draw (repeatable; default: one of each of the first roles)', collect, [])
    .option('--cycles <from:to>', 'cycles to draw (default: all)')
    .option('--force', 'replace files that are there')
    .option('--json', 'one JSON object on standard output');
}

/** Adds `kerf program` and what is below it. */
export function addProgramCommand(program: Command, output: Output, done: (exitCode: number) => void): void {
  const parent = program.command('program').description('Check, execute, show and run tile programs: what every tile of a group loads, computes, sends and stores.');
  const of = (name: string, what: string): Command => parent.command(name).description(what).argument('<file>', 'program file (JSON)');

  onMachine(of('check', 'Check a program: shapes, dependencies, collectives, deadlock; on a machine also L1, router tables and where it lies.'), '; without it the program alone is checked')
    .option('--at <x,y>', 'tile of the north-west corner of one group')
    .option('--json', 'one JSON object on standard output')
    .action((file: string, flags: CheckFlags) => checkProgramFile(file, flags, output));

  onMachine(of('execute', 'Compute a program on real numbers, and find uses that nothing orders.'), ' to place it on; without it groups are nowhere')
    .option('--at <x,y>', 'tile of the north-west corner of one group')
    .option('--input <tensor=file>', 'numbers of a tensor (JSON; repeatable); inputs that are not given are random in [-1, 1)', collect, [])
    .option('--expect <tensor=file>', 'numbers that a tensor must have in the end (JSON; repeatable); exit code 4 otherwise', collect, [])
    .option('--tolerance <t>', 'largest error, relative where the number is above 1 (default 0)')
    .option('--seed <n>', 'seed of the random inputs (default 1)')
    .option('--arithmetic <precision>', 'float64 or float32 (default float64)')
    .option('--round <formats>', 'none, all, or formats such as fp16,bf16 whose results are rounded (default none)')
    .option('--no-races', 'do not look for uses that nothing orders')
    .option('--out <folder>', 'write every output there, one JSON file each')
    .option('--force', 'replace files that are there')
    .option('--json', 'one JSON object on standard output')
    .action((file: string, flags: ExecuteFlags) => done(executeProgram(file, flags, output)));

  simulated(onMachine(of('show', 'Show what is in a program; with --svg also what its tiles do when.'), ' for --svg (default mesh-8x8)'))
    .option('--at <x,y>', 'tile of the north-west corner of one group')
    .option('--all', 'every operation of every role')
    .action((file: string, flags: ShowFlags) => showProgramFile(file, flags, output));

  simulated(onMachine(of('run', 'Run a program on a machine: cycles, critical path, traffic.'), ' (default mesh-8x8)'))
    .option('--at <x,y>', 'tile of the north-west corner of one group')
    .action((file: string, flags: RunProgramFlags) => runProgramFile(file, flags, output));
}
