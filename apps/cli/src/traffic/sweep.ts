import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { dieTopology, estimatingTraffic, trafficPattern, waferFabric } from '@kerf/fabric';
import { CliError } from '../errors.ts';
import { curveSvg } from './curve-svg.ts';
import { measuredJson, measurementFacts, machineFacts, type TrafficContext } from './facts.ts';
import { inPieces } from './drive.ts';
import { fidelityOf, flitsOfFlags, lanesOf, measurementOf, patternOf, rateOf, refuseFlags, type Measurement, type TrafficFlags } from './flags.ts';
import { fabricsOf, machineOf } from './machine.ts';
import { measure } from './measure.ts';
import { notesOf } from './notes.ts';
import { nextRate, saturationOf, type Saturation } from './sweep-points.ts';
import type { Series } from './series.ts';
import { SweepProgress } from './sweep-progress.ts';
import { sweepTable } from './sweep-table.ts';
import { refuseExisting, writeWhole } from './write-whole.ts';

const MOST_SERIES = 24;

/**
 * `kerf traffic --sweep`: latency–load curves, one for each fidelity, pattern and number of virtual channels that was named. The
 * table and the drawing are written when all is measured, each as a whole.
 */
export async function sweepTraffic(flags: TrafficFlags, context: TrafficContext): Promise<void> {
  refuseFlags(flags, '--sweep', ['rate', 'bytes', 'packetBytes', 'window', 'region', 'at', 'root', 'repeat']);
  const base = resolve(flags.out ?? 'traffic-sweep').replace(/\.(arrow|svg|json)$/, '');
  const [tablePath, drawingPath] = [`${base}.arrow`, `${base}.svg`];
  refuseExisting([tablePath, drawingPath], flags.force === true);
  const measurement = measurementOf(flags);
  const flits = flitsOfFlags(flags);
  const rates = flags.rates === undefined ? undefined : list('--rates', flags.rates).map((text) => rateOf('--rates', text, flits)).sort((a, b) => a - b);
  const all = await seriesOf(flags, flits, context.signal);
  // A pattern that does not fit the mesh is told before anything is measured.
  const bounds: (number | undefined)[] = [];
  for (const series of all) bounds.push(await boundOf(series, measurement.seed, context.signal));
  const progress = new SweepProgress(all.map(({ machine, points, name }, index) => ({ name, points, fidelity: machine.fidelity, bound: bounds[index], most: flits, rates })), () => performance.now());

  for (const [index, series] of all.entries()) {
    const one = async (rate: number): Promise<void> => {
      const measured = await measure(series.machine, { pattern: series.pattern, rate, flits }, measurement, { ...context, label: (share) => progress.text(index, rate, share) });
      series.points.push({ rate, saturated: measured.status === 'saturated', measured });
    };
    if (rates !== undefined) {
      for (const rate of rates) await one(rate);
      continue;
    }
    for (let rate = nextRate([], bounds[index], flits); rate !== undefined; rate = nextRate(series.points, bounds[index], flits)) await one(rate);
  }

  const { hardware } = all[0]!.machine;
  const title = `${hardware.name}, packets of ${flits} ${flits === 1 ? 'flit' : 'flits'}`;
  const facts = { hardware: hardware.name, seed: String(measurement.seed), warmupCycles: String(measurement.warmupCycles), measuredCycles: String(measurement.cycles) };
  const table = sweepTable(all, facts);
  const drawing = curveSvg(title, all.map((series) => ({ name: series.name, ...saturationOf(series.points), points: curveOf(series) })));
  context.signal.throwIfAborted();
  writeWhole(tablePath, table);
  writeWhole(drawingPath, drawing);
  context.output.out(flags.json === true ? `${JSON.stringify(json(all, measurement, tablePath, drawingPath))}\n` : text(all, tablePath, drawingPath));
}

async function seriesOf(flags: TrafficFlags, flits: number, signal: AbortSignal): Promise<Series[]> {
  const fidelities = list('--fidelity', flags.fidelity ?? 'packet').map(fidelityOf);
  const patterns = list('--pattern', flags.pattern ?? 'uniform').map(patternOf);
  const lanes = flags.vcs === undefined ? [undefined] : list('--vcs', flags.vcs).map(lanesOf);
  const curves = fidelities.length * patterns.length * lanes.length;
  if (curves > MOST_SERIES) throw new CliError('CLI_USAGE', `A sweep has at most ${MOST_SERIES} curves; these are ${curves}.`, { curves });
  const all: Series[] = [];
  for (const fidelity of fidelities) {
    for (const virtualChannels of lanes) {
      const machine = await machineOf(flags, fidelity, virtualChannels, flits, signal);
      const channels = `${machine.virtualChannels} ${machine.virtualChannels === 1 ? 'virtual channel' : 'virtual channels'}`;
      for (const pattern of patterns) all.push({ machine, pattern, flits, name: `${pattern}, ${fidelity}, ${channels}`, points: [] });
    }
  }
  // Pattern by pattern, and each with its numbers of channels side by side.
  const place = ({ machine, pattern }: Series): number => fidelities.indexOf(machine.fidelity) * patterns.length + patterns.indexOf(pattern);
  return all.sort((a, b) => place(a) - place(b));
}

function list(flag: string, text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  if (items.includes('')) throw new CliError('CLI_USAGE', `${flag} takes values with commas between them, got "${text}".`, { flag, got: text });
  const twice = items.find((item, index) => items.indexOf(item) !== index);
  if (twice !== undefined) throw new CliError('CLI_USAGE', `${flag} names ${twice} twice.`, { flag, got: text });
  return items;
}

/** Where the busiest link would be full; undefined where only a simulation knows. Throws where the pattern does not fit. */
async function boundOf({ machine, pattern: name, flits }: Series, seed: number, signal: AbortSignal): Promise<number | undefined> {
  const { hardware, absent } = machine;
  const fabrics = await fabricsOf({ ...machine, fidelity: 'analytic' }, signal);
  const pattern = trafficPattern(name, waferFabric(fabrics, absent).grid, seed);
  if (fabrics.length > 1 || absent !== undefined) return undefined;
  return (await inPieces(estimatingTraffic(dieTopology(hardware, 0), pattern, 1e-9, flits * hardware.link.bytesPerCycle), signal)).saturationFlitRate;
}

function curveOf({ points }: Series): { rate: number; latencyCycles: number }[] {
  return points
    .filter(({ measured }) => measured.status === 'stable' && measured.packetLatencyCycles !== null)
    .map(({ rate, measured }) => ({ rate, latencyCycles: measured.packetLatencyCycles! }))
    .sort((a, b) => a.rate - b.rate);
}

function sorted({ points }: Series): Series['points'] {
  return [...points].sort((a, b) => a.rate - b.rate);
}

function json(all: readonly Series[], measurement: Measurement, table: string, drawing: string): object {
  return {
    status: 'complete',
    series: all.map((series) => ({
      name: series.name, pattern: series.pattern, flits: series.flits, ...machineFacts(series.machine),
      saturation: saturationOf(series.points),
      rows: sorted(series).map(({ rate, measured }) => ({ rate, ...measuredJson(measured) })),
      notes: notesOf(series.machine, series.flits, series.points.some(({ measured }) => measured.simulated)),
    })),
    ...measurementFacts(measurement),
    table,
    drawing,
  };
}

function text(all: readonly Series[], table: string, drawing: string): string {
  const lines: string[] = [];
  const cell = (value: string): string => value.padStart(12);
  for (const series of all) {
    lines.push(`${series.name}`, ['offered', 'accepted', 'latency', 'network', 'p99', 'hops', ''].map(cell).join('').trimEnd());
    for (const { rate, measured } of sorted(series)) {
      const { acceptedFlitRate, packetLatencyCycles, networkLatencyCycles, latencyPercentiles, hops, status } = measured;
      const cycles = (value: number | null | undefined): string => (value === null || value === undefined ? '-' : value.toFixed(2));
      lines.push([rate.toPrecision(4), acceptedFlitRate.toPrecision(4), cycles(packetLatencyCycles), cycles(networkLatencyCycles), latencyPercentiles === null ? '-' : String(latencyPercentiles.p99), cycles(hops), status === 'saturated' ? 'saturated' : ''].map(cell).join('').trimEnd());
    }
    lines.push(`  ${saturationText(saturationOf(series.points))}`);
    for (const note of notesOf(series.machine, series.flits, series.points.some(({ measured }) => measured.simulated))) lines.push(`  ${note}`);
    lines.push('');
  }
  lines.push(`Rates in flits per tile and cycle, latencies in cycles, hops in routers.`, `Table    ${table}`, `Drawing  ${drawing}`);
  return `${lines.join('\n')}\n`;
}

function saturationText({ stable, saturated }: Saturation): string {
  if (saturated === null) return 'Stable at every rate that was measured.';
  if (stable === null) return `Saturated at every rate that was measured, from ${saturated} on.`;
  return `Saturates between ${stable} and ${saturated} flits per tile and cycle.`;
}
