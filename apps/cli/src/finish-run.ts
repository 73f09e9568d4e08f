import type { Partition } from '@kerf/cluster';
import type { ReplayPlan } from '@kerf/inference';
import { runDigest, TABLE_NAMES, tableDigest, type Manifest, type ManifestFile, type ManifestTable, type StepRow, type TableName } from '@kerf/results';
import type { ExecutionChoice } from './choose-execution.ts';
import type { Finished, Outcome } from './conduct.ts';
import { sha256 } from '@kerf/node';

/** The manifest of a run that came to its end: the first one, and what came of it. */
export function completeManifest(first: Manifest, plan: ReplayPlan, partition: Partition, { transport }: ExecutionChoice, outcome: Outcome, stepsFile: ManifestFile, rows: readonly StepRow[], finishedAt: string): Manifest {
  const { finished, simulatedCycles, packetHops } = outcome;
  const tables = tablesOf(finished, stepsFile);
  const files = TABLE_NAMES.flatMap((table) => (tables[table]?.files ?? []).map(({ die, sha256: hash }) => ({ table, die, sha256: hash })));
  const deliveries = finished.flatMap((report) => report.deliveries.map(({ dieId, digest }) => ({ die: dieId, digest })));
  const boundaryPackets = finished.reduce((sum, { statistics }) => sum + statistics.boundaryPacketsSent, 0);
  return {
    ...first,
    status: 'complete',
    finishedAt,
    processes: finished.map(({ statistics }, rank) => {
      const { pid, boundaryPacketsSent, boundaryPacketsReceived, framesSent, wallSeconds, waitSeconds, packetHops: hops, peakRssBytes } = statistics;
      return { rank, dies: [...partition.diesOfRank[rank]!], pid, transport, boundaryPacketsSent, boundaryPacketsReceived, framesSent, wallSeconds, waitSeconds, packetHops: hops, peakRssBytes };
    }),
    totals: { steps: plan.scenario.workload.steps, simulatedCycles, packetHops, boundaryPackets },
    conservation: conservationOf(finished, plan.model.topK, rows),
    tables,
    digest: runDigest(sha256, files, deliveries),
  };
}

function tablesOf(finished: readonly Finished[], stepsFile: ManifestFile): Partial<Record<TableName, ManifestTable>> {
  const tables: Partial<Record<TableName, ManifestTable>> = {};
  for (const name of TABLE_NAMES) {
    const ofNodes = finished
      .flatMap(({ files }) => files)
      .filter(({ table }) => table === name)
      .map(({ dieId, path, rows, bytes, sha256: hash }) => ({ die: dieId, path, rows, bytes, sha256: hash }))
      .sort((a, b) => a.die - b.die);
    const files: ManifestFile[] = name === 'steps' ? [stepsFile] : ofNodes;
    tables[name] = { rows: files.reduce((sum, { rows }) => sum + rows, 0), sha256: tableDigest(sha256, files), files };
  }
  return tables;
}

/** Each layer sees every token of every step once. */
function conservationOf(finished: readonly Finished[], topK: number, rows: readonly StepRow[]): Manifest['conservation'] {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  const layers = new Map<number, { dispatched: number; combined: number }>();
  for (const { layer, dispatched, combined } of finished.flatMap(({ conservation }) => conservation)) {
    const sum = layers.get(layer) ?? { dispatched: 0, combined: 0 };
    layers.set(layer, { dispatched: sum.dispatched + dispatched, combined: sum.combined + combined });
  }
  return [...layers].sort(([a], [b]) => a - b).map(([layer, counts]) => ({ layer, tokens, topK, ...counts }));
}
