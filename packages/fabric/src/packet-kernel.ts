import * as trees from './collective-trees.ts';
import { acknowledgementTree, multicastTree, reductionTree, type CollectiveTree } from './collective-trees.ts';
import { DeliveryRows, foldDelivery, grown } from './delivery-rows.ts';
import * as topologies from './die-topology.ts';
import { boundaryDirection, boundaryPosition, type DieTopology } from './die-topology.ts';
import { FabricError } from './errors.ts';
import * as fabric from './fabric.ts';
import type { Fabric, MulticastPlan, ReductionPlan } from './fabric.ts';
import * as state from './kernel-state.ts';
import { copyColumns, creditsAt, emptyColumns, laneWords, portShift, requestsAt, resetClock, wakeStride, wakeWords, type KernelColumns, type KernelScalars, type KernelShape, type KernelSnapshot } from './kernel-state.ts';
import { flitsOf } from './latency.ts';
import * as links from './link-type.ts';
import { ItemList } from './item-list.ts';
import * as portNames from './ports.ts';
import { explainStarvation, explainWaits, type KernelView } from './wait-explanations.ts';
import { checkRoute } from './routes/check-route.ts';

/*
 * Constants of other modules, copied: V8 folds a constant of the same module into the code, but loads an imported one at every use
 * and checks that it is initialised and a small integer, which made the kernel slower by half.
 */
const {
  BLOCKED, BOUNDARY_STRIDE, BYTES, COMBINER_FIELDS, COMBINE_FREE, CONTRIBUTED, COORDINATES, COUNTER_STRIDE, COUNT_ARBITRATION_STALL, COUNT_BUSY,
  COUNT_BYTES, COUNT_CREDIT_STALL, COUNT_PACKETS, CREDITS, CREDIT_WAIT_SINCE, ENDPOINT_FIELDS, FINAL, FIRST_JOIN, FIRST_QUEUE, HEAD_SINCE,
  INJECTION_FREE, INPUT_FREE, ITEM_ARRIVAL, ITEM_BYTES, ITEM_ENTERED, ITEM_FINAL, ITEM_META, ITEM_POSITION, ITEM_SEQUENCE, ITEM_SOURCE, ITEM_TAIL,
  JOIN_CHANNEL, JOIN_MISSING, JOIN_NEXT, JOIN_PACKET, JOIN_SEQUENCE, JOIN_STRIDE, JOIN_TAIL, JOIN_TREE, LINK, LINK_CYCLES, LINK_KIND,
  LINK_ROW, LINK_UNIT, META, NEVER, NEXT, OUTPUT_FREE, OUTPUT_LAG, PACKET_STRIDE, PEER, POINTER, QUEUE_FIELDS, QUEUE_HEAD, QUEUE_TAIL, RECENT,
  RECENT_BYTES, RECENT_CHANNEL, RECENT_FULL, RECENT_MOST_BUSY, RECENT_PACKET, RECENT_ROW, ROUTER_FIELDS, SOURCE, TABLE_USED, TAIL, TARGET, VISITED, WAKE_AT, WAKE_CYCLES, WANTED, WANTED_OUTPUTS,
  WHERE,
} = state;
const { CLASS_FROM_HUB, CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE, CLASS_TO_HUB, CLASSES } = fabric;
const { ACKNOWLEDGEMENT, MULTICAST, REDUCTION } = trees;
const { NO_LINK } = topologies;
const { EJECTION, FROM_HUB, INJECTION, MESH, TO_HUB } = links;
const { DIRECTIONS, EAST, FIRST_GATEWAY, HUB, JOIN, LOCAL, NORTH, PORT_STRIDE, SOUTH, WEST } = portNames;

export interface PacketKernelOptions {
  /** Message channels, counted apart on every link. */
  readonly channels: number;
  /** Visit the routers of a cycle in reverse: must change nothing (a test says so). */
  readonly reverseVisits?: boolean;
  /**
   * Traffic classes that get buffers and credits, besides requests and, on `hub` hardware, to and from the hub: CLASS_RESPONSE for
   * acknowledgements, CLASS_REDUCTION for reductions. The same on every die of a wafer.
   */
  readonly classes?: readonly number[];
}

/** First lane of a class without buffers: so small that no lane belongs to it. */
const NO_LANE = -1024;

export interface MulticastOptions {
  /** Does every receiver answer, and the answers join on their way into one that is delivered at the root? */
  readonly acknowledged?: boolean;
}

/**
 * The fabric of one die at packet fidelity: virtual cut-through, event-driven, credit flow control. A packet holds each
 * link for its length in flits, and moves on when the link is free, its turn has come, and all of it fits into the
 * buffer behind the link.
 *
 * A cycle has phases: {@link beginCycle} applies what arrives (packets, credits); then the owner lets tiles react and
 * {@link inject}s; {@link decide} lets each woken router decide once. Nothing that one router decides reaches another in
 * the same cycle, so neither the order of visits nor the way the wafer was cut can show.
 *
 * Cycles are int32 from the start of the kernel ({@link startKernel}).
 */
export class PacketKernel implements Fabric<KernelSnapshot> {
  readonly fidelity = 'packet';
  readonly topology: DieTopology;
  /** Traffic classes that have buffers, ascending. Lane = place of the class × virtual channels + virtual channel. */
  readonly classes: readonly number[];
  readonly lanes: number;
  readonly channels: number;
  readonly packetsOut: readonly ItemList[];
  readonly creditsOut: readonly ItemList[];

  readonly #shape: KernelShape;
  readonly #slots: number;
  readonly #reverse: boolean;
  readonly #portShift: number;
  readonly #words: number;
  readonly #virtualChannels: number;
  /** [classes] first lane of a class, or −1. */
  readonly #laneOfClass: Int32Array;
  /** First lane of the class, or {@link NO_LANE}. */
  readonly #reductionLane: number;
  readonly #responseLane: number;
  /** [link kinds × lanes] first lane of the class that a packet is in behind such a link. */
  readonly #lanesBehind: Uint8Array;
  readonly #typeCycles: Int32Array;
  /** Of reductions; 0: ideal bursts. */
  readonly #pageGapCycles: number;
  readonly #typeCreditCycles: Int32Array;
  readonly #typeNumerator: Int32Array;
  readonly #typeDenominator: Int32Array;
  /** [types] what the link can carry in a cycle, rounded up. */
  readonly #typeFlitsPerCycle: Int32Array;
  /** Do packets that have come to the end of their way through the mesh always go to the tile? */
  readonly #endsAtTile: boolean;
  /** Do responses have buffers? */
  readonly #responses: boolean;
  /** Node at a port of a tile. */
  readonly #nodeAt: ReadonlyMap<number, number>;
  /** Routers that decide in this cycle. */
  readonly #awake: Int32Array;
  /** [32] by output, of a router with several lanes: the request (bit of WANTED) and lane that it grants in this visit. */
  readonly #grantedBit = new Int32Array(32);
  readonly #grantedLane = new Int32Array(32);
  /** Cycle from which the router that {@link #match} looked at has more to do, or NEVER. */
  #matchAgain = NEVER as number;
  /** Words of `wakes` for routers, for these words, and in all, of one cycle. */
  readonly #wakeWords: number;
  readonly #wakeTop: number;
  readonly #wakeStride: number;
  readonly #deliveries = new DeliveryRows();
  readonly #trees: CollectiveTree[] = [];
  #columns: KernelColumns;
  #scalars: KernelScalars;

  constructor(topology: DieTopology, options: PacketKernelOptions) {
    this.topology = topology;
    this.channels = options.channels;
    this.classes = classesOf(topology, options.classes ?? []);
    this.#virtualChannels = topology.virtualChannels;
    this.lanes = this.classes.length * this.#virtualChannels;
    this.#words = laneWords(this.lanes);
    this.#portShift = portShift(this.lanes);
    this.#reverse = options.reverseVisits ?? false;
    this.#laneOfClass = new Int32Array(CLASSES).fill(-1);
    this.classes.forEach((trafficClass, place) => (this.#laneOfClass[trafficClass] = place * this.#virtualChannels));
    this.#reductionLane = this.classes.includes(CLASS_REDUCTION) ? this.#laneOfClass[CLASS_REDUCTION]! : NO_LANE;
    this.#responseLane = this.classes.includes(CLASS_RESPONSE) ? this.#laneOfClass[CLASS_RESPONSE]! : NO_LANE;
    this.#lanesBehind = new Uint8Array(4 * this.lanes);
    for (let lane = 0; lane < this.lanes; lane++) {
      const own = lane - (lane % this.#virtualChannels);
      this.#lanesBehind[MESH * this.lanes + lane] = own;
      this.#lanesBehind[EJECTION * this.lanes + lane] = own;
      this.#lanesBehind[TO_HUB * this.lanes + lane] = this.#laneOfClass[CLASS_REQUEST]!;
      this.#lanesBehind[FROM_HUB * this.lanes + lane] = Math.max(0, this.#laneOfClass[CLASS_FROM_HUB]!);
    }
    const { types, maxPacketFlits, reduction } = topology;
    this.#pageGapCycles = reduction.pageGapCycles;
    // A joined packet holds a link for as long as it takes to join it.
    const stretch = Math.ceil(5 / (reduction.inputsPerCycle - 1));
    const longest = Math.max(...types.map((type) => Math.max(type.cycles, type.creditCycles) + Math.ceil((maxPacketFlits * type.flitNumerator) / type.flitDenominator) + maxPacketFlits));
    this.#slots = Math.max(64, 2 ** Math.ceil(Math.log2(longest + 2 + (this.#reductionLane < 0 ? 0 : stretch * maxPacketFlits + Math.ceil(topology.maxPacketBytes / reduction.landingBytesPerCycle)))));
    this.#typeCycles = Int32Array.from(types, (type) => type.cycles);
    this.#typeCreditCycles = Int32Array.from(types, (type) => type.creditCycles);
    this.#typeNumerator = Int32Array.from(types, (type) => type.flitNumerator);
    this.#typeDenominator = Int32Array.from(types, (type) => type.flitDenominator);
    this.#typeFlitsPerCycle = Int32Array.from(types, (type) => Math.ceil(type.flitDenominator / type.flitNumerator));
    this.#responses = this.classes.includes(CLASS_RESPONSE);
    this.#endsAtTile = topology.hubRouter < 0 && topology.nodes.length === 0;
    this.#nodeAt = new Map(Array.from(topology.nodePorts, (port, node) => [port, topology.tiles + node]));
    this.#awake = new Int32Array(topology.routers);
    this.#wakeWords = wakeWords(topology.routers);
    this.#wakeTop = this.#wakeWords + wakeWords(this.#wakeWords);
    this.#wakeStride = wakeStride(topology.routers);
    this.packetsOut = Array.from({ length: DIRECTIONS }, () => new ItemList());
    this.creditsOut = Array.from({ length: DIRECTIONS }, () => new ItemList());
    const joins = this.classes.includes(CLASS_REDUCTION) || this.classes.includes(CLASS_RESPONSE);
    this.#shape = { lanes: this.lanes, channels: this.channels, slots: this.#slots, endpoints: topology.tiles + topology.nodes.length, joins };
    this.#columns = emptyColumns(topology, this.#shape, this.classes.length);
    this.#scalars = { now: -1, freePacket: -1, freeEvent: -1, freeJoin: -1, live: 0, linkHops: 0, flitHops: 0, deliveredPackets: 0, counterRows: 0, overflow: [] };
    this.#addPackets(0);
    this.#addEvents(0);
    this.#addJoins(0);
  }

  get now(): number {
    return this.#scalars.now;
  }

  get livePackets(): number {
    return this.#scalars.live;
  }

  get linkHops(): number {
    return this.#scalars.linkHops;
  }

  get flitHops(): number {
    return this.#scalars.flitHops;
  }

  get deliveredPackets(): number {
    return this.#scalars.deliveredPackets;
  }

  get deliveryHash(): Int32Array {
    return this.#columns.deliveryHash;
  }

  get delivered(): number {
    return this.#deliveries.rows;
  }

  get deliveredTile(): Int32Array {
    return this.#deliveries.tile;
  }

  get deliveredChannel(): Uint8Array {
    return this.#deliveries.channel;
  }

  get deliveredBytes(): Int32Array {
    return this.#deliveries.bytes;
  }

  get deliveredSource(): Int32Array {
    return this.#deliveries.source;
  }

  get deliveredSequence(): Uint32Array {
    return this.#deliveries.sequence;
  }

  get deliveredEntered(): Int32Array {
    return this.#deliveries.entered;
  }

  /** Traffic class in which a packet arrived: an acknowledgement comes to the root of its multicast as CLASS_RESPONSE. */
  get deliveredClass(): Uint8Array {
    return this.#deliveries.trafficClass;
  }

  /** Tree that brought it, −1 for a packet from one tile to another. Of an acknowledgement or a barrier: the multicast's or the barrier's id. */
  get deliveredTree(): Int32Array {
    return this.#deliveries.tree;
  }

  startKernel(): void {
    this.assertQuiescent();
    resetClock(this.#columns, this.#shape, this.classes.length);
    this.#scalars.overflow = [];
    this.#scalars.freeEvent = -1;
    this.#addEvents(0);
    this.#scalars.now = -1;
  }

  assertQuiescent(): void {
    const { topology, lanes } = this;
    const { ports } = this.#columns;
    if (this.#scalars.live !== 0) throw new Error(`Die ${topology.dieId} still holds ${this.#scalars.live} packets at a kernel boundary.`);
    for (let port = 0; port < topology.ports; port++) {
      const start = creditsAt(topology, port);
      for (let lane = 0; lane < lanes; lane++) {
        const count = ports[(port << this.#portShift) + FIRST_QUEUE + lane * QUEUE_FIELDS + CREDITS]!;
        if (count !== start) throw new Error(`Die ${topology.dieId}, port ${port}, lane ${lane}: ${count} credits at a kernel boundary, ${start} at the start.`);
      }
    }
  }

  nextCycle(): number {
    const { now, overflow } = this.#scalars;
    const { occupied } = this.#columns;
    const words = occupied.length;
    const mask = this.#slots - 1;
    const first = (now + 1) & mask;
    let word = first >>> 5;
    let bits = occupied[word]! & (-1 << (first & 31));
    for (let step = 0; step <= words; step++) {
      if (bits !== 0) {
        const slot = (word << 5) + 31 - Math.clz32(bits & -bits);
        return now + 1 + ((slot - first) & mask);
      }
      word = word + 1 === words ? 0 : word + 1;
      bits = occupied[word]!;
    }
    let next = NEVER;
    for (let i = 0; i < overflow.length; i += 2) if (overflow[i]! < next) next = overflow[i]!;
    return next;
  }

  beginCycle(cycle: number): void {
    const scalars = this.#scalars;
    if (cycle <= scalars.now) throw new Error(`Cycle ${cycle} begins after cycle ${scalars.now}.`);
    if (cycle > scalars.now + 1 && this.nextCycle() < cycle) throw new Error(`Cycle ${cycle} begins after cycle ${scalars.now}, but cycle ${this.nextCycle()} has work.`);
    if (scalars.overflow.length > 0) this.#admitOverflow(cycle);
    const { arrivals, eventsAt, occupied, packets, events, ports, routers, wakes } = this.#columns;
    const { lanes, topology } = this;
    const shift = this.#portShift;
    const hasTrees = this.#trees.length > 0;
    const isPlain = lanes === 1 && !hasTrees;
    const rests = topology.setupCycles > 0;
    const { hubRouter } = topology;
    scalars.now = cycle;
    this.#deliveries.rows = 0;
    const wakesNow = (cycle & (WAKE_CYCLES - 1)) * this.#wakeStride;
    const slot = cycle & (this.#slots - 1);
    occupied[slot >>> 5]! &= ~(1 << (slot & 31));

    let offset = arrivals[slot]!;
    arrivals[slot] = -1;
    while (offset >= 0) {
      const next = packets[offset + NEXT]!;
      const where = packets[offset + WHERE]!;
      if (where < 0) {
        this.#deliver(offset, ~where, cycle);
      } else {
        packets[offset + NEXT] = -1;
        const lane = lanes === 1 ? 0 : (packets[offset + META]! >>> 16) & 0xff;
        const queue = (where << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS;
        if (ports[queue + QUEUE_HEAD]! < 0) {
          ports[queue + QUEUE_HEAD] = offset;
          ports[queue + QUEUE_TAIL] = offset;
          const readable = ports[(where << shift) + INPUT_FREE]!;
          let since = readable > cycle ? readable : cycle;
          if (rests && ports[queue + HEAD_SINCE]! > since) since = ports[queue + HEAD_SINCE]!;
          const router = hubRouter < 0 ? where >>> 3 : this.#routerOf(where);
          if (isPlain) {
            ports[queue + HEAD_SINCE] = since;
            const base = router * PORT_STRIDE;
            const out = this.#route(router, packets[offset + TARGET]!, offset);
            routers[router * ROUTER_FIELDS + WANTED + out]! |= 1 << (where - base);
            routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! |= 1 << out;
          } else {
            this.#becomeHead(queue, router, where, lane, offset, since);
          }
          if (since === cycle) {
            const word = wakesNow + (router >>> 5);
            const before = wakes[word]!;
            wakes[word] = before | (1 << (router & 31));
            if (before === 0) this.#markWord(wakesNow, router);
          } else {
            this.#wakeRouter(router, since);
          }
        } else {
          packets[ports[queue + QUEUE_TAIL]! + NEXT] = offset;
          ports[queue + QUEUE_TAIL] = offset;
        }
      }
      offset = next;
    }

    let event = eventsAt[slot]!;
    eventsAt[slot] = -1;
    while (event >= 0) {
      const next = events[event]!;
      const target = events[event + 1]!;
      if (target < 0) {
        const router = ~target;
        if (routers[router * ROUTER_FIELDS + WAKE_AT] === cycle) this.#wakeRouter(router, cycle);
      } else {
        ports[target]! += events[event + 2]!;
        const port = target >>> shift;
        if (ports[(port << shift) + BLOCKED] !== 0) {
          ports[(port << shift) + BLOCKED] = 0;
          const sender = ports[(port << shift) + PEER]!;
          this.#wakeRouter(this.#routerOf(sender >= 0 ? sender : port), cycle);
        }
      }
      events[event] = scalars.freeEvent;
      scalars.freeEvent = event;
      event = next;
    }
    if (hasTrees) this.#answerDeliveries();
  }

  /**
   * Phase 3: hands a packet to the network interface of a tile or a memory node. It can enter the router after the injection
   * link's latency, one packet after the other.
   *
   * @param localTile tile of this die; a memory node counts after the tiles
   * @param finalTile destination, wafer-wide; a memory node by its {@link nodeId}
   * @param bytes payload, at most one packet
   * @param sequence number among the packets of this tile, for the packet's identity
   * @param trafficClass of a packet that stays on the die, or on a wafer joined edge to edge; otherwise the classes of the hub are taken
   * @throws FabricError `FABRIC_UNREACHABLE` on a wafer with defects, where no way leads to the tile
   */
  inject(localTile: number, finalTile: number, channel: number, bytes: number, sequence: number, trafficClass = CLASS_REQUEST): void {
    const { topology } = this;
    const flits = this.#flitsOf(bytes);
    let target: number;
    if (finalTile < topology.waferTiles) {
      const finalDie = Math.floor(finalTile / topology.tiles);
      const finalLocal = finalTile - finalDie * topology.tiles;
      if (finalDie === topology.dieId) {
        target = this.#targetOf(finalLocal);
      } else if (topology.hubRouter >= 0) {
        trafficClass = CLASS_TO_HUB;
        target = this.#targetOf(topology.gateways[topology.gatewayOfTile[localTile < topology.tiles ? localTile : this.#portOf(localTile) >>> 3]!]!);
      } else {
        target = this.#targetAcross(finalDie, finalLocal);
      }
    } else {
      const node = finalTile - topology.waferTiles - topology.dieId * topology.nodes.length;
      if (!(node >= 0 && node < topology.nodes.length)) {
        throw new FabricError('FABRIC_TILE_OFF_WAFER', `Die ${topology.dieId} has no destination ${finalTile}: tiles of the wafer are 0 to ${topology.waferTiles - 1}, memory nodes of the die 0 to ${topology.nodes.length - 1}.`, { finalTile });
      }
      target = this.#targetOf(topology.nodePorts[node]! >>> 3);
    }
    if (topology.routes !== null) checkRoute(topology, localTile, finalTile);
    const lane = this.#laneOfClass[trafficClass] ?? -1;
    if (lane < 0) throw this.#noBuffers(trafficClass);
    this.#enter(localTile, this.#newPacket(localTile, flits, lane, channel, bytes, finalTile, sequence, target), lane, this.#virtualChannels > 1);
  }

  #noBuffers(trafficClass: number): FabricError {
    return new FabricError('FABRIC_BAD_OPTION', `This fabric has buffers for the traffic classes ${this.classes.join(', ')}, not for ${trafficClass}.`, { trafficClass });
  }

  #flitsOf(bytes: number): number {
    const { flitBytes, maxPacketFlits, maxPacketBytes } = this.topology;
    const flits = flitsOf(bytes, flitBytes);
    if (flits > maxPacketFlits) throw new FabricError('FABRIC_BAD_PAYLOAD', `A packet carries at most ${maxPacketBytes} bytes, got ${bytes}.`, { bytes });
    return flits;
  }

  /** Port that a tile or node injects into and takes from. */
  #portOf(endpoint: number): number {
    const { tiles, nodePorts } = this.topology;
    return endpoint < tiles ? endpoint * PORT_STRIDE + LOCAL : nodePorts[endpoint - tiles]!;
  }

  /** Endpoint behind an ejection port. */
  #endpointOf(port: number): number {
    return (port & 7) === LOCAL ? port >>> 3 : this.#nodeAt.get(port)!;
  }

  /** Where a packet for a tile of this die has to go. */
  #targetOf(localTile: number): number {
    const { topology } = this;
    return topology.routes === null ? topology.coordinates[localTile]! : topology.dieId * topology.tiles + localTile;
  }

  #targetAcross(finalDie: number, finalLocal: number): number {
    const { tiles, tilesX, tilesY, diesX, routes } = this.topology;
    if (routes !== null) return finalDie * tiles + finalLocal;
    const x = (finalDie % diesX) * tilesX + (finalLocal % tilesX);
    const y = Math.floor(finalDie / diesX) * tilesY + Math.floor(finalLocal / tilesX);
    return x | (y << 16);
  }

  #newPacket(endpoint: number, flits: number, lane: number, channel: number, bytes: number, final: number, sequence: number, target: number): number {
    const { topology } = this;
    const offset = this.#takePacket();
    const { packets } = this.#columns;
    packets[offset + NEXT] = -1;
    packets[offset + TARGET] = target;
    packets[offset + META] = flits | (lane << 16) | (channel << 24);
    packets[offset + TAIL] = this.#scalars.now + this.#typeCycles[INJECTION]!; // until it enters the injection link: when its head could be there
    packets[offset + WHERE] = 0;
    packets[offset + BYTES] = bytes;
    packets[offset + FINAL] = final;
    packets[offset + SOURCE] = endpoint < topology.tiles ? topology.dieId * topology.tiles + endpoint : topology.waferTiles + topology.dieId * topology.nodes.length + endpoint - topology.tiles;
    this.#columns.sequence[offset / PACKET_STRIDE] = sequence;
    return offset;
  }

  /** Puts a packet into the queue of its source. With `anyChannel` it takes the first virtual channel of its class that becomes empty. */
  #enter(endpoint: number, offset: number, lane: number, anyChannel: boolean): void {
    const { packets, ports, sources, nextChannel } = this.#columns;
    const port = this.#portOf(endpoint);
    const at = port << this.#portShift;
    if (anyChannel) {
      const channels = this.#virtualChannels;
      const place = lane / channels;
      const free = this.#emptyChannel(at, lane, nextChannel[port * this.classes.length + place]!);
      if (free < 0) {
        const source = (endpoint * this.classes.length + place) * 2;
        if (sources[source]! < 0) sources[source] = offset;
        else packets[sources[source + 1]! + NEXT] = offset;
        sources[source + 1] = offset;
        return;
      }
      nextChannel[port * this.classes.length + place] = (free + 1 - lane) % channels;
      lane = free;
      packets[offset + META] = (packets[offset + META]! & ~0xff0000) | (lane << 16);
    }
    const queue = at + FIRST_QUEUE + lane * QUEUE_FIELDS;
    if (ports[queue + QUEUE_HEAD]! < 0) {
      ports[queue + QUEUE_HEAD] = offset;
      ports[queue + QUEUE_TAIL] = offset;
      const readable = ports[at + INPUT_FREE]!;
      const rested = ports[queue + HEAD_SINCE]!;
      const since = this.#enterInjectionLink(endpoint, offset, lane, readable > rested ? readable : rested);
      this.#becomeHead(queue, port >>> 3, port, lane, offset, since);
      this.#wakeRouter(port >>> 3, since);
    } else {
      packets[ports[queue + QUEUE_TAIL]! + NEXT] = offset;
      ports[queue + QUEUE_TAIL] = offset;
    }
  }

  /** A virtual channel of a class whose injection queue is empty, looked for from `first` on; −1 when there is none. */
  #emptyChannel(at: number, lane: number, first: number): number {
    const { ports } = this.#columns;
    const channels = this.#virtualChannels;
    for (let i = 0; i < channels; i++) {
      const candidate = lane + ((first + i) % channels);
      if (ports[at + FIRST_QUEUE + candidate * QUEUE_FIELDS + QUEUE_HEAD]! < 0) return candidate;
    }
    return -1;
  }

  /**
   * The first packet of a queue at a network interface crosses the injection link, behind those of other queues.
   *
   * @param readable cycle from which the router can read the port
   * @returns cycle in which its head is at the router
   */
  #enterInjectionLink(endpoint: number, offset: number, lane: number, readable: number): number {
    const { packets, endpoints, entered } = this.#columns;
    const at = endpoint * ENDPOINT_FIELDS;
    let since = packets[offset + TAIL]!;
    if (readable > since) since = readable;
    if (endpoints[at + INJECTION_FREE]! > since) since = endpoints[at + INJECTION_FREE]!;
    const flits = packets[offset + META]! & 0xffff;
    const free = since + Math.ceil((flits * this.#typeNumerator[INJECTION]!) / this.#typeDenominator[INJECTION]!);
    entered[offset / PACKET_STRIDE] = since - this.#typeCycles[INJECTION]!;
    packets[offset + TAIL] = free - 1;
    if (this.#pageGapCycles > 0 && this.#isReductionLane(lane)) {
      const { pageBytes } = this.topology.reduction;
      endpoints[at + CONTRIBUTED]! += packets[offset + BYTES]!;
      if (endpoints[at + CONTRIBUTED]! >= pageBytes) endpoints[at + CONTRIBUTED]! -= pageBytes;
    }
    endpoints[at + INJECTION_FREE] = free;
    return since;
  }

  /** Cycles that the next packet of a tile rests behind one of a reduction that has been read out of its queue: less than it carried is left of it when it ended a page. */
  #gapBehind(endpoint: number, offset: number, lane: number): number {
    if (this.#pageGapCycles === 0 || !this.#isReductionLane(lane)) return 0;
    const { packets, endpoints } = this.#columns;
    return endpoints[endpoint * ENDPOINT_FIELDS + CONTRIBUTED]! < packets[offset + BYTES]! ? this.#pageGapCycles : 0;
  }

  #isReductionLane(lane: number): boolean {
    return (lane - this.#reductionLane) >>> 0 < this.#virtualChannels;
  }

  /**
   * Makes a multicast tree known. With `acknowledged` every receiver answers with one flit; the answers join on the same way
   * back, and one is delivered at the root, of CLASS_RESPONSE.
   *
   * @returns its id
   * @throws FabricError `FABRIC_BAD_TREE`
   */
  defineMulticast(plan: MulticastPlan, { acknowledged = false }: MulticastOptions = {}): number {
    let acknowledgement = -1;
    const tree = multicastTree(this.topology, plan);
    if (acknowledged) {
      if (this.#laneOfClass[CLASS_RESPONSE]! < 0) throw this.#noBuffers(CLASS_RESPONSE);
      acknowledgement = this.#addTree(acknowledgementTree(this.topology, plan));
    }
    return this.#addTree({ ...tree, acknowledgement });
  }

  /** Makes a reduction tree known. @throws FabricError `FABRIC_BAD_TREE` */
  defineReduction(plan: ReductionPlan): number {
    if (this.#laneOfClass[CLASS_REDUCTION]! < 0) throw this.#noBuffers(CLASS_REDUCTION);
    return this.#addTree(reductionTree(this.topology, plan));
  }

  /**
   * Makes a barrier known: all contributors {@link contribute} nothing, and when the last one has, the root multicasts the
   * release, which is delivered to the receivers. `release` begins at the root of `arrival`.
   */
  defineBarrier(arrival: ReductionPlan, release: MulticastPlan): number {
    if (this.#laneOfClass[CLASS_REDUCTION]! < 0) throw this.#noBuffers(CLASS_REDUCTION);
    if (arrival.root !== release.root) throw new FabricError('FABRIC_BAD_TREE', `A barrier that comes together at tile ${arrival.root} is released from there, not from tile ${release.root}.`, { root: release.root });
    const multicast = this.#addTree(multicastTree(this.topology, release));
    return this.#addTree(reductionTree(this.topology, arrival, multicast));
  }

  #addTree(tree: CollectiveTree): number {
    return this.#trees.push(tree) - 1;
  }

  #treeOf(id: number, kind: number): CollectiveTree {
    const tree = this.#trees[id];
    if (tree === undefined || tree.kind !== kind) throw new FabricError('FABRIC_BAD_TREE', `Tree ${id} is no ${kind === MULTICAST ? 'multicast' : 'reduction'} of die ${this.topology.dieId}.`, { tree: id });
    return tree;
  }

  multicast(tree: number, channel: number, bytes: number, sequence: number): void {
    const { root, trafficClass } = this.#treeOf(tree, MULTICAST);
    const lane = this.#laneOfClass[trafficClass]!;
    this.#enter(root, this.#newPacket(root, this.#flitsOf(bytes), lane, channel, bytes, ~tree, sequence, 0), lane, this.#virtualChannels > 1);
  }

  /**
   * One tile's contribution to a reduction or barrier; when all have come, the root receives one packet. All contributions of one
   * `sequence` have the same bytes. A reduction starts `startCycles` late where no earlier contribution of the tile is waiting.
   */
  contribute(tree: number, localTile: number, channel: number, bytes: number, sequence: number): void {
    const { inputs } = this.#treeOf(tree, REDUCTION);
    if (((inputs[localTile] ?? 0) >>> LOCAL) % 2 === 0) throw new FabricError('FABRIC_BAD_TREE', `Tile ${localTile} does not contribute to reduction ${tree}.`, { tree, localTile });
    this.#contribute(tree, localTile, channel, bytes, sequence);
  }

  #contribute(id: number, localTile: number, channel: number, bytes: number, sequence: number): void {
    const { topology } = this;
    const { kind, trafficClass, root, release } = this.#trees[id]!;
    // Packets of a tree keep to one lane, and so their order: a join needs no more than a place for each tree.
    const lane = this.#laneOfClass[trafficClass]! + (id % this.#virtualChannels);
    const offset = this.#newPacket(localTile, this.#flitsOf(bytes), lane, channel, bytes, ~id, sequence, 0);
    const { packets, ports, endpoints } = this.#columns;
    packets[offset + SOURCE] = topology.dieId * topology.tiles + root;
    const queue = (this.#portOf(localTile) << this.#portShift) + FIRST_QUEUE + lane * QUEUE_FIELDS;
    if (kind === REDUCTION && release < 0 && ports[queue + QUEUE_HEAD]! < 0) {
      packets[offset + TAIL]! += topology.reduction.startCycles;
      endpoints[localTile * ENDPOINT_FIELDS + CONTRIBUTED] = 0;
    }
    this.#enter(localTile, offset, lane, false);
  }

  /** What follows from the deliveries of this cycle: acknowledgements, and the release of barriers. */
  #answerDeliveries(): void {
    const rows = this.#deliveries;
    let kept = 0;
    const { rows: count } = rows;
    for (let row = 0; row < count; row++) {
      const id = rows.tree[row]!;
      if (id >= 0) {
        const { acknowledgement, release, kind } = this.#trees[id]!;
        if (acknowledgement >= 0) this.#contribute(acknowledgement, rows.tile[row]!, rows.channel[row]!, 0, rows.sequence[row]!);
        // A multicast stands right behind its acknowledgement, a barrier right behind its release.
        if (kind === ACKNOWLEDGEMENT || this.#trees[id + 1]?.release === id) rows.tree[row] = id + 1;
        if (release >= 0) {
          this.multicast(release, rows.channel[row]!, 0, rows.sequence[row]!);
          continue; // the root hears of it with the others
        }
      }
      rows.move(row, kept++);
    }
    rows.rows = kept;
  }

  decide(): void {
    const { topology, lanes } = this;
    const { arrivals, occupied, ports, routers, requests, firstLane, firstOutput } = this.#columns;
    const grantedBit = this.#grantedBit;
    const grantedLane = this.#grantedLane;
    let { packets } = this.#columns;
    const shift = this.#portShift;
    const { hubRouter } = topology;
    const typeNumerator = this.#typeNumerator;
    const typeDenominator = this.#typeDenominator;
    const words = this.#words;
    const hasTrees = this.#trees.length > 0;
    const lands = hasTrees && topology.reduction.landingBytesPerCycle !== Infinity;
    const isSimple = this.#virtualChannels === 1 && hubRouter < 0;
    const { setupCycles, maxPacketFlits } = topology;
    const typeCreditCycles = this.#typeCreditCycles;
    const typeFlitsPerCycle = this.#typeFlitsPerCycle;
    const slotMask = this.#slots - 1;
    const now = this.#scalars.now;
    const awake = this.#awake;
    const woken = this.#takeAwake();
    let linkHops = 0;
    let flitHops = 0;
    for (let visit = 0; visit < woken; visit++) {
      const router = awake[this.#reverse ? woken - 1 - visit : visit]!;
      const hub = router === hubRouter;
      const base = router * PORT_STRIDE;
      routers[router * ROUTER_FIELDS + VISITED] = 1;
      let nextCycle = NEVER;
      let outputs = routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]!;
      if (hasTrees && (outputs & (1 << JOIN)) !== 0 && !hub) {
        nextCycle = this.#join(router);
        outputs = routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! & ~(1 << JOIN);
      }
      if (lanes > 1 && outputs !== 0) {
        outputs = this.#match(router, outputs);
        if (this.#matchAgain < nextCycle) nextCycle = this.#matchAgain;
      }
      while (outputs !== 0) {
        const out = 31 - Math.clz32(outputs & -outputs);
        outputs &= outputs - 1;
        const port = base + out;
        const output = port << shift;
        const outputFree = ports[output + OUTPUT_FREE]!;
        if (outputFree > now) {
          if (outputFree < nextCycle) nextCycle = outputFree;
          continue;
        }
        const link = ports[output + LINK]!;
        const kind = (link >>> LINK_KIND) & 3;
        // Round robin: the input ports from the pointer on, then those before it. Of several lanes #match has chosen one.
        const wanted = routers[router * ROUTER_FIELDS + WANTED + out]!;
        let candidates = lanes > 1 ? 1 << grantedBit[out]! : wanted & (-1 << ports[output + POINTER]!);
        let earlier = lanes > 1 ? 0 : wanted ^ candidates;
        let lane = 0;
        for (;;) {
          if (candidates === 0) {
            if (earlier === 0) break;
            candidates = earlier;
            earlier = 0;
          }
          const bit = 31 - Math.clz32(candidates & -candidates);
          candidates &= candidates - 1;
          let inputPort = base + bit;
          if (lanes > 1) {
            if (words > 1 && !hub) inputPort = base + ((bit / words) | 0);
            lane = grantedLane[out]!;
          }
          const input = inputPort << shift;
          const queue = input + FIRST_QUEUE + lane * QUEUE_FIELDS;
          const inputFree = ports[input + INPUT_FREE]!;
          const headSince = ports[queue + HEAD_SINCE]!;
          const readable = inputFree > headSince ? inputFree : headSince;
          const offset = ports[queue + QUEUE_HEAD]!;
          // Several outputs may read a packet of a tree at once.
          if (readable > now && !(hasTrees && headSince <= now && packets[offset + FINAL]! < 0 && packets[offset + WHERE] === inputFree)) {
            if (readable < nextCycle) nextCycle = readable;
            continue;
          }
          const meta = packets[offset + META]!;
          const flits = meta & 0xffff;
          let hold = flits;
          let lag = 0;
          if ((link & LINK_UNIT) === 0) {
            const numerator = typeNumerator[link & LINK_ROW]!;
            const denominator = typeDenominator[link & LINK_ROW]!;
            const exact = flits * numerator - (outputFree === now ? ports[output + OUTPUT_LAG]! : 0);
            hold = Math.ceil(exact / denominator);
            lag = hold * denominator - exact;
            if (hold < 1) {
              hold = 1;
              lag = 0;
            }
          }
          // A slower link may still be bringing the tail: starting now would leave holes in the stream.
          const due = packets[offset + TAIL]! + 1 - hold;
          if (due > now) {
            if (this.#isReductionLane(lane)) {
              // Reductions are slow by nature: a packet follows at the pace at which it is joined.
              hold += due - now;
              lag = 0;
            } else {
              if (due < nextCycle) nextCycle = due;
              if (!hasTrees || packets[offset + FINAL]! >= 0) {
                ports[queue + HEAD_SINCE] = due;
                ports[queue + CREDIT_WAIT_SINCE] = -1;
              }
              continue;
            }
          }
          let outLane = lane;
          const to = ports[output + PEER]!;
          if (kind !== EJECTION) {
            const room = to >= 0 ? to << shift : output;
            if (!isSimple) outLane = this.#laneBehind(port, room, kind, lane, flits);
            const credit = room + FIRST_QUEUE + outLane * QUEUE_FIELDS + CREDITS;
            if (ports[credit]! < flits) {
              ports[room + BLOCKED] = 1;
              if (ports[queue + CREDIT_WAIT_SINCE]! < 0) ports[queue + CREDIT_WAIT_SINCE] = now;
              continue;
            }
            ports[credit]! -= flits;
            linkHops++;
            flitHops += flits;
          }

          // Granted.
          const free = now + hold;
          let wantedNow = wanted & ~(1 << bit);
          if (lanes > 1) {
            const request = requestsAt(router, out, words, hubRouter) + bit;
            const lanesWanted = requests[request]! & ~(1 << (lane & 31));
            requests[request] = lanesWanted;
            if (lanesWanted !== 0) wantedNow = wanted;
            firstLane[hub ? inputPort * words : base * words + bit] = (lane + 1) & 31;
            firstOutput[inputPort] = (out + 1) & 31;
          }
          ports[output + OUTPUT_FREE] = free;
          if ((link & LINK_UNIT) === 0) ports[output + OUTPUT_LAG] = lag;
          ports[output + POINTER] = (bit + 1) & 31;
          routers[router * ROUTER_FIELDS + WANTED + out] = wantedNow;
          if (wantedNow === 0) routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! &= ~(1 << out);
          else if (free < nextCycle) nextCycle = free;
          const channel = meta >>> 24;
          const recent = ports[output + RECENT]!;
          if (recent >>> RECENT_CHANNEL !== channel || (recent & RECENT_FULL) !== 0) this.#countRecent(port, channel);
          ports[output + RECENT]! += hold > RECENT_MOST_BUSY ? this.#countHold(output, hold) : hold + RECENT_PACKET;
          ports[output + RECENT_BYTES]! += packets[offset + BYTES]!;
          if (headSince < now) {
            const creditWaitSince = ports[queue + CREDIT_WAIT_SINCE]!;
            const forCredit = creditWaitSince < 0 ? 0 : now - creditWaitSince;
            const { counters } = this.#columns;
            const counter = ports[output + RECENT_ROW]!;
            counters[counter + COUNT_CREDIT_STALL]! += forCredit;
            counters[counter + COUNT_ARBITRATION_STALL]! += now - headSince - forCredit;
            ports[queue + CREDIT_WAIT_SINCE] = -1;
          }

          let sent = offset;
          let bufferFree = free;
          if (hasTrees && packets[offset + FINAL]! < 0) {
            if (inputFree > free) bufferFree = inputFree; // another branch takes longer
            const remaining = packets[offset + TARGET]! & ~(1 << out);
            if (remaining !== 0) {
              sent = this.#copyOf(offset);
              packets = this.#columns.packets;
              packets[offset + TARGET] = remaining;
              packets[offset + WHERE] = bufferFree;
            }
          }
          ports[input + INPUT_FREE] = bufferFree;
          if (sent === offset) {
            // The queue's next packet follows once this one has been read out.
            const upstream = ports[input + PEER]!;
            if (upstream >= 0) {
              const next = packets[offset + NEXT]!;
              ports[queue + QUEUE_HEAD] = next;
              const rested = bufferFree + setupCycles;
              ports[queue + HEAD_SINCE] = rested;
              if (next >= 0) {
                this.#becomeHead(queue, router, inputPort, lane, next, rested);
                if (rested < nextCycle) nextCycle = rested;
              }
              const inputLink = ports[input + LINK]! & LINK_ROW;
              const back = bufferFree + typeCreditCycles[inputLink]! - now;
              if (ports[queue + CREDITS]! >= back * typeFlitsPerCycle[inputLink]! + maxPacketFlits) ports[queue + CREDITS]! += flits;
              else this.#scheduleEvent(now + back, queue + CREDITS, flits);
            } else {
              const since = this.#leaveEdge(router, inputPort, queue, lane, offset, bufferFree);
              if (since < nextCycle) nextCycle = since;
            }
          }

          // The packet's head reaches the other end of the link at `arrival`; an ejected packet counts when its tail is there.
          let arrival = now + (link >>> LINK_CYCLES);
          const tail = arrival + hold - 1;
          if (kind === EJECTION) {
            packets[sent + WHERE] = out === LOCAL ? ~router : ~this.#endpointOf(port);
            arrival = tail;
            if (lands && packets[sent + FINAL]! < 0) arrival += this.#landingCycles(sent);
          } else {
            if (outLane !== lane) packets[sent + META] = (meta & ~0xff0000) | (outLane << 16);
            if (to < 0) {
              this.#sendAcross(to, sent, arrival, tail);
              break;
            }
            if (kind !== MESH) this.#changeLeg(sent, kind);
            packets[sent + TAIL] = tail;
            packets[sent + WHERE] = to;
          }
          const slot = arrival & slotMask;
          const others = arrivals[slot]!;
          packets[sent + NEXT] = others;
          arrivals[slot] = sent;
          if (others < 0) occupied[slot >>> 5]! |= 1 << (slot & 31);
          break;
        }
      }
      if (nextCycle !== NEVER) this.#wakeRouter(router, nextCycle);
    }
    this.#scalars.linkHops += linkHops;
    this.#scalars.flitHops += flitHops;
  }

  /**
   * Switch allocation between ports of several lanes: one iteration of separable round-robin matching (iSLIP). Each output whose
   * link is free grants the first head that can go, from its pointer on; each input port accepts the first of the outputs that
   * granted it, from its own. Pointers advance with what is accepted; a grant that is not costs the output this cycle. The branches
   * of a multicast packet are accepted together.
   *
   * @param outputs wanted (bits)
   * @returns outputs (bits) that serve in this cycle whom {@link #grantedBit} and {@link #grantedLane} say
   */
  #match(router: number, outputs: number): number {
    const { ports, routers, firstOutput, packets } = this.#columns;
    const shift = this.#portShift;
    const words = this.#words;
    const hub = router === this.topology.hubRouter;
    const base = router * PORT_STRIDE;
    const now = this.#scalars.now;
    let granted = 0;
    let grantedInputs = 0;
    let refusedInputs = 0;
    this.#matchAgain = NEVER;
    for (let rest = outputs; rest !== 0; rest &= rest - 1) {
      const out = 31 - Math.clz32(rest & -rest);
      const outputFree = ports[((base + out) << shift) + OUTPUT_FREE]!;
      if (outputFree > now) {
        if (outputFree < this.#matchAgain) this.#matchAgain = outputFree;
        continue;
      }
      const bit = this.#grant(router, out, routers[router * ROUTER_FIELDS + WANTED + out]!);
      if (bit < 0) continue;
      granted |= 1 << out;
      const input = 1 << (hub ? bit : (bit / words) | 0);
      refusedInputs |= grantedInputs & input;
      grantedInputs |= input;
    }
    for (; refusedInputs !== 0; refusedInputs &= refusedInputs - 1) {
      const input = 31 - Math.clz32(refusedInputs & -refusedInputs);
      let offered = 0;
      for (let rest = granted; rest !== 0; rest &= rest - 1) {
        const out = 31 - Math.clz32(rest & -rest);
        const bit = this.#grantedBit[out]!;
        if ((hub ? bit : (bit / words) | 0) === input) offered |= 1 << out;
      }
      const later = offered & (-1 << firstOutput[base + input]!);
      const choice = later !== 0 ? later : offered;
      let accepted = choice & -choice;
      const lane = this.#grantedLane[31 - Math.clz32(accepted)]!;
      const head = ports[((base + input) << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS + QUEUE_HEAD]!;
      if (packets[head + FINAL]! < 0) {
        for (let rest = offered; rest !== 0; rest &= rest - 1) if (this.#grantedLane[31 - Math.clz32(rest & -rest)] === lane) accepted |= rest & -rest;
      }
      if (accepted === offered) continue;
      granted &= ~(offered ^ accepted);
      this.#matchAgain = now + 1;
    }
    return granted;
  }

  /**
   * The first head that an output can serve now, from its pointer on and at each input port from the first lane in turn: written to
   * {@link #grantedBit} and {@link #grantedLane}. Notes when the others can be looked at again, and who waits for a credit.
   *
   * @returns its bit in `wanted`, or −1
   */
  #grant(router: number, out: number, wanted: number): number {
    const { ports, packets, requests, firstLane } = this.#columns;
    const { hubRouter } = this.topology;
    const shift = this.#portShift;
    const words = this.#words;
    const hub = router === hubRouter;
    const base = router * PORT_STRIDE;
    const now = this.#scalars.now;
    const hasTrees = this.#trees.length > 0;
    const port = base + out;
    const output = port << shift;
    const link = ports[output + LINK]!;
    const kind = (link >>> LINK_KIND) & 3;
    const to = ports[output + PEER]!;
    const room = to >= 0 ? to << shift : output;
    const lag = ports[output + OUTPUT_FREE] === now ? ports[output + OUTPUT_LAG]! : 0;
    let candidates = wanted & (-1 << ports[output + POINTER]!);
    let earlier = wanted ^ candidates;
    for (;;) {
      if (candidates === 0) {
        if (earlier === 0) return -1;
        candidates = earlier;
        earlier = 0;
      }
      const bit = 31 - Math.clz32(candidates & -candidates);
      candidates &= candidates - 1;
      const inputPort = base + (words > 1 && !hub ? (bit / words) | 0 : bit);
      const input = inputPort << shift;
      const inputFree = ports[input + INPUT_FREE]!;
      // Nobody but a packet of a tree can go while the port is read.
      if (inputFree > now && !hasTrees) {
        if (inputFree < this.#matchAgain) this.#matchAgain = inputFree;
        continue;
      }
      const lanesWanted = requests[requestsAt(router, out, words, hubRouter) + bit]!;
      let lanesLeft = lanesWanted & (-1 << firstLane[hub ? inputPort * words : base * words + bit]!);
      let others = lanesWanted ^ lanesLeft;
      for (;;) {
        if (lanesLeft === 0) {
          if (others === 0) break;
          lanesLeft = others;
          others = 0;
        }
        let lane = 31 - Math.clz32(lanesLeft & -lanesLeft);
        lanesLeft &= lanesLeft - 1;
        if (words > 1 && !hub) lane += (bit % words) << 5;
        const queue = input + FIRST_QUEUE + lane * QUEUE_FIELDS;
        const headSince = ports[queue + HEAD_SINCE]!;
        const readable = inputFree > headSince ? inputFree : headSince;
        const offset = ports[queue + QUEUE_HEAD]!;
        // Several outputs may read a packet of a tree at once.
        if (readable > now && !(hasTrees && headSince <= now && packets[offset + FINAL]! < 0 && packets[offset + WHERE] === inputFree)) {
          if (readable < this.#matchAgain) this.#matchAgain = readable;
          continue;
        }
        const flits = packets[offset + META]! & 0xffff;
        // A slower link may still be bringing the tail: starting now would leave holes in the stream.
        let hold = flits;
        if ((link & LINK_UNIT) === 0) hold = Math.max(1, Math.ceil((flits * this.#typeNumerator[link & LINK_ROW]! - lag) / this.#typeDenominator[link & LINK_ROW]!));
        const due = packets[offset + TAIL]! + 1 - hold;
        if (due > now && !this.#isReductionLane(lane)) {
          if (due < this.#matchAgain) this.#matchAgain = due;
          if (!hasTrees || packets[offset + FINAL]! >= 0) {
            ports[queue + HEAD_SINCE] = due;
            ports[queue + CREDIT_WAIT_SINCE] = -1;
          }
          continue;
        }
        if (kind !== EJECTION && !this.#hasRoom(room, kind, lane, flits)) {
          ports[room + BLOCKED] = 1;
          if (ports[queue + CREDIT_WAIT_SINCE]! < 0) ports[queue + CREDIT_WAIT_SINCE] = now;
          continue;
        }
        this.#grantedBit[out] = bit;
        this.#grantedLane[out] = lane;
        return bit;
      }
    }
  }

  /** Cycles that the result of a reduction takes to be written once it is complete; other packets land as they arrive. */
  #landingCycles(offset: number): number {
    const { packets } = this.#columns;
    return this.#trees[~packets[offset + FINAL]!]!.kind === REDUCTION ? Math.ceil(packets[offset + BYTES]! / this.topology.reduction.landingBytesPerCycle) : 0;
  }

  /** Takes the routers that decide in this cycle out of `wakes`, in their order, which is that of memory. */
  #takeAwake(): number {
    const { wakes } = this.#columns;
    const awake = this.#awake;
    const first = (this.#scalars.now & (WAKE_CYCLES - 1)) * this.#wakeStride;
    const middle = first + this.#wakeWords;
    const top = first + this.#wakeTop;
    const end = first + this.#wakeStride;
    let count = 0;
    for (let at = top; at < end; at++) {
      let blocks = wakes[at]!;
      wakes[at] = 0;
      for (; blocks !== 0; blocks &= blocks - 1) {
        const block = ((at - top) << 5) + 31 - Math.clz32(blocks & -blocks);
        let words = wakes[middle + block]!;
        wakes[middle + block] = 0;
        for (; words !== 0; words &= words - 1) {
          const word = (block << 5) + 31 - Math.clz32(words & -words);
          let bits = wakes[first + word]!;
          wakes[first + word] = 0;
          for (; bits !== 0; bits &= bits - 1) awake[count++] = (word << 5) + 31 - Math.clz32(bits & -bits);
        }
      }
    }
    return count;
  }

  /**
   * Lane that a packet takes behind a link: a virtual channel of its class with room for all of it, looked for in turn. A
   * packet of a reduction keeps its own. Without room anywhere: one without.
   *
   * @param room where the credits of the link are
   */
  #laneBehind(port: number, room: number, kind: number, lane: number, flits: number): number {
    const first = this.#lanesBehind[kind * this.lanes + lane]!;
    const channels = this.#virtualChannels;
    if (channels === 1) return first;
    if (this.#keepsLane(lane)) return lane;
    const { ports, nextChannel } = this.#columns;
    const turn = port * this.classes.length + first / channels;
    let candidate = nextChannel[turn]!;
    for (let i = 0; i < channels; i++) {
      if (ports[room + FIRST_QUEUE + (first + candidate) * QUEUE_FIELDS + CREDITS]! >= flits) {
        nextChannel[turn] = candidate + 1 === channels ? 0 : candidate + 1;
        return first + candidate;
      }
      candidate = candidate + 1 === channels ? 0 : candidate + 1;
    }
    return first;
  }

  /** Is there a lane behind a link that {@link #laneBehind} would find with room? */
  #hasRoom(room: number, kind: number, lane: number, flits: number): boolean {
    const { ports } = this.#columns;
    const keeps = this.#virtualChannels > 1 && this.#keepsLane(lane);
    const first = keeps ? lane : this.#lanesBehind[kind * this.lanes + lane]!;
    const end = keeps ? lane + 1 : first + this.#virtualChannels;
    for (let candidate = first; candidate < end; candidate++) if (ports[room + FIRST_QUEUE + candidate * QUEUE_FIELDS + CREDITS]! >= flits) return true;
    return false;
  }

  /** Do packets of a lane stay in it, because those of a tree must not overtake each other? */
  #keepsLane(lane: number): boolean {
    return this.#isReductionLane(lane) || (lane - this.#responseLane) >>> 0 < this.#virtualChannels;
  }

  /**
   * The first packet of a queue has moved on for good: the next one follows once this one has been read out.
   *
   * @returns cycle from which the next packet can move on, or NEVER
   */
  #leave(router: number, inputPort: number, queue: number, lane: number, offset: number, free: number): number {
    const { packets, ports } = this.#columns;
    const input = inputPort << this.#portShift;
    if (ports[input + PEER]! < 0) return this.#leaveEdge(router, inputPort, queue, lane, offset, free);
    const next = packets[offset + NEXT]!;
    const rested = free + this.topology.setupCycles;
    ports[queue + QUEUE_HEAD] = next;
    ports[queue + HEAD_SINCE] = rested;
    this.#returnCredits(queue + CREDITS, ports[input + LINK]!, packets[offset + META]! & 0xffff, free);
    if (next < 0) return NEVER;
    this.#becomeHead(queue, router, inputPort, lane, next, rested);
    return rested;
  }

  /** The buffer that a packet leaves has room again when its tail has left; the sender can use it when the credit is back. Both directions of a connection are of one kind. */
  #returnCredits(credit: number, link: number, flits: number, free: number): void {
    const { ports } = this.#columns;
    const due = free + this.#typeCreditCycles[link & LINK_ROW]!;
    // While that leaves a largest packet after all that the link can send before the credit is due, the time of arrival cannot show.
    if (ports[credit]! >= (due - this.#scalars.now) * this.#typeFlitsPerCycle[link & LINK_ROW]! + this.topology.maxPacketFlits) ports[credit]! += flits;
    else this.#scheduleEvent(due, credit, flits);
  }

  /** As {@link #leave}, of a packet that came from a tile, a node, the combine unit, or another die. */
  #leaveEdge(router: number, inputPort: number, queue: number, lane: number, offset: number, free: number): number {
    const { packets, ports } = this.#columns;
    const rested = free + this.topology.setupCycles;
    const upstream = ports[(inputPort << this.#portShift) + PEER]!;
    let next = packets[offset + NEXT]!;
    let since = rested;
    ports[queue + HEAD_SINCE] = rested;
    if (upstream !== NO_LINK) {
      const link = ports[(inputPort << this.#portShift) + LINK]! & LINK_ROW;
      this.creditsOut[boundaryDirection(upstream)]!.push(free + this.#typeCreditCycles[link]!, boundaryPosition(upstream) | (lane << 16), packets[offset + META]! & 0xffff, 0, 0, 0, 0, 0);
    } else if ((inputPort & 7) === JOIN) {
      this.#leaveTable(router, lane);
      if (next >= 0 && packets[next + WHERE]! > since) since = packets[next + WHERE]!;
    } else {
      const endpoint = this.#endpointOf(inputPort);
      if (next < 0 && this.#virtualChannels > 1) next = this.#nextOfSource(endpoint, queue, lane);
      if (next >= 0) since = this.#enterInjectionLink(endpoint, next, lane, rested + this.#gapBehind(endpoint, offset, lane));
    }
    ports[queue + QUEUE_HEAD] = next;
    if (next < 0) return NEVER;
    this.#becomeHead(queue, router, inputPort, lane, next, since);
    return since;
  }

  /** Takes the next packet that waits for a virtual channel of a network interface, if there is one, into an empty queue. */
  #nextOfSource(endpoint: number, queue: number, lane: number): number {
    const { sources, packets, ports } = this.#columns;
    const source = (endpoint * this.classes.length + ((lane / this.#virtualChannels) | 0)) * 2;
    const offset = sources[source]!;
    if (offset < 0) return -1;
    sources[source] = packets[offset + NEXT]!;
    packets[offset + NEXT] = -1;
    packets[offset + META] = (packets[offset + META]! & ~0xff0000) | (lane << 16);
    ports[queue + QUEUE_TAIL] = offset;
    return offset;
  }

  /** A copy of a packet for one branch of its tree. */
  #copyOf(offset: number): number {
    const copy = this.#takePacket();
    const { packets, sequence, entered } = this.#columns;
    packets[copy + META] = packets[offset + META]!;
    packets[copy + BYTES] = packets[offset + BYTES]!;
    packets[copy + FINAL] = packets[offset + FINAL]!;
    packets[copy + SOURCE] = packets[offset + SOURCE]!;
    sequence[copy / PACKET_STRIDE] = sequence[offset / PACKET_STRIDE]!;
    entered[copy / PACKET_STRIDE] = entered[offset / PACKET_STRIDE]!;
    return copy;
  }

  /**
   * Takes the contributions that are at a router into its table, and sends those on that are complete. A contribution is taken
   * when its join is open or the table has room for another; it is read out like a packet that moves on. Where pages have a gap
   * between them, the tile's own contribution is the last that is taken, and read out at the pace at which it is joined, so that the
   * gap behind it does not hide behind a slow join.
   *
   * @returns cycle from which more can be done, or NEVER
   */
  #join(router: number): number {
    const { packets, ports, requests, routers } = this.#columns;
    const shift = this.#portShift;
    const words = this.#words;
    const now = this.#scalars.now;
    const base = router * PORT_STRIDE;
    const output = (base + JOIN) << shift;
    const wants = router * ROUTER_FIELDS + WANTED + JOIN;
    const wanted = routers[wants]!;
    const pointer = ports[output + POINTER]!;
    let nextCycle = NEVER;
    const ownLast = this.#pageGapCycles > 0;
    for (let turn = 0; turn < (ownLast ? 64 : 32); turn++) {
      const bit = (pointer + turn) & 31;
      if ((wanted >>> bit) % 2 === 0) continue;
      const inputPort = base + ((bit / words) | 0);
      const isOwn = (inputPort & 7) === LOCAL;
      if (ownLast && isOwn !== turn >= 32) continue;
      const input = inputPort << shift;
      const request = requestsAt(router, JOIN, words, -1) + bit;
      let lanesWanted = this.lanes === 1 ? 1 : requests[request]!;
      while (lanesWanted !== 0) {
        const laneBit = 31 - Math.clz32(lanesWanted & -lanesWanted);
        lanesWanted &= lanesWanted - 1;
        const lane = ((bit % words) << 5) + laneBit;
        const queue = input + FIRST_QUEUE + lane * QUEUE_FIELDS;
        const readable = Math.max(ports[input + INPUT_FREE]!, ports[queue + HEAD_SINCE]!);
        if (readable > now) {
          if (readable < nextCycle) nextCycle = readable;
          continue;
        }
        const offset = ports[queue + QUEUE_HEAD]!;
        const waits = ownLast && isOwn && this.#isReductionLane(lane);
        const join = waits ? this.#findJoin(router, offset) : this.#openJoin(router, offset, lane);
        if (waits && (join < 0 || this.#columns.joins[join + JOIN_MISSING] !== 1 << LOCAL)) continue;
        if (join < 0) {
          ports[output + BLOCKED] = 1;
          continue;
        }
        const flits = packets[offset + META]! & 0xffff;
        const read = waits ? this.#combineEnd(router, ~packets[offset + FINAL]!, flits) : now + flits;
        const tail = Math.max(packets[offset + TAIL]!, read - 1);
        ports[input + INPUT_FREE] = tail + 1;
        if (this.lanes > 1) requests[request]! &= ~(1 << laneBit);
        if (this.lanes === 1 || requests[request] === 0) routers[wants]! &= ~(1 << bit);
        ports[output + POINTER] = (bit + 1) & 31;
        const since = this.#leave(router, inputPort, queue, lane, offset, tail + 1);
        if (since < nextCycle) nextCycle = since;
        const ready = this.#contributed(router, join, offset, inputPort - base, lane, tail);
        // What is ready now is looked at in this visit, by its output; that may be taken, and then says when it is free.
        if (ready > now && ready < nextCycle) nextCycle = ready;
      }
    }
    if (routers[wants] === 0) routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! &= ~(1 << JOIN);
    return nextCycle;
  }

  /** The open join that a contribution belongs to, or −1. */
  #findJoin(router: number, offset: number): number {
    const { packets, sequence, combiners, joins } = this.#columns;
    const tree = ~packets[offset + FINAL]!;
    const number = sequence[offset / PACKET_STRIDE]! | 0;
    const channel = packets[offset + META]! >>> 24;
    for (let join = combiners[router * COMBINER_FIELDS + FIRST_JOIN]!; join >= 0; join = joins[join + JOIN_NEXT]!) {
      if (joins[join + JOIN_TREE] === tree && joins[join + JOIN_SEQUENCE] === number && joins[join + JOIN_CHANNEL] === channel) return join;
    }
    return -1;
  }

  /** The open join that a contribution belongs to, opened if there is room for it; −1 when there is none. */
  #openJoin(router: number, offset: number, lane: number): number {
    const known = this.#findJoin(router, offset);
    if (known >= 0) return known;
    const { packets, sequence, combiners } = this.#columns;
    const at = router * COMBINER_FIELDS;
    const tree = ~packets[offset + FINAL]!;
    // Acknowledgements are counted, not stored.
    if (this.#isReductionLane(lane)) {
      if (combiners[at + TABLE_USED]! >= this.topology.reduction.tableEntries) return -1;
      combiners[at + TABLE_USED]! += 1;
    }
    if (this.#scalars.freeJoin < 0) this.#growJoins();
    const join = this.#scalars.freeJoin;
    const columns = this.#columns.joins;
    this.#scalars.freeJoin = columns[join + JOIN_NEXT]!;
    columns[join + JOIN_NEXT] = combiners[at + FIRST_JOIN]!;
    combiners[at + FIRST_JOIN] = join;
    columns[join + JOIN_TREE] = tree;
    columns[join + JOIN_SEQUENCE] = sequence[offset / PACKET_STRIDE]! | 0;
    columns[join + JOIN_CHANNEL] = packets[offset + META]! >>> 24;
    columns[join + JOIN_MISSING] = this.#trees[tree]!.inputs[router]!;
    columns[join + JOIN_TAIL] = 0;
    columns[join + JOIN_PACKET] = -1;
    return join;
  }

  /**
   * Adds a contribution to its join. When it is the last one, the combine unit begins: with two inputs per cycle, n inputs of
   * f flits take (n − 1) × f cycles of it.
   *
   * @returns cycle from which the result can move on, or NEVER
   */
  #contributed(router: number, join: number, offset: number, inputPort: number, lane: number, tail: number): number {
    const { packets, joins, combiners, ports, entered } = this.#columns;
    const tree = this.#trees[joins[join + JOIN_TREE]!]!;
    joins[join + JOIN_MISSING]! &= ~(1 << inputPort);
    if (tail > joins[join + JOIN_TAIL]!) joins[join + JOIN_TAIL] = tail;
    const first = joins[join + JOIN_PACKET]!;
    if (first < 0) {
      joins[join + JOIN_PACKET] = offset;
    } else {
      const enteredFirst = entered[first / PACKET_STRIDE]!;
      if (entered[offset / PACKET_STRIDE]! < enteredFirst) entered[first / PACKET_STRIDE] = entered[offset / PACKET_STRIDE]!;
      this.#freePacket(offset);
    }
    if (joins[join + JOIN_MISSING] !== 0) return NEVER;

    const packet = joins[join + JOIN_PACKET]!;
    const lastTail = joins[join + JOIN_TAIL]!;
    this.#closeJoin(router, join);
    const now = this.#scalars.now;
    let since = now;
    packets[packet + TAIL] = lastTail;
    if (tree.kind === REDUCTION) {
      const { latencyCycles } = this.topology.reduction;
      const at = router * COMBINER_FIELDS + COMBINE_FREE;
      const start = Math.max(now, combiners[at]!);
      const end = this.#combineEnd(router, ~packets[packet + FINAL]!, packets[packet + META]! & 0xffff);
      combiners[at] = end;
      since = start + latencyCycles;
      packets[packet + TAIL] = Math.max(lastTail, end - 1) + latencyCycles;
    }
    packets[packet + NEXT] = -1;
    packets[packet + WHERE] = since;
    const port = router * PORT_STRIDE + JOIN;
    const queue = (port << this.#portShift) + FIRST_QUEUE + lane * QUEUE_FIELDS;
    if (ports[queue + QUEUE_HEAD]! < 0) {
      ports[queue + QUEUE_HEAD] = packet;
      ports[queue + QUEUE_TAIL] = packet;
      const rested = ports[queue + HEAD_SINCE]!;
      if (rested > since) since = rested;
      this.#becomeHead(queue, router, port, lane, packet, since);
      return since;
    }
    packets[ports[queue + QUEUE_TAIL]! + NEXT] = packet;
    ports[queue + QUEUE_TAIL] = packet;
    return NEVER;
  }

  /** Cycle from which the combine unit would be free if it began with all inputs of a router now, or as soon as it can: with two inputs per cycle, n of f flits take (n − 1) × f cycles. */
  #combineEnd(router: number, tree: number, flits: number): number {
    const begin = Math.max(this.#scalars.now, this.#columns.combiners[router * COMBINER_FIELDS + COMBINE_FREE]!);
    return begin + Math.ceil(((bitsOf(this.#trees[tree]!.inputs[router]!) - 1) / (this.topology.reduction.inputsPerCycle - 1)) * flits);
  }

  #closeJoin(router: number, join: number): void {
    const { joins, combiners } = this.#columns;
    const at = router * COMBINER_FIELDS + FIRST_JOIN;
    if (combiners[at] === join) {
      combiners[at] = joins[join + JOIN_NEXT]!;
    } else {
      let before = combiners[at]!;
      while (joins[before + JOIN_NEXT] !== join) before = joins[before + JOIN_NEXT]!;
      joins[before + JOIN_NEXT] = joins[join + JOIN_NEXT]!;
    }
    joins[join + JOIN_NEXT] = this.#scalars.freeJoin;
    this.#scalars.freeJoin = join;
  }

  /** A joined packet has left: its place in the table is free. Who waits for it looks again in the next cycle. */
  #leaveTable(router: number, lane: number): void {
    const { ports, combiners } = this.#columns;
    if (this.#isReductionLane(lane)) combiners[router * COMBINER_FIELDS + TABLE_USED]! -= 1;
    const output = (router * PORT_STRIDE + JOIN) << this.#portShift;
    if (ports[output + BLOCKED] === 0) return;
    ports[output + BLOCKED] = 0;
    this.#wakeRouter(router, this.#scalars.now + 1);
  }

  acceptPackets(direction: number, items: ItemList): void {
    const { topology } = this;
    const { rows, data } = items;
    const ports = topology.boundaryPorts[direction]!;
    for (let row = 0; row < rows; row++) {
      const at = row * BOUNDARY_STRIDE;
      const arrival = data[at + ITEM_ARRIVAL]!;
      if (arrival <= this.#scalars.now) throw new Error(`Die ${topology.dieId} is at cycle ${this.#scalars.now}, but a packet from a neighbour arrives at ${arrival}: a promise was broken.`);
      const offset = this.#takePacket();
      const { packets, sequence, entered } = this.#columns;
      const finalTile = data[at + ITEM_FINAL]!;
      packets[offset + META] = data[at + ITEM_META]!;
      packets[offset + TAIL] = data[at + ITEM_TAIL]!;
      packets[offset + WHERE] = ports[data[at + ITEM_POSITION]!]!;
      packets[offset + BYTES] = data[at + ITEM_BYTES]!;
      packets[offset + FINAL] = finalTile;
      packets[offset + SOURCE] = data[at + ITEM_SOURCE]!;
      sequence[offset / PACKET_STRIDE] = data[at + ITEM_SEQUENCE]!;
      entered[offset / PACKET_STRIDE] = data[at + ITEM_ENTERED]!;
      const finalDie = Math.floor(finalTile / topology.tiles);
      packets[offset + TARGET] = topology.hubRouter >= 0 ? this.#targetOfHub(finalTile) : this.#targetAcross(finalDie, finalTile - finalDie * topology.tiles);
      this.#schedulePacket(offset, arrival);
    }
  }

  /** Where a packet has to go from a die's router. */
  #targetOfHub(finalTile: number): number {
    const { tiles, diesX, routes } = this.topology;
    const die = Math.floor(finalTile / tiles);
    return routes === null ? die % diesX | (Math.floor(die / diesX) << 16) : finalTile;
  }

  acceptCredits(direction: number, items: ItemList): void {
    const { rows, data } = items;
    const ports = this.topology.boundaryPorts[direction]!;
    for (let row = 0; row < rows; row++) {
      const at = row * BOUNDARY_STRIDE;
      const arrival = data[at + ITEM_ARRIVAL]!;
      if (arrival <= this.#scalars.now) throw new Error(`Die ${this.topology.dieId} is at cycle ${this.#scalars.now}, but a credit from a neighbour arrives at ${arrival}: a promise was broken.`);
      const position = data[at + ITEM_POSITION]!;
      const credit = (ports[position & 0xffff]! << this.#portShift) + FIRST_QUEUE + (position >>> 16) * QUEUE_FIELDS + CREDITS;
      this.#scheduleEvent(arrival, credit, data[at + ITEM_META]!);
    }
  }

  /**
   * Reports the counters of every output port and channel that carried or stalled something since the last call, in the
   * order of ports, and clears them. Busy time that reaches past `end` is left for the next call, so that no link is
   * more than 100 % busy in any bin.
   */
  drainCounters(end: number, row: (port: number, channel: number, counters: Float64Array, at: number) => void): void {
    const { routers, ports } = this.topology;
    for (let router = 0; router < routers; router++) {
      if (this.#columns.routers[router * ROUTER_FIELDS + VISITED] === 0) continue;
      const afterLast = router + 1 === routers ? ports : (router + 1) * PORT_STRIDE;
      for (let port = router * PORT_STRIDE; port < afterLast; port++) this.#drainPort(port, end, row);
    }
  }

  #drainPort(port: number, end: number, report: (port: number, channel: number, counters: Float64Array, at: number) => void): void {
    const { ports, counterRow } = this.#columns;
    const { channels } = this;
    const at = port << this.#portShift;
    this.#countRecent(port, -1);
    const { counters } = this.#columns;
    const over = ports[at + OUTPUT_FREE]! - end;
    const lastChannel = ports[at + RECENT]! >>> RECENT_CHANNEL;
    for (let channel = 0; channel < channels; channel++) {
      const row = counterRow[port * channels + channel]!;
      if (row < 0) continue;
      const counter = row * COUNTER_STRIDE;
      if (counters[counter + COUNT_BUSY] === 0 && counters[counter + COUNT_PACKETS] === 0) continue;
      // Only the last packet can reach past `end`.
      const carried = over > 0 && channel === lastChannel ? Math.min(over, counters[counter + COUNT_BUSY]!) : 0;
      counters[counter + COUNT_BUSY]! -= carried;
      report(port, channel, counters, counter);
      counters.fill(0, counter, counter + COUNTER_STRIDE);
      counters[counter + COUNT_BUSY] = carried;
    }
  }

  /** Moves what a port has counted of its last channel to the counters. What follows is of `next`; −1: of the same. */
  #countRecent(port: number, next: number): void {
    const { ports } = this.#columns;
    const at = port << this.#portShift;
    const recent = ports[at + RECENT]!;
    const counter = ports[at + RECENT_ROW]!;
    if (counter >= 0) {
      const { counters } = this.#columns;
      counters[counter + COUNT_BYTES]! += ports[at + RECENT_BYTES]!;
      counters[counter + COUNT_BUSY]! += recent & (RECENT_PACKET - 1);
      counters[counter + COUNT_PACKETS]! += (recent >>> 16) & 0xff;
      ports[at + RECENT_BYTES] = 0;
      ports[at + RECENT] = recent & (-1 << RECENT_CHANNEL);
    }
    if (next < 0) return;
    ports[at + RECENT] = next << RECENT_CHANNEL;
    ports[at + RECENT_ROW] = this.#counterAt(port * this.channels + next);
  }

  /** Counts a hold that is too long for RECENT: only its packet is left for there. */
  #countHold(output: number, hold: number): number {
    const { ports, counters } = this.#columns;
    counters[ports[output + RECENT_ROW]! + COUNT_BUSY]! += hold;
    return RECENT_PACKET;
  }

  /** Where the counters of a port and channel begin; the first time they get a row. */
  #counterAt(portAndChannel: number): number {
    const columns = this.#columns;
    let row = columns.counterRow[portAndChannel]!;
    if (row < 0) {
      row = this.#scalars.counterRows++;
      columns.counterRow[portAndChannel] = row;
      if ((row + 1) * COUNTER_STRIDE > columns.counters.length) columns.counters = grown(columns.counters, new Float64Array(columns.counters.length * 2));
    }
    return row * COUNTER_STRIDE;
  }

  save(): KernelSnapshot {
    return { columns: copyColumns(this.#columns), scalars: { ...this.#scalars, overflow: [...this.#scalars.overflow] } };
  }

  /** Takes the state of another kernel of the same topology and options. */
  restore(snapshot: KernelSnapshot): void {
    this.#columns = copyColumns(snapshot.columns);
    this.#scalars = { ...snapshot.scalars, overflow: [...snapshot.scalars.overflow] };
  }

  explainWaiting(limit: number): string[] {
    return explainWaits(this.#view(), limit);
  }

  /**
   * Packets that have been first in their queue for more than `cycles` while the output that they want served others: at most
   * `limit` sentences. Round robin makes that rare, but a packet that needs more room than others can be passed over again and
   * again. A look at every port: once in many cycles is enough.
   */
  explainStarvation(cycles: number, limit: number): string[] {
    return explainStarvation(this.#view(), cycles, limit);
  }

  #view(): KernelView {
    return {
      topology: this.topology, columns: this.#columns, trees: this.#trees, lanes: this.lanes, virtualChannels: this.#virtualChannels, lanesBehind: this.#lanesBehind, now: this.#scalars.now,
    };
  }

  #routerOf(port: number): number {
    const router = port >>> 3;
    return router < this.topology.routers ? router : this.topology.hubRouter;
  }

  /** Dimension order: along x first, then y (a response along y first), then out of the mesh. */
  #route(router: number, target: number, offset: number): number {
    const { routes } = this.topology;
    if (routes !== null) return this.#routeByTable(router, target, offset);
    const here = this.#columns.routers[router * ROUTER_FIELDS + COORDINATES]!;
    const dx = (target & 0xffff) - (here & 0xffff);
    // Responses go back the way that requests came: in one class with acknowledgements, which join along y first, others could deadlock.
    if (this.#responses && dx !== 0 && target >>> 16 !== here >>> 16 && this.#isLaneOf(CLASS_RESPONSE, this.#columns.packets[offset + META]!)) {
      return target >>> 16 > here >>> 16 ? SOUTH : NORTH;
    }
    // The sign bit picks the direction, since a branch on it could not be predicted.
    if (dx !== 0) return EAST + (dx >>> 31) * (WEST - EAST);
    const dy = (target >>> 16) - (here >>> 16);
    if (dy !== 0) return SOUTH + (dy >>> 31) * (NORTH - SOUTH);
    return this.#endsAtTile ? LOCAL : this.#routeOut(router, offset);
  }

  #routeByTable(router: number, target: number, offset: number): number {
    const back = this.#responses && this.#isLaneOf(CLASS_RESPONSE, this.#columns.packets[offset + META]!);
    const port = this.topology.routes!.port(router, target, back);
    return port !== LOCAL || router === this.topology.hubRouter || this.#endsAtTile ? port : this.#routeOut(router, offset);
  }

  /** Where a packet at its target leaves a mesh on a die with a router of its own or memory nodes. */
  #routeOut(router: number, offset: number): number {
    const { packets } = this.#columns;
    const { topology } = this;
    const final = packets[offset + FINAL]!;
    if (router === topology.hubRouter) return FIRST_GATEWAY + topology.gatewayOfTile[final % topology.tiles]!;
    if (final >= topology.waferTiles) return topology.nodePorts[final - topology.waferTiles - topology.dieId * topology.nodes.length]! & 7;
    return topology.hubRouter >= 0 && this.#isLaneOf(CLASS_TO_HUB, packets[offset + META]!) ? HUB : LOCAL;
  }

  #isLaneOf(trafficClass: number, meta: number): boolean {
    return (((meta >>> 16) & 0xff) - this.#laneOfClass[trafficClass]!) >>> 0 < this.#virtualChannels;
  }

  /** A packet is now the first of its queue and asks for what it wants: an output, several of a tree, or to be joined. */
  #becomeHead(queue: number, router: number, inputPort: number, lane: number, offset: number, since: number): void {
    const { packets, ports } = this.#columns;
    ports[queue + HEAD_SINCE] = since;
    if (packets[offset + FINAL]! >= 0) {
      this.#request(router, this.#route(router, packets[offset + TARGET]!, offset), inputPort, lane);
      return;
    }
    const { kind, forks, inputs, out } = this.#trees[~packets[offset + FINAL]!]!;
    let outputs: number;
    if (kind === MULTICAST) outputs = forks[router]!;
    else if ((inputPort & 7) === JOIN || bitsOf(inputs[router]!) === 1) outputs = 1 << out[router]!;
    else outputs = 1 << JOIN;
    packets[offset + TARGET] = outputs;
    packets[offset + WHERE] = -1;
    for (; outputs !== 0; outputs &= outputs - 1) this.#request(router, 31 - Math.clz32(outputs & -outputs), inputPort, lane);
  }

  #request(router: number, out: number, inputPort: number, lane: number): void {
    const { routers, requests } = this.#columns;
    let bit = inputPort - router * PORT_STRIDE;
    if (this.lanes > 1) {
      const { hubRouter } = this.topology;
      if (this.#words > 1 && router !== hubRouter) bit = bit * this.#words + (lane >>> 5);
      requests[requestsAt(router, out, this.#words, hubRouter) + bit]! |= 1 << (lane & 31);
    }
    routers[router * ROUTER_FIELDS + WANTED + out]! |= 1 << bit;
    routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! |= 1 << out;
  }

  /** Marks a router for this cycle's decisions, or for a later cycle's. Beyond the next cycle it is marked once: when it decides, it knows better. */
  #wakeRouter(router: number, cycle: number): void {
    const { now } = this.#scalars;
    const { wakes, routers, occupied } = this.#columns;
    if (cycle > now + 1) {
      const at = router * ROUTER_FIELDS + WAKE_AT;
      const pending = routers[at]!;
      if (pending <= cycle && pending > now) return;
      routers[at] = cycle;
      if (cycle - now >= WAKE_CYCLES) {
        this.#scheduleEvent(cycle, ~router, 0);
        return;
      }
    }
    const first = ((cycle > now ? cycle : now) & (WAKE_CYCLES - 1)) * this.#wakeStride;
    const before = wakes[first + (router >>> 5)]!;
    wakes[first + (router >>> 5)] = before | (1 << (router & 31));
    if (before !== 0) return;
    this.#markWord(first, router);
    if (cycle <= now) return;
    const slot = cycle & (this.#slots - 1);
    occupied[slot >>> 5]! |= 1 << (slot & 31);
  }

  /** The word of a router in the wakes of a cycle is not zero any more. */
  #markWord(first: number, router: number): void {
    const { wakes } = this.#columns;
    const at = first + this.#wakeWords + (router >>> 10);
    const before = wakes[at]!;
    wakes[at] = before | (1 << ((router >>> 5) & 31));
    if (before === 0) wakes[first + this.#wakeTop + (router >>> 15)]! |= 1 << ((router >>> 10) & 31);
  }

  /** The packet leaves the die. */
  #sendAcross(to: number, offset: number, arrival: number, tail: number): void {
    const { packets, sequence, entered } = this.#columns;
    const out = this.packetsOut[boundaryDirection(to)]!;
    out.push(
      arrival, boundaryPosition(to), packets[offset + META]!, tail, packets[offset + BYTES]!, packets[offset + FINAL]!, packets[offset + SOURCE]!, sequence[offset / PACKET_STRIDE]! | 0,
      entered[offset / PACKET_STRIDE],
    );
    this.#freePacket(offset);
  }

  /** The packet goes from the mesh to the router of the die, or back: another target. */
  #changeLeg(offset: number, kind: number): void {
    const { packets } = this.#columns;
    const final = packets[offset + FINAL]!;
    packets[offset + TARGET] = kind === TO_HUB ? this.#targetOfHub(final) : this.#targetOf(final % this.topology.tiles);
  }

  #deliver(offset: number, endpoint: number, cycle: number): void {
    const { packets, deliveryHash, sequence, entered } = this.#columns;
    const number = sequence[offset / PACKET_STRIDE]!;
    const source = packets[offset + SOURCE]!;
    foldDelivery(deliveryHash, endpoint, source, number, cycle);
    const meta = packets[offset + META]!;
    const final = packets[offset + FINAL]!;
    const trafficClass = this.classes[(((meta >>> 16) & 0xff) / this.#virtualChannels) | 0]!;
    this.#deliveries.push(endpoint, meta >>> 24, packets[offset + BYTES]!, source, number, entered[offset / PACKET_STRIDE]!, trafficClass, final < 0 ? ~final : -1);
    this.#scalars.deliveredPackets++;
    this.#freePacket(offset);
  }

  #schedulePacket(offset: number, cycle: number): void {
    if (cycle - this.#scalars.now >= this.#slots) {
      this.#scalars.overflow.push(cycle, offset);
      return;
    }
    const { packets, arrivals, occupied } = this.#columns;
    const slot = cycle & (this.#slots - 1);
    packets[offset + NEXT] = arrivals[slot]!;
    arrivals[slot] = offset;
    occupied[slot >>> 5]! |= 1 << (slot & 31);
  }

  /** A credit (`target` ≥ 0) or a wake (`target` = ~router) for a later cycle. */
  #scheduleEvent(cycle: number, target: number, flits: number): void {
    const scalars = this.#scalars;
    if (scalars.freeEvent < 0) this.#growEvents();
    const event = scalars.freeEvent;
    const { events, eventsAt, occupied } = this.#columns;
    scalars.freeEvent = events[event]!;
    events[event + 1] = target;
    events[event + 2] = flits;
    if (cycle - scalars.now >= this.#slots) {
      scalars.overflow.push(cycle, ~event);
      return;
    }
    const slot = cycle & (this.#slots - 1);
    events[event] = eventsAt[slot]!;
    eventsAt[slot] = event;
    occupied[slot >>> 5]! |= 1 << (slot & 31);
  }

  /** Moves far items that have come within reach of the wheel into it. Rare: only what a neighbour sent far ahead. */
  #admitOverflow(cycle: number): void {
    const { overflow } = this.#scalars;
    const { packets, arrivals, events, eventsAt, occupied } = this.#columns;
    let kept = 0;
    for (let i = 0; i < overflow.length; i += 2) {
      const due = overflow[i]!;
      const item = overflow[i + 1]!;
      if (due - cycle >= this.#slots) {
        overflow[kept++] = due;
        overflow[kept++] = item;
        continue;
      }
      const slot = due & (this.#slots - 1);
      if (item >= 0) {
        packets[item + NEXT] = arrivals[slot]!;
        arrivals[slot] = item;
      } else {
        events[~item] = eventsAt[slot]!;
        eventsAt[slot] = ~item;
      }
      occupied[slot >>> 5]! |= 1 << (slot & 31);
    }
    overflow.length = kept;
  }

  #takePacket(): number {
    const scalars = this.#scalars;
    if (scalars.freePacket < 0) this.#growPackets();
    const offset = scalars.freePacket;
    scalars.freePacket = this.#columns.packets[offset + NEXT]!;
    scalars.live++;
    return offset;
  }

  #freePacket(offset: number): void {
    this.#columns.packets[offset + NEXT] = this.#scalars.freePacket;
    this.#scalars.freePacket = offset;
    this.#scalars.live--;
  }

  #growPackets(): void {
    const columns = this.#columns;
    const from = columns.packets.length;
    columns.packets = grown(columns.packets, new Int32Array(from * 2));
    columns.sequence = grown(columns.sequence, new Uint32Array((from * 2) / PACKET_STRIDE));
    columns.entered = grown(columns.entered, new Int32Array((from * 2) / PACKET_STRIDE));
    this.#addPackets(from);
  }

  /** Puts the packets from an offset on into the free list. */
  #addPackets(from: number): void {
    const { packets } = this.#columns;
    for (let offset = packets.length - PACKET_STRIDE; offset >= from; offset -= PACKET_STRIDE) {
      packets[offset + NEXT] = this.#scalars.freePacket;
      this.#scalars.freePacket = offset;
    }
  }

  #growEvents(): void {
    const columns = this.#columns;
    const from = columns.events.length;
    columns.events = grown(columns.events, new Int32Array(from * 2));
    this.#addEvents(from);
  }

  /** Puts the events from an offset on into the free list. */
  #addEvents(from: number): void {
    const { events } = this.#columns;
    for (let event = events.length - 4; event >= from; event -= 4) {
      events[event] = this.#scalars.freeEvent;
      this.#scalars.freeEvent = event;
    }
  }

  #growJoins(): void {
    const columns = this.#columns;
    const from = columns.joins.length;
    columns.joins = grown(columns.joins, new Int32Array(from * 2));
    this.#addJoins(from);
  }

  #addJoins(from: number): void {
    const { joins } = this.#columns;
    for (let join = joins.length - JOIN_STRIDE; join >= from; join -= JOIN_STRIDE) {
      joins[join + JOIN_NEXT] = this.#scalars.freeJoin;
      this.#scalars.freeJoin = join;
    }
  }
}

/** Traffic classes that get buffers, ascending. */
function classesOf({ hubRouter }: DieTopology, wanted: readonly number[]): readonly number[] {
  for (const trafficClass of wanted) {
    if (trafficClass >= CLASS_REQUEST && trafficClass <= CLASS_REDUCTION && Number.isInteger(trafficClass)) continue;
    throw new FabricError('FABRIC_BAD_OPTION', `A traffic class that can be asked for is ${CLASS_REQUEST} (requests), ${CLASS_RESPONSE} (responses) or ${CLASS_REDUCTION} (reductions), got ${trafficClass}.`, { trafficClass });
  }
  const hubClasses = hubRouter < 0 ? [] : [CLASS_TO_HUB, CLASS_FROM_HUB];
  return [...new Set([CLASS_REQUEST, ...wanted, ...hubClasses])].sort((a, b) => a - b);
}

function bitsOf(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}
