import type { CommandOutput, CommandStep, PlannedRow } from '../planned-case.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { acceptedRate, collectiveLine, cyclesOf, isSaturated, packetLatency, trafficCostSeconds, trafficLine, type MeshTraffic } from '../traffic-commands.ts';
import { deviationOf } from '../verdict.ts';
import { idealBounds } from './ideal-bounds.ts';

/** Relative: latency up to half of saturation, and up to 85 % of it; saturation itself. */
const LOW_LOAD_TOLERANCE = 0.05;
const HIGH_LOAD_TOLERANCE = 0.1;
const SATURATION_TOLERANCE = 0.05;

const SIDE = 8;
const SEED = 1;
const PACKET_FLITS = [1, 4, 16, 64] as const;
const JUDGED_LANES = [1, 8] as const;
/** Shares of the flit kernel's saturation. */
const LOADS = [0.1, 0.25, 0.5, 0.7, 0.85] as const;
const LEAST_BUFFER_FLITS = 8;
/** Each halves the range in which the lowest saturated load lies; six leave 1.3 % of the load. */
const HALVINGS = 6;
/**
 * Past saturation what is accepted of long packets sinks before it stays: of 64 flits in a tornado from 0.22 behind 6000 cycles to 0.17 behind 50,000, in
 * both kernels. So the warm-up is as long as packets are.
 */
const WARMUP_CYCLES = 6000;
const WARMUP_CYCLES_PER_FLIT = 800;
/** Packets measured: the mean latency of 12,000 is good to 0.4 % at low load; both kernels get the same traffic besides. */
const PACKETS = 12_000;
const LEAST_CYCLES = 6000;

const PATTERNS = ['uniform', 'transpose', 'bitcomp', 'tornado', 'neighbor'] as const;

interface Config {
  readonly pattern: string;
  readonly idealBound: number;
  readonly packetFlits: number;
  readonly lanes: number;
  readonly bufferFlits: number;
  readonly pipeline: 'A' | 'B';
  /** Reported rows are shown and not judged. */
  readonly judged: boolean;
}

/** The packet kernel against the flit kernel: the same traffic, equal lanes and buffers. */
export const nocPacketFlit: Suite = {
  name: 'noc-packet-flit',
  title: 'the packet kernel against the flit kernel under the same traffic, with equal lanes',
  built: true,
  fidelities: ['packet'],
  tolerances: 'latency 5 % up to half of saturation, 10 % up to 85 %; saturation 5 %; buffers smaller than a packet reported; collectives 5 %',
  sources: [],
  formulas: () => [...configs().map(patternCase), ...multicastCases()],
};

function configs(): Config[] {
  const of = (pattern: (typeof PATTERNS)[number], packetFlits: number, lanes: number, more: Partial<Config> = {}): Config => ({
    pattern, packetFlits, lanes, idealBound: idealBounds[pattern](SIDE), bufferFlits: Math.max(LEAST_BUFFER_FLITS, packetFlits), pipeline: 'B', judged: true, ...more,
  });
  const judged = PATTERNS.flatMap((name) => JUDGED_LANES.flatMap((lanes) => PACKET_FLITS.map((flits) => of(name, flits, lanes))));
  // Room for further packets while the first one leaves.
  const roomy = JUDGED_LANES.flatMap((lanes) => ([4, 16, 64] as const).map((flits) => of('uniform', flits, lanes, { bufferFlits: 3 * flits })));
  // Route computation and VC allocation cost a cycle each, behind every tail again.
  const longPipeline = JUDGED_LANES.flatMap((lanes) => ([1, 4, 16] as const).map((flits) => of('uniform', flits, lanes, { pipeline: 'A' })));
  const otherLanes = ([2, 4] as const).map((lanes) => of('uniform', 4, lanes, { judged: false }));
  const smallBuffers = JUDGED_LANES.map((lanes) => of('uniform', 16, lanes, { bufferFlits: 8, judged: false }));
  return [...judged, ...roomy, ...longPipeline, ...otherLanes, ...smallBuffers];
}

/** The packet kernel never holds less than a packet; the flit kernel gets the buffers that the case names, and can hold its switch only for packets that fit. */
function run(config: Config, fidelity: 'flit' | 'packet', flitRate: number, switchHold: 'flit' | 'packet' = config.bufferFlits < config.packetFlits ? 'flit' : 'packet'): MeshTraffic {
  const { pattern, packetFlits, lanes, bufferFlits, pipeline } = config;
  const cycles = Math.max(LEAST_CYCLES, Math.ceil(PACKETS / ((flitRate / packetFlits) * SIDE * SIDE)));
  return {
    columns: SIDE, rows: SIDE, fidelity, pattern, flitRate, packetFlits, virtualChannels: lanes, bufferFlits: fidelity === 'packet' ? Math.max(bufferFlits, packetFlits) : bufferFlits,
    pipeline, ...(fidelity === 'flit' ? { switchHold } : {}), warmupCycles: Math.max(WARMUP_CYCLES, WARMUP_CYCLES_PER_FLIT * packetFlits), cycles: Math.min(cycles, 400_000), latencyLimitCycles: 500 + 50 * packetFlits, seed: SEED,
  };
}

/** With one lane, or packets of one flit, both ways to hold a switch are the same machine. */
function holdMatters({ lanes, packetFlits, bufferFlits }: Config): boolean {
  return lanes > 1 && packetFlits > 1 && bufferFlits >= packetFlits;
}

/**
 * Saturation of each kernel first: the least of what it accepts of 1.25 times the ideal bound, the lowest load that saturates it,
 * found by halving, and that bound. Then, at shares of the flit kernel's saturation, the same packets through both, and through a
 * flit kernel that shares its switch flit by flit.
 */
function patternCase(config: Config): CaseDraft {
  const { pattern, packetFlits, lanes, bufferFlits, idealBound, pipeline } = config;
  // A source gives at most a packet per cycle.
  const past = Number(Math.min(1.25 * idealBound, packetFlits).toPrecision(3));
  const steps: CommandStep[] = [];
  const search = (fidelity: 'flit' | 'packet'): Search => {
    const first = steps.push(trafficLine(run(config, fidelity, past))) - 1;
    for (let halving = 0; halving < HALVINGS; halving++) steps.push((outputs) => trafficLine(run(config, fidelity, middle(bracket(outputs, { first, idealBound }, halving)))));
    return { first, idealBound };
  };
  const flitSearch = search('flit');
  const packetSearch = search('packet');
  let cost = 2 * trafficCostSeconds(run(config, 'flit', past)) + 2 * HALVINGS * trafficCostSeconds(run(config, 'flit', 0.7 * idealBound));
  const limits = (of: (outputs: readonly CommandOutput[], search: Search) => number, what: string, tolerance: number | null): PlannedRow => ({
    what, unit: 'flits/node/cycle', expected: (outputs) => of(outputs, flitSearch), ours: (outputs) => of(outputs, packetSearch), tolerance,
  });
  const rows: PlannedRow[] = [
    { ...limits(saturationOf, 'saturation', config.judged ? SATURATION_TOLERANCE : null), note: 'the least of accepted rate past saturation, lowest saturated load and ideal bound' },
    limits((outputs, { first }) => acceptedRate(outputs[first]), `accepted of ${past}`, null),
    limits(lowestSaturated, 'lowest saturated load', null),
  ];
  for (const load of LOADS) {
    const rate = (outputs: readonly CommandOutput[]) => Number((load * saturationOf(outputs, flitSearch)).toPrecision(3));
    const flit = steps.push((outputs) => trafficLine(run(config, 'flit', rate(outputs)))) - 1;
    const packet = steps.push((outputs) => trafficLine(run(config, 'packet', rate(outputs)))) - 1;
    const shared = holdMatters(config) ? steps.push((outputs) => trafficLine(run(config, 'flit', rate(outputs), 'flit'))) - 1 : undefined;
    cost += (shared === undefined ? 2 : 3) * trafficCostSeconds(run(config, 'flit', load * 0.7 * idealBound));
    const limit = !config.judged ? null : load <= 0.5 ? LOW_LOAD_TOLERANCE : HIGH_LOAD_TOLERANCE;
    rows.push({
      what: `packet latency at ${Math.round(100 * load)} % of saturation`,
      unit: 'cycles',
      expected: (outputs) => packetLatency(outputs[flit]),
      ours: (outputs) => packetLatency(outputs[packet]),
      // Where some flows of a pattern saturate before the mean does, a latency has no meaning.
      tolerance: (outputs) => (isSaturated(outputs[flit]) ? null : limit),
      note: (outputs) => [
        ...(isSaturated(outputs[flit]) ? ['the flit kernel is past saturation here'] : []),
        ...(shared === undefined ? [] : [`against a switch shared flit by flit ${percent(packetLatency(outputs[packet]), packetLatency(outputs[shared]))}`]),
      ].join('; '),
    });
  }
  const buffers = `${bufferFlits} flit buffers`;
  return {
    name: `${SIDE}x${SIDE} ${pattern} ${pipeline} ${lanes} vc ${packetFlits} flit, ${buffers}`, source: 'the flit kernel, which noc-booksim judges', fidelity: 'packet', steps, rows,
    costSeconds: cost,
  };
}

/** Runs of one kernel: the first offers 1.25 times the ideal bound, {@link HALVINGS} others look for the lowest load that saturates. */
interface Search {
  /** Index of the first of its outputs. */
  readonly first: number;
  readonly idealBound: number;
}

/** Between a load that is taken to be carried and one that saturates, after some halvings: 0.5 to 1.3 times what was accepted at first, at most the ideal bound. */
function bracket(outputs: readonly CommandOutput[], { first, idealBound }: Search, halvings: number): readonly [carried: number, saturated: number] {
  const accepted = acceptedRate(outputs[first]);
  let carried = Math.min(0.5 * accepted, 0.5 * idealBound);
  let saturated = Math.min(1.3 * accepted, idealBound);
  for (let halving = 0; halving < halvings; halving++) {
    const load = middle([carried, saturated]);
    if (isSaturated(outputs[first + 1 + halving])) saturated = load;
    else carried = load;
  }
  return [carried, saturated];
}

/** Three digits, as they stand in the command. */
function middle([carried, saturated]: readonly [number, number]): number {
  return Number(((carried + saturated) / 2).toPrecision(3));
}

/** The ideal bound where no load of the search saturates. */
function lowestSaturated(outputs: readonly CommandOutput[], search: Search): number {
  const searched = outputs.slice(search.first + 1, search.first + 1 + HALVINGS);
  return searched.some(isSaturated) ? bracket(outputs, search, HALVINGS)[1] : search.idealBound;
}

function saturationOf(outputs: readonly CommandOutput[], search: Search): number {
  return Math.min(acceptedRate(outputs[search.first]), lowestSaturated(outputs, search), search.idealBound);
}

function percent(ours: number, other: number): string {
  const deviation = 100 * deviationOf(ours, other);
  return `${deviation < 0 ? '−' : '+'}${Math.abs(deviation).toFixed(1)} %`;
}

/** One multicast in an empty network, through both kernels. */
function multicastCases(): CaseDraft[] {
  const regions = [[4, 1], [1, 4], [2, 2], [4, 4]] as const;
  return regions.flatMap(([columns, rows]) => PACKET_FLITS.map((flits): CaseDraft => {
    const collective = { hardware: 'floonoc-4x4', collective: 'multicast', columns, rows, bytes: 64 * flits };
    return {
      name: `multicast to ${columns}x${rows}, ${flits} flit`, source: 'the flit kernel, which noc-booksim judges', fidelity: 'packet', costSeconds: 0.2,
      steps: [collectiveLine(collective, 'flit'), collectiveLine(collective, 'packet')],
      rows: [{ what: '', unit: 'cycles', expected: ([flit]) => cyclesOf(flit), ours: ([, packet]) => cyclesOf(packet), tolerance: LOW_LOAD_TOLERANCE }],
    };
  }));
}
