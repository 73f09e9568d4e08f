import { availableParallelism } from 'node:os';
import { relative, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { partitionWafer } from '@kerf/cluster';
import { planReplay } from '@kerf/inference';
import { manifestText, summaryLines, type Manifest } from '@kerf/results';
import { chooseExecution, WORTHWHILE_HOPS_PER_ROUND } from './choose-execution.ts';
import { conduct, type Outcome } from './conduct.ts';
import { diesText } from './dies-text.ts';
import { exitCodes, reportError, type Output } from './errors.ts';
import { completeManifest, totalsOf } from './finish-run.ts';
import { firstManifest, isManifest, runFolderTables } from './first-manifest.ts';
import { Interruption } from './interruption.ts';
import { loadTrace } from './load-trace.ts';
import { MemoryNodes } from './memory-nodes.ts';
import { NodeProcesses, type NodeEvents } from './node-processes.ts';
import { ProgressLine } from './progress.ts';
import { nextRunFolder, RunFolder } from './run-folder.ts';
import { buildScenario, hardwareOf, modelOf, type ScenarioOptions } from './scenario-options.ts';
import { StepsFile } from './steps-file.ts';

export interface RunFlags extends ScenarioOptions {
  readonly force?: boolean;
  readonly json?: boolean;
  readonly printScenario?: boolean;
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
  const { trace, sha256 } = loadTrace(scenario.workload.trace);
  const plan = planReplay(scenario, hardware, model, trace);
  const partition = partitionWafer(hardware, choice.nodes);

  const startedSeconds = performance.now() / 1000;
  const path = scenario.output.directory ?? nextRunFolder(resolve('runs'));
  const first = firstManifest(plan, { ...scenario, output: { ...scenario.output, directory: path }, execution: choice }, sha256, now());
  const folder = RunFolder.create(path, manifestText(first), { force: flags.force === true, tables: runFolderTables, isManifest });
  const interruption = new Interruption();
  const progress = new ProgressLine({ stream: process.stderr, clockMegahertz: hardware.clockMegahertz, now: () => performance.now() });
  let outcome: Outcome;
  let last: Manifest;
  let stepCycles: number[];
  let tokens = 0;
  try {
    const steps = new StepsFile(path, { clockMegahertz: hardware.clockMegahertz, binCycles: scenario.output.binCycles });
    stepCycles = [];
    outcome = await conduct({
      plan,
      partition,
      start: { scenario: { ...scenario, hardware, workload: { ...scenario.workload, model } }, tracePath: scenario.workload.trace, runDirectory: path },
      launch: (events: NodeEvents) =>
        choice.transport === 'memory'
          ? MemoryNodes.start(choice.nodes, trace, events)
          : NodeProcesses.start({ ...events, nodes: choice.nodes, main: nodeMain(), work: (rank) => diesText(partition.diesOfRank[rank]!) }),
      signal: interruption.signal,
      onStep: (row) => {
        steps.write(row);
        stepCycles.push(row.endCycle - row.startCycle);
        tokens += row.tokens;
      },
      onProgress: (facts) => progress.show(facts),
    });
    progress.clear();
    last = completeManifest(first, plan, partition, choice, outcome, steps.finish(), tokens, now());
    folder.close(manifestText(last));
  } catch (error) {
    progress.clear();
    folder.close(manifestText({ ...first, ...ending(error, interruption), finishedAt: now() }));
    return reportError(error, flags.json === true, output, path);
  } finally {
    interruption.end();
  }
  const wallSeconds = performance.now() / 1000 - startedSeconds;
  const { simulatedCycles, packetHops, boundaryPackets } = last.totals!;
  if (flags.json === true) {
    const tables = Object.fromEntries(Object.entries(last.tables).map(([name, table]) => [name, { rows: table.rows, sha256: table.sha256 }]));
    const result = { status: last.status, runDir: path, nodes: choice.nodes, simulatedCycles, wallSeconds, packetHops, boundaryPackets, tables, digest: last.digest };
    output.out(`${JSON.stringify(result)}\n`);
    return exitCodes.done;
  }
  const lines = summaryLines({ hardware, stepCycles, tokens, simulatedCycles, totals: totalsOf(outcome.finished), packetHops, boundaryPackets, wallSeconds, processes: last.processes });
  for (const line of [...lines, ...cutLines(outcome, lines), `${'Results'.padEnd(16)}${relative('', path) || '.'}`, `${'Digest'.padEnd(16)}${last.digest}`]) output.out(`${line}\n`);
  for (const remark of plan.remarks) output.out(`${'Note'.padEnd(16)}${remark}\n`);
  return exitCodes.done;
}

/** Where little happened between two exchanges, a cut does not pay; said once, whatever the summary said about it already. */
function cutLines({ finished, packetHops }: Outcome, lines: readonly string[]): string[] {
  const rounds = Math.max(...finished.map(({ statistics }) => statistics.rounds));
  const perRound = rounds > 0 ? packetHops / rounds : Infinity;
  const wall = finished.reduce((sum, { statistics }) => sum + statistics.wallSeconds, 0);
  const waitShare = wall > 0 ? finished.reduce((sum, { statistics }) => sum + statistics.waitSeconds, 0) / wall : 0;
  if (finished.length === 1 || lines.some((line) => line.includes('does not pay'))) return [];
  if (perRound >= WORTHWHILE_HOPS_PER_ROUND && waitShare <= 0.4) return [];
  return [`${' '.repeat(16)}${Math.round(perRound)} packet-hops between two exchanges: below about ${WORTHWHILE_HOPS_PER_ROUND}, or with much waiting, a cut does not pay (--nodes 1).`];
}

function ending(error: unknown, { signal }: Interruption): { status: Manifest['status']; reason: string } {
  const reason = error instanceof Error ? error.message : String(error);
  if (signal.aborted) return { status: 'interrupted', reason };
  const code = (error as { code?: unknown }).code;
  const gone = ['NODE_LOST', 'NODE_SILENT', 'DISK_FULL'].includes(String(code));
  return { status: gone ? 'incomplete' : 'failed', reason: reason.slice(0, 4000) };
}

/** The script of a node process, beside the library that this process uses. */
function nodeMain(): string {
  return new URL('main.js', import.meta.resolve('@kerf/node')).pathname;
}

function now(): string {
  return new Date().toISOString();
}
