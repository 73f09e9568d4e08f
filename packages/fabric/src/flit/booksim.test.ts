import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { nightly, testWithReference } from '../../../../test/support/needs.ts';
import { meshKernel, runOpenLoop, transpose, uniform } from './laboratory.ts';
import { flitPipelines } from './pipeline.ts';

/** A row of booksim2-mesh.json: one run of BookSim 2. */
interface Row {
  readonly size: string;
  readonly pipeline: 'A' | 'B';
  readonly num_vcs: number;
  readonly packet_size: number;
  readonly pattern: 'uniform' | 'transpose';
  readonly offered_flit_rate: number;
  readonly status: 'stable' | 'saturated' | 'throughput';
  readonly ideal_bound: number;
  readonly packet_latency: number;
  readonly accepted_flit_rate: number;
  readonly sample_period: number;
}

/** Up to half of saturation, up to 85 %, and past saturation: largest deviation, percent. Rows between are not judged: seeds alone spread by more. */
const TOLERANCES = { low: 3, high: 10, throughput: 3 };

const machineOf = ({ size, pipeline, num_vcs: vcs, packet_size: flits, pattern }: Row): string => `${size} ${pipeline} ${vcs} VC, ${flits} flit, ${pattern}`;

function saturationOf(rows: readonly Row[]): number {
  const saturated = rows.filter(({ status }) => status === 'saturated').map(({ offered_flit_rate: rate }) => rate);
  return Math.min(...saturated, rows[0]!.ideal_bound, rows.find(({ status }) => status === 'throughput')!.accepted_flit_rate);
}

function judged(rows: readonly Row[]): { row: Row; share: number; tolerance: number }[] {
  const saturation = saturationOf(rows);
  return rows.filter(({ status }) => status !== 'saturated').map((row) => {
    const share = row.offered_flit_rate / saturation;
    return { row, share, tolerance: row.status === 'throughput' ? TOLERANCES.throughput : share <= 0.5 ? TOLERANCES.low : TOLERANCES.high };
  }).filter(({ row, share }) => row.status === 'throughput' || share <= 0.85);
}

/** Percent that we are above BookSim. */
function deviation(row: Row): number {
  const side = parseInt(row.size, 10);
  const throughput = row.status === 'throughput';
  const seed = 12345;
  const packetsPerCycle = row.offered_flit_rate / row.packet_size;
  const enough = throughput ? 0 : Math.ceil(20_000 / (packetsPerCycle * side * side));
  const { acceptedFlitRate, packetLatencyCycles } = runOpenLoop(meshKernel({ side, pipeline: flitPipelines[row.pipeline], virtualChannels: row.num_vcs }), {
    seed, packetsPerCycle, flits: row.packet_size, destination: row.pattern === 'uniform' ? uniform(side * side, seed) : transpose(side),
    warmupCycles: 3 * row.sample_period, measuredCycles: Math.max(3 * row.sample_period, enough), drain: !throughput,
  });
  return 100 * (throughput ? acceptedFlitRate / row.accepted_flit_rate : packetLatencyCycles / row.packet_latency) - 100;
}

// By default the highest judged load and the throughput of each small machine; the nightly run takes all.
testWithReference('BookSim 2 is reproduced row by row', (folder) => {
  const { rows } = JSON.parse(readFileSync(join(folder, 'reference/booksim2-mesh.json'), 'utf8')) as { rows: Row[] };
  const machines = new Map<string, Row[]>();
  for (const row of rows) if (nightly || row.size === '8x8') machines.set(machineOf(row), [...(machines.get(machineOf(row)) ?? []), row]);
  const report: string[] = [];
  const failed: string[] = [];
  for (const [machine, group] of machines) {
    for (const { row, share, tolerance } of nightly ? judged(group) : judged(group).slice(-2)) {
      const percent = deviation(row);
      report.push(`${machine} at ${row.offered_flit_rate} (${Math.round(100 * share)} % of saturation): ${percent.toFixed(2)} %`);
      if (!(Math.abs(percent) <= tolerance)) failed.push(report.at(-1)!);
    }
  }
  if (nightly) console.log(report.join('\n'));
  expect(report.length).toBeGreaterThan(0);
  expect(failed).toEqual([]);
}, 600_000);
