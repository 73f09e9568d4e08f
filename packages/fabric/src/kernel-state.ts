import { NO_LINK, type DieTopology } from './die-topology.ts';
import { EJECTION } from './link-type.ts';
import { PORT_STRIDE } from './ports.ts';

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

/**
 * Fields of a port, its input and its output side, followed by those of its queues. Together {@link portShift} int32: with
 * one lane a cache line, so that a hop touches three of them (where the packet was, where it goes, who gets the credit).
 */
export const INPUT_FREE = 0; // cycle from which the input can be read again
export const OUTPUT_FREE = 1; // cycle from which the output link is free again
export const OUTPUT_LAG = 2; // how much earlier than that it is free exactly, in 1/flitDenominator cycles
export const WANTED = 3; // input queues (bits) whose head wants this output
export const POINTER = 4; // bit at which the next arbitration begins
export const BLOCKED = 5; // 1 when somebody waits for a credit of this output
export const LAST_CHANNEL = 6; // channel of the last packets on the output link
export const RECENT_BYTES = 7; // bytes, busy cycles and packets of that channel that are not in the counters yet
export const RECENT_BUSY = 8;
export const RECENT_PACKETS = 9;
export const PEER = 10; // a copy of the topology's `peer`, which a hop needs twice
export const FIRST_QUEUE = 11;

/** Fields of an input queue (port and lane), and the credits of the output of the same port and lane. */
export const QUEUE_HEAD = 0; // first packet or −1; a packet counts as queued until its head moves on
export const QUEUE_TAIL = 1; // last packet
export const HEAD_SINCE = 2; // cycle from which the first packet can move on, as far as its own arrival goes
export const CREDIT_WAIT_SINCE = 3; // cycle since which it waits for a credit, or −1
export const CREDITS = 4; // flits that may still be sent over the output link
export const QUEUE_FIELDS = 5;

/** The record of port p begins at p << portShift(lanes). */
export function portShift(lanes: number): number {
  return Math.ceil(Math.log2(FIRST_QUEUE + lanes * QUEUE_FIELDS));
}

/** Fields of a router. */
export const WANTED_OUTPUTS = 0; // outputs (bits) that somebody wants
export const WAKE_AT = 1; // cycle of the pending wake
export const SOON_FOR = 2; // last cycle for which it was put into a list of routers to visit
export const INJECTION_FREE = 3; // cycle from which the injection link of its tile is free again
export const ROUTER_FIELDS = 4;

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
  /** [events × 4] next, target (where in `ports` a credit is due, or ~router for a wake), flits, unused. */
  events: Int32Array;
  /** [slots / 32] which slots hold something. */
  readonly occupied: Int32Array;
  /** [ports << portShift] see the fields of a port above. */
  readonly ports: Int32Array;
  /** [routers × 4] see the fields of a router above. */
  readonly routers: Int32Array;
  /** [routers] 1 where the router has been visited since the kernel began: all else is as it was. */
  readonly visited: Uint8Array;
  /** [routers] routers to wake in the next cycle; the first `scalars.soon` count. */
  readonly soon: Int32Array;
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
  const shift = portShift(lanes);
  const portColumn = new Int32Array(ports << shift);
  for (let port = 0; port < ports; port++) {
    const link = types[type[port]!]!;
    portColumn[(port << shift) + PEER] = peer[port]!;
    for (let lane = 0; lane < lanes; lane++) {
      const queue = (port << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS;
      portColumn[queue + QUEUE_HEAD] = -1;
      portColumn[queue + CREDIT_WAIT_SINCE] = -1;
      portColumn[queue + CREDITS] = peer[port] === NO_LINK && link.kind !== EJECTION ? 0 : link.creditFlits;
    }
  }
  const columns: KernelColumns = {
    packets: new Int32Array(PACKET_STRIDE * 256),
    sequence: new Uint32Array(256),
    arrivals: new Int32Array(slots),
    eventsAt: new Int32Array(slots),
    events: new Int32Array(4 * 256),
    occupied: new Int32Array(slots >>> 5),
    ports: portColumn,
    routers: new Int32Array(routers * ROUTER_FIELDS),
    visited: new Uint8Array(routers),
    soon: new Int32Array(routers),
    deliveryHash: new Int32Array(tiles * 2),
    counters: new Float64Array(ports * channels * COUNTER_STRIDE),
  };
  columns.arrivals.fill(-1);
  resetClock(columns, lanes);
  return columns;
}

/**
 * Everything that counts from cycle 0 as it is before that cycle. Queues must be empty and credits back. Ports of routers
 * that have not been visited since the last time are so already.
 */
export function resetClock({ ports, routers, visited, eventsAt, occupied }: KernelColumns, lanes: number): void {
  const shift = portShift(lanes);
  const portCount = ports.length >> shift;
  for (let router = 0; router < visited.length; router++) {
    if (visited[router] === 0) continue;
    const end = router + 1 === visited.length ? portCount : (router + 1) * PORT_STRIDE;
    for (let port = router * PORT_STRIDE; port < end; port++) {
      const at = port << shift;
      ports[at + INPUT_FREE] = 0;
      ports[at + OUTPUT_FREE] = 0;
      ports[at + OUTPUT_LAG] = 0;
      ports[at + POINTER] = 0;
      ports[at + BLOCKED] = 0;
      for (let lane = 0; lane < lanes; lane++) ports[at + FIRST_QUEUE + lane * QUEUE_FIELDS + HEAD_SINCE] = 0;
    }
  }
  visited.fill(0);
  routers.fill(0);
  for (let router = 0; router < routers.length; router += ROUTER_FIELDS) {
    routers[router + WAKE_AT] = NEVER;
    routers[router + SOON_FOR] = -1;
  }
  // Wakes that an earlier one has overtaken may be left; they would stretch the next kernel.
  eventsAt.fill(-1);
  occupied.fill(0);
}

/** A copy that shares nothing with the original. */
export function copyColumns(columns: KernelColumns): KernelColumns {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, (column as Int32Array).slice()])) as unknown as KernelColumns;
}
