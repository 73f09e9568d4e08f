import type { DieTopology } from './die-topology.ts';
import { EJECTION } from './link-type.ts';

/** Fields of a packet: {@link PACKET_STRIDE} int32 per packet, addressed by offset (packet × stride). */
export const NEXT = 0; // offset of the next packet in the same list, or −1
export const TARGET = 1; // x | y << 16 of the router at the end of this leg
export const META = 2; // flits | lane << 16 | channel << 24
export const TAIL = 3; // cycle at which its last flit is at this router
export const WHERE = 4; // input port index that it flies to; ~tile when it flies to the tile itself
export const BYTES = 5; // payload
export const FINAL = 6; // destination tile, wafer-wide
export const SOURCE = 7; // source tile, wafer-wide
export const PACKET_STRIDE = 8;

/** Counters of an output port and channel: {@link COUNTER_STRIDE} float64 each. */
export const COUNT_BYTES = 0;
export const COUNT_BUSY = 1;
export const COUNT_PACKETS = 2;
export const COUNT_CREDIT_STALL = 3;
export const COUNT_ARBITRATION_STALL = 4;
export const COUNTER_STRIDE = 5;

/** Fields of an item that crosses to a neighbouring die: {@link BOUNDARY_STRIDE} int32 each. */
export const ITEM_ARRIVAL = 0;
export const ITEM_POSITION = 1; // lane of the die edge; of a credit: position | lane << 16
export const ITEM_META = 2; // as META; of a credit: flits
export const ITEM_TAIL = 3;
export const ITEM_BYTES = 4;
export const ITEM_FINAL = 5;
export const ITEM_SOURCE = 6;
export const ITEM_SEQUENCE = 7;
export const BOUNDARY_STRIDE = 8;

export const NEVER = 0x7fffffff;

/**
 * Everything that changes while a die's fabric runs, as columns: a snapshot is a copy of them. Cycles are int32 and
 * count from the start of the kernel.
 */
export interface KernelColumns {
  /** [packets × 8] see the field offsets above. */
  packets: Int32Array;
  /** [packets] number of the packet among those of its source tile. */
  sequence: Uint32Array;
  /** [slots] packets that arrive in that cycle, as lists. */
  readonly arrivals: Int32Array;
  /** [slots] credits and wakes of that cycle, as lists of `events`. */
  readonly eventsAt: Int32Array;
  /** [events × 4] next, target (credit index, or ~router for a wake), flits, unused. */
  events: Int32Array;
  /** [slots / 32] which slots hold something. */
  readonly occupied: Int32Array;
  /** [ports × lanes] first and last packet of an input queue; a packet counts as queued until its head moves on. */
  readonly queueHead: Int32Array;
  readonly queueTail: Int32Array;
  /** [ports × lanes] cycle from which the head of the queue can move on, as far as its own arrival goes. */
  readonly headSince: Int32Array;
  /** [ports × lanes] cycle since which the head waits for a credit, or −1. */
  readonly creditWaitSince: Int32Array;
  /** [tiles] cycle from which the injection link is free again. */
  readonly injectionFree: Int32Array;
  /** [ports] cycle from which the input port can be read again. */
  readonly inputFree: Int32Array;
  /** [ports] cycle from which the output link is free again. */
  readonly outputFree: Int32Array;
  /** [ports] how much earlier than `outputFree` the link is free exactly, in 1/flitDenominator cycles. */
  readonly outputLag: Int32Array;
  /** [ports] channel of the last packet. */
  readonly outputChannel: Uint8Array;
  /** [ports] input queues (bits) whose head wants this output. */
  readonly wanted: Int32Array;
  /** [ports] bit at which the next arbitration begins. */
  readonly pointer: Uint8Array;
  /** [ports] does somebody wait for a credit of this output? */
  readonly blocked: Uint8Array;
  /** [ports × lanes] flits that may still be sent. */
  readonly credits: Int32Array;
  /** [routers] outputs (bits) that somebody wants. */
  readonly wantedOutputs: Int32Array;
  /** [routers] cycle of the pending wake. */
  readonly wakeAt: Int32Array;
  /** [routers] routers to wake in the next cycle; the first `scalars.soon` count. */
  readonly soon: Int32Array;
  /** [routers] cycle for which the router was put into `soon`. */
  readonly soonFor: Int32Array;
  /** [tiles × 2] running hash of (arrival cycle, source, sequence) of what each tile received. */
  readonly deliveryHash: Int32Array;
  /** [ports × channels × 5] since the last {@link PacketKernel.drainCounters}. */
  readonly counters: Float64Array;
}

export interface KernelScalars {
  now: number;
  freePacket: number;
  freeEvent: number;
  soon: number;
  live: number;
  linkHops: number;
  deliveredPackets: number;
  overflow: number[];
}

export interface KernelSnapshot {
  readonly columns: KernelColumns;
  readonly scalars: KernelScalars;
}

export function emptyColumns(topology: DieTopology, lanes: number, channels: number, slots: number): KernelColumns {
  const { ports, routers, tiles, type, types, peer } = topology;
  const queues = ports * lanes;
  const credits = new Int32Array(queues);
  for (let port = 0; port < ports; port++) {
    const link = types[type[port]!]!;
    credits.fill(peer[port] === -1 && link.kind !== EJECTION ? 0 : link.creditFlits, port * lanes, (port + 1) * lanes);
  }
  return {
    packets: new Int32Array(PACKET_STRIDE * 256),
    sequence: new Uint32Array(256),
    arrivals: new Int32Array(slots).fill(-1),
    eventsAt: new Int32Array(slots).fill(-1),
    events: new Int32Array(4 * 256),
    occupied: new Int32Array(slots >>> 5),
    queueHead: new Int32Array(queues).fill(-1),
    queueTail: new Int32Array(queues).fill(-1),
    headSince: new Int32Array(queues),
    creditWaitSince: new Int32Array(queues).fill(-1),
    injectionFree: new Int32Array(tiles),
    inputFree: new Int32Array(ports),
    outputFree: new Int32Array(ports),
    outputLag: new Int32Array(ports),
    outputChannel: new Uint8Array(ports),
    wanted: new Int32Array(ports),
    pointer: new Uint8Array(ports),
    blocked: new Uint8Array(ports),
    credits,
    wantedOutputs: new Int32Array(routers),
    wakeAt: new Int32Array(routers).fill(NEVER),
    soon: new Int32Array(routers),
    soonFor: new Int32Array(routers).fill(-1),
    deliveryHash: new Int32Array(tiles * 2),
    counters: new Float64Array(ports * channels * COUNTER_STRIDE),
  };
}

/** A copy that shares nothing with the original. */
export function copyColumns(columns: KernelColumns): KernelColumns {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, (column as Int32Array).slice()])) as unknown as KernelColumns;
}
