import { nanosecondsFromCycles, tileXYOnDie, tilesPerDie, dieXY, type Hardware } from '@kerf/hardware';
import { PORT_NAMES, ROUTER_KIND, type Phase } from './tables.ts';
import { mostLoadedExpert, phaseLatency, type LinkTotal, type RunTotals } from './totals.ts';

export interface SummaryInput {
  readonly hardware: Pick<Hardware, 'wafer' | 'die' | 'clockMegahertz'>;
  /** [steps] length of each decode step, cycles. */
  readonly stepCycles: readonly number[];
  /** Tokens of all steps together. */
  readonly tokens: number;
  /** From the first cycle of the run to the last. */
  readonly simulatedCycles: number;
  readonly totals: RunTotals;
  readonly packetHops: number;
  readonly boundaryPackets: number;
  readonly wallSeconds: number;
  /** [processes] */
  readonly processes: readonly { readonly wallSeconds: number; readonly waitSeconds: number }[];
}

/** Below this many processes' worth of work, cutting the wafer has not paid. */
const WORTHWHILE_SPEED_UP = 1.1;

/** The summary that a person reads at the end of a run: some lines, the words of each first line up to column 16. */
export function summaryLines(input: SummaryInput): string[] {
  const { hardware, stepCycles, tokens, simulatedCycles, totals, packetHops, boundaryPackets, wallSeconds, processes } = input;
  const time = (cycles: number) => duration(nanosecondsFromCycles(cycles, hardware.clockMegahertz));
  const lines = new Lines();
  const steps = stepCycles.length;
  if (steps > 0) {
    const mean = stepCycles.reduce((a, b) => a + b, 0) / steps;
    const range = steps === 1 ? '' : ` (${time(Math.min(...stepCycles))} to ${time(Math.max(...stepCycles))})`;
    lines.add('Simulated', `${plural(steps, 'step')} with ${plural(tokens, 'token')} in all: ${time(mean)} per step${range}`);
  }
  for (const [name, phase] of [['Dispatch', 'dispatch'], ['Combine', 'combine']] as const satisfies readonly (readonly [string, Phase])[]) {
    const latency = phaseLatency(totals, phase);
    if (latency === undefined) continue;
    lines.add(name, `${time(latency.meanCycles)} per layer on average, ${time(latency.maxCycles)} at most (step ${latency.maxStep}, layer ${latency.maxLayer})`);
  }
  if (totals.busiestLink !== null) {
    const { busyCycles, bytes } = totals.busiestLink;
    const share = simulatedCycles > 0 ? `${percent(busyCycles / simulatedCycles)} of the time` : plural(busyCycles, 'cycle');
    lines.add('Busiest link', `${linkName(totals.busiestLink, hardware)}: busy ${share}, ${quantity(bytes, 'B')}`);
  }
  const expert = mostLoadedExpert(totals);
  if (expert !== undefined) {
    lines.add('Busiest expert', `expert ${expert.expert} of layer ${expert.layer}: ${plural(expert.tokens, 'token')}, ${(expert.tokens / expert.meanTokens).toFixed(1)} times the mean of its layer`);
  }
  const rate = wallSeconds > 0 ? `, ${quantity(packetHops / wallSeconds, 'packet-hops')} per second` : '';
  lines.add('Wall time', `${wallSeconds.toFixed(wallSeconds < 10 ? 2 : 1)} s on ${plural(processes.length, 'process', 'processes')}${rate}`);
  if (processes.length > 1) {
    const wall = processes.reduce((sum, process) => sum + process.wallSeconds, 0);
    const wait = processes.reduce((sum, process) => sum + process.waitSeconds, 0);
    lines.add('', `${plural(boundaryPackets, 'packet')} crossed between processes; ${percent(wall > 0 ? wait / wall : 0)} of their time was waiting`);
    const longest = Math.max(...processes.map((process) => process.wallSeconds));
    const speedUp = longest > 0 ? (wall - wait) / longest : processes.length;
    if (speedUp < WORTHWHILE_SPEED_UP) {
      lines.add('', `Together they did the work of ${speedUp.toFixed(1)} processes: this cut does not pay. One process (--nodes 1) gives the same result.`);
    }
  }
  return lines.all;
}

class Lines {
  readonly all: string[] = [];

  add(label: string, text: string): void {
    this.all.push(`${label.padEnd(16)}${text}`);
  }
}

/** “tile (3, 7) of die 2, east”; the place of a tile is that on its die. */
export function linkName({ routerKind, router, port }: Pick<LinkTotal, 'routerKind' | 'router' | 'port'>, grid: Pick<Hardware, 'wafer' | 'die'>): string {
  if (routerKind === ROUTER_KIND.hub) {
    const { x, y } = dieXY(grid, router);
    return `hub of die ${router} (${x}, ${y}), ${PORT_NAMES[port]}`;
  }
  const { x, y } = tileXYOnDie(grid, router);
  return `tile (${x}, ${y}) of die ${Math.floor(router / tilesPerDie(grid))}, ${PORT_NAMES[port]}`;
}

/** A time in the unit that leaves one to three digits before the point. */
export function duration(nanoseconds: number): string {
  const [value, unit] = nanoseconds < 1e3 ? [nanoseconds, 'ns'] : nanoseconds < 1e6 ? [nanoseconds / 1e3, 'µs'] : nanoseconds < 1e9 ? [nanoseconds / 1e6, 'ms'] : [nanoseconds / 1e9, 's'];
  return `${digits(value)} ${unit}`;
}

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'];
const WORDS = ['', ' thousand', ' million', ' billion', ' trillion', ' quadrillion'];

/** A large number, shortened: with a decimal prefix for a unit symbol (“1.25 MB”), in words for anything longer. */
function quantity(value: number, unit: string): string {
  const power = Math.min(PREFIXES.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, value)) / 3)));
  const scaled = digits(value / 1000 ** power);
  return unit.length <= 2 ? `${scaled} ${PREFIXES[power]}${unit}` : `${scaled}${WORDS[power]} ${unit}`;
}

function digits(value: number): string {
  if (Number.isInteger(value) && value < 1000) return String(value);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${String(count).replace(/\B(?=(\d{3})+$)/g, ',')} ${count === 1 ? one : many}`;
}
