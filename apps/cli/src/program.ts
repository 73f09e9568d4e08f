import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { CliError, exitCodes, reportError, type Output } from './errors.ts';
import { addGemmCommand } from './gemm/command.ts';
import { listHardware } from './hardware/list.ts';
import { showHardware, type ShowFlags } from './hardware/show.ts';
import { run, type RunFlags } from './run.ts';
import { addProgramCommand } from './tile-program/command.ts';
import { addTrafficCommand } from './traffic/command.ts';
import { traceInfo, traceSynthesize, type SynthesisFlags } from './trace-commands.ts';
import { validate, type ValidateFlags } from './validate/validate.ts';
import { kerfVersion } from './version.ts';

/**
 * The command `kerf`, from its arguments to its exit code.
 *
 * @param args without `node` and the script
 */
export async function kerf(args: readonly string[], output: Output): Promise<number> {
  let exitCode: number = exitCodes.done;
  const program = build(output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.done;
      // Help that nobody asked for has been shown already.
      if (error.code === 'commander.help') return exitCodes.badInput;
      return reportError(usageError(error), args.includes('--json'), output);
    }
    return reportError(error, args.includes('--json'), output);
  }
}

function build(output: Output, done: (exitCode: number) => void): Command {
  const program = new Command('kerf')
    .description('Simulates large-model inference on wafers of tiles.')
    .version(kerfVersion(), '-v, --version', 'print the version')
    .helpCommand(false)
    .exitOverride()
    // Errors are thrown, and said once, by reportError.
    .configureOutput({ writeOut: (text) => output.out(text), writeErr: (text) => output.err(text), outputError: () => undefined })
    .addHelpText('after', '\nExit codes: 0 done, 2 bad input, 3 incomplete run, 4 failed validation, 130 interrupted.');

  // Each later occurrence goes behind the earlier ones.
  const collect = (value: string, earlier: readonly string[]): readonly string[] => [...earlier, value];

  program
    .command('run')
    .description('Replay a routing trace on a wafer and write the run folder.')
    .argument('[scenario]', 'scenario file (JSON); without it, the defaults')
    .option('--trace <path>', 'routing trace: a file or folder')
    .option('--hardware <preset|file>', 'machine: a preset (kerf hardware list) or a JSON file')
    .option('--model <card|file>', 'model: the name of a card or a JSON file')
    .option('--steps <n>', 'decode steps to replay')
    .option('--tokens-per-die <n>', 'tokens that live on each die')
    .option('--nodes <n|auto>', 'node processes to cut the wafer over')
    .option('--transport <kind>', 'what joins them: websocket, memory or auto')
    .option('--fidelity <level>', 'how closely the fabric is simulated: packet')
    .option('--seed <n>', 'seed of every random choice')
    .option('--bin-cycles <n>', 'width of a time bin in the tables, cycles')
    .option('--set <key=value>', 'any value of the scenario, such as hardware.link.cycles=2 (repeatable)', collect, [])
    .option('--out <folder>', 'run folder to write (default: the next free number in runs/)')
    .option('--force', 'replace the run folder that is there')
    .option('--print-scenario', 'print the scenario that would be run, and stop')
    .option('--json', 'one JSON object on standard output')
    .addHelpText('after', '\nThe scenario file comes first, then flags, then --set. Paths in a scenario file are relative to that file.')
    .action(async (scenarioFile: string | undefined, flags: RunFlags) => {
      done(await run({ ...flags, ...(scenarioFile === undefined ? {} : { scenarioFile }) }, output));
    });

  addTrafficCommand(program, output, done);
  addGemmCommand(program, output, done);
  addProgramCommand(program, output, done);

  const trace = program.command('trace').description('Look at routing traces, and make them.');
  trace
    .command('synthesize')
    .description('Write a synthetic routing trace with the measured properties of a recorded one.')
    .option('--model <name>', 'model whose routing is imitated', 'gpt-oss-20b')
    .option('--requests <n>', 'requests', positive, 64)
    .option('--tokens <n>', 'tokens of each request', positive, 128)
    .option('--seed <n>', 'seed of every random choice', natural, 1)
    .requiredOption('--out <folder>', 'folder to write; it must not exist')
    .option('--json', 'one JSON object on standard output')
    .action((flags: SynthesisFlags) => traceSynthesize(flags, output));
  for (const [name, what] of [['info', 'Say what a routing trace holds.'], ['check', 'Check a routing trace, also against a model.']] as const) {
    trace
      .command(name)
      .description(what)
      .argument('<path>', 'routing trace: a file or folder')
      .option('--model <card|file>', 'model that it must fit: the name of a card or a JSON file')
      .option('--json', 'one JSON object on standard output')
      .action((path: string, flags: { model?: string; json?: boolean }) => traceInfo(path, flags, output));
  }

  const hardware = program.command('hardware').description('Look at machines: those that ship with Kerf, and your own.');
  hardware
    .command('list')
    .description('List the presets.')
    .option('--json', 'one JSON array on standard output: the machines, each as a hardware file has it')
    .action(({ json = false }: { json?: boolean }) => listHardware(json, output));
  for (const [name, what] of [['show', 'Show what follows from the numbers of a machine.'], ['check', 'Check a machine, also that every tile can be reached, and show what follows from its numbers.']] as const) {
    hardware
      .command(name)
      .description(what)
      .argument('<preset|file>', 'machine: a preset (kerf hardware list) or a JSON file')
      .option('--svg <file>', 'draw the wafer, with what is absent, into this file')
      .option('--print-file', 'print the machine as a hardware file, a start for your own, and stop')
      .option('--json', 'one JSON object on standard output')
      .action((machine: string, flags: ShowFlags) => showHardware(machine, name === 'check', flags, output));
  }

  program
    .command('validate')
    .description('Compare with published and measured figures: a verdict for each, with source and tolerance.')
    .option('--suite <name...>', 'only these suites (repeatable)', (name: string, earlier: readonly string[]) => [...earlier, name], [])
    .option('--reference <folder>', 'run the cases of reference files in this folder instead of those that ship with Kerf')
    .option('--quick', 'the cases that cost less than 2 s, and a sample of the others')
    .option('--sample <n>', 'how many of the others --quick draws (default: 8)', natural)
    .option('--seed <n>', 'seed of that draw (default: 1)', natural)
    .option('--list', 'list suites and what they cost, and run nothing')
    .option('--all', 'show every row, not only those that fail')
    .option('--jobs <n>', 'cases run at a time (default: one per processor)', positive)
    .option('--out <file>', 'Arrow file to write (default: runs/ledger.arrow)')
    .option('--programs <folder>', 'where the tile programs that cases run are written (default: ledger-programs beside the Arrow file)')
    .option('--json', 'one JSON object on standard output')
    .action(async (flags: ValidateFlags) => done(await validate(flags, output, kerf)));

  return program;
}

function natural(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It takes a whole number, 0 or more.');
  return Number(text);
}

function positive(text: string): number {
  if (!/^\d{1,15}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It takes a whole number above 0.');
  return Number(text);
}

/** `error: unknown option '--trac'\n(Did you mean --trace?)` as one of our sentences. */
function usageError(error: CommanderError): CliError {
  const [what = '', ...hints] = error.message.replace(/^error: /, '').split('\n');
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}`;
  const message = [sentence.endsWith('.') ? sentence : `${sentence}.`, ...hints.map((hint) => hint.replace(/^\((.*)\)$/, '$1'))].join(' ');
  return new CliError('CLI_USAGE', `${message} See kerf --help.`, { commander: error.code });
}
