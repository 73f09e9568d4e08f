import { boundaryDirection, boundaryPosition, NO_LINK, type DieTopology } from './die-topology.ts';
import { FabricError } from './errors.ts';
import {
  BLOCKED, BOUNDARY_STRIDE, BYTES, copyColumns, COUNT_ARBITRATION_STALL, COUNT_BUSY, COUNT_BYTES, COUNT_CREDIT_STALL, COUNT_PACKETS,
  COUNTER_STRIDE, CREDIT_WAIT_SINCE, CREDITS, emptyColumns, FINAL, FIRST_QUEUE, HEAD_SINCE, INJECTION_FREE, INPUT_FREE, ITEM_ARRIVAL, ITEM_BYTES, ITEM_FINAL,
  ITEM_META, ITEM_POSITION, ITEM_SEQUENCE, ITEM_SOURCE, ITEM_TAIL, LAST_CHANNEL, META, NEVER, NEXT, OUTPUT_FREE, OUTPUT_LAG, PACKET_STRIDE,
  PEER, POINTER, portShift, RECENT_BUSY, RECENT_BYTES, RECENT_PACKETS, QUEUE_FIELDS, QUEUE_HEAD, QUEUE_TAIL, resetClock, ROUTER_FIELDS, SOON_FOR, SOURCE, TAIL, TARGET, WAKE_AT, WANTED,
  WANTED_OUTPUTS, WHERE, type KernelColumns, type KernelScalars, type KernelSnapshot,
} from './kernel-state.ts';
import { flitsOf } from './latency.ts';
import { EJECTION, FROM_HUB, INJECTION, MESH, TO_HUB } from './link-type.ts';
import { ItemList } from './item-list.ts';
import { DIRECTIONS, EAST, FIRST_GATEWAY, HUB, LOCAL, NORTH, PORT_STRIDE, SOUTH, TILE_PORTS, WEST } from './ports.ts';

export interface PacketKernelOptions {
  /** Message channels, counted apart on every link. */
  readonly channels: number;
  /** Visit the routers of a cycle in reverse: must change nothing (a test says so). */
  readonly reverseVisits?: boolean;
}

/** Traffic classes: each has buffers and credits of its own, so that none can block another. */
export const CLASS_REQUEST = 0;
/** To the router of the die and from it: apart from the rest, or two dies could wait for each other in a circle. */
export const CLASS_TO_HUB = 1;
export const CLASS_FROM_HUB = 2;

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
export class PacketKernel {
  readonly topology: DieTopology;
  readonly lanes: number;
  readonly channels: number;
  /** Packets and credits for the neighbouring dies, by direction; the owner empties them. */
  readonly packetsOut: readonly ItemList[];
  readonly creditsOut: readonly ItemList[];
  /** What arrived at tiles in this cycle: tile, channel, bytes; the first `delivered` rows count. */
  deliveredTile = new Int32Array(64);
  deliveredChannel = new Uint8Array(64);
  deliveredBytes = new Int32Array(64);
  delivered = 0;

  readonly #slots: number;
  readonly #reverse: boolean;
  readonly #portShift: number;
  readonly #portOfBit = new Uint8Array(32);
  readonly #laneOfBit = new Uint8Array(32);
  readonly #typeKind: Uint8Array;
  readonly #typeCycles: Int32Array;
  readonly #typeNumerator: Int32Array;
  readonly #typeDenominator: Int32Array;
  /** [types] what the link can carry in a cycle, rounded up. */
  readonly #typeFlitsPerCycle: Int32Array;
  readonly #wake: Int32Array;
  #columns: KernelColumns;
  #scalars: KernelScalars;

  constructor(topology: DieTopology, options: PacketKernelOptions) {
    this.topology = topology;
    this.lanes = topology.hubRouter < 0 ? 1 : 3;
    this.channels = options.channels;
    this.#portShift = portShift(this.lanes);
    this.#reverse = options.reverseVisits ?? false;
    const { types } = topology;
    const longest = Math.max(...types.map((type) => type.cycles + Math.ceil((topology.maxPacketFlits * type.flitNumerator) / type.flitDenominator) + topology.maxPacketFlits));
    this.#slots = Math.max(64, 2 ** Math.ceil(Math.log2(longest + 2)));
    for (let bit = 0; bit < TILE_PORTS * this.lanes; bit++) {
      this.#portOfBit[bit] = Math.floor(bit / this.lanes);
      this.#laneOfBit[bit] = bit % this.lanes;
    }
    this.#typeKind = Uint8Array.from(types, (type) => type.kind);
    this.#typeCycles = Int32Array.from(types, (type) => type.cycles);
    this.#typeNumerator = Int32Array.from(types, (type) => type.flitNumerator);
    this.#typeDenominator = Int32Array.from(types, (type) => type.flitDenominator);
    this.#typeFlitsPerCycle = Int32Array.from(types, (type) => Math.ceil(type.flitDenominator / type.flitNumerator));
    this.#wake = new Int32Array(topology.routers);
    this.packetsOut = Array.from({ length: DIRECTIONS }, () => new ItemList());
    this.creditsOut = Array.from({ length: DIRECTIONS }, () => new ItemList());
    this.#columns = emptyColumns(topology, this.lanes, this.channels, this.#slots);
    this.#scalars = { now: -1, freePacket: -1, freeEvent: -1, soon: 0, live: 0, linkHops: 0, deliveredPackets: 0, overflow: [] };
    this.#addPackets(0);
    this.#addEvents(0);
  }

  /** Cycle last begun. */
  get now(): number {
    return this.#scalars.now;
  }

  /** Packets in the die: queued or on a link inside it. */
  get livePackets(): number {
    return this.#scalars.live;
  }

  /** Links between routers crossed so far, by all packets. */
  get linkHops(): number {
    return this.#scalars.linkHops;
  }

  get deliveredPackets(): number {
    return this.#scalars.deliveredPackets;
  }

  /** [tiles × 2] see {@link KernelColumns.deliveryHash}. */
  get deliveryHash(): Int32Array {
    return this.#columns.deliveryHash;
  }

  /**
   * Sets the clock back to cycle 0 and every round-robin pointer to its start. Only a quiescent fabric can do that: no
   * packet in the die, every credit back.
   */
  startKernel(): void {
    this.assertQuiescent();
    resetClock(this.#columns, this.lanes);
    this.#scalars.overflow = [];
    this.#scalars.freeEvent = -1;
    this.#addEvents(0);
    this.#scalars.soon = 0;
    this.#scalars.now = -1;
  }

  /** Throws when a packet or a credit is not where it was at the start: flits and credits are conserved. */
  assertQuiescent(): void {
    const { topology, lanes } = this;
    const { ports } = this.#columns;
    if (this.#scalars.live !== 0) throw new Error(`Die ${topology.dieId} still holds ${this.#scalars.live} packets at a kernel boundary.`);
    for (let port = 0; port < topology.ports; port++) {
      const link = topology.types[topology.type[port]!]!;
      if (topology.peer[port] === -1 || link.kind === EJECTION) continue;
      for (let lane = 0; lane < lanes; lane++) {
        const count = ports[(port << this.#portShift) + FIRST_QUEUE + lane * QUEUE_FIELDS + CREDITS]!;
        if (count !== link.creditFlits) throw new Error(`Die ${topology.dieId}, port ${port}, lane ${lane}: ${count} credits at a kernel boundary, ${link.creditFlits} at the start.`);
      }
    }
  }

  /** The next cycle with something to do, or {@link NEVER}. */
  nextCycle(): number {
    const { now, soon, overflow } = this.#scalars;
    if (soon > 0) return now + 1;
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

  /** Phase 1: packets and credits of this cycle are applied. `delivered` rows tell what reached tiles. */
  beginCycle(cycle: number): void {
    const scalars = this.#scalars;
    if (cycle <= scalars.now) throw new Error(`Cycle ${cycle} begins after cycle ${scalars.now}.`);
    if (scalars.soon > 0 && cycle !== scalars.now + 1) throw new Error(`Cycle ${cycle} begins after cycle ${scalars.now}, but cycle ${scalars.now + 1} has work.`);
    if (scalars.overflow.length > 0) this.#admitOverflow(cycle);
    const { arrivals, eventsAt, occupied, packets, events, ports, routers, soon } = this.#columns;
    const { lanes, topology } = this;
    const shift = this.#portShift;
    const { hubRouter } = topology;
    // Routers that were to be visited in the next cycle: the owner never skips it (nextCycle says so).
    const wake = this.#wake;
    let woken = scalars.soon;
    for (let i = 0; i < woken; i++) wake[i] = soon[i]!;
    scalars.soon = 0;
    scalars.now = cycle;
    this.delivered = 0;
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
          const since = readable > cycle ? readable : cycle;
          ports[queue + HEAD_SINCE] = since;
          const router = hubRouter < 0 ? where >>> 3 : this.#routerOf(where);
          const base = router * PORT_STRIDE;
          const out = this.#route(router, packets[offset + TARGET]!, offset);
          const bit = lanes === 1 || router === hubRouter ? where - base : (where - base) * lanes + lane;
          ports[((base + out) << shift) + WANTED]! |= 1 << bit;
          routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! |= 1 << out;
          if (since === cycle) {
            if (routers[router * ROUTER_FIELDS + SOON_FOR] !== cycle) {
              routers[router * ROUTER_FIELDS + SOON_FOR] = cycle;
              wake[woken++] = router;
            }
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
    this.#woken = woken;

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
          this.#wakeRouter(this.#routerOf(port), cycle);
        }
      }
      events[event] = scalars.freeEvent;
      scalars.freeEvent = event;
      event = next;
    }
  }

  /**
   * Phase 3: hands a packet to the network interface of a tile. It can enter the router after the injection link's
   * latency, one packet after the other.
   *
   * @param localTile tile of this die
   * @param finalTile destination, wafer-wide
   * @param bytes payload, at most one packet
   * @param sequence number among the packets of this tile, for the packet's identity
   */
  inject(localTile: number, finalTile: number, channel: number, bytes: number, sequence: number): void {
    const { topology, lanes } = this;
    const flits = flitsOf(bytes, topology.flitBytes);
    if (flits > topology.maxPacketFlits) {
      throw new FabricError('FABRIC_BAD_PAYLOAD', `A packet carries at most ${topology.maxPacketBytes} bytes, got ${bytes}.`, { bytes });
    }
    const offset = this.#takePacket();
    const { packets, ports } = this.#columns;
    const now = this.#scalars.now;
    const finalDie = Math.floor(finalTile / topology.tiles);
    const finalLocal = finalTile - finalDie * topology.tiles;
    let lane = CLASS_REQUEST;
    if (finalDie === topology.dieId) {
      packets[offset + TARGET] = topology.coordinates[finalLocal]!;
    } else if (topology.hubRouter >= 0) {
      lane = CLASS_TO_HUB;
      packets[offset + TARGET] = topology.coordinates[topology.gateways[topology.gatewayOfTile[localTile]!]!]!;
    } else {
      const x = (finalDie % topology.diesX) * topology.tilesX + (finalLocal % topology.tilesX);
      const y = Math.floor(finalDie / topology.diesX) * topology.tilesY + Math.floor(finalLocal / topology.tilesX);
      packets[offset + TARGET] = x | (y << 16);
    }
    const port = localTile * PORT_STRIDE + LOCAL;
    const queue = (port << this.#portShift) + FIRST_QUEUE + lane * QUEUE_FIELDS;
    packets[offset + NEXT] = -1;
    packets[offset + META] = flits | (lane << 16) | (channel << 24);
    packets[offset + TAIL] = now + this.#typeCycles[INJECTION]!; // until it enters the injection link: when its head could be there
    packets[offset + WHERE] = port;
    packets[offset + BYTES] = bytes;
    packets[offset + FINAL] = finalTile;
    packets[offset + SOURCE] = topology.dieId * topology.tiles + localTile;
    this.#columns.sequence[offset / PACKET_STRIDE] = sequence;
    if (ports[queue + QUEUE_HEAD]! < 0) {
      ports[queue + QUEUE_HEAD] = offset;
      ports[queue + QUEUE_TAIL] = offset;
      const since = this.#enterInjectionLink(localTile, offset, ports[(port << this.#portShift) + INPUT_FREE]!);
      this.#becomeHead(queue, localTile, LOCAL * lanes + lane, offset, since);
      this.#wakeRouter(localTile, since);
    } else {
      packets[ports[queue + QUEUE_TAIL]! + NEXT] = offset;
      ports[queue + QUEUE_TAIL] = offset;
    }
  }

  /**
   * The first packet of a class at the tile's network interface crosses the injection link, behind those of other classes.
   *
   * @param readable cycle from which the router can read the port
   * @returns cycle in which its head is at the router
   */
  #enterInjectionLink(tile: number, offset: number, readable: number): number {
    const { packets, routers } = this.#columns;
    const since = Math.max(packets[offset + TAIL]!, readable, routers[tile * ROUTER_FIELDS + INJECTION_FREE]!);
    const flits = packets[offset + META]! & 0xffff;
    const free = since + Math.ceil((flits * this.#typeNumerator[INJECTION]!) / this.#typeDenominator[INJECTION]!);
    packets[offset + TAIL] = free - 1;
    routers[tile * ROUTER_FIELDS + INJECTION_FREE] = free;
    return since;
  }

  /** Phase 4: every woken router decides once, from its queues, credits and round-robin state. */
  decide(): void {
    const { topology, lanes, channels } = this;
    const { packets, arrivals, occupied, ports, routers, visited, soon, counters } = this.#columns;
    const shift = this.#portShift;
    const { type, hubRouter } = topology;
    const typeNumerator = this.#typeNumerator;
    const typeDenominator = this.#typeDenominator;
    const typeKind = this.#typeKind;
    const typeCycles = this.#typeCycles;
    const typeFlitsPerCycle = this.#typeFlitsPerCycle;
    const { maxPacketFlits } = topology;
    const portOfBit = this.#portOfBit;
    const laneOfBit = this.#laneOfBit;
    const slotMask = this.#slots - 1;
    const now = this.#scalars.now;
    const wake = this.#wake;
    const woken = this.#woken;
    this.#woken = 0;
    let linkHops = 0;
    let soonCount = this.#scalars.soon;
    for (let visit = 0; visit < woken; visit++) {
      const router = wake[this.#reverse ? woken - 1 - visit : visit]!;
      const hub = router === hubRouter;
      const base = router * PORT_STRIDE;
      visited[router] = 1;
      let nextCycle = NEVER;
      let outputs = routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]!;
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
        const link = type[port]!;
        const numerator = typeNumerator[link]!;
        const denominator = typeDenominator[link]!;
        const kind = typeKind[link]!;
        // Round robin: the queues from the pointer on, then those before it.
        const wanted = ports[output + WANTED]!;
        let candidates = wanted & (-1 << ports[output + POINTER]!);
        let others = wanted ^ candidates;
        for (;;) {
          if (candidates === 0) {
            if (others === 0) break;
            candidates = others;
            others = 0;
          }
          const bit = 31 - Math.clz32(candidates & -candidates);
          candidates &= candidates - 1;
          const oneLane = lanes === 1 || hub;
          const lane = oneLane ? 0 : laneOfBit[bit]!;
          const inputPort = base + (oneLane ? bit : portOfBit[bit]!);
          const input = inputPort << shift;
          const queue = input + FIRST_QUEUE + lane * QUEUE_FIELDS;
          const inputFree = ports[input + INPUT_FREE]!;
          const headSince = ports[queue + HEAD_SINCE]!;
          const readable = inputFree > headSince ? inputFree : headSince;
          if (readable > now) {
            if (readable < nextCycle) nextCycle = readable;
            continue;
          }
          const offset = ports[queue + QUEUE_HEAD]!;
          const meta = packets[offset + META]!;
          const flits = meta & 0xffff;
          let hold = flits;
          let lag = 0;
          if (denominator !== 1 || numerator !== 1) {
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
            if (due < nextCycle) nextCycle = due;
            ports[queue + HEAD_SINCE] = due;
            ports[queue + CREDIT_WAIT_SINCE] = -1;
            continue;
          }
          const outLane = kind === TO_HUB ? 0 : kind === FROM_HUB ? CLASS_FROM_HUB : lane;
          if (kind !== EJECTION) {
            const credit = output + FIRST_QUEUE + outLane * QUEUE_FIELDS + CREDITS;
            if (ports[credit]! < flits) {
              ports[output + BLOCKED] = 1;
              if (ports[queue + CREDIT_WAIT_SINCE]! < 0) ports[queue + CREDIT_WAIT_SINCE] = now;
              continue;
            }
            ports[credit]! -= flits;
            linkHops++;
          }

          // Granted. The queue's next packet follows once this one has been read out.
          const free = now + hold;
          const next = packets[offset + NEXT]!;
          const wantedNow = wanted & ~(1 << bit);
          ports[queue + QUEUE_HEAD] = next;
          ports[input + INPUT_FREE] = free;
          ports[output + OUTPUT_FREE] = free;
          ports[output + OUTPUT_LAG] = lag;
          ports[output + POINTER] = (bit + 1) & 31;
          ports[output + WANTED] = wantedNow;
          if (wantedNow === 0) routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! &= ~(1 << out);
          else if (free < nextCycle) nextCycle = free;
          const channel = meta >>> 24;
          if (channel !== ports[output + LAST_CHANNEL] || ports[output + RECENT_BYTES]! > 0x3fffffff) {
            this.#countRecent(port);
            ports[output + LAST_CHANNEL] = channel;
          }
          ports[output + RECENT_BYTES]! += packets[offset + BYTES]!;
          ports[output + RECENT_BUSY]! += hold;
          ports[output + RECENT_PACKETS]! += 1;
          if (headSince < now) {
            const creditWaitSince = ports[queue + CREDIT_WAIT_SINCE]!;
            const forCredit = creditWaitSince < 0 ? 0 : now - creditWaitSince;
            const counter = (port * channels + channel) * COUNTER_STRIDE;
            counters[counter + COUNT_CREDIT_STALL]! += forCredit;
            counters[counter + COUNT_ARBITRATION_STALL]! += now - headSince - forCredit;
            ports[queue + CREDIT_WAIT_SINCE] = -1;
          }
          if (next >= 0) {
            const since = !hub && inputPort === base + LOCAL ? this.#enterInjectionLink(router, next, free) : free;
            this.#becomeHead(queue, router, bit, next, since);
            if (since < nextCycle) nextCycle = since;
          }

          // The buffer that the packet leaves is free again when its tail has left; the sender learns it one link latency later.
          const upstream = ports[input + PEER]!;
          if (upstream >= 0) {
            const inputLink = type[inputPort]!; // both directions of a connection are of one kind
            const delay = hold + typeCycles[inputLink]!;
            const credit = (upstream << shift) + FIRST_QUEUE + lane * QUEUE_FIELDS + CREDITS;
            // While that leaves a largest packet after all that the link can send before the credit is due, the time of arrival cannot show.
            if (ports[credit]! >= delay * typeFlitsPerCycle[inputLink]! + maxPacketFlits) {
              ports[credit]! += flits;
            } else {
              this.#scheduleEvent(now + delay, credit, flits);
            }
          } else if (upstream !== NO_LINK) {
            const arrival = free + typeCycles[type[inputPort]!]!;
            this.creditsOut[boundaryDirection(upstream)]!.push(arrival, boundaryPosition(upstream) | (lane << 16), flits, 0, 0, 0, 0, 0);
          }

          // The packet's head reaches the other end of the link at `arrival`; an ejected packet counts when its tail is there.
          let arrival = now + typeCycles[link]!;
          const tail = arrival + hold - 1;
          if (kind === EJECTION) {
            packets[offset + WHERE] = ~router;
            arrival = tail;
          } else {
            const to = ports[output + PEER]!;
            if (to < 0) {
              this.#sendAcross(to, offset, arrival, tail);
              break;
            }
            if (kind !== MESH) this.#changeLeg(offset, kind, outLane);
            packets[offset + TAIL] = tail;
            packets[offset + WHERE] = to;
          }
          const slot = arrival & slotMask;
          packets[offset + NEXT] = arrivals[slot]!;
          arrivals[slot] = offset;
          occupied[slot >>> 5]! |= 1 << (slot & 31);
          break;
        }
      }
      if (nextCycle === now + 1) {
        if (routers[router * ROUTER_FIELDS + SOON_FOR] !== nextCycle) {
          routers[router * ROUTER_FIELDS + SOON_FOR] = nextCycle;
          soon[soonCount++] = router;
        }
      } else if (nextCycle !== NEVER) {
        this.#wakeRouter(router, nextCycle);
      }
    }
    this.#scalars.soon = soonCount;
    this.#scalars.linkHops += linkHops;
  }

  /** Packets that a neighbouring die sent over its edge in `direction` seen from here. */
  acceptPackets(direction: number, items: ItemList): void {
    const { topology } = this;
    const { rows, data } = items;
    const ports = topology.boundaryPorts[direction]!;
    for (let row = 0; row < rows; row++) {
      const at = row * BOUNDARY_STRIDE;
      const arrival = data[at + ITEM_ARRIVAL]!;
      if (arrival <= this.#scalars.now) throw new Error(`Die ${topology.dieId} is at cycle ${this.#scalars.now}, but a packet from a neighbour arrives at ${arrival}: a promise was broken.`);
      const offset = this.#takePacket();
      const packets = this.#columns.packets;
      const finalTile = data[at + ITEM_FINAL]!;
      packets[offset + META] = data[at + ITEM_META]!;
      packets[offset + TAIL] = data[at + ITEM_TAIL]!;
      packets[offset + WHERE] = ports[data[at + ITEM_POSITION]!]!;
      packets[offset + BYTES] = data[at + ITEM_BYTES]!;
      packets[offset + FINAL] = finalTile;
      packets[offset + SOURCE] = data[at + ITEM_SOURCE]!;
      this.#columns.sequence[offset / PACKET_STRIDE] = data[at + ITEM_SEQUENCE]!;
      const finalDie = Math.floor(finalTile / topology.tiles);
      const dieX = finalDie % topology.diesX;
      const dieY = Math.floor(finalDie / topology.diesX);
      if (topology.hubRouter >= 0) {
        packets[offset + TARGET] = dieX | (dieY << 16);
      } else {
        const local = finalTile - finalDie * topology.tiles;
        packets[offset + TARGET] = (dieX * topology.tilesX + (local % topology.tilesX)) | ((dieY * topology.tilesY + Math.floor(local / topology.tilesX)) << 16);
      }
      this.#schedulePacket(offset, arrival);
    }
  }

  /** Credits for the lanes of this die's edge in `direction`. */
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
    const { visited } = this.#columns;
    const { routers, ports } = this.topology;
    for (let router = 0; router < routers; router++) {
      if (visited[router] === 0) continue;
      const afterLast = router + 1 === routers ? ports : (router + 1) * PORT_STRIDE;
      for (let port = router * PORT_STRIDE; port < afterLast; port++) this.#drainPort(port, end, row);
    }
  }

  #drainPort(port: number, end: number, row: (port: number, channel: number, counters: Float64Array, at: number) => void): void {
    const { counters, ports } = this.#columns;
    const { channels } = this;
    const at = port << this.#portShift;
    if (ports[at + RECENT_PACKETS] !== 0) this.#countRecent(port);
    const over = ports[at + OUTPUT_FREE]! - end;
    const lastChannel = ports[at + LAST_CHANNEL]!;
    for (let channel = 0; channel < channels; channel++) {
      const counter = (port * channels + channel) * COUNTER_STRIDE;
      if (counters[counter + COUNT_BUSY] === 0 && counters[counter + COUNT_PACKETS] === 0) continue;
      // Only the last packet can reach past `end`.
      const carried = over > 0 && channel === lastChannel ? Math.min(over, counters[counter + COUNT_BUSY]!) : 0;
      counters[counter + COUNT_BUSY]! -= carried;
      row(port, channel, counters, counter);
      counters.fill(0, counter, counter + COUNTER_STRIDE);
      counters[counter + COUNT_BUSY] = carried;
    }
  }

  /** Moves what a port has counted of its last channel to the counters. */
  #countRecent(port: number): void {
    const { ports, counters } = this.#columns;
    const at = port << this.#portShift;
    const counter = (port * this.channels + ports[at + LAST_CHANNEL]!) * COUNTER_STRIDE;
    counters[counter + COUNT_BYTES]! += ports[at + RECENT_BYTES]!;
    counters[counter + COUNT_BUSY]! += ports[at + RECENT_BUSY]!;
    counters[counter + COUNT_PACKETS]! += ports[at + RECENT_PACKETS]!;
    ports[at + RECENT_BYTES] = 0;
    ports[at + RECENT_BUSY] = 0;
    ports[at + RECENT_PACKETS] = 0;
  }

  save(): KernelSnapshot {
    return { columns: copyColumns(this.#columns), scalars: { ...this.#scalars, overflow: [...this.#scalars.overflow] } };
  }

  /** Takes the state of another kernel of the same topology and options. */
  restore(snapshot: KernelSnapshot): void {
    this.#columns = copyColumns(snapshot.columns);
    this.#scalars = { ...snapshot.scalars, overflow: [...snapshot.scalars.overflow] };
  }

  /** Who waits for what, for the message about a deadlock: at most `limit` sentences. */
  explainWaiting(limit: number): string[] {
    const { topology, lanes } = this;
    const { packets, ports } = this.#columns;
    const lines: string[] = [];
    for (let port = 0; port < topology.ports && lines.length < limit; port++) {
      for (let lane = 0; lane < lanes; lane++) {
        const offset = ports[(port << this.#portShift) + FIRST_QUEUE + lane * QUEUE_FIELDS + QUEUE_HEAD]!;
        if (offset < 0) continue;
        const router = this.#routerOf(port);
        const out = router * PORT_STRIDE + this.#route(router, packets[offset + TARGET]!, offset);
        const name = router === topology.hubRouter ? `die router ${topology.dieId}` : `tile (${topology.coordinates[router]! & 0xffff},${topology.coordinates[router]! >>> 16})`;
        const reason = ports[(out << this.#portShift) + BLOCKED] !== 0 ? 'a credit' : 'its turn';
        lines.push(`${name}: packet ${this.#columns.sequence[offset / PACKET_STRIDE]} of tile ${packets[offset + SOURCE]} waits for ${reason} on ${portName(out - router * PORT_STRIDE)}`);
      }
    }
    return lines;
  }

  #woken = 0;

  #routerOf(port: number): number {
    const router = port >>> 3;
    return router < this.topology.routers ? router : this.topology.hubRouter;
  }

  /** Dimension order: along x first, then y, then out of the mesh. */
  #route(router: number, target: number, offset: number): number {
    const here = this.topology.coordinates[router]!;
    const dx = (target & 0xffff) - (here & 0xffff);
    // The sign bit picks the direction, since a branch on it could not be predicted.
    if (dx !== 0) return EAST + (dx >>> 31) * (WEST - EAST);
    const dy = (target >>> 16) - (here >>> 16);
    if (dy !== 0) return SOUTH + (dy >>> 31) * (NORTH - SOUTH);
    return this.lanes === 1 ? LOCAL : this.#routeOut(router, offset);
  }

  /** Where a packet at its target leaves a mesh on a die with a router of its own. */
  #routeOut(router: number, offset: number): number {
    const { packets } = this.#columns;
    const { topology } = this;
    if (router === topology.hubRouter) return FIRST_GATEWAY + topology.gatewayOfTile[packets[offset + FINAL]! % topology.tiles]!;
    return ((packets[offset + META]! >>> 16) & 0xff) === CLASS_TO_HUB ? HUB : LOCAL;
  }

  /** A packet is now the first of its queue, which is bit `bit` in the arbitration of its router. */
  #becomeHead(queue: number, router: number, bit: number, offset: number, since: number): void {
    const { packets, ports, routers } = this.#columns;
    ports[queue + HEAD_SINCE] = since;
    const out = this.#route(router, packets[offset + TARGET]!, offset);
    ports[((router * PORT_STRIDE + out) << this.#portShift) + WANTED]! |= 1 << bit;
    routers[router * ROUTER_FIELDS + WANTED_OUTPUTS]! |= 1 << out;
  }

  /** Marks a router for this cycle's decisions, or for a later cycle's. */
  #wakeRouter(router: number, cycle: number): void {
    const { routers, soon } = this.#columns;
    const scalars = this.#scalars;
    const now = scalars.now;
    const at = router * ROUTER_FIELDS;
    if (cycle <= now) {
      if (routers[at + SOON_FOR] === now) return;
      routers[at + SOON_FOR] = now;
      this.#wake[this.#woken++] = router;
    } else if (cycle === now + 1) {
      if (routers[at + SOON_FOR] === cycle) return;
      routers[at + SOON_FOR] = cycle;
      soon[scalars.soon++] = router;
    } else if (routers[at + WAKE_AT]! > cycle || routers[at + WAKE_AT]! <= now) {
      routers[at + WAKE_AT] = cycle;
      this.#scheduleEvent(cycle, ~router, 0);
    }
  }

  /** The packet leaves the die. */
  #sendAcross(to: number, offset: number, arrival: number, tail: number): void {
    const { packets, sequence } = this.#columns;
    const out = this.packetsOut[boundaryDirection(to)]!;
    out.push(arrival, boundaryPosition(to), packets[offset + META]!, tail, packets[offset + BYTES]!, packets[offset + FINAL]!, packets[offset + SOURCE]!, sequence[offset / PACKET_STRIDE]! | 0);
    this.#freePacket(offset);
  }

  /** The packet goes from the mesh to the router of the die, or back: another lane and another target. */
  #changeLeg(offset: number, kind: number, lane: number): void {
    const { topology } = this;
    const { packets } = this.#columns;
    packets[offset + META] = (packets[offset + META]! & ~0xff0000) | (lane << 16);
    if (kind === TO_HUB) {
      const die = Math.floor(packets[offset + FINAL]! / topology.tiles);
      packets[offset + TARGET] = die % topology.diesX | (Math.floor(die / topology.diesX) << 16);
    } else {
      packets[offset + TARGET] = topology.coordinates[packets[offset + FINAL]! % topology.tiles]!;
    }
  }

  #deliver(offset: number, tile: number, cycle: number): void {
    const { packets, deliveryHash, sequence } = this.#columns;
    const at = tile * 2;
    const h = Math.imul(deliveryHash[at]! ^ cycle, 0x9e3779b1) ^ Math.imul(packets[offset + SOURCE]!, 0x85ebca6b);
    deliveryHash[at] = Math.imul((h << 13) | (h >>> 19), 5) + 0x6b64e654;
    const g = Math.imul(deliveryHash[at + 1]! ^ sequence[offset / PACKET_STRIDE]!, 0xc2b2ae35) ^ Math.imul(cycle, 0x27d4eb2f) ^ h;
    deliveryHash[at + 1] = Math.imul((g << 15) | (g >>> 17), 0x165667b1);
    if (this.delivered === this.deliveredTile.length) this.#growDelivered();
    this.deliveredTile[this.delivered] = tile;
    this.deliveredChannel[this.delivered] = packets[offset + META]! >>> 24;
    this.deliveredBytes[this.delivered] = packets[offset + BYTES]!;
    this.delivered++;
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
    const packets = new Int32Array(from * 2);
    packets.set(columns.packets);
    columns.packets = packets;
    const sequence = new Uint32Array((from * 2) / PACKET_STRIDE);
    sequence.set(columns.sequence);
    columns.sequence = sequence;
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
    const events = new Int32Array(from * 2);
    events.set(columns.events);
    columns.events = events;
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

  #growDelivered(): void {
    const tile = new Int32Array(this.deliveredTile.length * 2);
    tile.set(this.deliveredTile);
    this.deliveredTile = tile;
    const channel = new Uint8Array(tile.length);
    channel.set(this.deliveredChannel);
    this.deliveredChannel = channel;
    const bytes = new Int32Array(tile.length);
    bytes.set(this.deliveredBytes);
    this.deliveredBytes = bytes;
  }
}

/** The name of a port in messages and tables. */
export function portName(port: number): string {
  return ['east', 'west', 'north', 'south', 'local', 'hub'][port] ?? `gateway${port - FIRST_GATEWAY}`;
}
