import type { ReplayPlan } from '@kerf/inference';
import { mergeTotals, summaryLines, type Manifest, type RunTotals, type StepRow } from '@kerf/results';
import { WORTHWHILE_HOPS_PER_ROUND } from './choose-execution.ts';
import type { Outcome } from './conduct.ts';

export interface RunFacts {
  readonly manifest: Manifest;
  readonly plan: ReplayPlan;
  readonly outcome: Outcome;
  /** [steps] */
  readonly rows: readonly StepRow[];
  readonly runDir: string;
  readonly wallSeconds: number;
}

/** What `--json` prints of a complete run. */
export function jsonResult({ manifest, runDir, wallSeconds }: RunFacts): Record<string, unknown> {
  const { status, processes, totals, tables, digest } = manifest;
  const { simulatedCycles, packetHops, boundaryPackets } = totals!;
  const short = Object.fromEntries(Object.entries(tables).map(([name, { rows, sha256 }]) => [name, { rows, sha256 }]));
  return { status, runDir, nodes: processes.length, simulatedCycles, wallSeconds, packetHops, boundaryPackets, tables: short, digest };
}

/** What a person reads at the end of a complete run. */
export function summaryText({ manifest, plan, outcome, rows, wallSeconds }: RunFacts, folder: string): string {
  const { simulatedCycles, packetHops, boundaryPackets } = manifest.totals!;
  const summary = summaryLines({
    hardware: plan.hardware,
    stepCycles: rows.map(({ startCycle, endCycle }) => endCycle - startCycle),
    tokens: rows.reduce((sum, { tokens }) => sum + tokens, 0),
    simulatedCycles,
    // From our own nodes, of our own version.
    totals: outcome.finished.map((report) => report.summary as RunTotals).reduce(mergeTotals),
    packetHops,
    boundaryPackets,
    wallSeconds,
    processes: manifest.processes,
  });
  const lines = [
    ...summary,
    ...(summary.some((line) => line.includes('does not pay')) ? [] : cutLine(outcome)),
    ...plan.remarks.map((remark) => line('Note', remark)),
    line('Results', folder),
    line('Digest', manifest.digest!),
  ];
  return `${lines.join('\n')}\n`;
}

function line(label: string, text: string): string {
  return label.padEnd(16) + text;
}

/** Where little happens between two exchanges, or processes mostly wait, a cut does not pay. */
function cutLine({ finished, packetHops }: Outcome): string[] {
  if (finished.length === 1) return [];
  const sum = (of: 'wallSeconds' | 'waitSeconds') => finished.reduce((total, { statistics }) => total + statistics[of], 0);
  const rounds = Math.max(1, ...finished.map(({ statistics }) => statistics.rounds));
  if (packetHops / rounds >= WORTHWHILE_HOPS_PER_ROUND && sum('waitSeconds') <= 0.4 * sum('wallSeconds')) return [];
  return [line('', `${Math.round(packetHops / rounds)} packet-hops between two exchanges: below about ${WORTHWHILE_HOPS_PER_ROUND} a cut does not pay (--nodes 1 gives the same result).`)];
}
