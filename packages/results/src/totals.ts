import { tilesPerDie, type Grid } from '@kerf/hardware';
import { ResultsError } from './errors.ts';
import { dieOfLink, type CollectiveRow, type ExpertRow, type LinkRow } from './rows.ts';
import { PHASE_NAMES, PORT, PORT_NAMES, ROUTER_KIND, type Phase } from './tables.ts';

/** One link over a whole run. */
export interface LinkTotal {
  /** An index of ROUTER_KIND. */
  readonly routerKind: number;
  readonly router: number;
  /** An index of PORT_NAMES. */
  readonly port: number;
  readonly busyCycles: number;
  readonly bytes: number;
}

/** When a phase of each kernel began on the first die and ended on the last, over the dies seen. */
export interface PhaseSpans {
  /** [spans] kernel = step × layers + layer, rising. */
  readonly kernels: readonly number[];
  readonly startCycles: readonly number[];
  readonly endCycles: readonly number[];
}

/** What a summary needs of all rows of a run, or of some of its dies. Plain values, to be sent and merged. */
export interface RunTotals {
  readonly layers: number;
  readonly experts: number;
  /** The link with most busy cycles; of equals a tile's before a hub's, then the lowest router and port. */
  readonly busiestLink: LinkTotal | null;
  /** [layers × experts] copies of tokens that each expert computed. */
  readonly expertTokens: readonly number[];
  readonly phases: Readonly<Record<Phase, PhaseSpans>>;
}

export interface TotalsFacts {
  readonly grid: Grid;
  readonly layers: number;
  readonly experts: number;
}

/** Everything that a keeper holds; the arrays are copies. */
export interface TotalsState {
  readonly dies: readonly { readonly die: number; readonly busyCycles: Float64Array; readonly bytes: Float64Array }[];
  readonly expertTokens: Float64Array;
  readonly phases: Readonly<Record<Phase, PhaseSpans>>;
}

interface DieLinks {
  /** [tiles × tile ports, then hub ports] busy cycles of each link that leaves a router of the die. */
  readonly busyCycles: Float64Array;
  /** [the same] payload bytes. */
  readonly bytes: Float64Array;
}

const TILE_PORTS = PORT.firstGateway;

/**
 * Adds up rows as they are written. All rows of a die go into one keeper; the dies of a run may be spread over several, in
 * any way, and `mergeTotals` puts their totals together. Memory: 16 B per link of the dies seen, 48 B per kernel.
 */
export class TotalsKeeper {
  readonly #facts: TotalsFacts;
  readonly #links = new Map<number, DieLinks>();
  readonly #expertTokens: Float64Array;
  /** [phases] kernel → its first start and last end. */
  readonly #spans: readonly Map<number, [startCycle: number, endCycle: number]>[] = PHASE_NAMES.map(() => new Map<number, [number, number]>());

  constructor(facts: TotalsFacts) {
    this.#facts = facts;
    this.#expertTokens = new Float64Array(facts.layers * facts.experts);
  }

  link(row: Readonly<LinkRow>): void {
    const { grid } = this.#facts;
    const die = dieOfLink(grid, row);
    const tiles = tilesPerDie(grid);
    const links = this.#linksOf(die);
    const at = row.routerKind === ROUTER_KIND.hub ? tiles * TILE_PORTS + row.port : (row.router - die * tiles) * TILE_PORTS + row.port;
    links.busyCycles[at]! += row.busyCycles;
    links.bytes[at]! += row.bytes;
  }

  expert(row: Readonly<ExpertRow>): void {
    const { layers, experts } = this.#facts;
    if (row.layer >= layers || row.expert >= experts) throw new Error(`A row for expert ${row.expert} of layer ${row.layer}, but there are ${layers} layers of ${experts} experts.`);
    this.#expertTokens[row.layer * experts + row.expert]! += row.tokens;
  }

  collective(row: Readonly<CollectiveRow>): void {
    const spans = this.#spans[row.phase]!;
    const { layers } = this.#facts;
    if (row.layer >= layers) throw new Error(`A row for layer ${row.layer}, but there are ${layers} layers.`);
    const kernel = row.step * layers + row.layer;
    const span = spans.get(kernel);
    if (span === undefined) {
      spans.set(kernel, [row.startCycle, row.endCycle]);
    } else {
      span[0] = Math.min(span[0], row.startCycle);
      span[1] = Math.max(span[1], row.endCycle);
    }
  }

  totals(): RunTotals {
    let busiestLink: LinkTotal | null = null;
    for (const [die, { busyCycles, bytes }] of this.#links) {
      for (let at = 0; at < busyCycles.length; at++) {
        if (busyCycles[at]! < (busiestLink?.busyCycles ?? 1)) continue;
        busiestLink = busier(busiestLink, { ...this.#place(die, at), busyCycles: busyCycles[at]!, bytes: bytes[at]! });
      }
    }
    const { layers, experts } = this.#facts;
    return { layers, experts, busiestLink, expertTokens: [...this.#expertTokens], phases: this.#phases() };
  }

  save(): TotalsState {
    const dies = [...this.#links].map(([die, { busyCycles, bytes }]) => ({ die, busyCycles: busyCycles.slice(), bytes: bytes.slice() }));
    return { dies, expertTokens: this.#expertTokens.slice(), phases: this.#phases() };
  }

  static restore(facts: TotalsFacts, state: TotalsState): TotalsKeeper {
    const keeper = new TotalsKeeper(facts);
    const fits = state.expertTokens.length === keeper.#expertTokens.length && state.dies.every(({ die, busyCycles, bytes }) => {
      const { length } = keeper.#linksOf(die).busyCycles;
      return busyCycles.length === length && bytes.length === length;
    });
    if (!fits) throw new ResultsError('RESULTS_BAD_STATE', 'The saved totals belong to other hardware or another model.');
    for (const { die, busyCycles, bytes } of state.dies) {
      keeper.#linksOf(die).busyCycles.set(busyCycles);
      keeper.#linksOf(die).bytes.set(bytes);
    }
    keeper.#expertTokens.set(state.expertTokens);
    for (const [phase, name] of PHASE_NAMES.entries()) {
      const { kernels, startCycles, endCycles } = state.phases[name];
      kernels.forEach((kernel, span) => keeper.#spans[phase]!.set(kernel, [startCycles[span]!, endCycles[span]!]));
    }
    return keeper;
  }

  #linksOf(die: number): DieLinks {
    let links = this.#links.get(die);
    if (links === undefined) {
      const slots = tilesPerDie(this.#facts.grid) * TILE_PORTS + PORT_NAMES.length;
      links = { busyCycles: new Float64Array(slots), bytes: new Float64Array(slots) };
      this.#links.set(die, links);
    }
    return links;
  }

  #place(die: number, at: number): Pick<LinkTotal, 'routerKind' | 'router' | 'port'> {
    const tiles = tilesPerDie(this.#facts.grid);
    const localTile = Math.floor(at / TILE_PORTS);
    if (localTile < tiles) return { routerKind: ROUTER_KIND.tile, router: die * tiles + localTile, port: at % TILE_PORTS };
    return { routerKind: ROUTER_KIND.hub, router: die, port: at - tiles * TILE_PORTS };
  }

  #phases(): Record<Phase, PhaseSpans> {
    const [dispatch, combine] = this.#spans;
    return { dispatch: columnsOf(dispatch!), combine: columnsOf(combine!) };
  }
}

/**
 * The totals of all dies that either has seen, provided that none is in both. Commutative and associative, so processes may
 * report in any order.
 *
 * @throws ResultsError `TOTALS_MISMATCH` if they are not of one model
 */
export function mergeTotals(a: RunTotals, b: RunTotals): RunTotals {
  if (a.layers !== b.layers || a.experts !== b.experts) {
    throw new ResultsError('TOTALS_MISMATCH', `Totals of ${a.layers} layers of ${a.experts} experts and of ${b.layers} layers of ${b.experts} experts are not of one run.`);
  }
  return {
    layers: a.layers,
    experts: a.experts,
    busiestLink: a.busiestLink === null ? b.busiestLink : b.busiestLink === null ? a.busiestLink : busier(a.busiestLink, b.busiestLink),
    expertTokens: a.expertTokens.map((tokens, at) => tokens + b.expertTokens[at]!),
    phases: { dispatch: mergeSpans(a.phases.dispatch, b.phases.dispatch), combine: mergeSpans(a.phases.combine, b.phases.combine) },
  };
}

function busier(a: LinkTotal | null, b: LinkTotal): LinkTotal {
  if (a === null) return b;
  const order = a.busyCycles - b.busyCycles || b.routerKind - a.routerKind || b.router - a.router || b.port - a.port;
  return order >= 0 ? a : b;
}

function mergeSpans(a: PhaseSpans, b: PhaseSpans): PhaseSpans {
  const spans = new Map<number, [number, number]>();
  for (const { kernels, startCycles, endCycles } of [a, b]) {
    kernels.forEach((kernel, at) => {
      const span = spans.get(kernel);
      const start = startCycles[at]!;
      const end = endCycles[at]!;
      spans.set(kernel, span === undefined ? [start, end] : [Math.min(span[0], start), Math.max(span[1], end)]);
    });
  }
  return columnsOf(spans);
}

function columnsOf(spans: ReadonlyMap<number, readonly [number, number]>): PhaseSpans {
  const sorted = [...spans].sort(([a], [b]) => a - b);
  return { kernels: sorted.map(([kernel]) => kernel), startCycles: sorted.map(([, [start]]) => start), endCycles: sorted.map(([, [, end]]) => end) };
}

/** From the first die's start to the last die's end, over all kernels in which the phase happened. */
export interface PhaseLatency {
  readonly kernels: number;
  readonly meanCycles: number;
  readonly maxCycles: number;
  /** Of the slowest kernel; of equals the first. */
  readonly maxStep: number;
  readonly maxLayer: number;
}

/** Undefined if the phase never happened. */
export function phaseLatency({ layers, phases }: RunTotals, phase: Phase): PhaseLatency | undefined {
  const { kernels, startCycles, endCycles } = phases[phase];
  if (kernels.length === 0) return undefined;
  let sum = 0;
  let slowest = 0;
  const cycles = (span: number) => endCycles[span]! - startCycles[span]!;
  for (let span = 0; span < kernels.length; span++) {
    sum += cycles(span);
    if (cycles(span) > cycles(slowest)) slowest = span;
  }
  const kernel = kernels[slowest]!;
  return { kernels: kernels.length, meanCycles: sum / kernels.length, maxCycles: cycles(slowest), maxStep: Math.floor(kernel / layers), maxLayer: kernel % layers };
}

export interface ExpertLoad {
  readonly layer: number;
  readonly expert: number;
  /** Copies of tokens over the run. */
  readonly tokens: number;
  /** The same, averaged over all experts of the layer. */
  readonly meanTokens: number;
}

/** The expert that computed most copies of tokens; of equals the first. Undefined if none computed any. */
export function mostLoadedExpert({ experts, expertTokens }: RunTotals): ExpertLoad | undefined {
  let most = 0;
  for (let at = 1; at < expertTokens.length; at++) if (expertTokens[at]! > expertTokens[most]!) most = at;
  const tokens = expertTokens[most] ?? 0;
  if (tokens === 0) return undefined;
  const layer = Math.floor(most / experts);
  const sum = expertTokens.slice(layer * experts, (layer + 1) * experts).reduce((a, b) => a + b, 0);
  return { layer, expert: most % experts, tokens, meanTokens: sum / experts };
}
