import { multicastTree } from '../collective-trees.ts';
import type { DieTopology } from '../die-topology.ts';
import { FabricError } from '../errors.ts';
import { CLASS_REQUEST, CLASS_RESPONSE, CLASSES, type Fabric, type MulticastPlan, type ReductionPlan } from '../fabric.ts';
import { ItemList } from '../item-list.ts';
import { COUNT_BUSY, COUNT_BYTES, COUNT_PACKETS, COUNTER_STRIDE, NEVER } from '../kernel-state.ts';
import { flitsOf } from '../latency.ts';
import { DIRECTIONS, EAST, LOCAL, NORTH, PORT_STRIDE, SOUTH, WEST } from '../ports.ts';
import { checkRoute } from '../routes/check-route.ts';
import { EventRing } from './event-ring.ts';
import {
  ACCEPT_SHIFT, ACCEPTS, ACTIVE, BUSY, BUSY_SOURCE, BUSY_WAIT, COUNT_FIELDS, COUNT_LAST_CHANNEL, COUNT_RECENT_BYTES, COUNT_RECENT_FLITS, COUNTS, CREDITS_MASK, F_GONE,
  F_GRANTED, F_OUT, F_PENDING, F_SENT, F_STRIDE, F_TREE, firstPort, FLAGS, FLIT_HERE, FLIT_PORTS, FLITS_HERE, FORKED, FREE, FRONT, GRANT_SHIFT, HEAD, HOLDERS, LEFT_MASK, LINE,
  MOST_BUFFER_FLITS, MOST_PACKET_FLITS, NOBODY, OUT_SHIFT, OWNER_SHIFT, P_BYTES, P_ENTERED, P_LAST, P_META, P_NEXT, P_SEQUENCE, P_SOURCE, P_STRIDE, P_TARGET,
  QUEUE_FIRST, QUEUE_LANE, QUEUE_LAST, QUEUE_LEFT, QUEUED, READY, recordLayout, SOURCE_CLASSES, SOURCE_FIELDS, SOURCE_FREE, SOURCE_LAST, SOURCE_QUEUES, STATE,
  SWITCH_POINTERS, TARGET, TREE, TURNS, WAIT, type FlitScalars, type FlitSnapshot, type RecordLayout,
} from './flit-state.ts';
import { routerCycles, stagesOf, type FlitPipeline } from './pipeline.ts';

export interface FlitKernelOptions {
  /** Message channels, counted apart on every link. */
  readonly channels: number;
  /** Stages of every router. */
  readonly pipeline: FlitPipeline;
  /** Virtual channels of each port and traffic class, 1..16. */
  readonly virtualChannels: number;
  /** Flits of private buffer per virtual channel, 1..254. */
  readonly bufferFlits: number;
  /** Traffic classes that have virtual channels; by default the request class alone. Classes × virtual channels ≤ 32. */
  readonly classes?: readonly number[];
  /** Cycles of a hop between tiles, router and wire: at least those of the router. By default the topology's. */
  readonly linkCycles?: number;
  /** Cycles from the start of the injection link until a flit is in the buffer of the router, ≥ 1. By default the topology's. */
  readonly injectionCycles?: number;
  /** Cycles of the last router and the wire to its tile. By default the topology's. */
  readonly ejectionCycles?: number;
  /**
   * `flit`: an output is granted flit by flit, so packets of several virtual channels share a link (the default).
   * `packet`: a head flit is granted an output when the buffer behind it has room for the whole packet, and keeps output and
   * input port until its tail has passed.
   */
  readonly switchHold?: 'flit' | 'packet';
  /** Visit the routers of a cycle in reverse: must change nothing (a test says so). */
  readonly reverseVisits?: boolean;
}

/** Links south × 65536 + links east that are still to go after leaving by a port: what to add to a relative target. */
const STEP = Int32Array.of(-1, 1, 65536, -65536, 0, 0, 0, 0);

/**
 * The fabric of one die at flit fidelity: input-queued wormhole routers with virtual channels, cycle by cycle. Each port has
 * a private buffer per virtual channel; virtual channels and the switch are allocated by separable round-robin matching in
 * one iteration (iSLIP), whose pointers advance only on accepted grants; credits return flit by flit; sources queue without
 * limit. A virtual channel is free for the next packet as soon as the tail of the one before has been granted the switch.
 *
 * A router is visited only in cycles in which it might decide something. What it sends becomes an event of a later
 * cycle, so nothing that it decides reaches another router in the same cycle, and the order of visits cannot show.
 *
 * @see McKeown, The iSLIP scheduling algorithm for input-queued switches (1999)
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), ch. 16 to 19
 */
export class FlitKernel implements Fabric<FlitSnapshot> {
  readonly fidelity = 'flit';
  readonly topology: DieTopology;
  readonly channels: number;
  readonly pipeline: FlitPipeline;
  readonly virtualChannels: number;
  readonly bufferFlits: number;
  readonly switchHold: 'flit' | 'packet';
  readonly packetsOut: readonly ItemList[];
  readonly creditsOut: readonly ItemList[];

  delivered = 0;
  deliveredTile = new Int32Array(64);
  deliveredChannel = new Uint8Array(64);
  deliveredBytes = new Int32Array(64);
  deliveredSource = new Int32Array(64);
  deliveredSequence = new Uint32Array(64);
  deliveredEntered = new Int32Array(64);

  readonly #layout: RecordLayout;
  readonly #lanes: number;
  /** [traffic classes] its row among those that have virtual channels, or -1. */
  readonly #rowOfClass: Int8Array;
  readonly #classRows: number;
  /** [lanes] lanes of the same class. */
  readonly #lanesOfClass: Int32Array;
  /** Lanes of the response class, as bits. */
  readonly #responseLanes: number;
  /** Every packet goes along x, then along y. */
  readonly #plainRoutes: boolean;
  readonly #reverse: boolean;
  readonly #before: number;
  readonly #linkDelay: number;
  readonly #injectionDelay: number;
  readonly #ejectionDelay: number;
  readonly #creditDelay: number;
  readonly #sourceCreditDelay: number;
  readonly #ejectionCreditDelay: number;
  readonly #slotMask: number;
  /** [ports] router number of the neighbour, relative. */
  readonly #neighbour: Int32Array;

  /** [routers × layout.words] see flit-state.ts. */
  readonly #words: Int32Array;
  /** Head flits that the allocators see from that cycle on: router << 8 | virtual channel, packet, target, flits and flags. */
  readonly #heads: EventRing;
  /** Head flits whose packet has come to the front of its buffer and that the allocators see from that cycle on: router << 8 | virtual channel. */
  readonly #turns: EventRing;
  /** Other flits that are in the buffer: router << 8 | virtual channel. */
  readonly #bodies: EventRing;
  /** Credits that the allocators see: router << 8 | output virtual channel; the port after the last is the source. */
  readonly #credits: EventRing;
  /** Packets whose tail is at the tile: tile, packet. */
  readonly #arrivals: EventRing;
  readonly #rings: readonly EventRing[];
  #packets = new Int32Array(256 * P_STRIDE);
  #forks = new Int32Array(16 * F_STRIDE);
  /** [routers / 32] bits: to be visited in this cycle (or, after decide, in the next). */
  readonly #awake: Int32Array;
  /** [routers / 1024] bits: words of `awake` that hold something. */
  readonly #awakeWords: Int32Array;
  /** [routers / 32] bits: visited since the kernel began. */
  readonly #visited: Int32Array;
  /** Words of `awakeWords` that hold something: zero when all routers sleep. */
  #awakeCount = 0;
  readonly #trees: MulticastPlan[] = [];
  readonly #deliveryHash: Int32Array;
  /** [routers × 5 × channels × 5] */
  readonly #counters: Float64Array;
  /** A record as it is before cycle 0. */
  readonly #blank: Int32Array;
  readonly #scalars: FlitScalars = { now: -1, freePacket: -1, freeFork: -1, live: 0, linkHops: 0, flitHops: 0, deliveredPackets: 0 };

  // Scratch of one visit.
  /** [5 × 256] input virtual channels that want one of the output port, ascending. */
  readonly #wants = new Uint8Array(FLIT_PORTS * 256);
  readonly #wantCount = new Int32Array(FLIT_PORTS);
  /** [output × 5 + input] lane that asks for the switch. */
  readonly #asking = new Uint8Array(FLIT_PORTS * FLIT_PORTS);
  /** [256] virtual channels of the input side that were granted one of the output side in this visit. */
  readonly #granted = new Uint8Array(256);
  #grantedCount = 0;
  /** Bit output × 5 + input: head flits that ask for the switch before they have a virtual channel. */
  #hoping = 0;
  /** [output × 5 + input] lanes of those. */
  readonly #hopes = new Int32Array(FLIT_PORTS * FLIT_PORTS);

  /** @throws FabricError `FABRIC_BAD_OPTION`, `FABRIC_MESH_TOO_LARGE` */
  constructor(topology: DieTopology, options: FlitKernelOptions) {
    const { pipeline, virtualChannels, bufferFlits } = options;
    const classes = options.classes ?? [CLASS_REQUEST];
    if (topology.hubRouter >= 0 || topology.hasNeighbour.some(Boolean)) {
      throw new FabricError('FABRIC_BAD_OPTION', 'Flit fidelity simulates a single die; run several dies at packet fidelity.', {});
    }
    whole('virtualChannels', virtualChannels, 1, 16);
    whole('bufferFlits', bufferFlits, 1, MOST_BUFFER_FLITS);
    whole('channels', options.channels, 1, 255);
    for (const row of classes) whole('classes', row, 0, CLASSES - 1);
    const lanes = virtualChannels * classes.length;
    if (lanes < 1 || lanes > 32 || new Set(classes).size !== classes.length) {
      throw new FabricError('FABRIC_BAD_OPTION', `Traffic classes × virtual channels is 1 to 32 at flit fidelity, each class named once; got ${classes.length} × ${virtualChannels}.`, { lanes });
    }
    const ownCycles = routerCycles(pipeline);
    const stages = stagesOf(pipeline);
    const linkCycles = options.linkCycles ?? topology.types[0]!.cycles;
    const ejectionCycles = options.ejectionCycles ?? topology.types[topology.type[LOCAL]!]!.cycles;
    const injectionCycles = options.injectionCycles ?? topology.types[1]!.cycles;
    whole('linkCycles (a hop: router and wire)', linkCycles, ownCycles, 4096);
    whole('ejectionCycles (the last router and the wire to the tile)', ejectionCycles, ownCycles, 4096);
    whole('injectionCycles', injectionCycles, 1, 4096);

    this.topology = topology;
    this.channels = options.channels;
    this.pipeline = pipeline;
    this.virtualChannels = virtualChannels;
    this.bufferFlits = bufferFlits;
    this.switchHold = options.switchHold ?? 'flit';
    this.packetsOut = Array.from({ length: DIRECTIONS }, () => new ItemList());
    this.creditsOut = Array.from({ length: DIRECTIONS }, () => new ItemList());
    this.#reverse = options.reverseVisits ?? false;
    this.#lanes = lanes;
    this.#classRows = classes.length;
    this.#rowOfClass = new Int8Array(CLASSES).fill(-1);
    classes.forEach((trafficClass, row) => { this.#rowOfClass[trafficClass] = row; });
    this.#lanesOfClass = Int32Array.from({ length: lanes }, (_, lane) => lanesBelow(virtualChannels) << (Math.floor(lane / virtualChannels) * virtualChannels));
    const responses = this.#rowOfClass[CLASS_RESPONSE]!;
    this.#responseLanes = responses < 0 ? 0 : this.#lanesOfClass[responses * virtualChannels]!;
    this.#plainRoutes = responses < 0 && topology.routes === null;
    this.#layout = recordLayout(lanes, classes.length);
    const { routers } = topology;
    const bytes = routers * this.#layout.words * 4;
    if (routers >= 2 ** 23 || bytes >= 2 ** 31) {
      throw new FabricError('FABRIC_MESH_TOO_LARGE', `Flit fidelity keeps ${this.#layout.words * 4} bytes per router, at most 2 GiB; ${routers} routers need ${bytes} bytes.`, { routers, bytes });
    }

    // A wire of w cycles: what is on it after cycle t is in the buffer at its end at t + w + 1.
    const linkWire = linkCycles - ownCycles;
    const ejectionWire = ejectionCycles - ownCycles;
    this.#before = stages.before;
    this.#linkDelay = stages.after + linkWire + 1;
    this.#injectionDelay = injectionCycles;
    this.#ejectionDelay = stages.after + ejectionWire + 1;
    const creditAfter = pipeline.switchAllocation;
    this.#creditDelay = creditAfter + linkWire + pipeline.creditDelay;
    this.#sourceCreditDelay = creditAfter + injectionCycles - 1;
    this.#ejectionCreditDelay = this.#ejectionDelay + 1 + ejectionWire + pipeline.creditDelay;
    const longest = Math.max(this.#linkDelay, this.#injectionDelay) + this.#before;
    const slots = 2 ** Math.ceil(Math.log2(Math.max(longest, this.#creditDelay, this.#sourceCreditDelay, this.#ejectionCreditDelay, this.#before + 1) + 2));
    this.#slotMask = slots - 1;
    this.#heads = new EventRing(slots);
    this.#turns = new EventRing(slots);
    this.#bodies = new EventRing(slots);
    this.#credits = new EventRing(slots);
    this.#arrivals = new EventRing(slots);
    this.#rings = [this.#heads, this.#turns, this.#bodies, this.#credits, this.#arrivals];
    this.#neighbour = Int32Array.of(1, -1, -topology.tilesX, topology.tilesX, 0, 0, 0, 0);

    this.#words = new Int32Array(bytes / 4);
    this.#awake = new Int32Array((routers + 31) >>> 5);
    this.#visited = new Int32Array(this.#awake.length);
    this.#awakeWords = new Int32Array((this.#awake.length + 31) >>> 5);
    this.#deliveryHash = new Int32Array(topology.tiles * 2);
    this.#counters = new Float64Array(routers * FLIT_PORTS * options.channels * COUNTER_STRIDE);
    this.#blank = this.#blankRecord();
    for (let at = 0; at < this.#words.length; at += this.#layout.words) this.#words.set(this.#blank, at);
    this.#addPackets(0);
    this.#addForks(0);
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
    return this.#deliveryHash;
  }

  startKernel(): void {
    this.assertQuiescent();
    const { words } = this.#layout;
    this.#eachVisited((router) => {
      const at = router * words;
      this.#words.set(this.#blank.subarray(0, COUNTS), at);
      this.#words.set(this.#blank.subarray(SOURCE_QUEUES), at + SOURCE_QUEUES);
    });
    this.#visited.fill(0);
    this.#awake.fill(0);
    this.#awakeWords.fill(0);
    this.#awakeCount = 0;
    this.#scalars.now = -1;
  }

  /** Throws when a packet, a flit or a credit is not where it was at the start: all of them are conserved. */
  assertQuiescent(): void {
    const { live } = this.#scalars;
    if (live !== 0) throw new Error(`The die still holds ${live} packets at a kernel boundary.`);
    // Credits that are still on their way cannot change anything any more, but must come home.
    this.#applyCreditsUntil(this.#scalars.now + this.#slotMask + 1);
    this.#rings.forEach((ring) => {
      if (ring.used.some((used) => used !== 0)) throw new Error('Flits are still on their way at a kernel boundary, though no packet is.');
    });
    const { entries, laneBits, words, sourceCredits } = this.#layout;
    const all = lanesBelow(this.#lanes);
    this.#eachVisited((router) => {
      const at = router * words;
      const fault = (what: string): never => { throw new Error(`Tile ${this.#name(router)} at a kernel boundary: ${what}.`); };
      if (this.#words[at + SOURCE_FREE] !== all) fault('a virtual channel of the injection link is held');
      for (let port = 0; port < FLIT_PORTS; port++) {
        if (this.#words[at + FREE + port] !== all) fault(`a virtual channel of ${PORT_NAMES[port]} is held`);
        if (this.#words[at + HOLDERS + port] !== NOBODY) fault(`${PORT_NAMES[port]} is held`);
        for (let lane = 0; lane < this.#lanes; lane++) {
          const entry = at + entries + (((port << laneBits) | lane) << 2);
          const credits = this.#words[entry + LINE]! & CREDITS_MASK;
          if (this.#words[entry + FRONT]! >= 0 || (this.#words[entry + STATE]! & FLITS_HERE) !== 0) fault(`a flit is left in virtual channel ${lane} of ${PORT_NAMES[port]}`);
          if (credits !== this.bufferFlits) fault(`${credits} credits for virtual channel ${lane} of ${PORT_NAMES[port]}, ${this.bufferFlits} at the start`);
        }
      }
      for (let lane = 0; lane < this.#lanes; lane++) {
        const credits = (this.#words[at + sourceCredits + (lane >>> 2)]! >>> ((lane & 3) * 8)) & CREDITS_MASK;
        if (credits !== this.bufferFlits) fault(`${credits} credits for virtual channel ${lane} of the injection link, ${this.bufferFlits} at the start`);
      }
    });
  }

  nextCycle(): number {
    const { now } = this.#scalars;
    if (this.#awakeCount > 0) return now + 1;
    for (let step = 1; step <= this.#slotMask + 1; step++) {
      const slot = (now + step) & this.#slotMask;
      for (const ring of this.#rings) {
        if (ring.used[slot] !== 0 && !(ring === this.#credits && this.#scalars.live === 0)) return now + step;
      }
    }
    return NEVER;
  }

  beginCycle(cycle: number): void {
    const scalars = this.#scalars;
    const { now } = scalars;
    if (cycle <= now) throw new Error(`Cycle ${cycle} begins after cycle ${now}.`);
    this.delivered = 0;
    if (cycle > now + 1) this.#skipTo(cycle);
    scalars.now = cycle;
    const slot = cycle & this.#slotMask;
    if (this.#credits.used[slot] !== 0) this.#applyCredits(slot);
    if (this.#bodies.used[slot] !== 0) this.#applyBodies(slot);
    if (this.#heads.used[slot] !== 0) this.#applyHeads(slot, cycle);
    if (this.#turns.used[slot] !== 0) this.#applyTurns(slot);
    if (this.#arrivals.used[slot] !== 0) this.#deliver(slot, cycle);
  }

  /** Cycles that nobody began may have held nothing but credits for an empty die. */
  #skipTo(cycle: number): void {
    const { now } = this.#scalars;
    const next = this.nextCycle();
    if (next < cycle) throw new Error(`Cycle ${cycle} begins after cycle ${now}, but cycle ${next} has work.`);
    this.#applyCreditsUntil(Math.min(cycle - 1, now + this.#slotMask + 1));
  }

  #applyCreditsUntil(last: number): void {
    for (let cycle = this.#scalars.now + 1; cycle <= last; cycle++) {
      const slot = cycle & this.#slotMask;
      if (this.#credits.used[slot] !== 0) this.#applyCredits(slot);
    }
  }

  #applyCredits(slot: number): void {
    const words = this.#words;
    const { laneBits, entries, sourceCredits, words: recordWords } = this.#layout;
    const row = this.#credits.rows[slot]!;
    const used = this.#credits.used[slot]!;
    const hold = this.switchHold === 'packet';
    const source = FLIT_PORTS << laneBits;
    const laneMask = (1 << laneBits) - 1;
    this.#credits.used[slot] = 0;
    for (let i = 0; i < used; i++) {
      const where = row[i]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      if (vc >= source) {
        const lane = vc & laneMask;
        words[base + sourceCredits + (lane >>> 2)]! += 1 << ((lane & 3) * 8);
        if (words[base + SOURCE_CLASSES] !== 0) {
          words[base + BUSY]! |= BUSY_SOURCE;
          this.#wake(router);
        }
        continue;
      }
      const output = base + entries + (vc << 2);
      const line = words[output + LINE]!;
      words[output + LINE] = line + 1;
      const credits = line & CREDITS_MASK;
      if ((credits !== 0 && !hold) || ((words[base + FREE + (vc >>> laneBits)]! >>> (vc & laneMask)) & 1) !== 0) continue;
      const owner = (line >>> OWNER_SHIFT) & 255;
      const state = words[base + entries + (owner << 2) + STATE]!;
      if (state >>> OUT_SHIFT !== FORKED) {
        if ((state & FLITS_HERE) === 0) continue;
        if (hold && (state & HEAD) !== 0 && credits + 1 < (state & LEFT_MASK)) continue;
      }
      const input = owner >>> laneBits;
      words[base + READY + input]! |= 1 << (owner & laneMask);
      words[base + BUSY]! |= 1 << input;
      this.#wake(router);
    }
  }

  #applyBodies(slot: number): void {
    const words = this.#words;
    const { laneBits, entries, words: recordWords } = this.#layout;
    const row = this.#bodies.rows[slot]!;
    const used = this.#bodies.used[slot]!;
    const laneMask = (1 << laneBits) - 1;
    this.#bodies.used[slot] = 0;
    for (let i = 0; i < used; i++) {
      const where = row[i]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      const entry = base + entries + (vc << 2);
      const state = words[entry + STATE]!;
      words[entry + STATE] = state + FLIT_HERE;
      if ((state & ACTIVE) === 0) continue;
      const out = state >>> OUT_SHIFT;
      if (out !== FORKED && ((state & FLITS_HERE) !== 0 || (words[base + entries + (out << 2) + LINE]! & CREDITS_MASK) === 0)) continue;
      const input = vc >>> laneBits;
      words[base + READY + input]! |= 1 << (vc & laneMask);
      words[base + BUSY]! |= 1 << input;
      this.#wake(router);
    }
  }

  #applyHeads(slot: number, cycle: number): void {
    const words = this.#words;
    const { laneBits, entries, words: recordWords } = this.#layout;
    const row = this.#heads.rows[slot]!;
    const used = this.#heads.used[slot]!;
    const before = this.#before;
    const laneMask = (1 << laneBits) - 1;
    const plainRoutes = this.#plainRoutes;
    const awake = this.#awake;
    const awakeWords = this.#awakeWords;
    let awakeCount = this.#awakeCount;
    this.#heads.used[slot] = 0;
    for (let i = 0; i < used; i += 4) {
      const where = row[i]!;
      const packet = row[i + 1]!;
      const target = row[i + 2]!;
      const flits = row[i + 3]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      const entry = base + entries + (vc << 2);
      const front = words[entry + FRONT]!;
      const state = words[entry + STATE]! + FLIT_HERE;
      if (front >= 0) {
        words[entry + STATE] = state;
        this.#queueBehind(entry, front, packet, target);
        continue;
      }
      words[entry + FRONT] = packet;
      words[entry + TARGET] = target;
      // It arrived `before` cycles ago. Was it behind a tail then, its route computation began after that.
      const delayed = before > 0 && ~front >= cycle - before;
      if (delayed || !plainRoutes || (flits & TREE) !== 0) {
        words[entry + STATE] = (state & ~FLAGS) | flits | HEAD;
        if (delayed) {
          this.#turns.push1((~front + 1 + before) & this.#slotMask, where);
        } else {
          this.#awakeCount = awakeCount;
          this.#wantOutput(router, base, vc, entry);
          awakeCount = this.#awakeCount;
        }
        continue;
      }
      // As wantOutput and wake do, in place: this is the way of almost all packets.
      const east = (target << 16) >> 16;
      let out = LOCAL;
      if (east !== 0) out = EAST + (east >>> 31) * (WEST - EAST);
      else if (target !== 0) out = SOUTH + (target >>> 31) * (NORTH - SOUTH);
      words[entry + STATE] = (state & FLITS_HERE) | flits | HEAD | (out << laneBits << OUT_SHIFT);
      const input = vc >>> laneBits;
      words[base + WAIT + input]! |= 1 << (vc & laneMask);
      words[base + BUSY]! |= 1 << (BUSY_WAIT + input);
      if (words[base + FREE + out] === 0) continue;
      const word = router >>> 5;
      awake[word]! |= 1 << (router & 31);
      const groups = awakeWords[word >>> 5]!;
      if (groups === 0) awakeCount++;
      awakeWords[word >>> 5] = groups | (1 << (word & 31));
    }
    this.#awakeCount = awakeCount;
  }

  #queueBehind(entry: number, front: number, packet: number, target: number): void {
    const packets = this.#packets;
    packets[packet + P_TARGET] = target; // what it has to go from here
    if ((this.#words[entry + STATE]! & QUEUED) === 0) {
      this.#words[entry + STATE]! |= QUEUED;
      packets[front + P_NEXT] = packet;
    } else {
      packets[packets[front + P_LAST]! + P_NEXT] = packet;
    }
    packets[front + P_LAST] = packet;
  }

  #applyTurns(slot: number): void {
    const { entries, words: recordWords } = this.#layout;
    const row = this.#turns.rows[slot]!;
    const used = this.#turns.used[slot]!;
    this.#turns.used[slot] = 0;
    for (let i = 0; i < used; i++) {
      const where = row[i]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      this.#wantOutput(router, base, vc, base + entries + (vc << 2));
    }
  }

  /** The head flit at the front of a virtual channel knows its route: from now on it wants a virtual channel there. */
  #wantOutput(router: number, base: number, vc: number, entry: number): void {
    const words = this.#words;
    const { laneBits } = this.#layout;
    if ((words[entry + STATE]! & TREE) !== 0) {
      this.#wantTree(router, base, vc, entry);
      return;
    }
    // Dimension order: along x first, then y. The sign bit picks the direction, since a branch on it could not be predicted.
    const target = words[entry + TARGET]!;
    const east = (target << 16) >> 16;
    let out = LOCAL;
    if (this.#plainRoutes) {
      if (east !== 0) out = EAST + (east >>> 31) * (WEST - EAST);
      else if (target !== 0) out = SOUTH + (target >>> 31) * (NORTH - SOUTH);
    } else {
      out = this.#routeOtherwise(router, vc, east, (target - east) >> 16);
    }
    words[entry + STATE] = (words[entry + STATE]! & (FLAGS | FLITS_HERE)) | (out << laneBits << OUT_SHIFT);
    const input = vc >>> laneBits;
    words[base + WAIT + input]! |= 1 << (vc & ((1 << laneBits) - 1));
    words[base + BUSY]! |= 1 << (BUSY_WAIT + input);
    if (words[base + FREE + out] !== 0) this.#wake(router);
  }

  /** The output port where routes come from a table, or where responses go along y first: back the way that requests came. */
  #routeOtherwise(router: number, vc: number, east: number, south: number): number {
    const { routes, dieId, tiles, tilesX } = this.topology;
    const { laneBits } = this.#layout;
    const back = ((this.#responseLanes >>> (vc & ((1 << laneBits) - 1))) & 1) !== 0;
    if (routes !== null) return routes.port(router, dieId * tiles + router + east + south * tilesX, back);
    if (back ? south !== 0 : east === 0) return south === 0 ? LOCAL : south > 0 ? SOUTH : NORTH;
    return east === 0 ? LOCAL : east > 0 ? EAST : WEST;
  }

  #deliver(slot: number, cycle: number): void {
    const row = this.#arrivals.rows[slot]!;
    const used = this.#arrivals.used[slot]!;
    const packets = this.#packets;
    const deliveryHash = this.#deliveryHash;
    this.#arrivals.used[slot] = 0;
    while (this.deliveredTile.length < used >> 1) this.#growDelivered();
    let delivered = 0;
    for (let i = 0; i < used; i += 2) {
      const tile = row[i]!;
      const packet = row[i + 1]!;
      const source = packets[packet + P_SOURCE]!;
      const sequence = packets[packet + P_SEQUENCE]!;
      const at = tile * 2;
      const h = Math.imul(deliveryHash[at]! ^ cycle, 0x9e3779b1) ^ Math.imul(source, 0x85ebca6b);
      deliveryHash[at] = Math.imul((h << 13) | (h >>> 19), 5) + 0x6b64e654;
      const g = Math.imul(deliveryHash[at + 1]! ^ sequence, 0xc2b2ae35) ^ Math.imul(cycle, 0x27d4eb2f) ^ h;
      deliveryHash[at + 1] = Math.imul((g << 15) | (g >>> 17), 0x165667b1);
      this.deliveredTile[delivered] = tile;
      this.deliveredChannel[delivered] = packets[packet + P_META]! >>> 16;
      this.deliveredBytes[delivered] = packets[packet + P_BYTES]!;
      this.deliveredSource[delivered] = source;
      this.deliveredSequence[delivered] = sequence;
      this.deliveredEntered[delivered] = packets[packet + P_ENTERED]!;
      delivered++;
      this.#freePacket(packet);
    }
    this.delivered = delivered;
    this.#scalars.deliveredPackets += delivered;
  }

  inject(localTile: number, finalTile: number, channel: number, bytes: number, sequence: number, trafficClass: number = CLASS_REQUEST): void {
    const { topology } = this;
    const { tilesX } = topology;
    if (!(finalTile >= 0 && finalTile < topology.tiles && localTile >= 0 && localTile < topology.tiles)) {
      throw new FabricError('FABRIC_TILE_OFF_WAFER', `At flit fidelity packets go from tile to tile, 0 to ${topology.tiles - 1}, got ${localTile} to ${finalTile}.`, { localTile, finalTile });
    }
    if (topology.routes !== null) checkRoute(topology, localTile, finalTile);
    const fromX = localTile % tilesX;
    const toX = finalTile % tilesX;
    const south = (finalTile - toX) / tilesX - (localTile - fromX) / tilesX;
    this.#enqueue(localTile, south * 65536 + (toX - fromX), 0, channel, bytes, sequence, trafficClass);
  }

  /** Makes a multicast tree known. @throws FabricError `FABRIC_BAD_TREE` */
  defineMulticast(plan: MulticastPlan): number {
    multicastTree(this.topology, plan);
    return this.#trees.push(plan) - 1;
  }

  multicast(tree: number, channel: number, bytes: number, sequence: number): void {
    const plan = this.#trees[tree];
    if (plan === undefined) throw new FabricError('FABRIC_BAD_OPTION', `Multicast tree ${tree} has not been defined.`, { tree });
    const flits = flitsOf(bytes, this.topology.flitBytes);
    if (flits > this.bufferFlits) {
      const message = `A multicast needs buffers that hold its packets whole, so that its branches advance independently: ${flits} flits, but a buffer holds ${this.bufferFlits}.`;
      throw new FabricError('FABRIC_BUFFER_TOO_SMALL', message, { flits, bufferFlits: this.bufferFlits });
    }
    this.#enqueue(plan.root, tree, TREE, channel, bytes, sequence, CLASS_REQUEST);
  }

  /** @throws FabricError always: reductions are simulated at packet fidelity */
  defineReduction(_plan: ReductionPlan): number {
    throw new FabricError('FABRIC_BAD_OPTION', 'Reductions in the network are not supported at flit fidelity; use packet fidelity.', {});
  }

  /** @throws FabricError always: reductions are simulated at packet fidelity */
  contribute(): void {
    throw new FabricError('FABRIC_BAD_OPTION', 'Reductions in the network are not supported at flit fidelity; use packet fidelity.', {});
  }

  /** Puts a packet at the end of its tile's source queue. */
  #enqueue(tile: number, target: number, flags: number, channel: number, bytes: number, sequence: number, trafficClass: number): void {
    const { topology } = this;
    const flits = flitsOf(bytes, topology.flitBytes);
    if (flits > MOST_PACKET_FLITS || (this.switchHold === 'packet' && flits > this.bufferFlits)) {
      const most = this.switchHold === 'packet' ? this.bufferFlits : MOST_PACKET_FLITS;
      throw new FabricError('FABRIC_BAD_PAYLOAD', `A packet has at most ${most} flits of ${topology.flitBytes} bytes here, got ${bytes} bytes.`, { bytes });
    }
    const row = this.#rowOfClass[trafficClass] ?? -1;
    if (row < 0) throw new FabricError('FABRIC_BAD_OPTION', `Traffic class ${trafficClass} has no virtual channels; name it in the option classes.`, { trafficClass });
    const packet = this.#takePacket();
    const packets = this.#packets;
    packets[packet + P_NEXT] = -1;
    packets[packet + P_TARGET] = target;
    packets[packet + P_META] = flits | flags | (channel << 16) | (row << 24);
    packets[packet + P_SOURCE] = topology.dieId * topology.tiles + tile;
    packets[packet + P_SEQUENCE] = sequence;
    packets[packet + P_BYTES] = bytes;
    const words = this.#words;
    const base = tile * this.#layout.words;
    const queue = base + SOURCE_QUEUES + row * SOURCE_FIELDS;
    if (words[queue + QUEUE_FIRST]! < 0) {
      words[queue + QUEUE_FIRST] = packet;
      words[base + SOURCE_CLASSES]! |= 1 << row;
      words[base + BUSY]! |= BUSY_SOURCE;
      this.#wake(tile);
    } else {
      packets[words[queue + QUEUE_LAST]! + P_NEXT] = packet;
    }
    words[queue + QUEUE_LAST] = packet;
  }

  decide(): void {
    if (this.#awakeCount === 0) return;
    const words = this.#words;
    const awake = this.#awake;
    const awakeWords = this.#awakeWords;
    const scalars = this.#scalars;
    const { now } = scalars;
    const { laneBits, entries, words: recordWords, sourceCredits } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const lanes = this.#lanes;
    const lanesOfClass = this.#lanesOfClass;
    const asking = this.#asking;
    const neighbour = this.#neighbour;
    const step = STEP;
    const manyChannels = this.channels > 1;
    const { speculative } = this.pipeline;
    const hold = this.switchHold === 'packet';
    const forksMayWait = this.#trees.length > 0;
    const slotMask = this.#slotMask;
    const headSlot = (now + this.#linkDelay + this.#before) & slotMask;
    const bodySlot = (now + this.#linkDelay) & slotMask;
    const creditSlot = (now + this.#creditDelay) & slotMask;
    const arrivalSlot = (now + this.#ejectionDelay) & slotMask;
    const headsUsed = this.#heads.used;
    const bodiesUsed = this.#bodies.used;
    const creditsUsed = this.#credits.used;
    // A credit is returned at once while the count is so high that the link cannot use it up before the credit is due: that
    // changes no decision. (Where whole packets need credits, counts above zero matter too.)
    const returnAtOnce = hold ? 256 : this.#creditDelay;
    const returnAtOnceToSource = hold ? 256 : this.#sourceCreditDelay;
    const ejectionCounts = hold || this.bufferFlits < this.#ejectionCreditDelay;
    const reverse = this.#reverse;
    let linkHops = 0;
    let flitHops = 0;

    for (let group = 0; group < awakeWords.length; group++) {
      const groupAt = reverse ? awakeWords.length - 1 - group : group;
      let groupBits = awakeWords[groupAt]!;
      if (groupBits === 0) continue;
      let groupKeeps = 0;
      while (groupBits !== 0) {
        const groupBit = reverse ? 31 - Math.clz32(groupBits) : 31 - Math.clz32(groupBits & -groupBits);
        groupBits &= ~(1 << groupBit);
        const wordAt = (groupAt << 5) | groupBit;
        let bits = awake[wordAt]!;
        let keeps = 0;
        this.#visited[wordAt]! |= bits;
        // Rows with room for all that these 32 routers can send.
        const headRow = this.#heads.reserve(headSlot, 32 * 4 * (FLIT_PORTS + 1));
        const bodyRow = this.#bodies.reserve(bodySlot, 32 * (FLIT_PORTS + 1));
        const creditRow = this.#credits.reserve(creditSlot, 32 * (FLIT_PORTS + 1) * 2);
        while (bits !== 0) {
          const bit = reverse ? 31 - Math.clz32(bits) : 31 - Math.clz32(bits & -bits);
          bits &= ~(1 << bit);
          const router = (wordAt << 5) | bit;
          const base = router * recordWords;
          const entryBase = base + entries;
          if ((words[base + BUSY]! & BUSY_SOURCE) !== 0) this.#injectFrom(router, base);
          let busy = words[base + BUSY]!;

          // Virtual-channel allocation. It sees the virtual channels that were free when the cycle began; what is granted asks for
          // the switch from the next cycle on.
          let blocked = 0; // output ports that somebody still waits for
          let hoping = 0;
          let grantedCount = 0; // in the list `granted`
          let nextReady = 0; // lanes of `nextInput` that ask from the next cycle on
          let nextInput = 0;
          const waiting = (busy >>> BUSY_WAIT) & 31;
          if (waiting !== 0) {
            const input = 31 - Math.clz32(waiting);
            const waitingLanes = words[base + WAIT + input]!;
            const lane = 31 - Math.clz32(waitingLanes);
            const vc = (input << laneBits) | lane;
            const entry = entryBase + (vc << 2);
            const state = words[entry + STATE]!;
            const output = state >>> OUT_SHIFT >>> laneBits;
            if ((waiting & (waiting - 1)) !== 0 || waitingLanes !== 1 << lane || speculative || output >= FLIT_PORTS) {
              blocked = this.#allocate(base);
              hoping = this.#hoping;
              grantedCount = this.#grantedCount;
              busy = words[base + BUSY]!;
            } else {
              // A single head flit is granted every free lane, and accepts the first from its pointer on.
              const free = words[base + FREE + output]!;
              const offered = free & lanesOfClass[lane]!;
              if (offered === 0) {
                blocked = 1 << output;
              } else {
                const line = words[entry + LINE]!;
                const pointer = line >>> ACCEPT_SHIFT;
                const fromPointer = pointer >>> laneBits === output ? offered & (-1 << (pointer & laneMask)) : offered;
                const choice = fromPointer !== 0 ? fromPointer : offered;
                const outLane = 31 - Math.clz32(choice & -choice);
                const out = (output << laneBits) | outLane;
                words[entry + LINE] = (line & 0xffffff) | ((out + 1) << ACCEPT_SHIFT);
                const outEntry = entryBase + (out << 2);
                const outLine = words[outEntry + LINE]!;
                words[outEntry + LINE] = (outLine & ~0xffff00) | (vc << OWNER_SHIFT) | ((vc + 1) << GRANT_SHIFT);
                words[entry + STATE] = (state & 0xffffff) | ACTIVE | (out << OUT_SHIFT);
                words[base + FREE + output] = free & ~(1 << outLane);
                words[base + WAIT + input] = 0;
                busy &= ~(1 << (BUSY_WAIT + input));
                const needed = hold ? state & LEFT_MASK : 1;
                if ((outLine & CREDITS_MASK) >= needed) nextReady = 1 << lane;
                nextInput = input;
              }
            }
          }

          // Switch allocation: bit output × 5 + input of the flits that may go.
          let accepted = 0;
          const ready = busy & 31;
          if ((ready | hoping) !== 0) {
            const input = 31 - Math.clz32(ready);
            const readyLanes = ready === 0 ? 0 : words[base + READY + input]!;
            const lane = 31 - Math.clz32(readyLanes);
            const output = ready === 0 ? FLIT_PORTS : words[entryBase + (((input << laneBits) | lane) << 2) + STATE]! >>> OUT_SHIFT >>> laneBits;
            if ((ready & (ready - 1)) !== 0 || readyLanes !== 1 << lane || hoping !== 0 || output >= FLIT_PORTS || hold) {
              accepted = this.#allocateSwitch(base, ready, hoping);
              if (forksMayWait) for (let port = 0; port < FLIT_PORTS; port++) if (words[base + READY + port] === 0) busy &= ~(1 << port);
            } else {
              const request = output * FLIT_PORTS + input;
              asking[request] = lane;
              accepted = 1 << request;
              const grant = 3 * output;
              const accept = ACCEPTS + 3 * input;
              words[base + SWITCH_POINTERS] = (words[base + SWITCH_POINTERS]! & ~((7 << grant) | (7 << accept))) | (AFTER[input]! << grant) | (AFTER[output]! << accept);
            }
          }

          while (accepted !== 0) {
            const request = 31 - Math.clz32(accepted & -accepted);
            accepted &= accepted - 1;
            const output = (request * 13) >> 6; // request / 5
            const input = request - output * FLIT_PORTS;
            const lane = asking[request]!;
            const vc = (input << laneBits) | lane;
            const entry = entryBase + (vc << 2);
            const state = words[entry + STATE]!;
            const turn = 5 * input;
            words[base + TURNS] = (words[base + TURNS]! & ~(31 << turn)) | ((lane + 1 === lanes ? 0 : lane + 1) << turn);
            const out = state >>> OUT_SHIFT;
            if (out === FORKED) {
              busy = this.#sendBranch(router, base, vc, entry, output, busy);
              blocked |= 31;
              continue;
            }
            const outEntry = entryBase + (out << 2);
            const outLine = words[outEntry + LINE]!;
            let credit = outLine & CREDITS_MASK;
            // A speculative request may have won the switch without a virtual channel, or without a credit for it.
            if (speculative && ((state & ACTIVE) === 0 || credit === 0 || (hold && (state & HEAD) !== 0 && credit < (state & LEFT_MASK)))) continue;

            const head = (state & HEAD) !== 0;
            const remaining = (state & LEFT_MASK) - 1;
            const front = words[entry + FRONT]!;
            const count = base + COUNTS + output * COUNT_FIELDS;
            if (manyChannels) this.#countForChannel(count, router, output, front);
            words[count + COUNT_RECENT_FLITS]!++;
            if (head) this.#countPacket(count, router, output, front);
            if (output === LOCAL) {
              if (remaining === 0) this.#arrivals.push2(arrivalSlot, router, front);
              if (ejectionCounts) {
                words[outEntry + LINE] = outLine - 1;
                credit--;
                this.#credits.push1((now + this.#ejectionCreditDelay) & slotMask, (router << 8) | out);
              }
            } else {
              words[outEntry + LINE] = outLine - 1;
              credit--;
              const to = ((router + neighbour[output]!) << 8) | ((output ^ 1) << laneBits) | (out & laneMask);
              flitHops++;
              if (head) {
                linkHops++;
                const at = headsUsed[headSlot]!;
                const target = words[entry + TARGET]!;
                headRow[at] = to;
                headRow[at + 1] = front;
                headRow[at + 2] = (state & TREE) === 0 ? target + step[output]! : target;
                headRow[at + 3] = state & (LEFT_MASK | TREE);
                headsUsed[headSlot] = at + 4;
              } else {
                const at = bodiesUsed[bodySlot]!;
                bodyRow[at] = to;
                bodiesUsed[bodySlot] = at + 1;
              }
            }

            // The place in the buffer is free: a credit for the router (or the source) before.
            if (input === LOCAL) {
              const at = base + sourceCredits + (lane >>> 2);
              const shift = (lane & 3) * 8;
              if (((words[at]! >>> shift) & CREDITS_MASK) >= returnAtOnceToSource) words[at]! += 1 << shift;
              else this.#credits.push1((now + this.#sourceCreditDelay) & slotMask, (router << 8) | (FLIT_PORTS << laneBits) | lane);
            } else {
              const before = router + neighbour[input]!;
              const beforeOut = ((input ^ 1) << laneBits) | lane;
              const at = before * recordWords + entries + (beforeOut << 2) + LINE;
              const line = words[at]!;
              if ((line & CREDITS_MASK) >= returnAtOnce) {
                words[at] = line + 1;
              } else {
                const end = creditsUsed[creditSlot]!;
                creditRow[end] = (before << 8) | beforeOut;
                creditsUsed[creditSlot] = end + 1;
              }
            }

            if (hold && head) words[base + HOLDERS + output] = vc;
            const lanesNow = words[base + READY + input]!;
            if (remaining !== 0) {
              const next = (state & ~(FLAGS & ~(QUEUED | TREE))) - FLIT_HERE + (remaining | ACTIVE);
              words[entry + STATE] = next;
              if ((next & FLITS_HERE) !== 0 && credit !== 0) {
                words[base + READY + input] = lanesNow | (1 << lane);
                busy |= 1 << input;
                continue;
              }
            } else {
              if (hold) words[base + HOLDERS + output] = NOBODY;
              words[base + FREE + output]! |= 1 << (out & laneMask);
              if ((state & QUEUED) !== 0) {
                words[entry + STATE] = state - FLIT_HERE;
                busy = this.#nextInLine(router, base, vc, entry, busy);
                blocked |= 31;
              } else {
                words[entry + FRONT] = ~now;
                words[entry + STATE] = (state & FLITS_HERE) - FLIT_HERE;
              }
            }
            const stillReady = lanesNow & ~(1 << lane);
            words[base + READY + input] = stillReady;
            if (stillReady === 0) busy &= ~(1 << input);
          }

          if (nextReady !== 0) {
            words[base + READY + nextInput]! |= nextReady;
            busy |= 1 << nextInput;
          }
          if (grantedCount !== 0) busy = this.#readyAfterGrant(base, grantedCount, busy);
          words[base + BUSY] = busy;
          let again = (busy & (31 | BUSY_SOURCE)) !== 0;
          while (!again && blocked !== 0) {
            const output = 31 - Math.clz32(blocked & -blocked);
            blocked &= blocked - 1;
            again = words[base + FREE + output] !== 0 && busy >>> BUSY_WAIT !== 0;
          }
          if (again) keeps |= 1 << bit;
        }
        awake[wordAt] = keeps;
        if (keeps !== 0) groupKeeps |= 1 << groupBit;
      }
      awakeWords[groupAt] = groupKeeps;
      if (groupKeeps === 0) this.#awakeCount--;
    }
    scalars.linkHops += linkHops;
    scalars.flitHops += flitHops;
  }

  /** What was granted a virtual channel in this cycle, and has not used it yet, asks for the switch from the next one on. */
  #readyAfterGrant(base: number, grantedCount: number, busy: number): number {
    const words = this.#words;
    const { laneBits, entries } = this.#layout;
    const hold = this.switchHold === 'packet';
    for (let i = 0; i < grantedCount; i++) {
      const vc = this.#granted[i]!;
      const state = words[base + entries + (vc << 2) + STATE]!;
      if ((state & ACTIVE) === 0 || (state & HEAD) === 0) continue;
      const out = state >>> OUT_SHIFT;
      const credit = out === FORKED ? 255 : words[base + entries + (out << 2) + LINE]! & CREDITS_MASK;
      if (credit < (hold ? state & LEFT_MASK : 1)) continue;
      words[base + READY + (vc >>> laneBits)]! |= 1 << (vc & ((1 << laneBits) - 1));
      busy |= 1 << (vc >>> laneBits);
    }
    return busy;
  }

  /** Sends a flit of the tile's source queue over the injection link, if a lane with a credit can take it. */
  #injectFrom(router: number, base: number): void {
    const words = this.#words;
    const packets = this.#packets;
    const { laneBits, sourceCredits } = this.#layout;
    const { now } = this.#scalars;
    const rows = this.#classRows;
    const hold = this.switchHold === 'packet';
    const last = words[base + SOURCE_LAST]!;
    const between = hold && words[base + SOURCE_QUEUES + last * SOURCE_FIELDS + QUEUE_LEFT] !== 0; // in the middle of a packet that holds the link
    for (let step = between ? rows : 1; step <= rows; step++) {
      const row = (last + step) % rows;
      if (((words[base + SOURCE_CLASSES]! >>> row) & 1) === 0) continue;
      const queue = base + SOURCE_QUEUES + row * SOURCE_FIELDS;
      const packet = words[queue + QUEUE_FIRST]!;
      const meta = packets[packet + P_META]!;
      let left = words[queue + QUEUE_LEFT]!;
      let lane = words[queue + QUEUE_LANE]!;
      const head = left === 0;
      if (head) {
        left = meta & LEFT_MASK;
        lane = this.#sourceLane(base, row, lane, hold ? left : 1);
        if (lane < 0) continue;
      } else if (((words[base + sourceCredits + (lane >>> 2)]! >>> ((lane & 3) * 8)) & CREDITS_MASK) === 0) {
        continue;
      }
      words[base + sourceCredits + (lane >>> 2)]! -= 1 << ((lane & 3) * 8);
      const to = (router << 8) | (LOCAL << laneBits) | lane;
      left--;
      if (head) {
        packets[packet + P_ENTERED] = now;
        words[base + SOURCE_FREE]! &= ~(1 << lane);
        this.#heads.push4((now + this.#injectionDelay + this.#before) & this.#slotMask, to, packet, packets[packet + P_TARGET]!, meta & (LEFT_MASK | TREE));
      } else {
        this.#bodies.push1((now + this.#injectionDelay) & this.#slotMask, to);
      }
      words[queue + QUEUE_LEFT] = left;
      words[queue + QUEUE_LANE] = lane;
      words[base + SOURCE_LAST] = row;
      if (left === 0) {
        words[base + SOURCE_FREE]! |= 1 << lane;
        const next = packets[packet + P_NEXT]!;
        packets[packet + P_NEXT] = -1;
        words[queue + QUEUE_FIRST] = next;
        if (next < 0) {
          const classes = words[base + SOURCE_CLASSES]! & ~(1 << row);
          words[base + SOURCE_CLASSES] = classes;
          if (classes === 0) words[base + BUSY]! &= ~BUSY_SOURCE;
        }
      }
      return;
    }
    words[base + BUSY]! &= ~BUSY_SOURCE; // until a credit comes
  }

  /** The first lane of a class after the one used last that no packet holds and that has `needed` credits; -1: none. */
  #sourceLane(base: number, row: number, lastLane: number, needed: number): number {
    const { virtualChannels } = this;
    const credits = base + this.#layout.sourceCredits;
    const free = this.#words[base + SOURCE_FREE]!;
    const first = row * virtualChannels;
    for (let step = 1; step <= virtualChannels; step++) {
      const lane = first + ((lastLane - first + step) % virtualChannels);
      if (((free >>> lane) & 1) !== 0 && ((this.#words[credits + (lane >>> 2)]! >>> ((lane & 3) * 8)) & CREDITS_MASK) >= needed) return lane;
    }
    return -1;
  }

  /**
   * Virtual-channel allocation of a router where several head flits wait. Leaves what was granted in `granted`, and the requests
   * for the switch that do not wait for it in `hoping`.
   *
   * @returns output ports (bits) that somebody may still wait for
   */
  #allocate(base: number): number {
    const words = this.#words;
    const { laneBits, entries } = this.#layout;
    const entryBase = base + entries;
    let blocked = 0;
    let ports = 0;
    for (let input = 0; input < FLIT_PORTS; input++) {
      let waitingLanes = words[base + WAIT + input]!;
      while (waitingLanes !== 0) {
        const lane = 31 - Math.clz32(waitingLanes & -waitingLanes);
        waitingLanes &= waitingLanes - 1;
        const vc = (input << laneBits) | lane;
        const out = words[entryBase + (vc << 2) + STATE]! >>> OUT_SHIFT;
        if (out === FORKED) {
          ports |= this.#wantBranches(base, entryBase + (vc << 2), vc);
          blocked |= 31;
          continue;
        }
        const output = out >>> laneBits;
        if ((words[base + FREE + output]! & this.#lanesOfClass[lane]!) === 0) {
          blocked |= 1 << output;
          continue;
        }
        const count = this.#wantCount[output]!;
        this.#wants[(output << 8) | count] = vc;
        this.#wantCount[output] = count + 1;
        ports |= 1 << output;
      }
    }
    this.#grantedCount = 0;
    this.#hoping = this.pipeline.speculative ? this.#hope(ports) : 0;
    while (ports !== 0) {
      const output = 31 - Math.clz32(ports & -ports);
      ports &= ports - 1;
      const count = this.#wantCount[output]!;
      this.#wantCount[output] = 0;
      let granted = 0;
      for (let i = 0; i < count; i++) if (this.#acceptLane(base, output, count, i)) granted++;
      if (granted < count) blocked |= 1 << output;
    }
    let waiting = 0;
    for (let input = 0; input < FLIT_PORTS; input++) if (words[base + WAIT + input] !== 0) waiting |= 1 << (BUSY_WAIT + input);
    words[base + BUSY] = (words[base + BUSY]! & ~(31 << BUSY_WAIT)) | waiting;
    return blocked;
  }

  /**
   * Matching of input virtual channels that want one of an output port with its free lanes, seen from one of them: every free
   * lane grants the first request from its pointer on, and this one accepts the first grant from its own pointer on.
   */
  #acceptLane(base: number, output: number, count: number, request: number): boolean {
    const words = this.#words;
    const { laneBits, entries } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const entryBase = base + entries;
    const vc = this.#wants[(output << 8) | request]!;
    const entry = entryBase + (vc << 2);
    const line = words[entry + LINE]!;
    const pointer = line >>> ACCEPT_SHIFT;
    const offered = words[base + FREE + output]! & this.#lanesOfClass[vc & laneMask]!; // a lane that an earlier request took was granted to that one
    let candidates = pointer >>> laneBits === output ? offered & (-1 << (pointer & laneMask)) : offered;
    let others = offered ^ candidates;
    let out = 0;
    do {
      if (candidates === 0) {
        if (others === 0) return false;
        candidates = others;
        others = 0;
      }
      const outLane = 31 - Math.clz32(candidates & -candidates);
      candidates &= candidates - 1;
      out = (output << laneBits) | outLane;
    } while (count > 1 && this.#grantOf(entryBase + (out << 2) + LINE, output, count, out & laneMask) !== vc);

    words[entry + LINE] = (line & 0xffffff) | ((out + 1) << ACCEPT_SHIFT);
    const outEntry = entryBase + (out << 2);
    words[outEntry + LINE] = (words[outEntry + LINE]! & ~0xffff00) | (vc << OWNER_SHIFT) | ((vc + 1) << GRANT_SHIFT);
    words[base + FREE + output]! &= ~(1 << (out & laneMask));
    const state = words[entry + STATE]! | ACTIVE;
    let done = true;
    if (state >>> OUT_SHIFT === FORKED) {
      const fork = words[entry + TARGET]!;
      words[entry + STATE] = state;
      this.#forks[fork + F_OUT + output] = out;
      this.#forks[fork + F_GRANTED]! |= 1 << output;
      this.#forks[fork + F_PENDING]! &= ~(1 << output);
      done = this.#forks[fork + F_PENDING] === 0;
    } else {
      words[entry + STATE] = (state & 0xffffff) | (out << OUT_SHIFT);
    }
    if (done) words[base + WAIT + (vc >>> laneBits)]! &= ~(1 << (vc & laneMask));
    this.#granted[this.#grantedCount++] = vc;
    return true;
  }

  /** The input virtual channel that a free lane of an output port is offered to: the first from its pointer on that wants it. */
  #grantOf(line: number, output: number, count: number, outLane: number): number {
    const pointer = (this.#words[line]! >>> GRANT_SHIFT) & 255;
    const laneMask = (1 << this.#layout.laneBits) - 1;
    let first = -1;
    for (let i = 0; i < count; i++) {
      const vc = this.#wants[(output << 8) | i]!;
      if (((this.#lanesOfClass[vc & laneMask]! >>> outLane) & 1) === 0) continue;
      if (vc >= pointer) return vc;
      if (first < 0) first = vc;
    }
    return first;
  }

  /** Which pairs of output and input port have a head flit that asks for switch and virtual channel at once. */
  #hope(ports: number): number {
    const { laneBits } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const hopes = this.#hopes;
    let hoping = 0;
    for (let output = 0; output < FLIT_PORTS; output++) {
      if (((ports >>> output) & 1) === 0) continue;
      for (let i = 0; i < this.#wantCount[output]!; i++) {
        const vc = this.#wants[(output << 8) | i]!;
        const request = output * FLIT_PORTS + (vc >>> laneBits);
        if (((hoping >>> request) & 1) === 0) hopes[request] = 0;
        hopes[request]! |= 1 << (vc & laneMask);
        hoping |= 1 << request;
      }
    }
    return hoping;
  }

  /** Switch allocation of a router where several flits may ask. @returns bit output × 5 + input of those that may go */
  #allocateSwitch(base: number, ready: number, hoping: number): number {
    let requests = 0;
    while (ready !== 0) {
      const input = 31 - Math.clz32(ready & -ready);
      ready &= ready - 1;
      requests = this.#requestSwitch(base, input, requests);
    }
    if (hoping !== 0) requests = this.#requestHoping(base, hoping, requests);
    return requests === 0 ? 0 : this.#matchPorts(base, requests);
  }

  /** Adds the speculative requests for the switch: where no other lane of the pair asks, the first from the input's pointer on. */
  #requestHoping(base: number, hoping: number, requests: number): number {
    const hold = this.switchHold === 'packet';
    hoping &= ~requests;
    while (hoping !== 0) {
      const request = 31 - Math.clz32(hoping & -hoping);
      hoping &= hoping - 1;
      const output = (request * 13) >> 6;
      const input = request - output * FLIT_PORTS;
      let lanes = this.#hopes[request]!;
      if (hold) {
        if (this.#words[base + HOLDERS + output] !== NOBODY) continue;
        lanes &= this.#holdingLanes(base, input);
        if (lanes === 0) continue;
      }
      const fromPointer = lanes & (-1 << ((this.#words[base + TURNS]! >>> (5 * input)) & 31));
      const choice = fromPointer !== 0 ? fromPointer : lanes;
      this.#asking[request] = 31 - Math.clz32(choice & -choice);
      requests |= 1 << request;
    }
    return requests;
  }

  /** The lane of an input port whose packet holds a connection through the switch, as a bit; all bits when there is none. */
  #holdingLanes(base: number, input: number): number {
    const { laneBits } = this.#layout;
    for (let output = 0; output < FLIT_PORTS; output++) {
      const holder = this.#words[base + HOLDERS + output]!;
      if (holder !== NOBODY && holder >>> laneBits === input) return 1 << (holder & ((1 << laneBits) - 1));
    }
    return -1;
  }

  /** Requests of the ready lanes of an input port for the switch, from its pointer on; the first for an output port counts. */
  #requestSwitch(base: number, input: number, requests: number): number {
    const words = this.#words;
    const asking = this.#asking;
    const { laneBits, entries } = this.#layout;
    const hold = this.switchHold === 'packet';
    let readyLanes = words[base + READY + input]!;
    if (hold) readyLanes &= this.#holdingLanes(base, input);
    let lanes = readyLanes & (-1 << ((words[base + TURNS]! >>> (5 * input)) & 31));
    let others = readyLanes ^ lanes;
    for (;;) {
      if (lanes === 0) {
        if (others === 0) return requests;
        lanes = others;
        others = 0;
      }
      const lane = 31 - Math.clz32(lanes & -lanes);
      lanes &= lanes - 1;
      const vc = (input << laneBits) | lane;
      const entry = base + entries + (vc << 2);
      const out = words[entry + STATE]! >>> OUT_SHIFT;
      if (out === FORKED) {
        requests = this.#requestBranches(base, input, lane, entry, requests);
        continue;
      }
      const output = out >>> laneBits;
      const request = output * FLIT_PORTS + input;
      if (((requests >>> request) & 1) !== 0) continue;
      if (hold) {
        const holder = words[base + HOLDERS + output]!;
        if (holder !== NOBODY && holder !== vc) continue;
      }
      asking[request] = lane;
      requests |= 1 << request;
    }
  }

  /** Separable round-robin matching of input and output ports in one iteration; pointers advance only on accepted grants. */
  #matchPorts(base: number, requests: number): number {
    const words = this.#words;
    const { laneBits, entries } = this.#layout;
    let pointers = words[base + SWITCH_POINTERS]!;
    let grants = 0; // bit input × 5 + output
    for (let output = 0, rest = requests; rest !== 0; output++, rest >>>= FLIT_PORTS) {
      const inputs = rest & 31;
      if (inputs !== 0) grants |= 1 << (firstPort[(inputs << 3) | ((pointers >>> (3 * output)) & 7)]! * FLIT_PORTS + output);
    }
    let accepted = 0;
    for (let input = 0; grants !== 0; input++, grants >>>= FLIT_PORTS) {
      const outputs = grants & 31;
      if (outputs === 0) continue;
      const accept = ACCEPTS + 3 * input;
      const output = firstPort[(outputs << 3) | ((pointers >>> accept) & 7)]!;
      const lane = this.#asking[output * FLIT_PORTS + input]!;
      accepted |= 1 << (output * FLIT_PORTS + input);
      pointers = (pointers & ~((7 << (3 * output)) | (7 << accept))) | (AFTER[input]! << (3 * output)) | (AFTER[output]! << accept);
      if ((outputs & (outputs - 1)) === 0 || words[base + entries + (((input << laneBits) | lane) << 2) + STATE]! >>> OUT_SHIFT !== FORKED) continue;
      // A fork accepts all that its branches were granted.
      for (let other = 0; other < FLIT_PORTS; other++) {
        const request = other * FLIT_PORTS + input;
        if (other === output || ((outputs >>> other) & 1) === 0 || this.#asking[request] !== lane) continue;
        accepted |= 1 << request;
        pointers = (pointers & ~(7 << (3 * other))) | (AFTER[input]! << (3 * other));
      }
    }
    words[base + SWITCH_POINTERS] = pointers;
    return accepted;
  }

  /** The tail of a packet has left and another is behind it: that one's route is computed next. */
  #nextInLine(router: number, base: number, vc: number, entry: number, busy: number): number {
    const packets = this.#packets;
    const words = this.#words;
    const packet = words[entry + FRONT]!;
    const next = packets[packet + P_NEXT]!;
    const last = packets[packet + P_LAST]!;
    packets[packet + P_NEXT] = -1;
    if (next !== last) packets[next + P_LAST] = last; // otherwise its tail may be elsewhere, at the head of another queue
    words[entry + FRONT] = next;
    words[entry + STATE] = (words[entry + STATE]! & FLITS_HERE) | (packets[next + P_META]! & (LEFT_MASK | TREE)) | HEAD | (next === last ? 0 : QUEUED);
    words[entry + TARGET] = packets[next + P_TARGET]!;
    if (this.#before > 0) {
      this.#turns.push1((this.#scalars.now + 1 + this.#before) & this.#slotMask, (router << 8) | vc);
      return busy;
    }
    words[base + BUSY] = busy;
    this.#wantOutput(router, base, vc, entry);
    return words[base + BUSY]!;
  }

  /** The head flit of a multicast is at the front: it wants a virtual channel of each output port where its tree goes on. */
  #wantTree(router: number, base: number, vc: number, entry: number): void {
    const words = this.#words;
    const { laneBits } = this.#layout;
    const tree = words[entry + TARGET]!;
    const outputs = this.#trees[tree]!.forks[router]!;
    if (outputs === 0) throw new Error(`Multicast tree ${tree} sends a packet to tile ${this.#name(router)}, which is not in it.`);
    if ((outputs & (outputs - 1)) === 0) {
      this.#sendTo(entry, (31 - Math.clz32(outputs)) << laneBits);
    } else {
      const fork = this.#takeFork();
      const forks = this.#forks;
      forks.fill(0, fork, fork + F_STRIDE);
      forks[fork + F_TREE] = tree;
      forks[fork + F_PENDING] = outputs;
      words[entry + TARGET] = fork;
      this.#sendTo(entry, FORKED);
    }
    const input = vc >>> laneBits;
    words[base + WAIT + input]! |= 1 << (vc & ((1 << laneBits) - 1));
    words[base + BUSY]! |= 1 << (BUSY_WAIT + input);
    this.#wake(router);
  }

  #sendTo(entry: number, out: number): void {
    this.#words[entry + STATE] = (this.#words[entry + STATE]! & 0xffffff) | (out << OUT_SHIFT);
  }

  /** Adds a fork to those that want a virtual channel, for each branch without one. @returns their output ports */
  #wantBranches(base: number, entry: number, vc: number): number {
    const { laneBits } = this.#layout;
    const lanes = this.#lanesOfClass[vc & ((1 << laneBits) - 1)]!;
    const pending = this.#forks[this.#words[entry + TARGET]! + F_PENDING]!;
    let ports = 0;
    for (let output = 0; output < FLIT_PORTS; output++) {
      if (((pending >>> output) & 1) === 0 || (this.#words[base + FREE + output]! & lanes) === 0) continue;
      this.#wants[(output << 8) | this.#wantCount[output]!] = vc;
      this.#wantCount[output]!++;
      ports |= 1 << output;
    }
    return ports;
  }

  /** Requests of the branches of a fork that have a flit and a credit. Without any, the lane is no longer ready. */
  #requestBranches(base: number, input: number, lane: number, entry: number, requests: number): number {
    const forks = this.#forks;
    const words = this.#words;
    const fork = words[entry + TARGET]!;
    const hold = this.switchHold === 'packet';
    const state = words[entry + STATE]!;
    const flits = state & LEFT_MASK;
    const come = Math.min(flits, ((state & FLITS_HERE) >>> 16) + forks[fork + F_GONE]!);
    let any = false;
    for (let output = 0; output < FLIT_PORTS; output++) {
      if (((forks[fork + F_GRANTED]! >>> output) & 1) === 0) continue;
      const sent = forks[fork + F_SENT + output]!;
      const credits = words[base + this.#layout.entries + (forks[fork + F_OUT + output]! << 2) + LINE]! & CREDITS_MASK;
      if (sent >= come || credits === 0 || (hold && sent === 0 && credits < flits)) continue;
      any = true;
      const request = output * FLIT_PORTS + input;
      const holder = words[base + HOLDERS + output]!;
      if (((requests >>> request) & 1) !== 0 || (holder !== NOBODY && holder !== ((input << this.#layout.laneBits) | lane))) continue;
      this.#asking[request] = lane;
      requests |= 1 << request;
    }
    if (!any) words[base + READY + input]! &= ~(1 << lane);
    return requests;
  }

  /** A branch of a fork sends its next flit. The place of a flit is free when all branches have sent it. */
  #sendBranch(router: number, base: number, vc: number, entry: number, output: number, busy: number): number {
    const words = this.#words;
    const { laneBits, entries } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const { now } = this.#scalars;
    const hold = this.switchHold === 'packet';
    const fork = words[entry + TARGET]!;
    const forks = this.#forks;
    const state = words[entry + STATE]!;
    const flits = state & LEFT_MASK;
    if (((forks[fork + F_GRANTED]! >>> output) & 1) === 0) return busy; // it asked before it had a virtual channel, and got none
    const out = forks[fork + F_OUT + output]!;
    const line = base + entries + (out << 2) + LINE;
    const credits = words[line]! & CREDITS_MASK;
    const sent = forks[fork + F_SENT + output]!;
    if (credits === 0 || (hold && sent === 0 && credits < flits)) return busy;
    const last = sent + 1 === flits;
    forks[fork + F_SENT + output] = sent + 1;
    words[line]!--;

    const front = words[entry + FRONT]!;
    const count = base + COUNTS + output * COUNT_FIELDS;
    if (this.channels > 1) this.#countForChannel(count, router, output, front);
    words[count + COUNT_RECENT_FLITS]!++;
    if (sent === 0) this.#countPacket(count, router, output, front);
    if (output === LOCAL) {
      this.#credits.push1((now + this.#ejectionCreditDelay) & this.#slotMask, (router << 8) | out);
      if (last) this.#arrivals.push2((now + this.#ejectionDelay) & this.#slotMask, router, this.#copyPacket(front));
    } else {
      const to = ((router + this.#neighbour[output]!) << 8) | ((output ^ 1) << laneBits) | (out & laneMask);
      this.#scalars.flitHops++;
      if (sent === 0) {
        this.#scalars.linkHops++;
        this.#heads.push4((now + this.#linkDelay + this.#before) & this.#slotMask, to, this.#copyPacket(front), forks[fork + F_TREE]!, state & (LEFT_MASK | TREE));
      } else {
        this.#bodies.push1((now + this.#linkDelay) & this.#slotMask, to);
      }
    }
    if (hold) words[base + HOLDERS + output] = last ? NOBODY : vc;
    if (last) {
      words[base + FREE + output]! |= 1 << (out & laneMask);
      forks[fork + F_GRANTED]! &= ~(1 << output);
    }

    let gone = flits;
    const outputs = this.#trees[forks[fork + F_TREE]!]!.forks[router]!;
    for (let port = 0; port < FLIT_PORTS; port++) if (((outputs >>> port) & 1) !== 0) gone = Math.min(gone, forks[fork + F_SENT + port]!);
    if (gone === forks[fork + F_GONE]) return busy;
    forks[fork + F_GONE] = gone;
    words[entry + STATE] = state - FLIT_HERE;
    const lane = vc & laneMask;
    const input = vc >>> laneBits;
    if (input === LOCAL) this.#credits.push1((now + this.#sourceCreditDelay) & this.#slotMask, (router << 8) | (FLIT_PORTS << laneBits) | lane);
    else this.#credits.push1((now + this.#creditDelay) & this.#slotMask, ((router + this.#neighbour[input]!) << 8) | ((input ^ 1) << laneBits) | lane);
    if (gone < flits) return busy;

    this.#freeFork(fork);
    if ((state & QUEUED) !== 0) {
      busy = this.#nextInLine(router, base, vc, entry, busy);
    } else {
      words[entry + FRONT] = ~now;
      words[entry + STATE] = (state & FLITS_HERE) - FLIT_HERE;
    }
    this.#freePacket(front);
    const stillReady = words[base + READY + input]! & ~(1 << lane);
    words[base + READY + input] = stillReady;
    return stillReady === 0 ? busy & ~(1 << input) : busy;
  }

  /** Counts a packet on a link when its head leaves. */
  #countPacket(count: number, router: number, output: number, packet: number): void {
    const words = this.#words;
    const bytes = words[count + COUNT_RECENT_BYTES]!;
    const packets = words[count + COUNT_LAST_CHANNEL]!;
    if (bytes > 0x3fffffff || packets > 0x3fffffff || words[count + COUNT_RECENT_FLITS]! > 0x3fffffff) {
      this.#countRecent(count, router, output);
      this.#countPacket(count, router, output, packet);
      return;
    }
    words[count + COUNT_RECENT_BYTES] = bytes + this.#packets[packet + P_BYTES]!;
    words[count + COUNT_LAST_CHANNEL] = packets + 256;
  }

  /** What follows on a link belongs to the channel of a packet. */
  #countForChannel(count: number, router: number, output: number, packet: number): void {
    const channel = (this.#packets[packet + P_META]! >>> 16) & 255;
    if ((this.#words[count + COUNT_LAST_CHANNEL]! & 255) === channel) return;
    this.#countRecent(count, router, output);
    this.#words[count + COUNT_LAST_CHANNEL] = channel;
  }

  /** Moves what an output port has counted of its last channel to the counters. */
  #countRecent(count: number, router: number, output: number): void {
    const words = this.#words;
    const counters = this.#counters;
    const channel = words[count + COUNT_LAST_CHANNEL]! & 255;
    const at = ((router * FLIT_PORTS + output) * this.channels + channel) * COUNTER_STRIDE;
    counters[at + COUNT_BYTES]! += words[count + COUNT_RECENT_BYTES]!;
    counters[at + COUNT_BUSY]! += words[count + COUNT_RECENT_FLITS]!;
    counters[at + COUNT_PACKETS]! += words[count + COUNT_LAST_CHANNEL]! >>> 8;
    words[count + COUNT_LAST_CHANNEL] = channel;
    words[count + COUNT_RECENT_FLITS] = 0;
    words[count + COUNT_RECENT_BYTES] = 0;
  }

  /**
   * Reports bytes, busy cycles and packets of every output port and channel that carried something since the last call, in
   * the order of ports, and clears them. A link is busy for one cycle per flit, counted in the cycle of the switch grant; bytes
   * and packets count with the head. Stalls are not told apart at flit fidelity: their counters stay zero.
   */
  drainCounters(_end: number, row: (port: number, channel: number, counters: Float64Array, at: number) => void): void {
    const { words } = this.#layout;
    const counters = this.#counters;
    const { channels } = this;
    this.#eachVisited((router) => {
      for (let output = 0; output < FLIT_PORTS; output++) {
        const count = router * words + COUNTS + output * COUNT_FIELDS;
        if (this.#words[count + COUNT_RECENT_FLITS] !== 0) this.#countRecent(count, router, output);
        for (let channel = 0; channel < channels; channel++) {
          const at = ((router * FLIT_PORTS + output) * channels + channel) * COUNTER_STRIDE;
          if (counters[at + COUNT_BUSY] === 0) continue;
          row(router * PORT_STRIDE + output, channel, counters, at);
          counters.fill(0, at, at + COUNTER_STRIDE);
        }
      }
    });
  }

  /** @throws Error always: nothing comes from other dies at flit fidelity */
  acceptPackets(_direction: number, items: ItemList): void {
    if (items.rows > 0) throw new Error('Flit fidelity simulates a single die.');
  }

  /** @throws Error always: nothing comes from other dies at flit fidelity */
  acceptCredits(_direction: number, items: ItemList): void {
    if (items.rows > 0) throw new Error('Flit fidelity simulates a single die.');
  }

  save(): FlitSnapshot {
    return {
      records: this.#words.slice(),
      packets: this.#packets.slice(),
      forks: this.#forks.slice(),
      awake: this.#awake.slice(),
      visited: this.#visited.slice(),
      events: this.#rings.map((ring) => ring.save()),
      deliveryHash: this.#deliveryHash.slice(),
      counters: this.#counters.slice(),
      scalars: { ...this.#scalars },
    };
  }

  /** Takes the state of another kernel of the same topology and options, in which the same trees have been defined. */
  restore(snapshot: FlitSnapshot): void {
    this.#words.set(snapshot.records);
    this.#packets = snapshot.packets.slice();
    this.#forks = snapshot.forks.slice();
    this.#awake.set(snapshot.awake);
    this.#visited.set(snapshot.visited);
    this.#rings.forEach((ring, index) => { ring.restore(snapshot.events[index]!); });
    this.#deliveryHash.set(snapshot.deliveryHash);
    this.#counters.set(snapshot.counters);
    Object.assign(this.#scalars, snapshot.scalars);
    this.#awakeWords.fill(0);
    this.#awake.forEach((bits, word) => { if (bits !== 0) this.#awakeWords[word >>> 5]! |= 1 << (word & 31); });
    this.#awakeCount = this.#awakeWords.reduce((count, bits) => count + (bits === 0 ? 0 : 1), 0);
    this.delivered = 0;
  }

  explainWaiting(limit: number): string[] {
    const words = this.#words;
    const { laneBits, entries, words: recordWords } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const lines: string[] = [];
    this.#eachVisited((router) => {
      const base = router * recordWords;
      for (let vc = 0; vc < FLIT_PORTS << laneBits && lines.length < limit; vc++) {
        const entry = base + entries + (vc << 2);
        const packet = words[entry + FRONT]!;
        if ((vc & laneMask) >= this.#lanes || packet < 0) continue;
        const who = `tile ${this.#name(router)}, virtual channel ${vc & laneMask} of ${PORT_NAMES[vc >>> laneBits]}: packet ${this.#packets[packet + P_SEQUENCE]! >>> 0} of tile ${this.#packets[packet + P_SOURCE]}`;
        for (const reason of this.#reasons(base, vc, entry)) if (lines.length < limit) lines.push(`${who} waits for ${reason}`);
      }
      for (let row = 0; row < this.#classRows && lines.length < limit; row++) {
        const packet = words[base + SOURCE_QUEUES + row * SOURCE_FIELDS + QUEUE_FIRST]!;
        if (packet >= 0) lines.push(`tile ${this.#name(router)}, source queue: packet ${this.#packets[packet + P_SEQUENCE]! >>> 0} waits for a virtual channel or a credit of the injection link`);
      }
    });
    return lines;
  }

  /** What the packet at the front of a virtual channel waits for; one reason per branch of a fork. */
  #reasons(base: number, vc: number, entry: number): string[] {
    const { laneBits, entries } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const words = this.#words;
    const state = words[entry + STATE]!;
    const present = (state & FLITS_HERE) >>> 16;
    const free = (output: number, lane: number): boolean => ((words[base + FREE + output]! >>> lane) & 1) !== 0;
    const lineOf = (output: number, lane: number): number => words[base + entries + (((output << laneBits) | lane) << 2) + LINE]!;
    const reason = (out: number, granted: boolean, here: boolean): string => {
      const output = out >>> laneBits;
      const port = PORT_NAMES[output]!;
      if (!granted) {
        const holders = Array.from({ length: this.#lanes }, (_, lane) => lane).filter((lane) => !free(output, lane)).map((lane) => (lineOf(output, lane) >>> OWNER_SHIFT) & 255);
        return `a virtual channel of ${port}${holders.length === 0 ? '' : `, held by ${holders.map((owner) => `virtual channel ${owner & laneMask} of ${PORT_NAMES[owner >>> laneBits]}`).join(', ')}`}`;
      }
      if (!here) return 'its next flit';
      if ((lineOf(output, out & laneMask) & CREDITS_MASK) === 0) return `a credit for virtual channel ${out & laneMask} of ${port}`;
      return `its turn on ${port}`;
    };
    const granted = (state & ACTIVE) !== 0;
    if (state >>> OUT_SHIFT !== FORKED) {
      if (!granted && ((words[base + WAIT + (vc >>> laneBits)]! >>> (vc & laneMask)) & 1) === 0) return ['its route'];
      return [reason(state >>> OUT_SHIFT, granted, present > 0)];
    }
    const fork = words[entry + TARGET]!;
    const reasons: string[] = [];
    for (let output = 0; output < FLIT_PORTS; output++) {
      if (((this.#forks[fork + F_PENDING]! >>> output) & 1) !== 0) reasons.push(reason(output << laneBits, false, true));
      if (((this.#forks[fork + F_GRANTED]! >>> output) & 1) === 0) continue;
      reasons.push(reason(this.#forks[fork + F_OUT + output]!, true, this.#forks[fork + F_SENT + output]! < this.#forks[fork + F_GONE]! + present));
    }
    return reasons;
  }

  /** Marks a router for a visit in this cycle. */
  #wake(router: number): void {
    const word = router >>> 5;
    const group = word >>> 5;
    this.#awake[word]! |= 1 << (router & 31);
    const groups = this.#awakeWords[group]!;
    if (groups === 0) this.#awakeCount++;
    this.#awakeWords[group] = groups | (1 << (word & 31));
  }

  #eachVisited(visit: (router: number) => void): void {
    const { tiles } = this.topology;
    for (let word = 0; word < this.#visited.length; word++) {
      const bits = this.#visited[word]! | this.#awake[word]!;
      if (bits === 0) continue;
      for (let bit = 0; bit < 32 && (word << 5) + bit < tiles; bit++) if ((bits >>> bit) & 1) visit((word << 5) + bit);
    }
  }

  #name(router: number): string {
    const at = this.topology.coordinates[router]!;
    return `(${at & 0xffff},${at >>> 16})`;
  }

  #blankRecord(): Int32Array {
    const { laneBits, entries, words, sourceCredits } = this.#layout;
    const record = new Int32Array(words);
    record.fill(lanesBelow(this.#lanes), FREE, FREE + FLIT_PORTS);
    record[SOURCE_FREE] = lanesBelow(this.#lanes);
    record.fill(NOBODY, HOLDERS, HOLDERS + FLIT_PORTS);
    for (let row = 0; row < this.#classRows; row++) {
      record[SOURCE_QUEUES + row * SOURCE_FIELDS + QUEUE_FIRST] = -1;
      record[SOURCE_QUEUES + row * SOURCE_FIELDS + QUEUE_LANE] = (row + 1) * this.virtualChannels - 1;
    }
    for (let lane = 0; lane < this.#lanes; lane++) record[sourceCredits + (lane >>> 2)]! |= this.bufferFlits << ((lane & 3) * 8);
    for (let vc = 0; vc < FLIT_PORTS << laneBits; vc++) {
      record[entries + (vc << 2) + FRONT] = -1;
      record[entries + (vc << 2) + LINE] = this.bufferFlits;
    }
    return record;
  }

  #takePacket(): number {
    const scalars = this.#scalars;
    if (scalars.freePacket < 0) {
      const from = this.#packets.length;
      const packets = new Int32Array(from * 2);
      packets.set(this.#packets);
      this.#packets = packets;
      this.#addPackets(from);
    }
    const packet = scalars.freePacket;
    scalars.freePacket = this.#packets[packet + P_NEXT]!;
    scalars.live++;
    return packet;
  }

  #copyPacket(packet: number): number {
    const copy = this.#takePacket();
    this.#packets.copyWithin(copy, packet, packet + P_STRIDE);
    this.#packets[copy + P_NEXT] = -1;
    return copy;
  }

  #freePacket(packet: number): void {
    this.#packets[packet + P_NEXT] = this.#scalars.freePacket;
    this.#scalars.freePacket = packet;
    this.#scalars.live--;
  }

  /** Puts the packets from an offset on into the free list. */
  #addPackets(from: number): void {
    for (let packet = this.#packets.length - P_STRIDE; packet >= from; packet -= P_STRIDE) {
      this.#packets[packet + P_NEXT] = this.#scalars.freePacket;
      this.#scalars.freePacket = packet;
    }
  }

  #takeFork(): number {
    if (this.#scalars.freeFork < 0) {
      const from = this.#forks.length;
      const forks = new Int32Array(from * 2);
      forks.set(this.#forks);
      this.#forks = forks;
      this.#addForks(from);
    }
    const fork = this.#scalars.freeFork;
    this.#scalars.freeFork = this.#forks[fork + F_TREE]!;
    return fork;
  }

  #freeFork(fork: number): void {
    this.#forks[fork + F_TREE] = this.#scalars.freeFork;
    this.#scalars.freeFork = fork;
  }

  #addForks(from: number): void {
    for (let fork = this.#forks.length - F_STRIDE; fork >= from; fork -= F_STRIDE) this.#freeFork(fork);
  }

  #growDelivered(): void {
    const rows = this.deliveredTile.length * 2;
    const grown = <T extends Int32Array | Uint32Array | Uint8Array>(larger: T, column: T): T => {
      larger.set(column);
      return larger;
    };
    this.deliveredTile = grown(new Int32Array(rows), this.deliveredTile);
    this.deliveredChannel = grown(new Uint8Array(rows), this.deliveredChannel);
    this.deliveredBytes = grown(new Int32Array(rows), this.deliveredBytes);
    this.deliveredSource = grown(new Int32Array(rows), this.deliveredSource);
    this.deliveredSequence = grown(new Uint32Array(rows), this.deliveredSequence);
    this.deliveredEntered = grown(new Int32Array(rows), this.deliveredEntered);
  }
}

/** [ports] the next one, round robin. */
const AFTER = Uint8Array.of(1, 2, 3, 4, 0);

const PORT_NAMES = ['east', 'west', 'north', 'south', 'local'];

/** The lowest `lanes` bits. */
function lanesBelow(lanes: number): number {
  return lanes === 32 ? -1 : (1 << lanes) - 1;
}

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new FabricError('FABRIC_BAD_OPTION', `${name} is a whole number, ${least} to ${most} at flit fidelity, got ${value}.`, { value });
  }
}
