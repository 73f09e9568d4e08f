import { availableParallelism } from 'node:os';
import { relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { partitionWafer, type Partition } from '@kerf/cluster';
import { checkReachable, requireDeadlockFreedom, type DeadlockReport } from '@kerf/fabric';
import type { Hardware } from '@kerf/hardware';
import { planReplay, type ReplayPlan } from '@kerf/inference';
import { manifestText, type Manifest, type StepRow } from '@kerf/results';
import type { ModelCard } from '@kerf/scenario';
import { chooseExecution, type ExecutionChoice } from './choose-execution.ts';
import { conduct, type Outcome } from './conduct.ts';
import { diesText } from './dies-text.ts';
import { exitCodes, reportError, type Output } from './errors.ts';
import { completeManifest } from './finish-run.ts';
import { firstManifest, isManifest, runFolderTables } from './first-manifest.ts';
import { Interruption } from './interruption.ts';
import { loadTrace, type LoadedTrace } from './load-trace.ts';
import { MemoryNodes } from './memory-nodes.ts';
import { NodeProcesses, type NodeEvents, type Nodes } from './node-processes.ts';
import { ProgressLine } from './progress.ts';
import { jsonResult, summaryText } from './run-result.ts';
import { nextRunFolder, RunFolder } from './run-folder.ts';
import { buildScenario, hardwareOf, modelOf, type CompleteScenario, type ScenarioOptions } from './scenario-options.ts';
import { StepsFile } from './steps-file.ts';

export interface RunFlags extends ScenarioOptions {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly printScenario?: boolean;
}

/** A run of which everything is known and checked, and nothing has happened yet. */
interface PreparedRun {
  readonly scenario: CompleteScenario;
  readonly hardware: Hardware;
  readonly model: ModelCard;
  readonly choice: ExecutionChoice;
  readonly loaded: LoadedTrace;
  readonly plan: ReplayPlan;
  /** Its routes cannot deadlock, or the run would have been refused. */
  readonly deadlock: DeadlockReport;
  readonly partition: Partition;
  /** The run folder, which does not exist yet. */
  readonly path: string;
}

/**
 * `kerf run`: everything is read and checked before the run folder is made; from then on the folder's manifest says how it went.
 *
 * @returns the exit code
 * @throws KerfError for bad input, before anything was written
 */
export async function run(flags: RunFlags, output: Output): Promise<number> {
  const scenario = buildScenario(flags, process.cwd());
  const hardware = hardwareOf(scenario.hardware);
  const model = modelOf(scenario.workload.model);
  const choice = chooseExecution(scenario, hardware, model, availableParallelism());
  if (flags.printScenario === true) {
    output.out(`${JSON.stringify(scenario, undefined, 2)}\n`);
    return exitCodes.done;
  }
  checkReachable(hardware);
  const deadlock = requireDeadlockFreedom(hardware);
  const loaded = loadTrace(scenario.workload.trace, { model: model.name, experts: model.experts });
  const plan = planReplay(scenario, hardware, model, loaded.trace);
  const path = scenario.output.directory ?? nextRunFolder(resolve('runs'));
  const interruption = new Interruption();
  try {
    return await carryOut({ scenario, hardware, model, choice, loaded, plan, deadlock, partition: partitionWafer(hardware, choice.nodes), path }, flags, interruption.signal, output);
  } finally {
    interruption.end();
  }
}

async function carryOut(prepared: PreparedRun, flags: RunFlags, signal: AbortSignal, output: Output): Promise<number> {
  const { scenario, hardware, choice, loaded, plan, deadlock, partition, path } = prepared;
  const startedSeconds = performance.now() / 1000;
  const written = { ...scenario, output: { ...scenario.output, directory: path }, execution: choice };
  const first = firstManifest(plan, written, loaded.sha256, deadlock, now());
  const folder = RunFolder.create(path, manifestText(first), { force: flags.force === true, tables: runFolderTables, isManifest });
  const rows: StepRow[] = [];
  let outcome: Outcome;
  let last: Manifest;
  try {
    const steps = new StepsFile(path, { clockMegahertz: hardware.clockMegahertz, binCycles: scenario.output.binCycles });
    outcome = await simulate(prepared, signal, (row) => {
      steps.write(row);
      rows.push(row);
    });
    last = completeManifest(first, plan, partition, choice, outcome, steps.finish(), rows, now());
    folder.close(manifestText(last));
  } catch (error) {
    closeUnfinished(folder, first, error, signal);
    return reportError(error, flags.json === true, output, path);
  }
  const facts = { manifest: last, plan, outcome, rows, runDir: path, wallSeconds: performance.now() / 1000 - startedSeconds };
  output.out(flags.json === true ? `${JSON.stringify(jsonResult(facts))}\n` : summaryText(facts, relative('', path)));
  return exitCodes.done;
}

async function simulate({ scenario, hardware, model, choice, loaded, plan, partition, path }: PreparedRun, signal: AbortSignal, onStep: (row: StepRow) => void): Promise<Outcome> {
  const progress = new ProgressLine({ stream: process.stderr, clockMegahertz: hardware.clockMegahertz, now: () => performance.now() });
  const launch = (events: NodeEvents): Promise<Nodes> =>
    choice.transport === 'memory'
      ? MemoryNodes.start(choice.nodes, loaded.trace, events)
      : NodeProcesses.start({ ...events, nodes: choice.nodes, main: nodeMain(), work: (rank) => diesText(partition.diesOfRank[rank]!) });
  try {
    return await conduct({
      plan,
      partition,
      start: { scenario: { ...scenario, hardware, workload: { ...scenario.workload, model } }, tracePath: scenario.workload.trace, runDirectory: path },
      launch,
      signal,
      onStep,
      onProgress: (facts) => progress.show(facts),
    });
  } finally {
    progress.clear();
  }
}

/** Says in the manifest that the run did not complete. When even that cannot be written, it still says `running`. */
function closeUnfinished(folder: RunFolder, first: Manifest, error: unknown, signal: AbortSignal): void {
  const code = String((error as { code?: unknown }).code);
  const status = signal.aborted ? 'interrupted' : ['NODE_LOST', 'NODE_SILENT', 'DISK_FULL'].includes(code) ? 'incomplete' : 'failed';
  const reason = (error instanceof Error ? error.message : String(error)).slice(0, 4000);
  try {
    folder.close(manifestText({ ...first, status, reason, finishedAt: now() }));
  } catch {
    // The error that ended the run is the one to report.
  }
}

/** The script of a node process, beside the library that this process uses. */
function nodeMain(): string {
  return fileURLToPath(new URL('main.js', import.meta.resolve('@kerf/node')));
}

function now(): string {
  return new Date().toISOString();
}
