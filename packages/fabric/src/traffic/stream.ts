import { FabricError } from '../errors.ts';
import type { Fabric } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { flitsOf } from '../latency.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { neverPause, WorkMeter, type Pause } from './pause.ts';
import { StreamSource, type SourceTally } from './sources.ts';
import { exchangeBoundaries, linksBetween, waferFabric, type WaferFabric } from './wafer-fabric.ts';

/** One tile that sends to another as fast as it can. */
export interface StreamOptions {
  /** Wafer-wide tiles. */
  readonly from: number;
  readonly to: number;
  /** In all. */
  readonly bytes: number;
  readonly packetBytes: number;
  /** Packets that the sender has under way, its own queue included. 4096: more than any link of ours holds. */
  readonly window?: number;
}

export interface StreamResult {
  /** From the first packet's creation to the arrival of the last tail. */
  readonly cycles: number;
  readonly packets: number;
  readonly flits: number;
  /** Cycle in which the first packet arrived. */
  readonly firstArrivalCycle: number;
  /** All bytes over all cycles. */
  readonly bytesPerCycle: number;
  /** Bytes behind the first packet over the cycles behind its arrival: what a stream without end gets. */
  readonly steadyBytesPerCycle: number;
  readonly networkLatencyCycles: number;
  readonly hops: number;
  readonly packetHops: number;
  readonly flitHops: number;
}

/** The most packets of a stream. */
const MOST_PACKETS = 10_000_000;

/** A stream between two tiles, in steps that a caller can interrupt. */
export class StreamRun {
  readonly #wafer: WaferFabric;
  readonly #options: StreamOptions;
  readonly #sources: (StreamSource | null)[];
  readonly #tally: SourceTally;
  readonly #packets: number;
  readonly #latency = new LatencyHistogram();
  #bytes = 0;
  #flits = 0;
  #firstArrival = -1;
  #firstBytes = 0;
  #lastArrival = 0;
  #cycle = 0;
  /** Die that is to go on in the window up to `#windowEnd`, and its first cycle that has not been run; −1 between windows. */
  #die = -1;
  #dieCycle = 0;
  #windowEnd = 0;
  readonly #work = new WorkMeter();

  constructor(fabrics: Fabric | readonly Fabric[], options: StreamOptions) {
    this.#wafer = waferFabric(fabrics);
    this.#options = options;
    const { tiles, tilesPerDie } = this.#wafer;
    const { maxPacketBytes } = this.#wafer.fabrics[0]!.topology;
    const { from, to, bytes, packetBytes, window = 4096 } = options;
    const whole = (what: string, value: number, least: number, most: number): void => {
      if (Number.isSafeInteger(value) && value >= least && value <= most) return;
      throw new FabricError('FABRIC_BAD_OPTION', `${what} is a whole number from ${least} to ${most}, got ${value}.`, { value, least, most });
    };
    whole('A tile of a stream', from, 0, tiles - 1);
    whole('A tile of a stream', to, 0, tiles - 1);
    whole('A packet in bytes', packetBytes, 1, maxPacketBytes);
    whole('The bytes of a stream', bytes, 1, packetBytes * MOST_PACKETS);
    whole('The packets under way of a stream', window, 1, MOST_PACKETS);
    this.#packets = Math.ceil(bytes / packetBytes);
    this.#tally = { underWay: new Int32Array(tiles), measured: 0, measuredCreation: 0, measureFrom: 0, measureTo: NEVER };
    this.#sources = this.#wafer.fabrics.map((_, die) => (Math.floor(from / tilesPerDie) === die ? new StreamSource(die * tilesPerDie, { from, to, bytes, packetBytes, window }, this.#tally) : null));
  }

  get done(): boolean {
    return this.#latency.count === this.#packets;
  }

  get share(): number {
    return this.#latency.count / this.#packets;
  }

  /** Runs at most about `cycles`, and less where `pause` says so. */
  advance(cycles: number, pause: Pause = neverPause): void {
    const goal = this.#cycle + cycles;
    do {
      if (this.#die < 0) {
        this.#die = 0;
        this.#dieCycle = this.#cycle;
        this.#windowEnd = Math.min(goal, this.#cycle + this.#wafer.windowCycles);
      }
      for (; this.#die < this.#wafer.fabrics.length; this.#die++) {
        if (!this.#runDie(this.#wafer.fabrics[this.#die]!, this.#sources[this.#die]!, pause)) return;
        this.#dieCycle = this.#cycle;
      }
      exchangeBoundaries(this.#wafer);
      this.#die = -1;
      this.#cycle = this.#windowEnd;
      this.#refuseStandstill();
    } while (!this.done && this.#cycle < goal && !this.#work.isTime(0, pause));
  }

  #refuseStandstill(): void {
    const { fabrics } = this.#wafer;
    if (this.done || fabrics.some((fabric, die) => fabric.nextCycle() !== NEVER || (this.#sources[die]?.nextCycle(this.#cycle) ?? NEVER) !== NEVER)) return;
    throw new Error(`The network stands still at cycle ${this.#cycle} with ${this.#packets - this.#latency.count} packets to come. ${fabrics.flatMap((fabric) => fabric.explainWaiting(8)).slice(0, 8).join('; ')}`);
  }

  /** False when it was interrupted. */
  #runDie(fabric: Fabric, source: StreamSource | null, pause: Pause): boolean {
    let cycle = Math.min(fabric.nextCycle(), source?.nextCycle(this.#dieCycle) ?? NEVER);
    while (cycle < this.#windowEnd) {
      fabric.beginCycle(cycle);
      for (let row = 0; row < fabric.delivered; row++) {
        const bytes = fabric.deliveredBytes[row]!;
        this.#tally.underWay[this.#options.from]!--;
        this.#latency.add(cycle - fabric.deliveredEntered[row]!);
        this.#bytes += bytes;
        this.#flits += flitsOf(bytes, fabric.topology.flitBytes);
        this.#lastArrival = cycle;
        if (this.#firstArrival < 0) [this.#firstArrival, this.#firstBytes] = [cycle, bytes];
      }
      source?.inject(fabric, cycle);
      fabric.decide();
      if (this.#work.isTime(fabric.livePackets, pause)) {
        this.#dieCycle = cycle + 1;
        return false;
      }
      cycle = Math.min(fabric.nextCycle(), source?.nextCycle(cycle + 1) ?? NEVER);
    }
    return true;
  }

  result(): StreamResult {
    const { from, to } = this.#options;
    const links = linksBetween(this.#wafer)(from, to);
    const packets = this.#latency.count;
    const steadyCycles = this.#lastArrival - this.#firstArrival;
    return {
      cycles: this.#lastArrival,
      packets,
      flits: this.#flits,
      firstArrivalCycle: this.#firstArrival,
      bytesPerCycle: this.#bytes / Math.max(1, this.#lastArrival),
      steadyBytesPerCycle: steadyCycles === 0 ? this.#bytes / Math.max(1, this.#lastArrival) : (this.#bytes - this.#firstBytes) / steadyCycles,
      networkLatencyCycles: this.#latency.mean ?? 0,
      hops: links + 1,
      packetHops: packets * (links + 1),
      flitHops: this.#flits * (links + 1),
    };
  }
}

/** Runs a stream to its end. `fabrics`: one, or those of all dies; quiescent, at cycle 0. */
export function runStream(fabrics: Fabric | readonly Fabric[], options: StreamOptions): StreamResult {
  const run = new StreamRun(fabrics, options);
  while (!run.done) run.advance(NEVER);
  return run.result();
}
