import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testWithReference } from '../../../../test/support/needs.ts';
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
  readonly network_latency: number;
  readonly accepted_flit_rate: number;
  readonly sample_period: number;
}

const machineOf = ({ size, pipeline, num_vcs: vcs, packet_size: flits, pattern }: Row): string => `${size} ${pipeline} ${vcs} VC, ${flits} flit, ${pattern}`;

/** Latency within 3 % up to half of saturation and 10 % up to 85 %, throughput within 3 %; above, reported only. */
function compare(row: Row, saturation: number): { text: string; share: number; deviation: number; tolerance: number } {
  const side = parseInt(row.size, 10);
  const kernel = meshKernel({ side, pipeline: flitPipelines[row.pipeline], virtualChannels: row.num_vcs });
  const throughput = row.status === 'throughput';
  const seed = 12345;
  const result = runOpenLoop(kernel, {
    seed, packetsPerCycle: row.offered_flit_rate / row.packet_size, flits: row.packet_size,
    destination: row.pattern === 'uniform' ? uniform(side * side, seed) : transpose(side),
    warmupCycles: 3 * row.sample_period, measuredCycles: 3 * row.sample_period, drain: !throughput,
  });
  const [ours, theirs] = throughput ? [result.acceptedFlitRate, row.accepted_flit_rate] : [result.packetLatencyCycles, row.packet_latency];
  const share = row.offered_flit_rate / saturation;
  const tolerance = throughput || share <= 0.5 ? 3 : share <= 0.85 ? 10 : Infinity;
  const deviation = 100 * (ours / theirs - 1);
  const what = throughput ? 'accepted flits per tile and cycle' : 'cycles';
  return { text: `${machineOf(row)} at ${row.offered_flit_rate} (${Math.round(100 * share)} % of saturation): ${ours.toPrecision(5)} ${what}, BookSim ${theirs.toPrecision(5)}, ${deviation.toFixed(2)} %`, share, deviation, tolerance };
}

testWithReference('BookSim 2 is reproduced row by row', (folder) => {
  const { rows } = JSON.parse(readFileSync(join(folder, 'reference/booksim2-mesh.json'), 'utf8')) as { rows: Row[] };
  const only = process.env['KERF_BOOKSIM'];
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(machineOf(row), [...(groups.get(machineOf(row)) ?? []), row]);
  const worst = new Map<number, string>();
  const failed: string[] = [];
  for (const [name, group] of groups) {
    if (only !== undefined && !name.includes(only)) continue;
    const saturated = group.filter(({ status }) => status === 'saturated').map(({ offered_flit_rate: rate }) => rate);
    const saturation = Math.min(...saturated, group[0]!.ideal_bound, group.find(({ status }) => status === 'throughput')!.accepted_flit_rate);
    for (const row of group) {
      if (row.status === 'saturated') continue;
      const { text, deviation, tolerance } = compare(row, saturation);
      console.log(`${Math.abs(deviation) > tolerance ? 'FAIL ' : ''}${tolerance === Infinity ? '(reported) ' : ''}${text}`);
      if (Math.abs(deviation) > tolerance) failed.push(text);
    }
  }
  void worst;
  expect(failed).toEqual([]);
}, 600_000);

test('nothing', () => {});
