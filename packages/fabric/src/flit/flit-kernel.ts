import { multicastTree } from '../collective-trees.ts';
import { foldDelivery, grown } from '../delivery-rows.ts';
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
  ACCEPTS, ACTIVE, BUSY, BUSY_SOURCE, COUNTS, CREDITS_MASK, ENTRY_WORDS, F_FRESH, F_FRESH_CYCLE, F_GONE, F_GRANTED, F_NEXT, F_OUT, F_PENDING, F_POINTER, F_SENT, F_STRIDE, F_TREE, firstPort, FLAGS,
  FLIT_HERE, FLIT_PORTS, FLITS_HERE, FORKED, FREE, FRONT, GRANT_SHIFT, HEAD, LEFT_MASK, LISTED, MOST_BUFFER_FLITS, MOST_PACKET_FLITS, NEXT_SHIFT, NONE, OUT_SHIFT, OWNER_SHIFT,
  P_BYTES, P_ENTERED, P_LAST, P_META, P_NEXT, P_SEQUENCE, P_SOURCE, P_STRIDE, P_TARGET, QUEUE_FIRST, QUEUE_LANE, QUEUE_LAST, QUEUE_LEFT, QUEUED, READY, recordLayout,
  SOURCE_CLASSES, SOURCE_FIELDS, SOURCE_FREE, SOURCE_LAST, SOURCE_QUEUES, STATE, STRIP_BITS, SWITCH_POINTERS, TARGET, TREE, TURNS, WANT, WANTS, WANTS_SHIFT, type FlitScalars, type FlitSnapshot,
  type RecordLayout,
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
  /** Output ports with free lanes that somebody wants: router << 3 | port. */
  readonly #wanted: EventRing;
  /** Packets whose tail is at the tile: tile, packet. Of all strips together. */
  readonly #arrivals: EventRing;
  /** All of them but the arrivals. */
  readonly #rings: readonly EventRing[];
  readonly #strips: number;
  /** [slots × strips] 1: a ring may hold something there. */
  readonly #pending: Uint8Array;
  /** [slots] 1: a strip or the arrivals may hold something. */
  readonly #pendingSlots: Uint8Array;
  /** The routers have decided in the cycle last begun. */
  #decided = true;
  #packets = new Int32Array(256 * P_STRIDE);
  #forks = new Int32Array(16 * F_STRIDE);
  /** [routers / 32] bits: to be visited in this cycle (or, after decide, in the next). */
  readonly #awake: Int32Array;
  /** [strips] bits: words of `awake` that hold something. */
  readonly #awakeWords: Int32Array;
  /** [routers / 32] bits: visited since the kernel began. */
  readonly #visited: Int32Array;
  /** Strips with a router awake. */
  #awakeCount = 0;
  readonly #trees: MulticastPlan[] = [];
  readonly #deliveryHash: Int32Array;
  /** [routers × 5] by output port, where packets hold it until their tail (else empty): virtual channel (input side) that holds it, or NONE. */
  readonly #holders: Uint8Array;
  /** [routers × 5] by input port, where allocation is speculative (else empty): lanes whose head flit asks for the switch before it has a lane. */
  readonly #hopes: Int32Array;
  /** [routers × 5] by output port: bytes by which the packets of its count fall short of full flits. */
  readonly #slack: Float64Array;
  /** [routers × 5 × channels × 3] bytes, flits and packets that are no longer in the counts of a record. */
  readonly #counters: Float64Array;
  /** [routers × 5] by output port: channel that the counts of a record belong to. */
  readonly #lastChannel: Uint8Array;
  readonly #row = new Float64Array(COUNTER_STRIDE);
  /** A record as it is before cycle 0. */
  readonly #blank: Int32Array;
  readonly #scalars: FlitScalars = { now: -1, freePacket: -1, freeFork: -1, live: 0, linkHops: 0, flitHops: 0, deliveredPackets: 0, partFlits: false };

  // Scratch.
  /** [256] input virtual channels that want one of an output port. */
  readonly #wants = new Uint8Array(256);
  /** [output × 5 + input] lane that asks for the switch. */
  readonly #asking = new Uint8Array(FLIT_PORTS * FLIT_PORTS);
  /** Virtual channels that were granted one of the output side in this cycle, in this strip: router << 8 | virtual channel. */
  readonly #granted: Int32Array;
  #grantedCount = 0;

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
    this.#granted = new Int32Array(Math.min(routers, 1 << STRIP_BITS) * FLIT_PORTS * lanes);
    this.#strips = (routers + (1 << STRIP_BITS) - 1) >>> STRIP_BITS;
    this.#heads = new EventRing(slots, this.#strips);
    this.#turns = new EventRing(slots, this.#strips);
    this.#bodies = new EventRing(slots, this.#strips);
    this.#credits = new EventRing(slots, this.#strips);
    this.#wanted = new EventRing(slots, this.#strips);
    this.#arrivals = new EventRing(slots, 1);
    this.#rings = [this.#heads, this.#turns, this.#bodies, this.#credits, this.#wanted];
    this.#pending = new Uint8Array(slots * this.#strips);
    this.#pendingSlots = new Uint8Array(slots);
    this.#neighbour = Int32Array.of(1, -1, -topology.tilesX, topology.tilesX, 0, 0, 0, 0);

    this.#words = new Int32Array(bytes / 4);
    this.#awake = new Int32Array((routers + 31) >>> 5);
    this.#visited = new Int32Array(this.#awake.length);
    this.#awakeWords = new Int32Array(this.#strips);
    this.#deliveryHash = new Int32Array(topology.tiles * 2);
    this.#holders = new Uint8Array(this.switchHold === 'packet' ? routers * FLIT_PORTS : 0).fill(NONE);
    this.#hopes = new Int32Array(pipeline.speculative ? routers * FLIT_PORTS : 0);
    this.#slack = new Float64Array(routers * FLIT_PORTS);
    this.#counters = new Float64Array(routers * FLIT_PORTS * options.channels * 3);
    this.#lastChannel = new Uint8Array(routers * FLIT_PORTS);
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
      for (let output = 0; output < FLIT_PORTS; output++) if (this.#words[at + COUNTS + 2 * output]! > 0x3fffffff) this.#flushCounts(router, at, output);
      this.#words.set(this.#blank.subarray(0, COUNTS), at);
      this.#words.set(this.#blank.subarray(SOURCE_QUEUES), at + SOURCE_QUEUES);
    });
    this.#awake.fill(0);
    this.#awakeWords.fill(0);
    this.#awakeCount = 0;
    this.#pending.fill(0);
    this.#pendingSlots.fill(0);
    this.#scalars.now = -1;
    this.#decided = true;
  }

  /** Throws when a packet, a flit or a credit is not where it was at the start: all of them are conserved. */
  assertQuiescent(): void {
    const { live } = this.#scalars;
    if (live !== 0) throw new Error(`The die still holds ${live} packets at a kernel boundary.`);
    // Credits that are still on their way cannot change anything any more, but must come home.
    if (!this.#decided) this.decide();
    this.#applyCreditsUntil(this.#scalars.now + this.#slotMask + 1);
    this.#rings.forEach((ring) => {
      if (ring.used.some((used) => used !== 0)) throw new Error('Flits are still on their way at a kernel boundary, though no packet is.');
    });
    const { entries, laneBits, lines, words, sourceCredits } = this.#layout;
    const all = lanesBelow(this.#lanes);
    this.#eachVisited((router) => {
      const at = router * words;
      const fault = (what: string): never => { throw new Error(`Tile ${this.#name(router)} at a kernel boundary: ${what}.`); };
      if (this.#words[at + SOURCE_FREE] !== all) fault('a virtual channel of the injection link is held');
      for (let port = 0; port < FLIT_PORTS; port++) {
        if (this.#words[at + FREE + port] !== all) fault(`a virtual channel of ${PORT_NAMES[port]} is held`);
        if (this.switchHold === 'packet' && this.#holders[router * FLIT_PORTS + port] !== NONE) fault(`${PORT_NAMES[port]} is held`);
        for (let lane = 0; lane < this.#lanes; lane++) {
          const vc = (port << laneBits) | lane;
          const entry = at + entries + vc * ENTRY_WORDS;
          const credits = this.#words[at + lines + vc]! & CREDITS_MASK;
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
    const { now, live } = this.#scalars;
    if (live === 0) return NEVER; // nothing but credits can be on its way
    if (this.#awakeCount > 0) return now + 1;
    for (let cycle = now + 1; cycle <= now + this.#slotMask + 1; cycle++) if (this.#pendingSlots[cycle & this.#slotMask] !== 0) return cycle;
    return NEVER;
  }

  beginCycle(cycle: number): void {
    const scalars = this.#scalars;
    const { now } = scalars;
    if (cycle <= now) throw new Error(`Cycle ${cycle} begins after cycle ${now}.`);
    if (!this.#decided) this.decide();
    this.delivered = 0;
    if (cycle > now + 1) this.#skipTo(cycle);
    scalars.now = cycle;
    this.#decided = false;
    const slot = cycle & this.#slotMask;
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
      if (this.#pendingSlots[slot] === 0) continue;
      for (let strip = 0; strip < this.#strips; strip++) {
        const at = slot * this.#strips + strip;
        if (this.#credits.used[at] !== 0) this.#applyCredits(at);
        this.#pending[at] = 0;
      }
      this.#pendingSlots[slot] = 0;
    }
  }

  #applyCredits(at: number): void {
    const words = this.#words;
    const { laneBits, entries, lines, sourceCredits, words: recordWords } = this.#layout;
    const row = this.#credits.rows[at]!;
    const used = this.#credits.used[at]!;
    const hold = this.switchHold === 'packet';
    const source = FLIT_PORTS << laneBits;
    const laneMask = (1 << laneBits) - 1;
    this.#credits.used[at] = 0;
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
      const line = words[base + lines + vc]!;
      words[base + lines + vc] = line + 1;
      const credits = line & CREDITS_MASK;
      if ((credits !== 0 && !hold) || ((words[base + FREE + (vc >>> laneBits)]! >>> (vc & laneMask)) & 1) !== 0) continue;
      const owner = (line >>> OWNER_SHIFT) & 255;
      const state = words[base + entries + owner * ENTRY_WORDS + STATE]!;
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

  #applyBodies(at: number): void {
    const words = this.#words;
    const { laneBits, entries, lines, words: recordWords } = this.#layout;
    const row = this.#bodies.rows[at]!;
    const used = this.#bodies.used[at]!;
    const laneMask = (1 << laneBits) - 1;
    this.#bodies.used[at] = 0;
    for (let i = 0; i < used; i++) {
      const where = row[i]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      const entry = base + entries + vc * ENTRY_WORDS;
      const state = words[entry + STATE]!;
      words[entry + STATE] = state + FLIT_HERE;
      if ((state & ACTIVE) === 0) continue;
      const out = state >>> OUT_SHIFT;
      if (out !== FORKED && ((state & FLITS_HERE) !== 0 || (words[base + lines + out]! & CREDITS_MASK) === 0)) continue;
      const input = vc >>> laneBits;
      words[base + READY + input]! |= 1 << (vc & laneMask);
      words[base + BUSY]! |= 1 << input;
      this.#wake(router);
    }
  }

  #applyHeads(at: number, cycle: number, strip: number): void {
    const words = this.#words;
    const { entries, lines, words: recordWords } = this.#layout;
    const row = this.#heads.rows[at]!;
    const used = this.#heads.used[at]!;
    const before = this.#before;
    const plainRoutes = this.#plainRoutes;
    const wantedUsed = this.#wanted.used;
    let wantedRow = this.#wanted.reserve(at, used >>> 2);
    this.#heads.used[at] = 0;
    for (let i = 0; i < used; i += 4) {
      const where = row[i]!;
      const packet = row[i + 1]!;
      const target = row[i + 2]!;
      const flits = row[i + 3]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      const entry = base + entries + vc * ENTRY_WORDS;
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
        words[entry + STATE] = state | flits | HEAD;
        if (delayed) this.#pushTurn(~front + 1 + before, strip, where);
        else this.#wantOutput(router, base, vc, entry, at);
        wantedRow = this.#wanted.reserve(at, (used - i) >>> 2);
        continue;
      }
      // As wantOutput does, in place: this is the way of almost all packets.
      const east = (target << 16) >> 16;
      let output = LOCAL;
      if (east !== 0) output = EAST + (east >>> 31) * (WEST - EAST);
      else if (target !== 0) output = SOUTH + (target >>> 31) * (NORTH - SOUTH);
      words[entry + STATE] = state | flits | HEAD;
      const want = words[base + WANT + output]!;
      if (want >>> WANTS_SHIFT !== 0) words[base + lines + vc] = (words[base + lines + vc]! & 0xffffff) | (want << NEXT_SHIFT);
      const wanted = ((want & ~255) + WANTS) | vc;
      if ((want & LISTED) !== 0 || words[base + FREE + output] === 0) {
        words[base + WANT + output] = wanted;
        continue;
      }
      words[base + WANT + output] = wanted | LISTED;
      const end = wantedUsed[at]!;
      wantedRow[end] = (router << 3) | output;
      wantedUsed[at] = end + 1;
    }
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

  #pushTurn(cycle: number, strip: number, where: number): void {
    const slot = cycle & this.#slotMask;
    const at = slot * this.#strips + strip;
    this.#turns.push1(at, where);
    this.#pending[at] = 1;
    this.#pendingSlots[slot] = 1;
  }

  #pushCredit(cycle: number, strip: number, where: number): void {
    const slot = cycle & this.#slotMask;
    const at = slot * this.#strips + strip;
    this.#credits.push1(at, where);
    this.#pending[at] = 1;
    this.#pendingSlots[slot] = 1;
  }

  #applyTurns(at: number): void {
    const { entries, words: recordWords } = this.#layout;
    const row = this.#turns.rows[at]!;
    const used = this.#turns.used[at]!;
    this.#turns.used[at] = 0;
    for (let i = 0; i < used; i++) {
      const where = row[i]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      this.#wantOutput(router, base, vc, base + entries + vc * ENTRY_WORDS, at);
    }
  }

  /**
   * The head flit at the front of a virtual channel knows its route: from now on it wants a virtual channel there.
   *
   * @param at row of the cycle in which it first does
   */
  #wantOutput(router: number, base: number, vc: number, entry: number, at: number): void {
    const words = this.#words;
    if ((words[entry + STATE]! & TREE) !== 0) {
      const outputs = this.#outputsOf(router, vc);
      if ((outputs & (outputs - 1)) !== 0) {
        this.#wantBranches(router, base, vc, entry, outputs, at);
        return;
      }
      this.#want(base, vc, 31 - Math.clz32(outputs));
      this.#list(router, base, 31 - Math.clz32(outputs), at);
      return;
    }
    const output = this.#outputOf(router, vc);
    this.#want(base, vc, output);
    this.#list(router, base, output, at);
  }

  /** Puts a virtual channel first into the list of those that want a lane of an output port. */
  #want(base: number, vc: number, output: number): void {
    const words = this.#words;
    const { entries, lines } = this.#layout;
    const want = words[base + WANT + output]!;
    words[base + WANT + output] = ((want & ~255) + WANTS) | vc;
    if (want >>> WANTS_SHIFT === 0) return;
    const entry = base + entries + vc * ENTRY_WORDS;
    if (words[entry + STATE]! >>> OUT_SHIFT === FORKED) this.#forks[words[entry + TARGET]! + F_NEXT + output] = want & 255;
    else words[base + lines + vc] = (words[base + lines + vc]! & 0xffffff) | (want << NEXT_SHIFT);
  }

  /** Puts an output port with free lanes into the list of those that somebody wants. */
  #list(router: number, base: number, output: number, at: number): void {
    const words = this.#words;
    if ((words[base + WANT + output]! & LISTED) !== 0 || words[base + FREE + output] === 0) return;
    words[base + WANT + output]! |= LISTED;
    this.#wanted.push1(at, (router << 3) | output);
    this.#pending[at] = 1;
    this.#pendingSlots[Math.floor(at / this.#strips)] = 1;
  }

  /** Output port of the unicast at the front of a virtual channel. Dimension order: along x first, then y. */
  #outputOf(router: number, vc: number): number {
    const { routes, dieId, tiles, tilesX } = this.topology;
    const { words: recordWords, entries, laneBits } = this.#layout;
    const target = this.#words[router * recordWords + entries + vc * ENTRY_WORDS + TARGET]!;
    const east = (target << 16) >> 16;
    const south = (target - east) >> 16;
    // Responses go along y first: back the way that requests came.
    const back = ((this.#responseLanes >>> (vc & ((1 << laneBits) - 1))) & 1) !== 0;
    if (routes !== null) return routes.port(router, dieId * tiles + router + east + south * tilesX, back);
    if (back ? south !== 0 : east === 0) return south === 0 ? LOCAL : south > 0 ? SOUTH : NORTH;
    return east === 0 ? LOCAL : east > 0 ? EAST : WEST;
  }

  /** Output ports (bits) of the multicast at the front of a virtual channel that has not forked. */
  #outputsOf(router: number, vc: number): number {
    const { words: recordWords, entries } = this.#layout;
    const tree = this.#words[router * recordWords + entries + vc * ENTRY_WORDS + TARGET]!;
    const outputs = this.#trees[tree]!.forks[router]!;
    if (outputs === 0) throw new Error(`Multicast tree ${tree} sends a packet to tile ${this.#name(router)}, which is not in it.`);
    return outputs;
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
      foldDelivery(deliveryHash, tile, source, sequence, cycle);
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
    if (bytes !== flits * topology.flitBytes) this.#scalars.partFlits = true;
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
    if (this.#decided) return;
    this.#decided = true;
    const { now } = this.#scalars;
    const slot = now & this.#slotMask;
    if (this.#awakeCount === 0 && this.#pendingSlots[slot] === 0) return;
    const strips = this.#strips;
    // All of a strip is done before the next one, while its records are in the cache.
    for (let i = 0; i < strips; i++) {
      const strip = this.#reverse ? strips - 1 - i : i;
      const at = slot * strips + strip;
      if (this.#pending[at] !== 0) {
        this.#pending[at] = 0;
        if (this.#credits.used[at] !== 0) this.#applyCredits(at);
        if (this.#bodies.used[at] !== 0) this.#applyBodies(at);
        if (this.#heads.used[at] !== 0) this.#applyHeads(at, now, strip);
        if (this.#turns.used[at] !== 0) this.#applyTurns(at);
        if (this.#wanted.used[at] !== 0) this.#allocateLanes(at, strip);
      }
      if (this.#awakeWords[strip] !== 0) this.#allocateSwitches(strip);
      if (this.#grantedCount !== 0) this.#readyAfterGrant();
    }
    this.#pendingSlots[slot] = 0;
  }

  /**
   * Allocation of virtual channels, at every output port of a strip that has free lanes and is wanted. It sees the lanes that
   * were free when the cycle began. What is granted asks for the switch from the next cycle on (or, speculatively, in this one).
   */
  #allocateLanes(at: number, strip: number): void {
    const words = this.#words;
    const { laneBits, entries, lines, words: recordWords } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const lanesOfClass = this.#lanesOfClass;
    const row = this.#wanted.rows[at]!;
    const used = this.#wanted.used[at]!;
    const { speculative } = this.pipeline;
    const hold = this.switchHold === 'packet';
    const { now } = this.#scalars;
    const nextAt = ((now + 1) & this.#slotMask) * this.#strips + strip;
    if (speculative) for (let i = 0; i < used; i++) this.#hope(row[i]! >>> 3, row[i]! & 7);
    this.#wanted.used[at] = 0;
    const granted = this.#granted;
    let grantedCount = 0;
    for (let i = 0; i < used; i++) {
      const where = row[this.#reverse ? used - 1 - i : i]!;
      const router = where >>> 3;
      const output = where & 7;
      const base = router * recordWords;
      const want = words[base + WANT + output]!;
      const vc = want & 255;
      const entry = base + entries + vc * ENTRY_WORDS;
      const state = words[entry + STATE]!;
      const free = words[base + FREE + output]!;
      const offered = free & lanesOfClass[vc & laneMask]!;
      if (want >>> WANTS_SHIFT !== 1 || offered === 0 || state >>> OUT_SHIFT === FORKED) {
        this.#grantedCount = grantedCount;
        this.#allocatePort(router, base, output);
        grantedCount = this.#grantedCount;
        if (words[base + WANT + output]! >>> WANTS_SHIFT !== 0) this.#list(router, base, output, nextAt);
        continue;
      }
      // A single head flit is granted every free lane, and accepts the first after the one that it accepted last.
      const pointer = ((state >>> OUT_SHIFT) + 1) & 255;
      const fromPointer = pointer >>> laneBits === output ? offered & (-1 << (pointer & laneMask)) : offered;
      const choice = fromPointer !== 0 ? fromPointer : offered;
      const outLane = 31 - Math.clz32(choice & -choice);
      const out = (output << laneBits) | outLane;
      const outLine = words[base + lines + out]!;
      words[base + lines + out] = (outLine & ~0xffff00) | (vc << OWNER_SHIFT) | ((vc + 1) << GRANT_SHIFT);
      words[entry + STATE] = (state & 0xffffff) | ACTIVE | (out << OUT_SHIFT);
      words[base + FREE + output] = free & ~(1 << outLane);
      words[base + WANT + output] = NONE;
      if (!speculative && (outLine & CREDITS_MASK) < (hold ? state & LEFT_MASK : 1)) continue; // a credit will say when
      granted[grantedCount++] = (router << 8) | vc;
    }
    this.#grantedCount = grantedCount;
  }

  /** Allocation of the lanes of one output port that several head flits want, or one that has forked, or of another class. */
  #allocatePort(router: number, base: number, output: number): void {
    const words = this.#words;
    const wants = this.#wants;
    const { entries, lines } = this.#layout;
    const want = words[base + WANT + output]!;
    const count = want >>> WANTS_SHIFT;
    wants[0] = want;
    for (let i = 1; i < count; i++) wants[i] = this.#nextWanting(base, wants[i - 1]!, output);
    words[base + WANT + output] = NONE;
    for (let i = 0; i < count; i++) {
      const vc = wants[i]!;
      const entry = base + entries + vc * ENTRY_WORDS;
      if (this.#acceptLane(base, output, count, vc)) {
        const out = words[entry + STATE]! >>> OUT_SHIFT;
        if (this.pipeline.speculative || out === FORKED || (words[base + lines + out]! & CREDITS_MASK) !== 0) this.#granted[this.#grantedCount++] = (router << 8) | vc;
        continue;
      }
      this.#want(base, vc, output);
    }
  }

  /** The virtual channel that is behind another in the list of those that want a lane of an output port. */
  #nextWanting(base: number, vc: number, output: number): number {
    const { entries, lines } = this.#layout;
    const entry = base + entries + vc * ENTRY_WORDS;
    if (this.#words[entry + STATE]! >>> OUT_SHIFT === FORKED) return this.#forks[this.#words[entry + TARGET]! + F_NEXT + output]!;
    return this.#words[base + lines + vc]! >>> NEXT_SHIFT;
  }

  /**
   * Matching of the input virtual channels that want one of an output port with its free lanes, seen from one of them: every
   * free lane grants the first request from its pointer on, and this one accepts the first grant from its own pointer on.
   */
  #acceptLane(base: number, output: number, count: number, vc: number): boolean {
    const words = this.#words;
    const { laneBits, entries, lines } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const entry = base + entries + vc * ENTRY_WORDS;
    const last = words[entry + STATE]! >>> OUT_SHIFT;
    const forked = last === FORKED;
    // The branches of a fork share a pointer, which counts lanes.
    const pointer = forked ? this.#forks[words[entry + TARGET]! + F_POINTER]! : (last + 1) & 255;
    const offered = words[base + FREE + output]! & this.#lanesOfClass[vc & laneMask]!; // a lane that an earlier request took was granted to that one
    let candidates = forked || pointer >>> laneBits === output ? offered & (-1 << (pointer & laneMask)) : offered;
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
    } while (count > 1 && this.#grantOf(words[base + lines + out]!, count, out & laneMask) !== vc);

    words[base + lines + out] = (words[base + lines + out]! & ~0xffff00) | (vc << OWNER_SHIFT) | ((vc + 1) << GRANT_SHIFT);
    words[base + FREE + output]! &= ~(1 << (out & laneMask));
    const state = words[entry + STATE]! | ACTIVE;
    if (!forked) {
      words[entry + STATE] = (state & 0xffffff) | (out << OUT_SHIFT);
      return true;
    }
    const fork = words[entry + TARGET]!;
    words[entry + STATE] = state;
    this.#forks[fork + F_OUT + output] = out;
    this.#forks[fork + F_GRANTED]! |= 1 << output;
    this.#forks[fork + F_PENDING]! &= ~(1 << output);
    const { now } = this.#scalars;
    this.#forks[fork + F_FRESH] = (this.#forks[fork + F_FRESH_CYCLE] === now ? this.#forks[fork + F_FRESH]! : 0) | (1 << output);
    this.#forks[fork + F_FRESH_CYCLE] = now;
    return true;
  }

  /** The input virtual channel that a free lane of an output port is offered to: of those that want one, the first from its pointer on. */
  #grantOf(line: number, count: number, outLane: number): number {
    const pointer = (line >>> GRANT_SHIFT) & 255;
    const laneMask = (1 << this.#layout.laneBits) - 1;
    let first = -1;
    let least = 256;
    for (let i = 0; i < count; i++) {
      const vc = this.#wants[i]!;
      const distance = (vc - pointer) & 255;
      if (distance >= least || ((this.#lanesOfClass[vc & laneMask]! >>> outLane) & 1) === 0) continue;
      first = vc;
      least = distance;
    }
    return first;
  }

  /** Switch allocation and traversal of every awake router of a strip, and injection from its tile. */
  #allocateSwitches(strip: number): void {
    const words = this.#words;
    const awake = this.#awake;
    const visited = this.#visited;
    const scalars = this.#scalars;
    const { now } = scalars;
    const { laneBits, entries, lines, words: recordWords, sourceCredits } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const lanes = this.#lanes;
    const asking = this.#asking;
    const neighbour = this.#neighbour;
    const step = STEP;
    const careful = this.channels > 1 || scalars.partFlits;
    const { speculative } = this.pipeline;
    const hold = this.switchHold === 'packet';
    const holders = this.#holders;
    const special = speculative || hold || this.#trees.length > 0;
    const slotMask = this.#slotMask;
    const strips = this.#strips;
    const heads = this.#heads;
    const bodies = this.#bodies;
    const credits = this.#credits;
    const arrivals = this.#arrivals;
    const pending = this.#pending;
    const headSlot = (now + this.#linkDelay + this.#before) & slotMask;
    const bodySlot = (now + this.#linkDelay) & slotMask;
    const creditSlot = (now + this.#creditDelay) & slotMask;
    const arrivalSlot = (now + this.#ejectionDelay) & slotMask;
    const nextAt = ((now + 1) & slotMask) * strips + strip;
    // A credit is returned at once while the count is so high that the link cannot use it up before the credit is due: that
    // changes no decision. (Where whole packets need credits, counts above zero matter too.)
    const returnAtOnce = hold ? 256 : this.#creditDelay;
    const returnAtOnceToSource = hold ? 256 : this.#sourceCreditDelay;
    const ejectionCounts = hold || this.bufferFlits < this.#ejectionCreditDelay;
    const reverse = this.#reverse;
    // Whatever is sent is due in one of these cycles; where nothing is, an empty cycle does no harm.
    this.#pendingSlots[headSlot] = 1;
    this.#pendingSlots[bodySlot] = 1;
    this.#pendingSlots[creditSlot] = 1;
    this.#pendingSlots[arrivalSlot] = 1;
    let linkHops = 0;
    let flitHops = 0;
    let awakeWords = this.#awakeWords[strip]!;
    let keepsWords = 0;
    while (awakeWords !== 0) {
      const wordBit = reverse ? 31 - Math.clz32(awakeWords) : 31 - Math.clz32(awakeWords & -awakeWords);
      awakeWords &= ~(1 << wordBit);
      const wordAt = (strip << (STRIP_BITS - 5)) | wordBit;
      let bits = awake[wordAt]!;
      let keeps = 0;
      visited[wordAt]! |= bits;
      while (bits !== 0) {
        const bit = reverse ? 31 - Math.clz32(bits) : 31 - Math.clz32(bits & -bits);
        bits &= ~(1 << bit);
        const router = (wordAt << 5) | bit;
        const base = router * recordWords;
        if ((words[base + BUSY]! & BUSY_SOURCE) !== 0) this.#injectFrom(router, base, strip);
        let busy = words[base + BUSY]!;

        // Who may go: bit output × 5 + input.
        let accepted = 0;
        let pointers = words[base + SWITCH_POINTERS]!;
        let turns = words[base + TURNS]!;
        let ready = busy & 31;
        if (special) {
          accepted = this.#allocateSwitch(router, base, ready);
          for (let port = 0; port < FLIT_PORTS; port++) if (words[base + READY + port] === 0) busy &= ~(1 << port);
        } else if (ready !== 0) {
          // Of the lanes of an input port that want the same output, the first from the pointer on asks.
          let requests = 0;
          do {
            const input = 31 - Math.clz32(ready & -ready);
            ready &= ready - 1;
            const readyLanes = words[base + READY + input]!;
            let lanesLeft = readyLanes & (-1 << ((turns >>> (5 * input)) & 31));
            let others = readyLanes ^ lanesLeft;
            if (lanesLeft === 0) {
              lanesLeft = others;
              others = 0;
            }
            for (;;) {
              const lane = 31 - Math.clz32(lanesLeft & -lanesLeft);
              lanesLeft &= lanesLeft - 1;
              const output = words[base + entries + ((input << laneBits) | lane) * ENTRY_WORDS + STATE]! >>> OUT_SHIFT >>> laneBits;
              const request = output * FLIT_PORTS + input;
              if (((requests >>> request) & 1) === 0) {
                asking[request] = lane;
                requests |= 1 << request;
              }
              if (lanesLeft !== 0) continue;
              if (others === 0) break;
              lanesLeft = others;
              others = 0;
            }
          } while (ready !== 0);
          accepted = (requests & (requests - 1)) === 0 ? requests : matchPorts(requests, pointers);
        }

        while (accepted !== 0) {
          const request = 31 - Math.clz32(accepted & -accepted);
          accepted &= accepted - 1;
          const output = (request * 13) >> 6; // request / 5
          const input = request - output * FLIT_PORTS;
          const lane = asking[request]!;
          const vc = (input << laneBits) | lane;
          const entry = base + entries + vc * ENTRY_WORDS;
          const state = words[entry + STATE]!;
          // Pointers advance: what was granted and accepted comes last in the next cycle.
          const grant = 3 * output;
          const accept = ACCEPTS + 3 * input;
          const turn = 5 * input;
          pointers = (pointers & ~((7 << grant) | (7 << accept))) | (AFTER[input]! << grant) | (AFTER[output]! << accept);
          turns = (turns & ~(31 << turn)) | ((lane + 1 === lanes ? 0 : lane + 1) << turn);
          const out = state >>> OUT_SHIFT;
          if (out === FORKED) {
            busy = this.#sendBranch(router, base, vc, entry, output, busy, strip);
            continue;
          }
          // A speculative request may have won the switch without a virtual channel, or without a credit for it.
          if (speculative && (state & ACTIVE) === 0) continue;
          const outLine = words[base + lines + out]!;
          let credit = outLine & CREDITS_MASK;
          if (speculative && (credit === 0 || (hold && (state & HEAD) !== 0 && credit < (state & LEFT_MASK)))) continue;

          const head = (state & HEAD) !== 0;
          const remaining = (state & LEFT_MASK) - 1;
          const front = words[entry + FRONT]!;
          if (careful) this.#countCarefully(router, base, output, front, head);
          words[base + COUNTS + 2 * output]!++;
          if (head) words[base + COUNTS + 2 * output + 1]!++;
          if (output === LOCAL) {
            if (remaining === 0) {
              arrivals.push2(arrivalSlot, router, front);
            }
            if (ejectionCounts) {
              words[base + lines + out] = outLine - 1;
              credit--;
              this.#pushCredit(now + this.#ejectionCreditDelay, strip, (router << 8) | out);
            }
          } else {
            words[base + lines + out] = outLine - 1;
            credit--;
            const toRouter = router + neighbour[output]!;
            const to = (toRouter << 8) | ((output ^ 1) << laneBits) | (out & laneMask);
            flitHops++;
            if (head) {
              linkHops++;
              const at = headSlot * strips + (toRouter >>> STRIP_BITS);
              const target = words[entry + TARGET]!;
              heads.push4(at, to, front, (state & TREE) === 0 ? target + step[output]! : target, state & (LEFT_MASK | TREE));
              pending[at] = 1;
            } else {
              const at = bodySlot * strips + (toRouter >>> STRIP_BITS);
              bodies.push1(at, to);
              pending[at] = 1;
            }
          }

          // The place in the buffer is free: a credit for the router (or the source) before.
          if (input === LOCAL) {
            const at = base + sourceCredits + (lane >>> 2);
            const shift = (lane & 3) * 8;
            if (((words[at]! >>> shift) & CREDITS_MASK) >= returnAtOnceToSource) words[at]! += 1 << shift;
            else this.#pushCredit(now + this.#sourceCreditDelay, strip, (router << 8) | (FLIT_PORTS << laneBits) | lane);
          } else {
            const before = router + neighbour[input]!;
            const beforeOut = ((input ^ 1) << laneBits) | lane;
            const lineAt = before * recordWords + lines + beforeOut;
            const line = words[lineAt]!;
            if ((line & CREDITS_MASK) >= returnAtOnce) {
              words[lineAt] = line + 1;
            } else {
              const at = creditSlot * strips + (before >>> STRIP_BITS);
              credits.push1(at, (before << 8) | beforeOut);
              pending[at] = 1;
            }
          }

          if (hold && head) holders[router * FLIT_PORTS + output] = vc;
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
            if (hold) holders[router * FLIT_PORTS + output] = NONE;
            words[base + FREE + output]! |= 1 << (out & laneMask);
            if (words[base + WANT + output]! >>> WANTS_SHIFT !== 0) this.#list(router, base, output, nextAt);
            if ((state & QUEUED) !== 0) {
              words[entry + STATE] = state - FLIT_HERE;
              this.#nextInLine(router, base, vc, entry, strip);
            } else {
              words[entry + FRONT] = ~now;
              words[entry + STATE] = (state & ~FLAGS) - FLIT_HERE;
            }
          }
          const stillReady = lanesNow & ~(1 << lane);
          words[base + READY + input] = stillReady;
          if (stillReady === 0) busy &= ~(1 << input);
        }

        words[base + SWITCH_POINTERS] = pointers;
        words[base + TURNS] = turns;
        words[base + BUSY] = busy;
        if (busy !== 0) keeps |= 1 << bit;
      }
      awake[wordAt] = keeps;
      if (keeps !== 0) keepsWords |= 1 << wordBit;
    }
    this.#awakeWords[strip] = keepsWords;
    if (keepsWords === 0) this.#awakeCount--;
    scalars.linkHops += linkHops;
    scalars.flitHops += flitHops;
  }

  /** What was granted a virtual channel in this cycle, and has not used it yet, asks for the switch from the next one on. */
  #readyAfterGrant(): void {
    const words = this.#words;
    const { laneBits, entries, lines, words: recordWords } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const { speculative } = this.pipeline;
    const hold = this.switchHold === 'packet';
    const mayBeGone = speculative || hold || this.#trees.length > 0;
    const granted = this.#granted;
    const count = this.#grantedCount;
    this.#grantedCount = 0;
    for (let i = 0; i < count; i++) {
      const where = granted[i]!;
      const router = where >>> 8;
      const vc = where & 255;
      const base = router * recordWords;
      if (mayBeGone) {
        const state = words[base + entries + vc * ENTRY_WORDS + STATE]!;
        if ((state & ACTIVE) === 0 || (state & HEAD) === 0) continue; // gone
        const out = state >>> OUT_SHIFT;
        const credit = out === FORKED ? 255 : words[base + lines + out]! & CREDITS_MASK;
        if (credit < (hold ? state & LEFT_MASK : 1)) continue;
      }
      words[base + READY + (vc >>> laneBits)]! |= 1 << (vc & laneMask);
      words[base + BUSY]! |= 1 << (vc >>> laneBits);
      this.#wake(router);
    }
  }

  /** Sends a flit of the tile's source queue over the injection link, if a lane with a credit can take it. */
  #injectFrom(router: number, base: number, strip: number): void {
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
        const slot = (now + this.#injectionDelay + this.#before) & this.#slotMask;
        const at = slot * this.#strips + strip;
        this.#heads.push4(at, to, packet, packets[packet + P_TARGET]!, meta & (LEFT_MASK | TREE));
        this.#pending[at] = 1;
        this.#pendingSlots[slot] = 1;
      } else {
        const slot = (now + this.#injectionDelay) & this.#slotMask;
        const at = slot * this.#strips + strip;
        this.#bodies.push1(at, to);
        this.#pending[at] = 1;
        this.#pendingSlots[slot] = 1;
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

  /** The head flits that want one of the free lanes of an output port ask for the switch as well. */
  #hope(router: number, output: number): void {
    const { laneBits, words: recordWords } = this.#layout;
    const base = router * recordWords;
    const free = this.#words[base + FREE + output]!;
    const want = this.#words[base + WANT + output]!;
    for (let i = want >>> WANTS_SHIFT, vc = want & 255; i > 0; vc = --i > 0 ? this.#nextWanting(base, vc, output) : NONE) {
      const lane = vc & ((1 << laneBits) - 1);
      if ((free & this.#lanesOfClass[lane]!) === 0) continue;
      this.#hopes[router * FLIT_PORTS + (vc >>> laneBits)]! |= 1 << lane;
      this.#wake(router);
    }
  }

  /** Switch allocation of a router where several flits may ask. @returns bit output × 5 + input of those that may go */
  #allocateSwitch(router: number, base: number, ready: number): number {
    let requests = 0;
    while (ready !== 0) {
      const input = 31 - Math.clz32(ready & -ready);
      ready &= ready - 1;
      requests = this.#requestSwitch(router, base, input, requests);
    }
    if (this.pipeline.speculative) requests = this.#requestHoping(router, base, requests);
    if (requests === 0) return 0;
    const accepted = matchPorts(requests, this.#words[base + SWITCH_POINTERS]!);
    return this.#trees.length > 0 ? this.#acceptBranches(base, requests, accepted) : accepted;
  }

  /** A fork whose flit may go on one branch sends it on all others whose output has no other taker. */
  #acceptBranches(base: number, requests: number, accepted: number): number {
    const { laneBits, entries } = this.#layout;
    let more = accepted;
    for (let request = 0; request < FLIT_PORTS * FLIT_PORTS; request++) {
      if (((accepted >>> request) & 1) === 0) continue;
      const input = request % FLIT_PORTS;
      const lane = this.#asking[request]!;
      if (this.#words[base + entries + ((input << laneBits) | lane) * ENTRY_WORDS + STATE]! >>> OUT_SHIFT !== FORKED) continue;
      for (let output = 0; output < FLIT_PORTS; output++) {
        const branch = output * FLIT_PORTS + input;
        if (((requests >>> branch) & 1) !== 0 && this.#asking[branch] === lane && ((more >>> (output * FLIT_PORTS)) & 31) === 0) more |= 1 << branch;
      }
    }
    return more;
  }

  /** Adds the speculative requests for the switch: where no other lane of the pair asks, the first from the input's pointer on. */
  #requestHoping(router: number, base: number, requests: number): number {
    const words = this.#words;
    const { laneBits, entries } = this.#layout;
    const hold = this.switchHold === 'packet';
    for (let input = 0; input < FLIT_PORTS; input++) {
      let hoping = this.#hopes[router * FLIT_PORTS + input]!;
      if (hoping === 0) continue;
      this.#hopes[router * FLIT_PORTS + input] = 0;
      if (hold) hoping &= this.#holdingLanes(router, input);
      let lanes = hoping & (-1 << ((words[base + TURNS]! >>> (5 * input)) & 31));
      let others = hoping ^ lanes;
      for (;;) {
        if (lanes === 0) {
          if (others === 0) break;
          lanes = others;
          others = 0;
        }
        const lane = 31 - Math.clz32(lanes & -lanes);
        lanes &= lanes - 1;
        const vc = (input << laneBits) | lane;
        const entry = base + entries + vc * ENTRY_WORDS;
        const state = words[entry + STATE]!;
        let outputs: number;
        if (state >>> OUT_SHIFT === FORKED) {
          const fork = words[entry + TARGET]!;
          outputs = this.#forks[fork + F_PENDING]!;
          for (let port = 0; port < FLIT_PORTS; port++) if (((this.#forks[fork + F_GRANTED]! >>> port) & 1) !== 0 && this.#forks[fork + F_SENT + port] === 0) outputs |= 1 << port;
        } else if ((state & ACTIVE) !== 0) {
          outputs = 1 << (state >>> OUT_SHIFT >>> laneBits);
        } else {
          outputs = (state & TREE) !== 0 ? this.#outputsOf(router, vc) : 1 << this.#outputOf(router, vc);
        }
        for (; outputs !== 0; outputs &= outputs - 1) {
          const output = 31 - Math.clz32(outputs & -outputs);
          const request = output * FLIT_PORTS + input;
          if (((requests >>> request) & 1) !== 0 || (hold && this.#holders[router * FLIT_PORTS + output] !== NONE)) continue;
          this.#asking[request] = lane;
          requests |= 1 << request;
        }
      }
    }
    return requests;
  }

  /** The lane of an input port whose packet holds a connection through the switch, as a bit; all bits when there is none. */
  #holdingLanes(router: number, input: number): number {
    const { laneBits } = this.#layout;
    for (let output = 0; output < FLIT_PORTS; output++) {
      const holder = this.#holders[router * FLIT_PORTS + output]!;
      if (holder !== NONE && holder >>> laneBits === input) return 1 << (holder & ((1 << laneBits) - 1));
    }
    return -1;
  }

  /** Requests of the ready lanes of an input port for the switch, from its pointer on; the first for an output port counts. */
  #requestSwitch(router: number, base: number, input: number, requests: number): number {
    const words = this.#words;
    const asking = this.#asking;
    const { laneBits, entries } = this.#layout;
    const hold = this.switchHold === 'packet';
    let readyLanes = words[base + READY + input]!;
    if (hold) readyLanes &= this.#holdingLanes(router, input);
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
      const entry = base + entries + vc * ENTRY_WORDS;
      const out = words[entry + STATE]! >>> OUT_SHIFT;
      if (out === FORKED) {
        requests = this.#requestBranches(router, base, input, lane, entry, requests);
        continue;
      }
      const output = out >>> laneBits;
      const request = output * FLIT_PORTS + input;
      if (((requests >>> request) & 1) !== 0) continue;
      if (hold) {
        const holder = this.#holders[router * FLIT_PORTS + output]!;
        if (holder !== NONE && holder !== vc) continue;
      }
      asking[request] = lane;
      requests |= 1 << request;
    }
  }

  /** The tail of a packet has left and another is behind it: that one's route is computed next. */
  #nextInLine(router: number, base: number, vc: number, entry: number, strip: number): void {
    const packets = this.#packets;
    const words = this.#words;
    const packet = words[entry + FRONT]!;
    const next = packets[packet + P_NEXT]!;
    const last = packets[packet + P_LAST]!;
    packets[packet + P_NEXT] = -1;
    if (next !== last) packets[next + P_LAST] = last; // otherwise its tail may be elsewhere, at the head of another queue
    words[entry + FRONT] = next;
    words[entry + STATE] = (words[entry + STATE]! & ~FLAGS) | (packets[next + P_META]! & (LEFT_MASK | TREE)) | HEAD | (next === last ? 0 : QUEUED);
    words[entry + TARGET] = packets[next + P_TARGET]!;
    const { now } = this.#scalars;
    if (this.#before > 0) this.#pushTurn(now + 1 + this.#before, strip, (router << 8) | vc);
    else this.#wantOutput(router, base, vc, entry, ((now + 1) & this.#slotMask) * this.#strips + strip);
  }

  /** The head flit of a multicast that forks is at the front: it wants a virtual channel of each output port where its tree goes on. */
  #wantBranches(router: number, base: number, vc: number, entry: number, outputs: number, at: number): void {
    const words = this.#words;
    const fork = this.#takeFork();
    const forks = this.#forks;
    forks.fill(0, fork, fork + F_STRIDE);
    forks[fork + F_TREE] = words[entry + TARGET]!;
    forks[fork + F_PENDING] = outputs;
    forks[fork + F_POINTER] = ((words[entry + STATE]! >>> OUT_SHIFT) + 1) & 255;
    words[entry + TARGET] = fork;
    words[entry + STATE] = (words[entry + STATE]! & 0xffffff) | (FORKED << OUT_SHIFT);
    for (let output = 0; output < FLIT_PORTS; output++) {
      if (((outputs >>> output) & 1) === 0) continue;
      this.#want(base, vc, output);
      this.#list(router, base, output, at);
    }
  }

  /** Requests of the branches of a fork that have a flit and a credit. Without any, the lane is no longer ready. */
  #requestBranches(router: number, base: number, input: number, lane: number, entry: number, requests: number): number {
    const forks = this.#forks;
    const words = this.#words;
    const fork = words[entry + TARGET]!;
    const hold = this.switchHold === 'packet';
    const state = words[entry + STATE]!;
    const flits = state & LEFT_MASK;
    const come = Math.min(flits, ((state & FLITS_HERE) >>> 16) + forks[fork + F_GONE]!);
    const branches = forks[fork + F_GRANTED]! & ~(forks[fork + F_FRESH_CYCLE] === this.#scalars.now ? forks[fork + F_FRESH]! : 0);
    let any = false;
    for (let output = 0; output < FLIT_PORTS; output++) {
      if (((branches >>> output) & 1) === 0) continue;
      const sent = forks[fork + F_SENT + output]!;
      const credits = words[base + this.#layout.lines + forks[fork + F_OUT + output]!]! & CREDITS_MASK;
      if (sent >= come || credits === 0 || (hold && sent === 0 && credits < flits)) continue;
      any = true;
      const request = output * FLIT_PORTS + input;
      const holder = hold ? this.#holders[router * FLIT_PORTS + output]! : NONE;
      if (((requests >>> request) & 1) !== 0 || (holder !== NONE && holder !== ((input << this.#layout.laneBits) | lane))) continue;
      this.#asking[request] = lane;
      requests |= 1 << request;
    }
    if (!any) words[base + READY + input]! &= ~(1 << lane);
    return requests;
  }

  /** A branch of a fork sends its next flit. The place of a flit is free when all branches have sent it. */
  #sendBranch(router: number, base: number, vc: number, entry: number, output: number, busy: number, strip: number): number {
    const words = this.#words;
    const { laneBits, lines } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const { now } = this.#scalars;
    const hold = this.switchHold === 'packet';
    const fork = words[entry + TARGET]!;
    const forks = this.#forks;
    const state = words[entry + STATE]!;
    const flits = state & LEFT_MASK;
    if (((forks[fork + F_GRANTED]! >>> output) & 1) === 0) return busy; // it asked before it had a virtual channel, and got none
    const out = forks[fork + F_OUT + output]!;
    const line = base + lines + out;
    const credits = words[line]! & CREDITS_MASK;
    const sent = forks[fork + F_SENT + output]!;
    if (credits === 0 || (hold && sent === 0 && credits < flits)) return busy;
    const last = sent + 1 === flits;
    forks[fork + F_SENT + output] = sent + 1;
    words[line]!--;

    const front = words[entry + FRONT]!;
    if (this.channels > 1 || this.#scalars.partFlits) this.#countCarefully(router, base, output, front, sent === 0);
    words[base + COUNTS + 2 * output]!++;
    if (sent === 0) words[base + COUNTS + 2 * output + 1]!++;
    if (output === LOCAL) {
      this.#pushCredit(now + this.#ejectionCreditDelay, strip, (router << 8) | out);
      if (last) {
        const slot = (now + this.#ejectionDelay) & this.#slotMask;
        this.#arrivals.push2(slot, router, this.#copyPacket(front));
        this.#pendingSlots[slot] = 1;
      }
    } else {
      const toRouter = router + this.#neighbour[output]!;
      const to = (toRouter << 8) | ((output ^ 1) << laneBits) | (out & laneMask);
      const slot = (now + this.#linkDelay + (sent === 0 ? this.#before : 0)) & this.#slotMask;
      const at = slot * this.#strips + (toRouter >>> STRIP_BITS);
      this.#scalars.flitHops++;
      if (sent === 0) {
        this.#scalars.linkHops++;
        this.#heads.push4(at, to, this.#copyPacket(front), forks[fork + F_TREE]!, state & (LEFT_MASK | TREE));
      } else {
        this.#bodies.push1(at, to);
      }
      this.#pending[at] = 1;
      this.#pendingSlots[slot] = 1;
    }
    if (hold) this.#holders[router * FLIT_PORTS + output] = last ? NONE : vc;
    if (last) {
      words[base + FREE + output]! |= 1 << (out & laneMask);
      forks[fork + F_GRANTED]! &= ~(1 << output);
      if (words[base + WANT + output]! >>> WANTS_SHIFT !== 0) this.#list(router, base, output, ((now + 1) & this.#slotMask) * this.#strips + strip);
    }

    let gone = flits;
    const outputs = this.#trees[forks[fork + F_TREE]!]!.forks[router]!;
    for (let port = 0; port < FLIT_PORTS; port++) if (((outputs >>> port) & 1) !== 0) gone = Math.min(gone, forks[fork + F_SENT + port]!);
    if (gone === forks[fork + F_GONE]) return busy;
    forks[fork + F_GONE] = gone;
    words[entry + STATE] = state - FLIT_HERE;
    const lane = vc & laneMask;
    const input = vc >>> laneBits;
    const before = router + this.#neighbour[input]!;
    if (input === LOCAL) this.#pushCredit(now + this.#sourceCreditDelay, strip, (router << 8) | (FLIT_PORTS << laneBits) | lane);
    else this.#pushCredit(now + this.#creditDelay, before >>> STRIP_BITS, (before << 8) | ((input ^ 1) << laneBits) | lane);
    if (gone < flits) return busy;

    words[entry + STATE] = ((state & 0xffffff) - FLIT_HERE) | (forks[fork + F_POINTER]! << OUT_SHIFT);
    this.#freeFork(fork);
    if ((state & QUEUED) !== 0) {
      this.#nextInLine(router, base, vc, entry, strip);
    } else {
      words[entry + FRONT] = ~now;
      words[entry + STATE]! &= ~FLAGS;
    }
    this.#freePacket(front);
    const stillReady = words[base + READY + input]! & ~(1 << lane);
    words[base + READY + input] = stillReady;
    return stillReady === 0 ? busy & ~(1 << input) : busy;
  }

  /** Before a flit is counted: flushes the counts of another channel, and notes by how much a packet falls short of full flits. */
  #countCarefully(router: number, base: number, output: number, packet: number, head: boolean): void {
    const packets = this.#packets;
    const port = router * FLIT_PORTS + output;
    const meta = packets[packet + P_META]!;
    if (this.channels > 1) {
      const channel = (meta >>> 16) & 255;
      if (this.#lastChannel[port] !== channel) {
        this.#flushCounts(router, base, output);
        this.#lastChannel[port] = channel;
      }
    }
    if (head) this.#slack[port]! += (meta & LEFT_MASK) * this.topology.flitBytes - packets[packet + P_BYTES]!;
  }

  /** Moves the counts of an output port to the counters of its last channel. */
  #flushCounts(router: number, base: number, output: number): void {
    const port = router * FLIT_PORTS + output;
    const counters = this.#counters;
    const at = (port * this.channels + this.#lastChannel[port]!) * 3;
    const flits = this.#words[base + COUNTS + 2 * output]!;
    if (flits === 0) return;
    counters[at]! += flits * this.topology.flitBytes - this.#slack[port]!;
    counters[at + 1]! += flits;
    counters[at + 2]! += this.#words[base + COUNTS + 2 * output + 1]!;
    this.#words[base + COUNTS + 2 * output] = 0;
    this.#words[base + COUNTS + 2 * output + 1] = 0;
    this.#slack[port] = 0;
  }

  /**
   * Reports bytes, busy cycles and packets of every output port and channel that carried something since the last call, in
   * the order of ports, and clears them. A link is busy for one cycle per flit, counted in the cycle of the switch grant; bytes
   * count with their flits (what a last flit is short of with the head), packets with the head. Stalls are not told apart at
   * flit fidelity: their counters stay zero.
   */
  drainCounters(_end: number, row: (port: number, channel: number, counters: Float64Array, at: number) => void): void {
    const { words: recordWords } = this.#layout;
    const { channels } = this;
    const counters = this.#counters;
    const values = this.#row;
    this.#eachVisited((router) => {
      for (let output = 0; output < FLIT_PORTS; output++) {
        this.#flushCounts(router, router * recordWords, output);
        for (let channel = 0; channel < channels; channel++) {
          const at = ((router * FLIT_PORTS + output) * channels + channel) * 3;
          if (counters[at + 1] === 0) continue;
          values[COUNT_BYTES] = counters[at]!;
          values[COUNT_BUSY] = counters[at + 1]!;
          values[COUNT_PACKETS] = counters[at + 2]!;
          counters.fill(0, at, at + 3);
          row(router * PORT_STRIDE + output, channel, values, 0);
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
      events: [...this.#rings, this.#arrivals].map((ring) => ring.save()),
      deliveryHash: this.#deliveryHash.slice(),
      holders: this.#holders.slice(),
      slack: this.#slack.slice(),
      counters: this.#counters.slice(),
      lastChannel: this.#lastChannel.slice(),
      scalars: { ...this.#scalars },
      decided: this.#decided,
    };
  }

  /** Takes the state of another kernel of the same topology and options, in which the same trees have been defined. */
  restore(snapshot: FlitSnapshot): void {
    this.#words.set(snapshot.records);
    this.#packets = snapshot.packets.slice();
    this.#forks = snapshot.forks.slice();
    this.#awake.set(snapshot.awake);
    this.#visited.set(snapshot.visited);
    [...this.#rings, this.#arrivals].forEach((ring, index) => { ring.restore(snapshot.events[index]!); });
    this.#deliveryHash.set(snapshot.deliveryHash);
    this.#holders.set(snapshot.holders);
    this.#slack.set(snapshot.slack);
    this.#counters.set(snapshot.counters);
    this.#lastChannel.set(snapshot.lastChannel);
    Object.assign(this.#scalars, snapshot.scalars);
    this.#decided = snapshot.decided;
    this.#awakeWords.fill(0);
    this.#awake.forEach((bits, word) => { if (bits !== 0) this.#awakeWords[word >>> 5]! |= 1 << (word & 31); });
    this.#awakeCount = this.#awakeWords.reduce((count, bits) => count + (bits === 0 ? 0 : 1), 0);
    this.#pending.fill(1);
    this.#pendingSlots.fill(0);
    for (const ring of [...this.#rings, this.#arrivals]) {
      ring.used.forEach((used, at) => { if (used !== 0) this.#pendingSlots[ring === this.#arrivals ? at : Math.floor(at / this.#strips)] = 1; });
    }
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
        const entry = base + entries + vc * ENTRY_WORDS;
        const packet = words[entry + FRONT]!;
        if ((vc & laneMask) >= this.#lanes || packet < 0) continue;
        const who = `tile ${this.#name(router)}, virtual channel ${vc & laneMask} of ${PORT_NAMES[vc >>> laneBits]}: packet ${this.#packets[packet + P_SEQUENCE]! >>> 0} of tile ${this.#packets[packet + P_SOURCE]}`;
        for (const reason of this.#reasons(router, base, vc, entry)) if (lines.length < limit) lines.push(`${who} waits for ${reason}`);
      }
      for (let row = 0; row < this.#classRows && lines.length < limit; row++) {
        const packet = words[base + SOURCE_QUEUES + row * SOURCE_FIELDS + QUEUE_FIRST]!;
        if (packet >= 0) lines.push(`tile ${this.#name(router)}, source queue: packet ${this.#packets[packet + P_SEQUENCE]! >>> 0} waits for a virtual channel or a credit of the injection link`);
      }
    });
    return lines;
  }

  /** What the packet at the front of a virtual channel waits for; one reason per branch of a fork. */
  #reasons(router: number, base: number, vc: number, entry: number): string[] {
    const { laneBits, lines } = this.#layout;
    const laneMask = (1 << laneBits) - 1;
    const words = this.#words;
    const state = words[entry + STATE]!;
    const present = (state & FLITS_HERE) >>> 16;
    const free = (output: number, lane: number): boolean => ((words[base + FREE + output]! >>> lane) & 1) !== 0;
    const lineOf = (output: number, lane: number): number => words[base + lines + ((output << laneBits) | lane)]!;
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
      if (granted) return [reason(state >>> OUT_SHIFT, true, present > 0)];
      const output = (state & TREE) !== 0 ? 31 - Math.clz32(this.#outputsOf(router, vc)) : this.#outputOf(router, vc);
      return [reason(output << laneBits, false, true)];
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

  /** Marks a router for a visit in this cycle, or, after the visits, in the next. */
  #wake(router: number): void {
    const word = router >>> 5;
    const strip = word >>> 5;
    this.#awake[word]! |= 1 << (router & 31);
    const words = this.#awakeWords[strip]!;
    if (words === 0) this.#awakeCount++;
    this.#awakeWords[strip] = words | (1 << (word & 31));
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
    const { laneBits, entries, lines, words, sourceCredits } = this.#layout;
    const record = new Int32Array(words);
    record.fill(NONE, WANT, WANT + FLIT_PORTS);
    record.fill(lanesBelow(this.#lanes), FREE, FREE + FLIT_PORTS);
    record[SOURCE_FREE] = lanesBelow(this.#lanes);
    for (let row = 0; row < this.#classRows; row++) {
      record[SOURCE_QUEUES + row * SOURCE_FIELDS + QUEUE_FIRST] = -1;
      record[SOURCE_QUEUES + row * SOURCE_FIELDS + QUEUE_LANE] = (row + 1) * this.virtualChannels - 1;
    }
    for (let lane = 0; lane < this.#lanes; lane++) record[sourceCredits + (lane >>> 2)]! |= this.bufferFlits << ((lane & 3) * 8);
    for (let vc = 0; vc < FLIT_PORTS << laneBits; vc++) {
      record[entries + vc * ENTRY_WORDS + FRONT] = -1;
      record[entries + vc * ENTRY_WORDS + STATE] = NONE << OUT_SHIFT;
      record[lines + vc] = this.bufferFlits;
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
    this.deliveredTile = grown(this.deliveredTile, new Int32Array(rows));
    this.deliveredChannel = grown(this.deliveredChannel, new Uint8Array(rows));
    this.deliveredBytes = grown(this.deliveredBytes, new Int32Array(rows));
    this.deliveredSource = grown(this.deliveredSource, new Int32Array(rows));
    this.deliveredSequence = grown(this.deliveredSequence, new Uint32Array(rows));
    this.deliveredEntered = grown(this.deliveredEntered, new Int32Array(rows));
  }
}

/**
 * Separable round-robin matching of input and output ports in one iteration (iSLIP): every output port grants the first request
 * from its pointer on, every input port accepts the first grant from its own.
 *
 * @param requests bit output × 5 + input; at least one
 * @param pointers 3 bits by output port, then by input port
 * @returns bit output × 5 + input of what was accepted
 */
function matchPorts(requests: number, pointers: number): number {
  let grants = 0; // bit input × 5 + output
  do {
    const output = ((31 - Math.clz32(requests)) * 13) >> 6; // divided by 5
    const inputs = requests >>> (output * FLIT_PORTS);
    requests ^= inputs << (output * FLIT_PORTS);
    grants |= 1 << (firstPort[(inputs << 3) | ((pointers >>> (3 * output)) & 7)]! * FLIT_PORTS + output);
  } while (requests !== 0);
  let accepted = 0;
  do {
    const input = ((31 - Math.clz32(grants)) * 13) >> 6;
    const outputs = grants >>> (input * FLIT_PORTS);
    grants ^= outputs << (input * FLIT_PORTS);
    accepted |= 1 << (firstPort[(outputs << 3) | ((pointers >>> (ACCEPTS + 3 * input)) & 7)]! * FLIT_PORTS + input);
  } while (grants !== 0);
  return accepted;
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
