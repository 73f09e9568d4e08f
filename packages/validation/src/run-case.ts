import { ValidationError } from './errors.ts';
import type { LedgerRow } from './ledger-row.ts';
import type { CommandLine, CommandOutput, PlannedCase, PlannedRow } from './planned-case.ts';
import { deviationOf, isWithin } from './verdict.ts';

export interface CommandResult {
  readonly exitCode: number;
  /** Standard output. */
  readonly out: string;
  readonly err: string;
}

/** Runs one public command line. Handed in by the app, since packages start nothing. */
export type RunCommand = (line: CommandLine) => Promise<CommandResult>;

/**
 * Runs the commands of one case and judges its rows. A command that fails, or prints something else than a suite reads, fails
 * every row of the case and says so in their notes; it ends nothing else.
 */
export async function runCase(planned: PlannedCase, run: RunCommand): Promise<LedgerRow[]> {
  if (planned.unrun !== undefined) {
    const { verdict, reason } = planned.unrun;
    return planned.rows.map((row) => ({ ...frame(planned, row, ''), expected: constant(row.expected), verdict, note: reason }));
  }
  const outputs: CommandOutput[] = [];
  const lines: string[] = [];
  let fault: string | undefined;
  for (const step of planned.steps) {
    try {
      const line = typeof step === 'function' ? step(outputs) : step;
      lines.push(commandText(line));
      outputs.push(parseOutput(planned.steps.length === 1 ? 'The command' : `Command ${lines.length}`, await run(line)));
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      fault = error.message;
      break;
    }
  }
  const command = lines.join(' && ');
  return planned.rows.map((row) => (fault === undefined ? judged(planned, row, command, outputs) : failed(planned, row, command, fault)));
}

function judged(planned: PlannedCase, row: PlannedRow, command: string, outputs: readonly CommandOutput[]): LedgerRow {
  let ours: number | null;
  let expected: number | null;
  let tolerance: number | null;
  let note: string;
  try {
    ours = row.ours === null ? null : row.ours(outputs);
    expected = typeof row.expected === 'function' ? row.expected(outputs) : row.expected;
    tolerance = typeof row.tolerance === 'function' ? row.tolerance(outputs) : row.tolerance;
    note = typeof row.note === 'function' ? row.note(outputs) : (row.note ?? '');
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return failed(planned, row, command, error.message);
  }
  if (ours === null || expected === null) return failed(planned, row, command, 'There is nothing to compare.');
  const deviation = deviationOf(ours, expected);
  const verdict = tolerance === null ? 'reported' : isWithin(ours, expected, tolerance) ? 'pass' : 'fail';
  return { ...frame(planned, row, command), expected, ours, tolerance, deviation: Number.isFinite(deviation) ? deviation : null, verdict, note };
}

function failed(planned: PlannedCase, row: PlannedRow, command: string, note: string): LedgerRow {
  return { ...frame(planned, row, command), expected: constant(row.expected), tolerance: constant(row.tolerance), verdict: 'fail', note };
}

function frame(planned: PlannedCase, row: PlannedRow, command: string): Omit<LedgerRow, 'verdict'> {
  const { suite, options, list, fidelity, costSeconds } = planned;
  return {
    suite, case: caseText(planned, row), source: row.source ?? planned.source, expected: null, unit: row.unit, tolerance: null, ours: null, deviation: null,
    options, list, fidelity, command, costSeconds, note: '',
  };
}

/** What a row is called: the case and, when it has several quantities, which of them. */
export function caseText(planned: PlannedCase, row: PlannedRow): string {
  return row.what === '' ? planned.name : `${planned.name}: ${row.what}`;
}

function constant(value: number | null | ((outputs: readonly CommandOutput[]) => number | null)): number | null {
  return typeof value === 'function' ? null : value;
}

/** A command line as one would type it. */
export function commandText(line: CommandLine): string {
  return ['kerf', ...line.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))].join(' ');
}

/** @param which what the command is called in messages */
function parseOutput(which: string, { exitCode, out, err }: CommandResult): CommandOutput {
  if (exitCode !== 0) {
    // A bug of ours says so in its first line and what it is in the second.
    const said = err.trim().split('\n').slice(0, exitCode === 1 ? 2 : 1).join(' ');
    throw new ValidationError('VALIDATION_OUTPUT', `${which} ended with exit code ${exitCode}${said === '' ? '.' : `: ${said}`}`, { exitCode });
  }
  let value: unknown;
  try {
    value = JSON.parse(out);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValidationError('VALIDATION_OUTPUT', `${which} printed no JSON object, got ${JSON.stringify(out.slice(0, 80))}.`, {});
  }
  return value as CommandOutput;
}

/**
 * A number that a command printed; `path` leads into nested objects by dots.
 *
 * @throws ValidationError `VALIDATION_OUTPUT`
 */
export function numberIn(output: CommandOutput | undefined, path: string): number {
  let value: unknown = output;
  for (const key of path.split('.')) value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    const shown = value === undefined ? 'nothing' : JSON.stringify(value);
    throw new ValidationError('VALIDATION_OUTPUT', `The command should have printed a number as ${path}, got ${shown}.`, { path });
  }
  return value;
}
