import { FabricError } from '../errors.ts';
import type { Fabric } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { flitsOf } from '../latency.ts';
import type { TrafficEvents } from './events.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { neverPause, WorkMeter, type Pause } from './pause.ts';
import { trafficPattern, type PatternName } from './patterns.ts';
import { BernoulliSource, EventSource, type Source, type SourceTally } from './sources.ts';
import { exchangeBoundaries, linksBetween, longestIdleCycles, waferFabric, type WaferFabric } from './wafer-fabric.ts';

/** Open-loop traffic of a pattern, or the events of a trace; and how it is measured. */
export interface TrafficOptions {
  readonly pattern?: PatternName;
  /** Offered load, flits per sending tile and cycle, > 0 and at most one packet per cycle. */
  readonly rate?: number;
  /** Payload of a packet, bytes. */
  readonly bytes?: number;
  /** Instead of pattern, rate and bytes. Measured from the end of the warm-up to the last event. */
  readonly events?: TrafficEvents;
  readonly seed: number;
  /** Cycles before anything is measured. */
  readonly warmupCycles: number;
  /** Cycles whose packets are measured. */
  readonly cycles: number;
  /** A run whose mean packet latency passes this is called saturated: 500 as BookSim's `latency_thres`, or the longest way through the idle network where that is longer. */
  readonly latencyLimitCycles?: number;
  /** Cycles that the measured packets may take to arrive after the last was created: 10,000, or 20 times the latency limit if that is more. */
  readonly drainLimitCycles?: number;
  /** [tiles] 1: a missing tile. */
  readonly absent?: Uint8Array;
}

export interface TrafficResult {
  /** Mean from creation to the arrival of the tail, time in the source queue included; null when no measured packet arrived. */
  readonly packetLatencyCycles: number | null;
  /** Mean from leaving the source queue to the arrival of the tail. */
  readonly networkLatencyCycles: number | null;
  /** Mean routers traversed: links + 1. */
  readonly hops: number | null;
  /** Flits per tile and cycle. */
  readonly offeredFlitRate: number;
  /** Flits per tile and cycle that arrived in the measured cycles. */
  readonly acceptedFlitRate: number;
  /** The same of the tile that received least. */
  readonly acceptedFlitRateLeast: number;
  readonly status: 'stable' | 'saturated';
  /** Why it is called saturated; null when stable. */
  readonly reason: string | null;
  /** Mean latency from which it would have been called so; null with events. */
  readonly latencyLimitCycles: number | null;
  /** Simulated cycles in all: warm-up, measurement and drain. */
  readonly cycles: number;
  /** Router traversals after the warm-up, of packets and of flits. */
  readonly packetHops: number;
  readonly flitHops: number;
  /** Measured packets that arrived, and those that were still under way when a saturated run was stopped. */
  readonly packets: number;
  readonly packetsLeft: number;
  readonly latencyPercentiles: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number } | null;
}

/** How many packets all tiles may have under way together before sources hold packets back: some 40 bytes each. */
const PACKETS_UNDER_WAY = 4_000_000;
/** But so many per tile in any case: more than the buffers of a router hold for it, so that what a network accepts does not depend on it. */
const LEAST_UNDER_WAY = 64;
const MOST_UNDER_WAY = 4096;
/** The mean is looked at this often while the measured packets drain, cycles. */
const CHECK_CYCLES = 64;
/** It is looked this often before that whether the network falls behind without hope, cycles. */
const LOOK_CYCLES = 256;
/** How many latency limits behind what is offered counts as that. */
const LIMITS_BEHIND = 2;
/** A warm-up of a network that has fallen behind ends here, cycles, and cycles per flit of a packet: so long the accepted rate of long packets sinks before it stays. */
const HOPELESS_WARMUP_CYCLES = 10_000;
const HOPELESS_WARMUP_PER_FLIT = 1000;
/** So many packets, or cycles, are enough to know what such a network accepts: 400,000 packets make 0.2 %. */
const ENOUGH_PACKETS = 400_000;
const ENOUGH_CYCLES = 20_000;
/** Cycles are int32, and a packet may be under way for some time. */
const LAST_CYCLE = 2 ** 31 - 2 ** 22;
/** Accepted below this share of offered counts as clearly below. */
const CLEARLY_BELOW = 0.95;

/**
 * Traffic on a wafer, in steps that a caller can interrupt. Saturation is decided by three rules; the first that holds ends the run:
 *
 * 1. *latency*: the mean packet latency of the measured packets, those under way counted with their age, is above
 *    `latencyLimitCycles` at the end of the measured cycles or later;
 * 2. *throughput*: the network accepts less than 95 % of what is offered and four standard deviations less than that, over
 *    the measured cycles, although the warm-up was longer than the longest way through the idle network (so that it had been
 *    filled): the queues grow;
 * 3. *drain*: measured packets are still under way `drainLimitCycles` after the last was created.
 *
 * The measured cycles are run to their end, so that the accepted rate past saturation is that of a full window, with one exception,
 * looked for from the first cycle on: *backlog*. A network that has received less since the beginning than was offered up to two
 * latency limits ago (four standard deviations less; with the longest idle way in place of a smaller limit) has, by Little's law, a mean
 * latency of twice the limit, and will be called saturated. Its warm-up then ends after 10,000 cycles, or 1000 per flit of a packet, its measurement as soon as 400,000 packets have
 * arrived or 20,000 cycles have passed, and not before a packet could have crossed the network; nothing is drained.
 *
 * Sources go on while the measured packets drain. Beyond some 4 million packets under way (64 to 4096 per tile) they hold packets back.
 */
export class TrafficRun {
  readonly #wafer: WaferFabric;
  readonly #options: TrafficOptions;
  readonly #sources: Source[];
  readonly #tally: SourceTally;
  readonly #links: (from: number, to: number) => number;
  readonly #latency = new LatencyHistogram();
  /** [tiles] flits that arrived in the measured cycles. */
  readonly #accepted: Float64Array;
  readonly #packetFlits: number;
  readonly #offeredFlitRate: number;
  readonly #liveTiles: number;
  #from: number;
  #to: number;
  readonly #latencyLimit: number;
  /** Cycles after which the network is full. */
  readonly #fillCycles: number;
  readonly #drainLimit: number;
  #networkSum = 0;
  #hopsSum = 0;
  #creationSum = 0;
  #acceptedPackets = 0;
  #deliveredFlits = 0;
  #warmLinkHops = 0;
  #warmFlitHops = 0;
  #warmDelivered = 0;
  #warmDeliveredFlits = 0;
  #warm = false;
  /** First cycle that has not been run. */
  #cycle = 0;
  /** Die that is to go on in the window up to `#windowEnd`, and its first cycle that has not been run; −1 between windows. */
  #die = -1;
  #dieCycle = 0;
  #windowEnd = 0;
  readonly #work = new WorkMeter();
  readonly #deliveredAtStart: number;
  #done = false;
  #reason: string | null = null;

  constructor(fabrics: Fabric | readonly Fabric[], options: TrafficOptions) {
    this.#wafer = waferFabric(fabrics, options.absent);
    this.#options = options;
    const { tiles, tilesPerDie, grid } = this.#wafer;
    const { topology } = this.#wafer.fabrics[0]!;
    const { events, seed, absent } = options;
    checkWindow(options);
    this.#from = options.warmupCycles;
    this.#to = events === undefined ? this.#from + options.cycles : Math.max(this.#from, events.cycle.at(-1)!) + 1;
    this.#tally = { underWay: new Int32Array(tiles), measured: 0, measuredCreation: 0, measureFrom: this.#from, measureTo: this.#to };
    this.#links = linksBetween(this.#wafer);
    this.#accepted = new Float64Array(tiles);
    this.#liveTiles = absent === undefined ? tiles : absent.reduce((count, gone) => count + 1 - gone, 0);
    const tally = this.#tally;
    if (events !== undefined) {
      this.#packetFlits = 0;
      let flits = 0;
      for (const [row, cycle] of events.cycle.entries()) if (cycle >= this.#from) flits += flitsOf(events.bytes[row]!, topology.flitBytes);
      this.#offeredFlitRate = flits / this.#liveTiles / (this.#to - this.#from);
      this.#sources = this.#wafer.fabrics.map((_, die) => new EventSource(die * tilesPerDie, tilesPerDie, events, topology.maxPacketBytes, Math.ceil(PACKETS_UNDER_WAY / this.#wafer.fabrics.length), tally));
    } else {
      const { pattern: name, rate, bytes } = options;
      if (name === undefined || rate === undefined || bytes === undefined) throw new FabricError('FABRIC_BAD_OPTION', 'Traffic is either a trace of events, or a pattern with a rate and the bytes of a packet.');
      const flits = flitsOf(bytes, topology.flitBytes);
      if (flits > topology.maxPacketFlits) throw new FabricError('FABRIC_BAD_PAYLOAD', `A packet carries at most ${topology.maxPacketBytes} bytes, got ${bytes}.`, { bytes });
      if (!(rate > 0 && rate <= flits)) {
        const message = `The rate is above 0 and at most ${flits} flits per tile and cycle (one packet of ${flits} ${flits === 1 ? 'flit' : 'flits'} per cycle), got ${rate}.`;
        throw new FabricError('FABRIC_BAD_RATE', message, { rate, most: flits });
      }
      this.#packetFlits = flits;
      const pattern = trafficPattern(name, grid, seed);
      this.#offeredFlitRate = (rate * pattern.senders) / this.#liveTiles;
      const mostUnderWay = Math.min(MOST_UNDER_WAY, Math.max(LEAST_UNDER_WAY, Math.floor(PACKETS_UNDER_WAY / tiles)));
      this.#sources = this.#wafer.fabrics.map((_, die) => new BernoulliSource(die * tilesPerDie, tilesPerDie, { pattern, seed, packetsPerCycle: rate / flits, bytes, mostUnderWay, tally }));
    }
    this.#fillCycles = longestIdleCycles(this.#wafer, Math.max(1, this.#packetFlits));
    this.#latencyLimit = options.latencyLimitCycles ?? (events === undefined ? defaultLatencyLimit(this.#fillCycles) : Infinity);
    this.#deliveredAtStart = this.#counts().delivered;
    this.#drainLimit = options.drainLimitCycles ?? (events === undefined ? Math.max(10_000, 20 * this.#latencyLimit) : NEVER);
  }

  get done(): boolean {
    return this.#done;
  }

  /** First cycle that has not been run. */
  get cycle(): number {
    return this.#cycle;
  }

  /** Whether the warm-up is over. */
  get warm(): boolean {
    return this.#warm;
  }

  /** Share of the cycles up to the end of the measurement that have been run. */
  get share(): number {
    return Math.min(1, this.#cycle / this.#to);
  }

  /**
   * Runs at most about `cycles`, stops at the end of the warm-up, and wherever `pause` says so; it is asked after some milliseconds of
   * work, at any cycle of any die. Where a run is stopped changes nothing in it.
   */
  advance(cycles: number, pause: Pause = neverPause): void {
    if (this.#done) return;
    const goal = this.#cycle + cycles;
    do {
      if (this.#die < 0) this.#beginWindow(Math.min(goal, this.#milestone(), this.#cycle + this.#wafer.windowCycles));
      const { fabrics, tilesPerDie } = this.#wafer;
      for (; this.#die < fabrics.length; this.#die++) {
        if (!this.#runDie(fabrics[this.#die]!, this.#sources[this.#die]!, this.#die * tilesPerDie, pause)) return;
        this.#dieCycle = this.#cycle;
      }
      this.#endWindow();
    } while (!this.#done && this.#cycle < goal && this.#cycle !== this.#from && !this.#work.isTime(0, pause));
  }

  /** The next cycle at which something is counted or decided. */
  #milestone(): number {
    if (this.#cycle >= this.#to) return this.#cycle + CHECK_CYCLES - ((this.#cycle - this.#to) % CHECK_CYCLES);
    return Math.min(this.#cycle < this.#from ? this.#from : this.#to, this.#cycle + LOOK_CYCLES - (this.#cycle % LOOK_CYCLES));
  }

  #beginWindow(end: number): void {
    if (this.#cycle === 0 && this.#from === 0) this.#markWarm();
    this.#die = 0;
    this.#dieCycle = this.#cycle;
    this.#windowEnd = end;
  }

  #endWindow(): void {
    exchangeBoundaries(this.#wafer);
    this.#die = -1;
    this.#cycle = this.#windowEnd;
    if (this.#cycle > LAST_CYCLE) throw new FabricError('FABRIC_BAD_OPTION', `Simulated time ends at cycle ${LAST_CYCLE}, and there are packets under way. Events that are earlier, or carry less, would arrive in time.`, { most: LAST_CYCLE });
    if (this.#cycle % LOOK_CYCLES === 0 && this.#cycle < this.#to && this.#hasFallenBehind()) this.#cutShort();
    if (this.#cycle === this.#from) this.#markWarm();
    if (this.#cycle >= this.#to && (this.#cycle - this.#to) % CHECK_CYCLES === 0) this.#decideWhetherDone();
    if (!this.#done && this.#cycle >= this.#to) this.#refuseStandstill(this.#cycle);
  }

  /** False when it was interrupted. */
  #runDie(fabric: Fabric, source: Source, firstTile: number, pause: Pause): boolean {
    const end = this.#windowEnd;
    let cycle = Math.min(fabric.nextCycle(), source.nextCycle(this.#dieCycle));
    while (cycle < end) {
      fabric.beginCycle(cycle);
      if (fabric.delivered > 0) this.#collect(fabric, firstTile, cycle);
      source.inject(fabric, cycle);
      fabric.decide();
      if (this.#work.isTime(fabric.livePackets, pause)) {
        this.#dieCycle = cycle + 1;
        return false;
      }
      const next = fabric.nextCycle();
      cycle = next === cycle + 1 ? next : Math.min(next, source.nextCycle(cycle + 1));
    }
    return true;
  }

  #collect(fabric: Fabric, firstTile: number, cycle: number): void {
    const { delivered, deliveredTile, deliveredBytes, deliveredSource, deliveredSequence, deliveredEntered } = fabric;
    const { underWay } = this.#tally;
    const from = this.#from;
    const to = this.#to;
    const inWindow = cycle >= from && cycle < to;
    const { flitBytes } = fabric.topology;
    for (let row = 0; row < delivered; row++) {
      const tile = firstTile + deliveredTile[row]!;
      const source = deliveredSource[row]!;
      const created = deliveredSequence[row]!;
      underWay[source]!--;
      const flits = this.#packetFlits === 0 ? flitsOf(deliveredBytes[row]!, flitBytes) : this.#packetFlits;
      this.#deliveredFlits += flits;
      if (inWindow) {
        this.#accepted[tile]! += flits;
        this.#acceptedPackets++;
      }
      if (created >= from && created < to) {
        this.#latency.add(cycle - created);
        this.#networkSum += cycle - deliveredEntered[row]!;
        this.#creationSum += created;
        this.#hopsSum += this.#links(source, tile) + 1;
      }
    }
  }

  #markWarm(): void {
    this.#warm = true;
    const { linkHops, flitHops, delivered } = this.#counts();
    this.#warmLinkHops = linkHops;
    this.#warmFlitHops = flitHops;
    this.#warmDelivered = delivered;
    this.#warmDeliveredFlits = this.#deliveredFlits;
  }

  #counts(): { linkHops: number; flitHops: number; delivered: number } {
    const counts = { linkHops: 0, flitHops: 0, delivered: 0 };
    for (const fabric of this.#wafer.fabrics) {
      counts.linkHops += fabric.linkHops;
      counts.flitHops += fabric.flitHops;
      counts.delivered += fabric.deliveredPackets;
    }
    return counts;
  }

  /** Has less arrived since the beginning than was offered up to some latency limits ago? */
  #hasFallenBehind(): boolean {
    if (this.#packetFlits === 0 || !Number.isFinite(this.#latencyLimit)) return false;
    const perCycle = (this.#offeredFlitRate / this.#packetFlits) * this.#liveTiles;
    const due = perCycle * (this.#cycle - this.#cyclesBehind()) - 4 * Math.sqrt(perCycle * this.#cycle);
    return due > 0 && this.#counts().delivered - this.#deliveredAtStart < due;
  }

  #cyclesBehind(): number {
    return LIMITS_BEHIND * Math.max(this.#latencyLimit, this.#fillCycles);
  }

  /** A network that has fallen behind is run only until it is known what it accepts. */
  #cutShort(): void {
    this.#reason = `the network has fallen ${this.#cyclesBehind()} cycles behind what is offered`;
    if (this.#cycle < this.#from) {
      if (this.#cycle < Math.max(HOPELESS_WARMUP_CYCLES, HOPELESS_WARMUP_PER_FLIT * this.#packetFlits)) return;
      this.#from = this.#cycle;
      this.#to = this.#from + this.#options.cycles;
      this.#tally.measureFrom = this.#from;
      this.#tally.measureTo = this.#to;
      return;
    }
    const measured = this.#cycle - this.#from;
    if (measured < this.#fillCycles || (this.#acceptedPackets < ENOUGH_PACKETS && measured < ENOUGH_CYCLES)) return;
    this.#to = this.#cycle;
    this.#reason += `; measured for ${measured} cycles`;
  }

  #decideWhetherDone(): void {
    if (this.#reason !== null) {
      this.#done = true;
      return;
    }
    const { measured, measuredCreation } = this.#tally;
    const left = measured - this.#latency.count;
    const ages = left * this.#cycle - (measuredCreation - this.#creationSum);
    const mean = measured === 0 ? 0 : (this.#latency.sum + ages) / measured;
    if (mean > this.#latencyLimit) {
      this.#reason = `the mean latency passed ${this.#latencyLimit} cycles`;
    } else if (this.#cycle === this.#to && this.#acceptsClearlyLess()) {
      this.#reason = `the network accepts less than ${CLEARLY_BELOW * 100} % of what is offered, and queues grow`;
    } else if (left > 0 && this.#hasFallenBehind()) {
      this.#reason = `the network has fallen ${this.#cyclesBehind()} cycles behind what is offered`;
    } else if (left > 0 && this.#cycle - this.#to >= this.#drainLimit) {
      this.#reason = `${left} measured packets had not arrived ${this.#cycle - this.#to} cycles after the last was created`;
    }
    this.#done = this.#reason !== null || (left === 0 && !this.#sources.some((source) => source.isBehind?.(this.#to) === true));
  }

  #acceptsClearlyLess(): boolean {
    if (this.#packetFlits === 0) return false;
    const expected = (this.#offeredFlitRate / this.#packetFlits) * this.#liveTiles * (this.#to - this.#from);
    return this.#acceptedPackets < CLEARLY_BELOW * expected - 4 * Math.sqrt(expected) && this.#from >= this.#fillCycles;
  }

  /** Work left and no event is a deadlock: a bug of the fabric, and explained. */
  #refuseStandstill(cycle: number): void {
    const { fabrics } = this.#wafer;
    if (this.#tally.measured === this.#latency.count || fabrics.some((fabric, die) => fabric.nextCycle() !== NEVER || this.#sources[die]!.nextCycle(cycle) !== NEVER)) return;
    const waiting = fabrics.flatMap((fabric) => fabric.explainWaiting(8)).slice(0, 8);
    throw new Error(`The network stands still at cycle ${cycle} with ${this.#tally.measured - this.#latency.count} packets under way. ${waiting.join('; ')}`);
  }

  result(): TrafficResult {
    const window = Math.max(1, Math.min(this.#cycle, this.#to) - this.#from);
    const { linkHops, flitHops, delivered } = this.#counts();
    const packets = this.#latency.count;
    let flits = 0;
    let least = Infinity;
    for (const [tile, count] of this.#accepted.entries()) {
      if (this.#options.absent?.[tile] === 1) continue;
      flits += count;
      if (count < least) least = count;
    }
    const percentile = (share: number): number => this.#latency.percentile(share)!;
    return {
      packetLatencyCycles: this.#latency.mean,
      networkLatencyCycles: packets === 0 ? null : this.#networkSum / packets,
      hops: packets === 0 ? null : this.#hopsSum / packets,
      offeredFlitRate: this.#offeredFlitRate,
      acceptedFlitRate: flits / this.#liveTiles / window,
      acceptedFlitRateLeast: least / window,
      status: this.#reason === null ? 'stable' : 'saturated',
      reason: this.#reason,
      latencyLimitCycles: Number.isFinite(this.#latencyLimit) ? this.#latencyLimit : null,
      cycles: this.#cycle,
      packetHops: linkHops - this.#warmLinkHops + delivered - this.#warmDelivered,
      flitHops: flitHops - this.#warmFlitHops + this.#deliveredFlits - this.#warmDeliveredFlits,
      packets,
      packetsLeft: this.#tally.measured - packets,
      latencyPercentiles: packets === 0 ? null : { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: this.#latency.max! },
    };
  }
}

/** Runs traffic to its end. `fabrics`: one, or those of all dies in the order of their ids; quiescent, at cycle 0. */
export function runTraffic(fabrics: Fabric | readonly Fabric[], options: TrafficOptions): TrafficResult {
  const run = new TrafficRun(fabrics, options);
  while (!run.done) run.advance(NEVER);
  return run.result();
}

/** The mean latency from which a network is called saturated when nobody says otherwise. */
export function defaultLatencyLimit(longestIdle: number): number {
  return Math.max(500, longestIdle);
}

const MOST_CYCLES = 2 ** 30;

function checkWindow({ warmupCycles, cycles, latencyLimitCycles, seed }: TrafficOptions): void {
  const refuse = (what: string, least: number, most: number, got: number): never => {
    throw new FabricError('FABRIC_BAD_OPTION', `${what} is a whole number from ${least} to ${most}, got ${got}.`, { got, least, most });
  };
  const whole = (value: number, least: number, most: number): boolean => Number.isSafeInteger(value) && value >= least && value <= most;
  if (!whole(warmupCycles, 0, MOST_CYCLES)) refuse('The warm-up in cycles', 0, MOST_CYCLES, warmupCycles);
  if (!whole(cycles, 1, MOST_CYCLES - 10_000)) refuse('The measured time in cycles', 1, MOST_CYCLES - 10_000, cycles);
  if (latencyLimitCycles !== undefined && latencyLimitCycles !== Infinity && !whole(latencyLimitCycles, 1, MOST_CYCLES)) refuse('The latency limit in cycles', 1, MOST_CYCLES, latencyLimitCycles);
  if (!whole(seed, 0, 2 ** 53 - 1)) refuse('The seed', 0, 2 ** 53 - 1, seed);
}
