import type { DieTopology } from './die-topology.ts';
import type { ItemList } from './item-list.ts';

/** How closely the fabric is simulated. A run says which it used. */
export type Fidelity = 'flit' | 'packet' | 'analytic';

/**
 * Traffic classes: each has buffers and credits of its own, so that none can block another. Reductions run against the
 * multicast tree, so their turns are the reverse ones; to the router of the die and from it are apart from the rest, or
 * two dies could wait for each other in a circle.
 */
export const CLASS_REQUEST = 0;
export const CLASS_RESPONSE = 1;
export const CLASS_REDUCTION = 2;
export const CLASS_TO_HUB = 3;
export const CLASS_FROM_HUB = 4;
export const CLASSES = 5;

/** A multicast tree inside one die: where each router forwards a packet of the tree. */
export interface MulticastPlan {
  /** Local tile that sends. */
  readonly root: number;
  /** [routers] bit p: forward to output port p; bit LOCAL: deliver to the tile; 0: not in the tree. */
  readonly forks: Uint8Array;
  /** Tiles that receive a copy. */
  readonly receivers: number;
}

/** A reduction tree inside one die, the mirror of a multicast tree: what each router joins and where it sends the result. */
export interface ReductionPlan {
  /** Local tile that receives the result. */
  readonly root: number;
  /** [routers] bit p: a contribution comes in on input port p; bit LOCAL: the tile itself contributes. */
  readonly inputs: Uint8Array;
  /** [routers] output port of the joined packet, LOCAL at the root; 255: not in the tree. */
  readonly out: Uint8Array;
  /** Tiles that contribute. */
  readonly contributors: number;
}

/**
 * What flit, packet and analytic fidelity have in common: the fabric of one die, so that any workload runs on each.
 *
 * A cycle has phases: {@link beginCycle} applies what arrives; then the owner lets tiles react and injects; {@link decide}
 * lets each woken router decide once. Cycles are int32 from the start of the kernel ({@link startKernel}).
 */
export interface Fabric<Snapshot = unknown> {
  readonly fidelity: Fidelity;
  readonly topology: DieTopology;
  /** Message channels, counted apart on every link. */
  readonly channels: number;
  /** Packets and credits for the neighbouring dies, by direction; the owner empties them. */
  readonly packetsOut: readonly ItemList[];
  readonly creditsOut: readonly ItemList[];

  /** What arrived at tiles in this cycle; the first `delivered` rows count. */
  readonly delivered: number;
  /** Local tile. */
  readonly deliveredTile: Int32Array;
  readonly deliveredChannel: Uint8Array;
  readonly deliveredBytes: Int32Array;
  /** Source tile, wafer-wide; of a reduction its root. */
  readonly deliveredSource: Int32Array;
  /** Number of the packet among those of its source. */
  readonly deliveredSequence: Uint32Array;
  /** Cycle in which the packet left its source queue for the injection link. */
  readonly deliveredEntered: Int32Array;

  /** Cycle last begun. */
  readonly now: number;
  /** Packets in the die: queued or on a link inside it. */
  readonly livePackets: number;
  /** Links between routers crossed so far, by all packets; and by all flits. */
  readonly linkHops: number;
  readonly flitHops: number;
  readonly deliveredPackets: number;
  /** [tiles × 2] running hash of (arrival cycle, source, sequence) of what each tile received. */
  readonly deliveryHash: Int32Array;

  /** Sets the clock back to cycle 0. Only a quiescent fabric can do that. */
  startKernel(): void;
  /** Throws when a packet or a credit is not where it was at the start. */
  assertQuiescent(): void;
  /** The next cycle with something to do, or NEVER. */
  nextCycle(): number;
  beginCycle(cycle: number): void;
  /** Hands a packet of the request class (or of `trafficClass`) to the network interface of a tile. */
  inject(localTile: number, finalTile: number, channel: number, bytes: number, sequence: number, trafficClass?: number): void;
  /** Makes a tree known; the id is its number in the order of definition. The same trees must be defined before a snapshot is restored. */
  defineMulticast(plan: MulticastPlan): number;
  defineReduction(plan: ReductionPlan): number;
  /** A packet from the root of a multicast tree to all its receivers. */
  multicast(tree: number, channel: number, bytes: number, sequence: number): void;
  /** One tile's contribution to a reduction; when all have come, the root receives one packet. All contributions of one `sequence` have the same bytes. */
  contribute(tree: number, localTile: number, channel: number, bytes: number, sequence: number): void;
  decide(): void;

  acceptPackets(direction: number, items: ItemList): void;
  acceptCredits(direction: number, items: ItemList): void;
  drainCounters(end: number, row: (port: number, channel: number, counters: Float64Array, at: number) => void): void;
  save(): Snapshot;
  restore(snapshot: Snapshot): void;
  /** Who waits for what, for the message about a deadlock: at most `limit` sentences. */
  explainWaiting(limit: number): string[];
}
