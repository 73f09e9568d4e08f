import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  caseText, commandText, ledgerArrow, ledgerText, medianRows, planLedger, quickSample, ROW_LISTS, suites, totalsByList, totalsOf, totalsText, verdictRows,
  type LedgerPlan, type LedgerRow, type PlannedCase, type RunCommand,
} from '@kerf/validation';
import { CliError, exitCodes, type Output } from '../errors.ts';
import { Interruption } from '../interruption.ts';
import { duration } from '../progress.ts';
import { StatusLine } from '../traffic/status-line.ts';
import { casesText } from './cases-text.ts';
import { commandRunner, type CommandRunner, type Kerf } from './command-runners.ts';
import { writeCaseFiles } from './case-files.ts';
import { assertWritable, writeLedger } from './ledger-file.ts';
import { referencesIn, shippedReferences } from './reference-files.ts';
import { runCases } from './run-cases.ts';

export interface ValidateFlags {
  readonly suite: readonly string[];
  readonly json?: boolean;
  readonly reference?: string;
  readonly out?: string;
  readonly programs?: string;
  readonly quick?: boolean;
  readonly sample?: number;
  readonly seed?: number;
  readonly list?: boolean;
  readonly all?: boolean;
  readonly jobs?: number;
}

/** Cases above the quick cost that a quick run draws. */
const SAMPLE = 8;
const SEED = 1;
const MOST_JOBS = 64;
const LEDGER = 'runs/ledger.arrow';
const PROGRAMS = 'ledger-programs';

/**
 * `kerf validate`: plans, which checks all that it reads, runs every case through the public command, judges and prints.
 *
 * @param run how a command line is run; by default through threads around `kerf`
 * @returns the exit code: 4 when a row failed
 * @throws KerfError for bad input, before anything ran; `INTERRUPTED`
 */
export async function validate(flags: ValidateFlags, output: Output, kerf: Kerf, run?: RunCommand): Promise<number> {
  if (flags.quick !== true && (flags.sample !== undefined || flags.seed !== undefined)) {
    throw new CliError('CLI_USAGE', '--sample and --seed say what --quick draws; give them with --quick.');
  }
  const path = flags.out ?? LEDGER;
  const programs = flags.programs ?? join(dirname(path), PROGRAMS);
  const references = flags.reference === undefined ? shippedReferences(programs) : referencesIn(flags.reference, programs);
  const plan = planLedger(suites, flags.suite, references);
  for (const warning of plan.warnings) output.err(`kerf: warning: ${warning}\n`);
  const cases = flags.quick === true ? quickSample(plan.cases, flags.sample ?? SAMPLE, flags.seed ?? SEED) : plan.cases;
  if (flags.reference !== undefined && cases.length === 0) {
    throw new CliError('CLI_USAGE', `No case was found in the reference files of ${flags.reference}: a ledger without rows would look like one that passed.`, { reference: flags.reference });
  }
  if (flags.list === true) {
    output.out(flags.json === true ? `${JSON.stringify(listJson(cases))}\n` : listText(plan, cases, flags.all === true));
    return exitCodes.done;
  }
  assertWritable(path);
  const started = performance.now();
  writeCaseFiles(cases);
  const rows = await ledgerRows(plan, cases, flags, kerf, run);
  writeLedger(path, ledgerArrow(rows));
  if (flags.json === true) output.out(`${JSON.stringify(ledgerJson(rows))}\n`);
  else output.out(`${ledgerText(plan.suites, rows, flags.all === true)}${closing(plan, cases, rows, path, (performance.now() - started) / 1000)}`);
  return totalsOf(rows).fail > 0 ? exitCodes.failedValidation : exitCodes.done;
}

/** The rows of all cases and, of suites that ran whole, the row on their median. */
async function ledgerRows(plan: LedgerPlan, cases: readonly PlannedCase[], flags: ValidateFlags, kerf: Kerf, run: RunCommand | undefined): Promise<LedgerRow[]> {
  const interruption = new Interruption();
  const status = new StatusLine(process.stderr, () => performance.now());
  const started = performance.now();
  let current = '';
  try {
    const busy = cases.filter(({ unrun }) => unrun === undefined).length;
    const jobs = Math.max(1, Math.min(flags.jobs ?? availableParallelism(), busy, MOST_JOBS));
    const runners: CommandRunner[] = run !== undefined ? [{ run, close: () => Promise.resolve() }] : Array.from({ length: busy === 0 ? 1 : jobs }, () => commandRunner(kerf));
    const rows = await runCases(cases, runners, interruption.signal, (progress) => {
      if (progress.now !== undefined) current = `${progress.now.suite}: ${progress.now.name}`;
      status.show(() => casesText(progress, current, (performance.now() - started) / 1000));
    });
    const whole = plan.suites.filter(({ name }) => cases.filter(({ suite }) => suite === name).length === plan.cases.filter(({ suite }) => suite === name).length);
    return plan.suites.flatMap((suite) => {
      const own = rows.filter((row) => row.suite === suite.name);
      return [...own, ...(whole.includes(suite) ? medianRows(suite, own) : [])];
    });
  } finally {
    status.clear();
    interruption.end();
  }
}

/** What `--json` prints. Rows without a tolerance have no verdict and stand apart. */
export function ledgerJson(rows: readonly LedgerRow[]) {
  const judged = verdictRows(rows);
  const { pass, fail, 'not-modelled': notModelled, 'needs-data': needsData } = totalsOf(rows);
  const lists = totalsByList(rows);
  return {
    rows: judged, passed: pass, failed: fail, notModelled, needsData,
    lists: Object.fromEntries(ROW_LISTS.map((list) => [list, { passed: lists[list].pass, failed: lists[list].fail, notModelled: lists[list]['not-modelled'], needsData: lists[list]['needs-data'] }])),
    reported: rows.filter((row) => row.verdict === 'reported'),
  };
}

function closing(plan: LedgerPlan, cases: readonly PlannedCase[], rows: readonly LedgerRow[], path: string, wallSeconds: number): string {
  const part = cases.length === plan.cases.length ? `all ${cases.length} cases` : `${cases.length} of ${plan.cases.length} cases`;
  return `\n${path}: ${rows.length} rows\n${totalsText(totalsOf(rows))}: ${part} in ${duration(wallSeconds)}\n`;
}

function listText(plan: LedgerPlan, cases: readonly PlannedCase[], all: boolean): string {
  const width = Math.max(...plan.suites.map(({ name }) => name.length));
  const lines = plan.suites.flatMap(({ name, title, built, fidelities, tolerances, referenceOptions, medianTolerance }) => {
    const own = cases.filter(({ suite }) => suite === name);
    if (own.length === 0) return [];
    const cost = own.reduce((sum, { costSeconds }) => sum + costSeconds, 0);
    const rows = own.reduce((sum, planned) => sum + planned.rows.length, 0);
    const indent = ' '.repeat(width + 2);
    return [
      `${name.padEnd(width)}  ${title}`,
      `${indent}${rows} rows of ${own.length} cases, ${built ? `${fidelities.join(', ')} fidelity, about ${duration(cost)} of CPU` : 'not modelled yet'}`,
      ...(built ? [`${indent}tolerance: ${tolerances}${medianTolerance === undefined ? '' : `; median ${100 * medianTolerance} %`}`] : []),
      ...(referenceOptions === undefined ? [] : [`${indent}second list with ${referenceOptions.join(' ')}`]),
      ...(all ? own.flatMap((planned) => [`${indent}${planned.name} [${planned.list}] ${duration(planned.costSeconds)}`, ...firstCommand(planned).map((line) => `${indent}  ${line}`)]) : []),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function firstCommand({ steps }: PlannedCase): string[] {
  return steps.map((step) => (typeof step === 'function' ? '… at a load that follows from the runs before' : commandText(step)));
}

function listJson(cases: readonly PlannedCase[]) {
  return cases.flatMap((planned) => planned.rows.map((row) => ({
    suite: planned.suite, case: caseText(planned, row), source: row.source ?? planned.source, expected: typeof row.expected === 'function' ? null : row.expected, unit: row.unit,
    tolerance: typeof row.tolerance === 'function' ? null : row.tolerance, list: planned.list, options: planned.options, fidelity: planned.fidelity,
    commands: planned.steps.flatMap((step) => (typeof step === 'function' ? [] : [commandText(step)])), costSeconds: planned.costSeconds, ...(planned.unrun === undefined ? {} : { verdict: planned.unrun.verdict }),
  })));
}
