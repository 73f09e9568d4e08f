import { NO_LINK, type DieTopology } from './die-topology.ts';
import type { LinkType } from './link-type.ts';
import { PORT_STRIDE } from './ports.ts';

/** Fields of a packet: {@link PACKET_STRIDE} int32 per packet, addressed by offset (packet × stride). */
export const NEXT = 0; // offset of the next packet in the same list, or −1
export const TARGET = 1; // x | y << 16 of the router at the end of this leg; with a route table its tile; of a packet of a tree: outputs (bits) that it still has to go to
export const META = 2; // flits | lane << 16 | channel << 24
export const TAIL = 3; // cycle at which its last flit is at this router
export const WHERE = 4; // input port index that it flies to; ~endpoint when it flies to a tile or node; of a head of a tree: what INPUT_FREE was set to by its last branch; of a joined packet: when its head leaves the combine unit
export const BYTES = 5; // payload
export const FINAL = 6; // destination tile or node, wafer-wide; ~tree of a packet of a tree
export const SOURCE = 7; // source tile or node, wafer-wide; of a reduction its root
export const PACKET_STRIDE = 8;

/**
 * Fields of a port, its input and its output side, followed by those of its queues. Together {@link portShift} int32: with
 * one lane a cache line, so that a hop touches three of them (where the packet was, where it goes, who gets the credit).
 */
export const INPUT_FREE = 0; // cycle from which the input can be read again
export const OUTPUT_FREE = 1; // cycle from which the output link is free again
export const OUTPUT_LAG = 2; // how much earlier than that it is free exactly, in 1/flitDenominator cycles
export const LINK = 3; // what a hop needs of the output link, see linkWord
export const POINTER = 4; // bit at which the next arbitration begins
export const BLOCKED = 5; // 1 when somebody waits for credits that are kept here; at JOIN: for room in the table
export const RECENT = 6; // of the last packets on the output link: busy cycles | packets << 16 | their channel << 24, not in the counters yet
export const RECENT_BYTES = 7; // their bytes
export const RECENT_ROW = 8; // where the counters of that channel begin, or −1
export const PEER = 9; // a copy of the topology's `peer`, which a hop needs twice
export const FIRST_QUEUE = 10;

/** Fields of RECENT, and the bits that say that it must be emptied before more is added: half full of cycles or packets. */
export const RECENT_PACKET = 0x10000;
export const RECENT_CHANNEL = 24;
export const RECENT_FULL = 0x808000;
/** Longer holds are counted at once. */
export const RECENT_MOST_BUSY = 0x7fff;

/** LINK: row of the type | kind << 4 | 1 << 6 when a flit takes exactly a cycle | latency << 8. */
export const LINK_ROW = 15;
export const LINK_KIND = 4;
export const LINK_UNIT = 64;
export const LINK_CYCLES = 8;

/**
 * Fields of an input queue (port and lane). Credits are kept with the queue that they are room of, where the next hop and the
 * return of the credit touch them anyway; those of a link to another die, whose queue is elsewhere, with the output.
 */
export const QUEUE_HEAD = 0; // first packet or −1; a packet counts as queued until its head moves on
export const QUEUE_TAIL = 1; // last packet
export const HEAD_SINCE = 2; // cycle from which the first packet (of an empty queue: the next one to come) can move on, as far as its own arrival goes
export const CREDIT_WAIT_SINCE = 3; // cycle since which it waits for a credit, or −1
export const CREDITS = 4; // flits that may still be sent to this queue; at the edge of the die: over the output link
export const QUEUE_FIELDS = 5;

/** The record of port p begins at p << portShift(lanes). */
export function portShift(lanes: number): number {
  return Math.ceil(Math.log2(FIRST_QUEUE + lanes * QUEUE_FIELDS));
}

/** Fields of a router: {@link ROUTER_FIELDS} int32, a cache line. The die's router, the last one, has 32 outputs. */
export const WANTED_OUTPUTS = 0; // outputs (bits) that somebody wants
export const WAKE_AT = 1; // cycle of the pending wake
export const VISITED = 2; // 1 when it has decided since the kernel began; if not, all of it is as it was then
export const COORDINATES = 3; // a copy of the topology's `coordinates`
export const WANTED = 8; // of each output: input ports (bits; with more than 32 lanes a bit per 32 lanes of a port) with a head that wants it
export const ROUTER_FIELDS = 16;

/** Fields of a tile or node, as a source of packets. */
export const INJECTION_FREE = 0; // cycle from which its injection link is free again
export const CONTRIBUTED = 1; // bytes of the reduction in progress since its last page
export const ENDPOINT_FIELDS = 2;

/** Fields of a join: {@link JOIN_STRIDE} int32 each. */
export const JOIN_NEXT = 0; // next join of the same router, or of the free list
export const JOIN_TREE = 1;
export const JOIN_SEQUENCE = 2;
export const JOIN_CHANNEL = 3;
export const JOIN_MISSING = 4; // input ports (bits) whose contribution has not come
export const JOIN_TAIL = 5; // cycle at which the last flit of those that came is there
export const JOIN_PACKET = 6; // packet of the first that came: it goes on
export const JOIN_STRIDE = 8;

/** Fields of a router that joins. */
export const FIRST_JOIN = 0; // its open joins, a list
export const TABLE_USED = 1; // places in the table that are taken: open joins, and joined packets that have not left
export const COMBINE_FREE = 2; // cycle from which its combine unit is free again
export const COMBINER_FIELDS = 4;

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
export const ITEM_ENTERED = 8; // cycle in which the packet entered its injection link
export const BOUNDARY_STRIDE = 9;

export const NEVER = 0x7fffffff;

/** What a kernel's columns are laid out for. */
export interface KernelShape {
  /** Lanes of a port: virtual channels of each class that has buffers. */
  readonly lanes: number;
  readonly channels: number;
  /** Slots of the timing wheel, a power of two. */
  readonly slots: number;
  /** Sources of packets: tiles, then memory nodes. */
  readonly endpoints: number;
  readonly joins: boolean;
}

/** Words of 32 lanes in a port. */
export function laneWords(lanes: number): number {
  return (lanes + 31) >>> 5;
}

/** Where the requests to an output of a router begin in `requests`. */
export function requestsAt(router: number, out: number, words: number, hubRouter: number): number {
  return router === hubRouter ? router * PORT_STRIDE * PORT_STRIDE * words + out * 32 : (router * PORT_STRIDE + out) * PORT_STRIDE * words;
}

/**
 * Everything that changes while a die's fabric runs, as columns: a snapshot is a copy of them. Cycles are int32 and
 * count from the start of the kernel.
 */
export interface KernelColumns {
  /** [packets × 8] see the field offsets above. */
  packets: Int32Array;
  /** [packets] number of the packet among those of its source tile. */
  sequence: Uint32Array;
  /** [packets] cycle in which it entered its injection link. */
  entered: Int32Array;
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
  /** [routers × 16, and 24 more] see the fields of a router above. */
  readonly routers: Int32Array;
  /** [endpoints × 2] see the fields of an endpoint above. */
  readonly endpoints: Int32Array;
  /**
   * Lanes (bits) of an input port with a head that wants an output: [router × 8 + output][input port × words + word], of
   * the die's router [output × 32 + input port]. Empty with a single lane, where `WANTED` says all.
   */
  readonly requests: Int32Array;
  /** [ports × words] lane at which the next look into an input port begins. Empty with a single lane. */
  readonly firstLane: Uint8Array;
  /** [ports] output whose grant an input port accepts first. Empty with a single lane. */
  readonly firstOutput: Uint8Array;
  /** [ports × classes] virtual channel that the next packet over an output takes if it has room. Empty with a single virtual channel. */
  readonly nextChannel: Uint8Array;
  /** [endpoints × classes × 2] first and last packet that waits for a virtual channel of the injection port. Empty with a single one. */
  readonly sources: Int32Array;
  /** [routers × 4] see the fields of a router that joins. Empty without reductions and acknowledgements. */
  readonly combiners: Int32Array;
  /** [joins × 8] see the fields of a join. */
  joins: Int32Array;
  /** [64 × wakeStride] routers (bits) to visit in this cycle and the next 63, by cycle modulo 64; behind the words of a cycle a bit for each word, and behind these a bit for each of theirs. */
  readonly wakes: Int32Array;
  /** [endpoints × 2] running hash of (arrival cycle, source, sequence) of what each tile or node received. */
  readonly deliveryHash: Int32Array;
  /** [ports × channels] row of `counters`, or −1 while there was nothing to count. */
  readonly counterRow: Int32Array;
  /** [rows × 5] since the last {@link PacketKernel.drainCounters}. */
  counters: Float64Array;
}

export interface KernelScalars {
  now: number;
  freePacket: number;
  freeEvent: number;
  freeJoin: number;
  live: number;
  linkHops: number;
  flitHops: number;
  deliveredPackets: number;
  counterRows: number;
  overflow: number[];
}

export interface KernelSnapshot {
  readonly columns: KernelColumns;
  readonly scalars: KernelScalars;
}

/** Columns of a kernel in which nothing has happened. `classes` that have buffers × `virtualChannels` are its lanes. */
export function emptyColumns(topology: DieTopology, shape: KernelShape, classes: number): KernelColumns {
  const { ports, routers, type, types, peer, hubRouter, coordinates } = topology;
  const { lanes, channels, slots, endpoints, joins } = shape;
  const shift = portShift(lanes);
  const words = laneWords(lanes);
  const portColumn = new Int32Array(ports << shift);
  for (let port = 0; port < ports; port++) {
    const creditFlits = creditsAt(topology, port);
    portColumn[(port << shift) + PEER] = peer[port]!;
    portColumn[(port << shift) + RECENT] = RECENT_FULL; // the first packet finds no room, and gets a row
    portColumn[(port << shift) + RECENT_ROW] = -1;
    portColumn[(port << shift) + LINK] = linkWord(types[type[port]!]!, type[port]!);
    for (let lane = 0; lane < lanes; lane++) {
      const queue = (port << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS;
      portColumn[queue + QUEUE_HEAD] = -1;
      portColumn[queue + CREDIT_WAIT_SINCE] = -1;
      portColumn[queue + CREDITS] = creditFlits;
    }
  }
  const requests = lanes === 1 ? 0 : requestsAt(routers - 1, hubRouter < 0 ? PORT_STRIDE : 32, words, hubRouter);
  const columns: KernelColumns = {
    packets: new Int32Array(PACKET_STRIDE * 256),
    sequence: new Uint32Array(256),
    entered: new Int32Array(256),
    arrivals: new Int32Array(slots).fill(-1),
    eventsAt: new Int32Array(slots),
    events: new Int32Array(4 * 256),
    occupied: new Int32Array(slots >>> 5),
    ports: portColumn,
    routers: new Int32Array(routers * ROUTER_FIELDS + 32 - PORT_STRIDE),
    endpoints: new Int32Array(endpoints * ENDPOINT_FIELDS),
    requests: new Int32Array(requests),
    firstLane: new Uint8Array(lanes === 1 ? 0 : ports * words),
    firstOutput: new Uint8Array(lanes === 1 ? 0 : ports),
    nextChannel: new Uint8Array(lanes === classes ? 0 : ports * classes),
    sources: new Int32Array(lanes === classes ? 0 : endpoints * classes * 2).fill(-1),
    combiners: new Int32Array(joins ? routers * COMBINER_FIELDS : 0),
    joins: new Int32Array(joins ? JOIN_STRIDE * 64 : 0),
    wakes: new Int32Array(WAKE_CYCLES * wakeStride(routers)),
    deliveryHash: new Int32Array(endpoints * 2),
    counterRow: new Int32Array(ports * channels).fill(-1),
    counters: new Float64Array(COUNTER_STRIDE * 64),
  };
  for (let router = 0; router < routers; router++) columns.routers[router * ROUTER_FIELDS + COORDINATES] = coordinates[router]!;
  for (let router = 0; router < routers; router++) columns.routers[router * ROUTER_FIELDS + VISITED] = 1;
  resetClock(columns, shape, classes);
  return columns;
}

function linkWord({ kind, cycles, flitNumerator, flitDenominator }: LinkType, row: number): number {
  return row | (kind << LINK_KIND) | (flitNumerator === 1 && flitDenominator === 1 ? LINK_UNIT : 0) | (cycles << LINK_CYCLES);
}

/** Credits that are kept at a port when nothing is on its way. */
export function creditsAt({ peer, type, types }: DieTopology, port: number): number {
  const to = peer[port]!;
  return to === NO_LINK ? 0 : types[type[to >= 0 ? to : port]!]!.creditFlits;
}

/**
 * Everything that counts from cycle 0 as it is before that cycle. Queues must be empty and credits back. Ports of routers
 * that have not been visited since the last time are so already.
 */
export function resetClock(columns: KernelColumns, { lanes }: Pick<KernelShape, 'lanes'>, classes: number): void {
  const { ports, routers, endpoints, wakes, eventsAt, occupied, firstLane, firstOutput, nextChannel, combiners } = columns;
  const shift = portShift(lanes);
  const words = laneWords(lanes);
  const portCount = ports.length >> shift;
  const routerCount = Math.floor(routers.length / ROUTER_FIELDS) - 1;
  for (let router = 0; router < routerCount; router++) {
    if (routers[router * ROUTER_FIELDS + VISITED] === 0) continue;
    routers[router * ROUTER_FIELDS + VISITED] = 0;
    const first = router * PORT_STRIDE;
    const end = router + 1 === routerCount ? portCount : first + PORT_STRIDE;
    // Nobody wants anything, for queues are empty.
    routers[router * ROUTER_FIELDS + WAKE_AT] = NEVER;
    for (let port = first; port < end; port++) {
      const at = port << shift;
      ports[at + INPUT_FREE] = 0;
      ports[at + OUTPUT_FREE] = 0;
      ports[at + OUTPUT_LAG] = 0;
      ports[at + POINTER] = 0;
      ports[at + BLOCKED] = 0;
      for (let lane = 0; lane < lanes; lane++) ports[at + FIRST_QUEUE + lane * QUEUE_FIELDS + HEAD_SINCE] = 0;
    }
    firstLane.fill(0, first * words, end * words);
    firstOutput.fill(0, first, end);
    nextChannel.fill(0, first * classes, end * classes);
    if (combiners.length === 0) continue;
    combiners[router * COMBINER_FIELDS + FIRST_JOIN] = -1;
    combiners[router * COMBINER_FIELDS + TABLE_USED] = 0;
    combiners[router * COMBINER_FIELDS + COMBINE_FREE] = 0;
  }
  endpoints.fill(0);
  wakes.fill(0);
  // Wakes that an earlier one has overtaken may be left; they would stretch the next kernel.
  eventsAt.fill(-1);
  occupied.fill(0);
}

/** Cycles that `wakes` reaches ahead, a power of two; later wakes are events. */
export const WAKE_CYCLES = 64;

/** Words of `wakes` that hold a bit for each router, and all words of one cycle. */
export function wakeWords(routers: number): number {
  return (routers + 31) >>> 5;
}

export function wakeStride(routers: number): number {
  const words = wakeWords(routers);
  return words + wakeWords(words) + wakeWords(wakeWords(words));
}

/** A copy that shares nothing with the original. */
export function copyColumns(columns: KernelColumns): KernelColumns {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, (column as Int32Array).slice()])) as unknown as KernelColumns;
}
