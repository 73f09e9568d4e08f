import { FabricError } from '../errors.ts';
import type { Fabric, MulticastPlan, ReductionPlan } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { flitsOf } from '../latency.ts';
import { neverPause, WorkMeter, type Pause } from './pause.ts';

export const collectiveNames = ['multicast', 'reduce', 'barrier'] as const;
export type CollectiveName = (typeof collectiveNames)[number];

/** The tiles of one collective. */
export interface CollectiveGroup {
  /** `multicast`, and the release of a `barrier`. */
  readonly multicast?: MulticastPlan;
  /** `reduce`, and the arrival at a `barrier`. */
  readonly reduction?: ReductionPlan;
  /** Tiles that contribute, for `reduce` and `barrier`. */
  readonly contributors?: readonly number[];
}

/** One collective inside the network in each of some groups of tiles at the same time, in an otherwise empty die. */
export interface CollectiveChoice {
  readonly kind: CollectiveName;
  /** One or more. Reductions and barriers must be able to run at once (`checkConcurrentReductions`), from roots of their own. */
  readonly groups: readonly CollectiveGroup[];
  /** Of each contribution or of what is sent; cut into packets. Nothing for a barrier. */
  readonly bytes: number;
  /** So many one after the other, each beginning when the one before is complete in all groups. */
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
/** Packets that the sources of one repetition hand over at once: some 40 bytes each. */
const MOST_SENT = 4_000_000;

/** Collectives, in steps that a caller can interrupt. */
export class CollectiveRun {
  readonly #fabric: Fabric;
  readonly #choice: CollectiveChoice;
  readonly #expected: number;
  readonly #sends: (() => void)[] = [];
  /** [root tiles] multicast that the root sends when a reduction has arrived; empty where the fabric knows itself. */
  readonly #releases = new Map<number, number>();
  /** Roots whose release is still to come in this repetition. */
  readonly #waiting = new Set<number>();
  /** Roots whose release begins in this cycle. */
  readonly #released: number[] = [];
  readonly #beats: number;
  readonly #repetitions: number[] = [];
  readonly #work = new WorkMeter();
  #sequence = 0;
  #arrived = 0;
  #arrivedFlits = 0;
  #deliveries = 0;
  #startCycle = 0;
  #cycle = 0;

  constructor(fabric: Fabric, choice: CollectiveChoice) {
    this.#fabric = fabric;
    this.#choice = choice;
    const { kind, groups, bytes, repeat } = choice;
    const { maxPacketBytes, flitBytes } = fabric.topology;
    const packets = kind === 'barrier' ? 1 : Math.max(1, Math.ceil(bytes / maxPacketBytes));
    this.#beats = kind === 'barrier' ? 1 : flitsOf(bytes, flitBytes);
    const receivers = groups.reduce((sum, { multicast }) => sum + (kind === 'reduce' ? 1 : multicast!.receivers), 0);
    const senders = groups.reduce((sum, { contributors = [] }) => sum + (kind === 'multicast' ? 1 : contributors.length), 0);
    this.#expected = receivers * packets;
    if (receivers * packets * repeat > MOST_DELIVERIES) {
      throw new FabricError('FABRIC_BAD_OPTION', `A collective of ${receivers} receivers × ${packets} packets × ${repeat} repetitions is more than ${MOST_DELIVERIES} deliveries.`, { receivers, packets, repeat });
    }
    if (senders * packets > MOST_SENT) {
      const most = Math.floor(MOST_SENT / senders) * maxPacketBytes;
      throw new FabricError('FABRIC_BAD_OPTION', `A collective of ${senders} senders × ${packets} packets is more than ${MOST_SENT} packets at once: at most ${most} bytes, got ${bytes}.`, { senders, packets, most, bytes });
    }
    const sizes = Array.from({ length: packets }, (_, packet) => (kind === 'barrier' ? 0 : Math.min(maxPacketBytes, bytes - packet * maxPacketBytes)));
    for (const group of groups) this.#sends.push(this.#senderOf(group, sizes));
  }

  /** What one group does at the beginning of a repetition. */
  #senderOf({ multicast, reduction, contributors = [] }: CollectiveGroup, sizes: readonly number[]): () => void {
    const fabric = this.#fabric;
    const { kind } = this.#choice;
    if (kind === 'multicast') {
      const tree = fabric.defineMulticast(multicast!);
      return () => sizes.forEach((size, packet) => fabric.multicast(tree, 0, size, this.#sequence + packet));
    }
    const ownBarrier = kind === 'barrier' && 'defineBarrier' in fabric;
    const tree = ownBarrier ? (fabric as unknown as BarrierFabric).defineBarrier(reduction!, multicast!) : fabric.defineReduction(reduction!);
    if (kind === 'barrier' && !ownBarrier) this.#releases.set(reduction!.root, fabric.defineMulticast(multicast!));
    return () => {
      for (const [packet, size] of sizes.entries()) for (const tile of contributors) fabric.contribute(tree, tile, 0, size, this.#sequence + packet);
    };
  }

  get done(): boolean {
    return this.#repetitions.length === this.#choice.repeat;
  }

  get share(): number {
    return this.#repetitions.length / this.#choice.repeat;
  }

  /** Runs at most about `cycles`, and less where `pause` says so. */
  advance(cycles: number, pause: Pause = neverPause): void {
    const fabric = this.#fabric;
    const end = this.#cycle + cycles;
    while (this.#cycle < end && !this.done) {
      const cycle = this.#cycle;
      fabric.beginCycle(cycle);
      const released = this.#released;
      released.length = 0;
      for (let row = 0; row < fabric.delivered; row++) {
        this.#deliveries++;
        this.#arrivedFlits += flitsOf(fabric.deliveredBytes[row]!, fabric.topology.flitBytes);
        // What the root of a barrier receives first is the arrival of all, not its release.
        if (this.#waiting.delete(fabric.deliveredTile[row]!)) released.push(fabric.deliveredTile[row]!);
        else this.#arrived++;
      }
      for (const root of released) fabric.multicast(this.#releases.get(root)!, 0, 0, this.#sequence);
      if (cycle === 0) {
        this.#send();
      } else if (this.#arrived === this.#expected) {
        this.#repetitions.push(cycle - this.#startCycle);
        this.#startCycle = cycle;
        this.#arrived = 0;
        this.#sequence += Math.max(1, Math.ceil(this.#choice.bytes / fabric.topology.maxPacketBytes));
        if (!this.done) this.#send();
      }
      fabric.decide();
      const next = fabric.nextCycle();
      if (next === NEVER && !this.done) throw new Error(`The network stands still at cycle ${cycle} in a ${this.#choice.kind}. ${fabric.explainWaiting(8).join('; ')}`);
      if (!this.done) this.#cycle = next;
      if (this.#work.isTime(fabric.livePackets, pause)) return;
    }
  }

  #send(): void {
    for (const send of this.#sends) send();
    for (const root of this.#releases.keys()) this.#waiting.add(root);
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

/** Runs collectives to their end. The fabric is quiescent, at cycle 0. */
export function runCollective(fabric: Fabric, choice: CollectiveChoice): CollectiveResult {
  const run = new CollectiveRun(fabric, choice);
  while (!run.done) run.advance(NEVER);
  return run.result();
}
