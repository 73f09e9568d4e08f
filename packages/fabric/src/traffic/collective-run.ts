import { FabricError } from '../errors.ts';
import type { Fabric, MulticastPlan, ReductionPlan } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { flitsOf } from '../latency.ts';

export const collectiveNames = ['multicast', 'reduce', 'barrier'] as const;
export type CollectiveName = (typeof collectiveNames)[number];

/** One collective inside the network, in an otherwise empty die. */
export interface CollectiveChoice {
  readonly kind: CollectiveName;
  /** `multicast`, and the release of a `barrier`. */
  readonly multicast?: MulticastPlan;
  /** `reduce`, and the arrival at a `barrier`. */
  readonly reduction?: ReductionPlan;
  /** Tiles that contribute, for `reduce` and `barrier`. */
  readonly contributors?: readonly number[];
  /** Of each contribution or of what is sent; cut into packets. Nothing for a barrier. */
  readonly bytes: number;
  /** So many one after the other, each beginning when the one before is complete. */
  readonly repeat: number;
}

export interface CollectiveResult {
  /** From the start of the first to the end of the last: all receivers have the last flit. */
  readonly cycles: number;
  /** Flits of what is sent or reduced. */
  readonly beats: number;
  /** Cycles of each repetition. */
  readonly repetitions: readonly number[];
  readonly packetHops: number;
  readonly flitHops: number;
}

/** Kernels that release a barrier themselves. */
interface BarrierFabric {
  defineBarrier(arrival: ReductionPlan, release: MulticastPlan): number;
}

const MOST_DELIVERIES = 100_000_000;

/** A collective, in steps that a caller can interrupt. */
export class CollectiveRun {
  readonly #fabric: Fabric;
  readonly #choice: CollectiveChoice;
  readonly #packets: number;
  readonly #expected: number;
  readonly #send: () => void;
  /** Multicast that the root sends when a reduction has arrived; −1: the fabric knows itself. */
  readonly #release: number = -1;
  readonly #beats: number;
  readonly #repetitions: number[] = [];
  #sequence = 0;
  #arrived = 0;
  #arrivedFlits = 0;
  #deliveries = 0;
  #startCycle = 0;
  #cycle = 0;
  #released = false;

  constructor(fabric: Fabric, choice: CollectiveChoice) {
    this.#fabric = fabric;
    this.#choice = choice;
    const { kind, multicast, reduction, contributors = [], bytes, repeat } = choice;
    const { maxPacketBytes, flitBytes } = fabric.topology;
    this.#packets = kind === 'barrier' ? 1 : Math.max(1, Math.ceil(bytes / maxPacketBytes));
    this.#beats = kind === 'barrier' ? 1 : flitsOf(bytes, flitBytes);
    const receivers = kind === 'reduce' ? 1 : (multicast?.receivers ?? 0);
    this.#expected = receivers * this.#packets;
    if (receivers * this.#packets * repeat > MOST_DELIVERIES) {
      throw new FabricError('FABRIC_BAD_OPTION', `A collective of ${receivers} receivers × ${this.#packets} packets × ${repeat} repetitions is more than ${MOST_DELIVERIES} deliveries.`, { receivers, packets: this.#packets, repeat });
    }
    const sizes = Array.from({ length: this.#packets }, (_, packet) => (kind === 'barrier' ? 0 : Math.min(maxPacketBytes, bytes - packet * maxPacketBytes)));
    if (kind === 'multicast') {
      const tree = fabric.defineMulticast(multicast!);
      this.#send = () => {
        for (const size of sizes) fabric.multicast(tree, 0, size, this.#sequence++);
      };
      return;
    }
    const ownBarrier = kind === 'barrier' && 'defineBarrier' in fabric;
    const tree = ownBarrier ? (fabric as unknown as BarrierFabric).defineBarrier(reduction!, multicast!) : fabric.defineReduction(reduction!);
    if (kind === 'barrier' && !ownBarrier) this.#release = fabric.defineMulticast(multicast!);
    this.#send = () => {
      for (const size of sizes) {
        for (const tile of contributors) fabric.contribute(tree, tile, 0, size, this.#sequence);
        this.#sequence++;
      }
    };
  }

  get done(): boolean {
    return this.#repetitions.length === this.#choice.repeat;
  }

  get share(): number {
    return this.#repetitions.length / this.#choice.repeat;
  }

  advance(cycles: number): void {
    const fabric = this.#fabric;
    const end = this.#cycle + cycles;
    while (this.#cycle < end && !this.done) {
      const cycle = this.#cycle;
      fabric.beginCycle(cycle);
      let releases = 0;
      for (let row = 0; row < fabric.delivered; row++) {
        this.#deliveries++;
        this.#arrivedFlits += flitsOf(fabric.deliveredBytes[row]!, fabric.topology.flitBytes);
        // What the root of a barrier receives first is the arrival of all, not its release.
        if (this.#release >= 0 && !this.#released) releases = 1;
        else this.#arrived++;
      }
      if (releases > 0) {
        fabric.multicast(this.#release, 0, 0, this.#sequence - 1);
        this.#released = true;
      }
      if (cycle === 0) {
        this.#send();
      } else if (this.#arrived === this.#expected) {
        this.#repetitions.push(cycle - this.#startCycle);
        this.#startCycle = cycle;
        this.#arrived = 0;
        this.#released = false;
        if (!this.done) this.#send();
      }
      fabric.decide();
      const next = fabric.nextCycle();
      if (next === NEVER && !this.done) throw new Error(`The network stands still at cycle ${cycle} in a ${this.#choice.kind}. ${fabric.explainWaiting(8).join('; ')}`);
      if (!this.done) this.#cycle = next;
    }
  }

  result(): CollectiveResult {
    return {
      cycles: this.#startCycle,
      beats: this.#beats,
      repetitions: this.#repetitions,
      packetHops: this.#fabric.linkHops + this.#deliveries,
      flitHops: this.#fabric.flitHops + this.#arrivedFlits,
    };
  }
}

/** Runs a collective to its end. The fabric is quiescent, at cycle 0. */
export function runCollective(fabric: Fabric, choice: CollectiveChoice): CollectiveResult {
  const run = new CollectiveRun(fabric, choice);
  while (!run.done) run.advance(NEVER);
  return run.result();
}
