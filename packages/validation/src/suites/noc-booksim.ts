import type { PlannedRow } from '../planned-case.ts';
import { readBooksim, routerCycles, type BooksimFile, type BooksimRow } from '../reference/booksim.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { acceptedRate, meanHops, packetLatency, trafficCostSeconds, trafficLine, type MeshTraffic } from '../traffic-commands.ts';

/** Relative: latency up to half of saturation, and up to 85 % of it; the accepted rate past saturation. */
const LOW_LOAD_TOLERANCE = 0.03;
const HIGH_LOAD_TOLERANCE = 0.1;
const ACCEPTED_TOLERANCE = 0.03;

const WARMUP_PERIODS = 3;
/** A reference run measured at least 3 and at most 7 periods behind its warm-up: 10 in all. */
const LEAST_PERIODS = 3;
const MOST_PERIODS = 7;
/**
 * Packets measured at low load. The standard deviation of a packet's latency is 0.4 of its mean there (that of the distance), so
 * the mean of 20,000 is good to 0.3 %; the reference measured between 960 and 100,000.
 */
const LEAST_PACKETS = 20_000;
/** Of all rows; the reference used 12345 and other random numbers. */
const SEED = 1;

const SPARSE_CYCLES_PER_PACKET = 20_000;
const SPARSE_PACKETS = 16;

/** Latency, throughput and zero-load latency of BookSim 2, run by run. */
export const nocBooksim: Suite = {
  name: 'noc-booksim',
  title: 'mean packet latency and accepted throughput of a mesh against BookSim 2',
  built: true,
  fidelities: ['flit'],
  tolerances: 'zero load exact; latency 3 % up to half of saturation, 10 % up to 85 %, reported beyond; accepted rate past saturation 3 %',
  sources: [{
    file: 'booksim2-mesh.json',
    part: 'rows',
    cases: (references) => {
      const file = readBooksim(references);
      return file === undefined ? [] : [...zeroLoadCases(file), ...file.rows.map((row) => loadCase(row, file))];
    },
  }],
};

/** What a row has in common with the others of its curve. */
function curveOf({ columns, rows, pattern, pipelineName, virtualChannels, packetFlits }: BooksimRow): string {
  return `${columns}x${rows} ${pattern} ${pipelineName} ${virtualChannels} vc ${packetFlits} flit`;
}

/** Load at which a curve saturates: the least of the accepted rate past saturation, the lowest saturated load and the ideal bound. */
export function saturationRate(row: BooksimRow, rows: readonly BooksimRow[]): number {
  const curve = rows.filter((other) => curveOf(other) === curveOf(row));
  const limits = curve.flatMap(({ result, offeredFlitRate }) => (result.status === 'throughput' ? [result.acceptedFlitRate] : result.status === 'saturated' ? [offeredFlitRate] : []));
  return Math.min(row.idealBound, ...limits);
}

/** The tolerance of a latency at that load, or null beyond 85 % of saturation, where seeds alone spread it by a quarter. */
export function latencyTolerance(flitRate: number, saturation: number): number | null {
  if (flitRate <= 0.5 * saturation) return LOW_LOAD_TOLERANCE;
  return flitRate <= 0.85 * saturation ? HIGH_LOAD_TOLERANCE : null;
}

/**
 * The protocol, the same for all rows: the warm-up of the reference; then as many sample periods as the reference needed to
 * converge (its cycles less the drain), 3 at least, or what 20,000 packets take if that is longer.
 */
export function protocolOf({ columns, rows, packetFlits, offeredFlitRate, samplePeriodCycles: period, result }: BooksimRow): { readonly warmupCycles: number; readonly cycles: number } {
  const periods = result.status === 'stable' ? Math.min(MOST_PERIODS, Math.max(LEAST_PERIODS, Math.floor(result.cycles / period) - WARMUP_PERIODS)) : MOST_PERIODS;
  const packetsPerCycle = (offeredFlitRate / packetFlits) * columns * rows;
  const cycles = result.status === 'stable' ? Math.max(periods * period, Math.ceil(LEAST_PACKETS / packetsPerCycle)) : periods * period;
  return { warmupCycles: WARMUP_PERIODS * period, cycles };
}

function traffic(row: BooksimRow): Omit<MeshTraffic, 'flitRate' | 'warmupCycles' | 'cycles'> {
  const { columns, rows, pattern, packetFlits, virtualChannels, bufferFlits, pipeline } = row;
  return { columns, rows, fidelity: 'flit', pattern, packetFlits, virtualChannels, bufferFlits, pipeline, seed: SEED };
}

function loadCase(row: BooksimRow, file: BooksimFile): CaseDraft {
  const run: MeshTraffic = { ...traffic(row), flitRate: row.offeredFlitRate, ...protocolOf(row) };
  return {
    name: `${curveOf(row)} at ${row.offeredFlitRate}`,
    source: file.tool,
    fidelity: 'flit',
    steps: [trafficLine(run)],
    costSeconds: trafficCostSeconds(run),
    rows: [loadRow(row, file.rows)],
  };
}

function loadRow({ result, ...row }: BooksimRow, rows: readonly BooksimRow[]): PlannedRow {
  const saturation = saturationRate({ result, ...row }, rows);
  const share = `${Math.round((100 * row.offeredFlitRate) / saturation)} % of saturation`;
  if (result.status === 'stable') {
    return {
      what: 'packet latency', unit: 'cycles', expected: result.packetLatencyCycles, tolerance: latencyTolerance(row.offeredFlitRate, saturation),
      ours: ([output]) => packetLatency(output), note: share,
    };
  }
  return { what: 'accepted rate', unit: 'flits/node/cycle', expected: result.acceptedFlitRate, tolerance: ACCEPTED_TOLERANCE, ours: ([output]) => acceptedRate(output), note: share };
}

/** One case per curve: a packet every 20,000 cycles somewhere on the mesh, so that none meets another. */
function zeroLoadCases({ rows }: BooksimFile): CaseDraft[] {
  const curves = new Map(rows.map((row) => [curveOf(row), row]));
  return [...curves].map(([curve, row]) => {
    const flitRate = row.packetFlits / (SPARSE_CYCLES_PER_PACKET * row.columns * row.rows);
    const run: MeshTraffic = { ...traffic(row), flitRate: Number(flitRate.toPrecision(3)), warmupCycles: 0, cycles: SPARSE_PACKETS * SPARSE_CYCLES_PER_PACKET };
    return {
      name: `${curve} at zero load`,
      source: 'formula that BookSim 2 follows exactly: T0 = (H + 1) t_r + H + 3 + (P − 1)',
      fidelity: 'flit',
      steps: [trafficLine(run)],
      costSeconds: trafficCostSeconds(run),
      rows: [{
        what: 'packet latency', unit: 'cycles', tolerance: 0,
        expected: ([output]) => zeroLoadCycles(meanHops(output) - 1, row.packetFlits, routerCycles(row.stages)),
        ours: ([output]) => packetLatency(output),
        note: ([output]) => `over the distances of this run, ${(meanHops(output) - 1).toFixed(3)} links in the mean`,
      }],
    };
  });
}

/**
 * Cycles from the creation of a packet to the ejection of its tail in an empty mesh: (H + 1) routers, H links of one cycle,
 * injection and ejection of one cycle each, one cycle before the injection, and the tail behind its head.
 *
 * @param links H, links between source and destination; a mean of distances gives the mean latency, since T0 is linear in H
 * @param flits P, flits of the packet
 * @param routerCycles t_r, cycles in one router
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), ch. 3; the constant 3 as BookSim 2 counts
 */
export function zeroLoadCycles(links: number, flits: number, routerCycles: number): number {
  return (links + 1) * routerCycles + links + 3 + (flits - 1);
}
