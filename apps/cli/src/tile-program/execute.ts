import { join, resolve } from 'node:path';
import { elementTypes, execute, type NumberFormat, type TileProgram } from '@kerf/program';
import { exitCodes, type Output } from '../errors.ts';
import { countText } from '../hardware/units-text.ts';
import { twoColumns } from '../traffic/facts.ts';
import { whole, word } from '../traffic/numbers.ts';
import { refuseExisting, writeWhole } from '../traffic/write-whole.ts';
import { CliError } from '../errors.ts';
import { randomArray, readArrays } from './arrays.ts';
import { machineOf } from './machine.ts';
import { parameterValues, placed, type PlacementFlags } from './placement.ts';
import { named, readProgram } from './program-file.ts';

export interface ExecuteFlags extends PlacementFlags {
  readonly hardware?: string;
  readonly set?: readonly string[];
  readonly input?: readonly string[];
  readonly expect?: readonly string[];
  readonly tolerance?: string;
  readonly seed?: string;
  readonly round?: string;
  readonly arithmetic?: string;
  /** False with --no-races. */
  readonly races?: boolean;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * `kerf program execute`: computes the program on real numbers.
 *
 * @returns the exit code: 4 where a result is not what was expected
 */
export function executeProgram(path: string, flags: ExecuteFlags, output: Output): number {
  const program = readProgram(path);
  const seed = flags.seed === undefined ? 1 : whole('--seed', flags.seed, 0, 2 ** 31);
  const tolerance = flags.tolerance === undefined ? 0 : toleranceOf(flags.tolerance);
  const round = roundOf(flags.round);
  const arithmetic = word('--arithmetic', flags.arithmetic ?? 'float64', ['float32', 'float64']);
  const given = readArrays('--input', flags.input ?? [], program);
  const expected = readArrays('--expect', flags.expect ?? [], program);
  const files = flags.out === undefined ? [] : program.tensors.filter(({ use }) => use !== 'input').map(({ name }) => ({ name, path: join(resolve(flags.out!), `${fileName(name)}.json`) }));
  refuseExisting(files.map((file) => file.path), flags.force === true);
  const inputs = Object.fromEntries(program.tensors.flatMap(({ name, rows, columns, use }, id) => {
    const array = Object.hasOwn(given, name) ? given[name]! : use === 'input' ? randomArray(rows * columns, seed, id) : undefined;
    return array === undefined ? [] : [[name, array] as const];
  }));
  const { tensors, operations } = named(path, () => {
    const what = flags.hardware === undefined ? program : placed(program, machineOf(flags, flags.hardware), flags);
    const parameters = flags.hardware === undefined ? { parameters: parameterValues(program, flags) } : {};
    return execute(what, inputs, { ...parameters, arithmetic, round, races: flags.races ?? true });
  });
  const outputs = Object.entries(tensors).map(([name, values]) => ({ name, ...factsOf(program, name, values) }));
  const compared = Object.entries(expected).map(([name, wanted]) => compare(name, Object.hasOwn(tensors, name) ? tensors[name]! : inputs[name]!, wanted, tolerance));
  for (const file of files) {
    const { columns } = program.tensors.find(({ name }) => name === file.name)!;
    const values = tensors[file.name]!;
    writeWhole(file.path, `[\n${Array.from({ length: values.length / columns }, (_, row) => JSON.stringify([...values.subarray(row * columns, (row + 1) * columns)])).join(',\n')}\n]\n`);
  }
  const failed = compared.some(({ differing }) => differing > 0);
  if (flags.json === true) {
    output.out(`${JSON.stringify({ status: failed ? 'failed' : 'ok', program: program.name, operations, seed, arithmetic, outputs, compared, ...(files.length === 0 ? {} : { files: files.map((file) => file.path) }) })}\n`);
  } else {
    output.out(`${twoColumns([
      ['Program', `${program.name}: ${countText(operations)} operations executed${flags.races === false ? '' : ', no races'}`],
      ...outputs.map((one): [string, string] => ['Output', `${one.name} [${one.rows} × ${one.columns}]: ${one.unwritten === 0 ? 'every element written' : `${countText(one.unwritten)} elements never written`}${one.least === null ? '' : `, from ${one.least.toPrecision(6)} to ${one.greatest!.toPrecision(6)}, sum ${one.sum!.toPrecision(10)}`}`]),
      ...compared.map((one): [string, string] => ['Compared', one.differing === 0 ? `${one.name}: as expected; largest error ${one.largestError.toPrecision(3)}` : `${one.name}: ${countText(one.differing)} elements differ by more than ${tolerance}, first element ${one.first!.row}, ${one.first!.column}: ${one.first!.got}, expected ${one.first!.expected}`]),
      ...files.map((file): [string, string] => ['Written', file.path]),
    ])}`);
  }
  return failed ? exitCodes.failedValidation : exitCodes.done;

  function compare(name: string, got: Float64Array, wanted: Float64Array, most: number) {
    const { columns } = program.tensors.find((one) => one.name === name)!;
    let differing = 0;
    let largestError = 0;
    let first: { row: number; column: number; got: number | null; expected: number } | null = null;
    wanted.forEach((value, i) => {
      const error = Math.abs(got[i]! - value) / Math.max(1, Math.abs(value));
      largestError = Math.max(largestError, Number.isNaN(error) ? Infinity : error);
      if (error <= most) return;
      differing++;
      first ??= { row: Math.floor(i / columns), column: i % columns, got: got[i]!, expected: value };
    });
    return { name, differing, largestError, first: first as { row: number; column: number; got: number | null; expected: number } | null };
  }
}

function factsOf({ tensors }: TileProgram, name: string, values: Float64Array) {
  const { rows, columns } = tensors.find((one) => one.name === name)!;
  let [unwritten, least, greatest, sum] = [0, Infinity, -Infinity, 0];
  for (const value of values) {
    if (Number.isNaN(value)) unwritten++;
    else {
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
      sum += value;
    }
  }
  const some = unwritten < values.length;
  return { rows, columns, unwritten, least: some ? least : null, greatest: some ? greatest : null, sum: some ? sum : null };
}

/** Names of tensors may hold anything; files may not. */
function fileName(name: string): string {
  return name.replace(/[^\w.-]/g, '_');
}

function toleranceOf(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value < Infinity) || text.trim() === '') throw new CliError('CLI_USAGE', `--tolerance takes a number from 0, relative to the expected one where that is above 1, got "${text}".`, { flag: '--tolerance', got: text });
  return value;
}

function roundOf(text: string | undefined): boolean | NumberFormat[] {
  if (text === undefined || text === 'none') return false;
  if (text === 'all') return true;
  return text.split(',').map((type) => word('--round', type, elementTypes));
}
