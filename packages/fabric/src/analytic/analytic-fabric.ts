import { foldDelivery, grown } from '../delivery-rows.ts';
import { boundaryDirection, boundaryPosition, NO_LINK, nodeId, type DieTopology } from '../die-topology.ts';
import { FabricError } from '../errors.ts';
import { CLASS_FROM_HUB, CLASS_REQUEST, CLASS_RESPONSE, CLASS_TO_HUB, type Fabric, type MulticastPlan, type ReductionPlan } from '../fabric.ts';
import { ItemList } from '../item-list.ts';
import {
  BOUNDARY_STRIDE, COUNT_ARBITRATION_STALL, COUNT_BUSY, COUNT_BYTES, COUNT_PACKETS, COUNTER_STRIDE, ITEM_ARRIVAL, ITEM_BYTES, ITEM_ENTERED, ITEM_FINAL, ITEM_META, ITEM_POSITION,
  ITEM_SEQUENCE, ITEM_SOURCE, ITEM_TAIL, NEVER,
} from '../kernel-state.ts';
import { flitsOf } from '../latency.ts';
import { EJECTION, INJECTION } from '../link-type.ts';
import { DIRECTIONS, FIRST_GATEWAY, HUB, LOCAL, PORT_STRIDE } from '../ports.ts';
import { xThenY } from '../routes/dimension-order.ts';
import { checkRoute } from '../routes/check-route.ts';
import {
  Pending, PENDING_BYTES, PENDING_ENTERED, PENDING_FINAL, PENDING_META, PENDING_SEQUENCE, PENDING_SOURCE, PENDING_TAIL, PENDING_TILE, type PendingSnapshot,
} from './pending.ts';

export interface AnalyticFabricOptions {
  /** Message channels, counted apart on every link. */
  readonly channels: number;
}

/** Contributions of one reduction that have come so far. */
interface OpenReduction {
  readonly tree: number;
  readonly sequence: number;
  readonly channel: number;
  readonly bytes: number;
  left: number;
  /** [routers] cycle at which the head of the tile's own part is at its router. */
  readonly head: Int32Array;
  readonly tail: Int32Array;
  /** [tiles] 1: its contribution ends a page. */
  readonly endsPage: Uint8Array;
  entered: number;
}

export interface AnalyticSnapshot {
  readonly pending: PendingSnapshot;
  readonly free: Int32Array;
  readonly lag: Int32Array;
  readonly window: Float64Array;
  readonly injectionFree: Int32Array;
  readonly contributed: Int32Array;
  readonly combineFree: Int32Array;
  readonly deliveryHash: Int32Array;
  readonly counters: Float64Array;
  readonly lastChannel: Uint8Array;
  readonly open: readonly OpenReduction[];
  readonly scalars: AnalyticScalars;
}

interface AnalyticScalars {
  now: number;
  /** Number of the next arrival among those of its cycle. */
  order: number;
  linkHops: number;
  flitHops: number;
  deliveredPackets: number;
}

/**
 * The fabric of one die at analytic fidelity: the zero-load latency of the path plus a busy time per link. When a packet is
 * injected, it takes every link of its way at once, from its first cycle there that nobody who was injected before has taken:
 * α + β with contention. No queue holds another packet up, buffers never fill, and who is injected first goes first everywhere,
 * also where a later one would have come by earlier.
 *
 * Exact where one packet is alone, and where one link decides (a single flow, a ring, the busiest link of an all-to-all).
 * A window of credits smaller than the round trip limits a link to window / round trip, as it would a stream of such packets.
 *
 * A multicast takes each link of its tree once. A reduction is laid out when its last contribution has come, each router
 * joining what arrives at its combine rate and latency.
 *
 * Phases and snapshots are as in every {@link Fabric}; what crosses to another die goes on there when its head arrives.
 */
export class AnalyticFabric implements Fabric<AnalyticSnapshot> {
  readonly fidelity = 'analytic';
  readonly topology: DieTopology;
  readonly channels: number;
  readonly packetsOut: readonly ItemList[] = Array.from({ length: DIRECTIONS }, () => new ItemList());
  readonly creditsOut: readonly ItemList[] = Array.from({ length: DIRECTIONS }, () => new ItemList());
  delivered = 0;
  deliveredTile = new Int32Array(64);
  deliveredChannel = new Uint8Array(64);
  deliveredBytes = new Int32Array(64);
  deliveredSource = new Int32Array(64);
  deliveredSequence = new Uint32Array(64);
  deliveredEntered = new Int32Array(64);
  deliveryHash: Int32Array;

  readonly #multicasts: MulticastPlan[] = [];
  readonly #reductions: { readonly plan: ReductionPlan; readonly order: Int32Array }[] = [];
  readonly #pending = new Pending();
  /** [ports] cycle from which the output link is free, and how much earlier than that exactly, in 1/flitDenominator cycles. */
  #free: Int32Array;
  #lag: Int32Array;
  /** [ports] earliest start that the credits would allow a stream (see {@link AnalyticFabric} on windows). */
  #window: Float64Array;
  /** [tiles, then memory nodes] cycle from which the injection link is free. */
  #injectionFree: Int32Array;
  /** [tiles] bytes of the reduction in progress since its last page. */
  #contributed: Int32Array;
  /** [routers] cycle from which the combine unit is free. */
  #combineFree: Int32Array;
  #counters: Float64Array;
  #lastChannel: Uint8Array;
  #open: OpenReduction[] = [];
  #scalars: AnalyticScalars = { now: -1, order: 0, linkHops: 0, flitHops: 0, deliveredPackets: 0 };
  /** Head and tail behind the link that was taken last. */
  #head = 0;
  #tail = 0;

  constructor(topology: DieTopology, options: AnalyticFabricOptions) {
    this.topology = topology;
    this.channels = options.channels;
    this.#free = new Int32Array(topology.ports);
    this.#lag = new Int32Array(topology.ports);
    this.#window = new Float64Array(topology.ports);
    this.#injectionFree = new Int32Array(topology.tiles + topology.nodes.length);
    this.#contributed = new Int32Array(topology.tiles);
    this.#combineFree = new Int32Array(topology.routers);
    this.deliveryHash = new Int32Array((topology.tiles + topology.nodes.length) * 2);
    this.#counters = new Float64Array(topology.ports * this.channels * COUNTER_STRIDE);
    this.#lastChannel = new Uint8Array(topology.ports);
  }

  get now(): number {
    return this.#scalars.now;
  }

  get livePackets(): number {
    return this.#pending.count + this.#open.reduce((sum, { tree, left }) => sum + this.#reductions[tree]!.plan.contributors - left, 0);
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

  startKernel(): void {
    this.assertQuiescent();
    this.#free.fill(0);
    this.#lag.fill(0);
    this.#window.fill(0);
    this.#injectionFree.fill(0);
    this.#combineFree.fill(0);
    this.#scalars.now = -1;
    this.#scalars.order = 0;
  }

  assertQuiescent(): void {
    if (this.livePackets !== 0) throw new Error(`Die ${this.topology.dieId} still holds ${this.livePackets} packets at a kernel boundary.`);
  }

  nextCycle(): number {
    return this.#pending.count === 0 ? NEVER : this.#pending.firstCycle;
  }

  beginCycle(cycle: number): void {
    const scalars = this.#scalars;
    if (cycle <= scalars.now) throw new Error(`Cycle ${cycle} begins after cycle ${scalars.now}.`);
    scalars.now = cycle;
    this.delivered = 0;
    const pending = this.#pending;
    while (pending.count > 0 && pending.firstCycle <= cycle) {
      if (pending.firstCycle < cycle) throw new Error(`Cycle ${cycle} begins, but cycle ${pending.firstCycle} has work.`);
      const at = pending.pop();
      const { fields } = pending;
      const tile = fields[at + PENDING_TILE]!;
      if (tile >= 0) this.#deliver(at, tile, cycle);
      else this.#goOn(~tile, at, cycle);
    }
  }

  inject(localTile: number, finalTile: number, channel: number, bytes: number, sequence: number, trafficClass: number = CLASS_REQUEST): void {
    const { topology } = this;
    const flits = this.#flits(bytes);
    this.#enter(localTile, flits);
    const node = localTile - topology.tiles;
    const router = node < 0 ? localTile : topology.nodePorts[node]! >>> 3;
    const source = node < 0 ? topology.dieId * topology.tiles + localTile : nodeId(topology, node);
    if (topology.routes !== null) checkRoute(topology, localTile, finalTile);
    const leavesByHub = topology.hubRouter >= 0 && dieOfTarget(topology, finalTile) !== topology.dieId;
    this.#travel(router, finalTile, channel, bytes, flits, sequence, source, leavesByHub ? CLASS_TO_HUB : trafficClass, this.#entered);
  }

  defineMulticast(plan: MulticastPlan): number {
    return this.#multicasts.push(plan) - 1;
  }

  defineReduction(plan: ReductionPlan): number {
    return this.#reductions.push({ plan, order: leavesFirst(plan, this.topology) }) - 1;
  }

  multicast(tree: number, channel: number, bytes: number, sequence: number): void {
    const { topology } = this;
    const plan = this.#multicasts[tree]!;
    const flits = this.#flits(bytes);
    this.#enter(plan.root, flits);
    const source = topology.dieId * topology.tiles + plan.root;
    const entered = this.#entered;
    const stack = [plan.root, this.#head, this.#tail];
    while (stack.length > 0) {
      const tail = stack.pop()!;
      const head = stack.pop()!;
      const router = stack.pop()!;
      const forks = plan.forks[router]!;
      for (let port = 0; port < PORT_STRIDE; port++) {
        if (((forks >> port) & 1) === 0) continue;
        this.#head = head;
        this.#tail = tail;
        const out = router * PORT_STRIDE + port;
        this.#take(out, channel, bytes, flits);
        if (port === LOCAL) this.#arrive(router, this.#tail, channel, bytes, source, sequence, entered);
        else stack.push(topology.peer[out]! >>> 3, this.#head, this.#tail);
      }
    }
  }

  contribute(tree: number, localTile: number, channel: number, bytes: number, sequence: number): void {
    const { topology } = this;
    const { plan } = this.#reductions[tree]!;
    if ((plan.inputs[localTile]! >>> LOCAL) % 2 === 0) throw new FabricError('FABRIC_BAD_TREE', `Tile ${localTile} does not contribute to reduction ${tree}.`, { tree, localTile });
    const flits = this.#flits(bytes);
    let open = this.#open.find((one) => one.tree === tree && one.sequence === sequence);
    if (open === undefined) {
      const { routers } = topology;
      open = { tree, sequence, channel, bytes, left: plan.contributors, head: new Int32Array(routers), tail: new Int32Array(routers), endsPage: new Uint8Array(topology.tiles), entered: NEVER };
      this.#open.push(open);
    }
    if (open.bytes !== bytes) throw new FabricError('FABRIC_BAD_PAYLOAD', `All contributions to a reduction have the same bytes: ${open.bytes} came first, then ${bytes}.`, { bytes, first: open.bytes });
    const { startCycles, pageBytes, pageGapCycles } = topology.reduction;
    const first = this.#injectionFree[localTile]! <= this.#scalars.now;
    if (first) this.#contributed[localTile] = 0;
    this.#enter(localTile, flits, first && bytes > 0 ? startCycles : 0);
    this.#contributed[localTile]! += bytes;
    if (this.#contributed[localTile]! >= pageBytes) {
      this.#contributed[localTile]! -= pageBytes;
      // At the earliest; when the join has read it is known once it is laid out.
      this.#injectionFree[localTile]! += pageGapCycles;
      open.endsPage[localTile] = 1;
    }
    open.head[localTile] = this.#head;
    open.tail[localTile] = this.#tail;
    open.entered = Math.min(open.entered, this.#entered);
    if (--open.left === 0) {
      this.#open.splice(this.#open.indexOf(open), 1);
      this.#join(open, flits);
    }
  }

  decide(): void {
    // Everything is decided at injection.
  }

  acceptPackets(direction: number, items: ItemList): void {
    const { rows, data } = items;
    const ports = this.topology.boundaryPorts[direction]!;
    for (let row = 0; row < rows; row++) {
      const at = row * BOUNDARY_STRIDE;
      const arrival = data[at + ITEM_ARRIVAL]!;
      if (arrival <= this.#scalars.now) throw new Error(`Die ${this.topology.dieId} is at cycle ${this.#scalars.now}, but a packet from a neighbour arrives at ${arrival}: a promise was broken.`);
      // What comes over an edge goes on before anything else of its cycle, in the order of edges and lanes.
      const position = data[at + ITEM_POSITION]!;
      const to = this.#pending.push(arrival, (direction - DIRECTIONS) * 65536 + position);
      const { fields } = this.#pending;
      fields[to + PENDING_TILE] = ~ports[position]!;
      fields[to + PENDING_META] = data[at + ITEM_META]!;
      fields[to + PENDING_BYTES] = data[at + ITEM_BYTES]!;
      fields[to + PENDING_SOURCE] = data[at + ITEM_SOURCE]!;
      fields[to + PENDING_SEQUENCE] = data[at + ITEM_SEQUENCE]!;
      fields[to + PENDING_FINAL] = data[at + ITEM_FINAL]!;
      fields[to + PENDING_TAIL] = data[at + ITEM_TAIL]!;
      fields[to + PENDING_ENTERED] = data[at + ITEM_ENTERED]!;
    }
  }

  acceptCredits(): void {
    // Nothing waits for a credit: windows limit the rate of a link where it is taken.
  }

  drainCounters(end: number, row: (port: number, channel: number, counters: Float64Array, at: number) => void): void {
    const counters = this.#counters;
    for (let port = 0; port < this.topology.ports; port++) {
      const over = this.#free[port]! - end;
      for (let channel = 0; channel < this.channels; channel++) {
        const at = (port * this.channels + channel) * COUNTER_STRIDE;
        if (counters[at + COUNT_BUSY] === 0 && counters[at + COUNT_PACKETS] === 0) continue;
        const carried = over > 0 && channel === this.#lastChannel[port] ? Math.min(over, counters[at + COUNT_BUSY]!) : 0;
        counters[at + COUNT_BUSY]! -= carried;
        row(port, channel, counters, at);
        counters.fill(0, at, at + COUNTER_STRIDE);
        counters[at + COUNT_BUSY] = carried;
      }
    }
  }

  save(): AnalyticSnapshot {
    return {
      pending: this.#pending.save(), free: this.#free.slice(), lag: this.#lag.slice(), window: this.#window.slice(), injectionFree: this.#injectionFree.slice(), contributed: this.#contributed.slice(), combineFree: this.#combineFree.slice(), deliveryHash: this.deliveryHash.slice(),
      counters: this.#counters.slice(), lastChannel: this.#lastChannel.slice(), open: this.#open.map(copyOpen), scalars: { ...this.#scalars },
    };
  }

  restore(snapshot: AnalyticSnapshot): void {
    this.#pending.restore(snapshot.pending);
    this.#free = snapshot.free.slice();
    this.#lag = snapshot.lag.slice();
    this.#window = snapshot.window.slice();
    this.#injectionFree = snapshot.injectionFree.slice();
    this.#contributed = snapshot.contributed.slice();
    this.#combineFree = snapshot.combineFree.slice();
    this.deliveryHash = snapshot.deliveryHash.slice();
    this.#counters = snapshot.counters.slice();
    this.#lastChannel = snapshot.lastChannel.slice();
    this.#open = snapshot.open.map(copyOpen);
    this.#scalars = { ...snapshot.scalars };
  }

  explainWaiting(limit: number): string[] {
    return this.#open.slice(0, limit).map(({ tree, sequence, left }) => `reduction tree ${tree}, sequence ${sequence}: waits for ${left} of ${this.#reductions[tree]!.plan.contributors} contributions`);
  }

  #entered = 0;

  #flits(bytes: number): number {
    const { flitBytes, maxPacketFlits, maxPacketBytes } = this.topology;
    const flits = flitsOf(bytes, flitBytes);
    if (flits > maxPacketFlits) throw new FabricError('FABRIC_BAD_PAYLOAD', `A packet carries at most ${maxPacketBytes} bytes, got ${bytes}.`, { bytes });
    return flits;
  }

  /** A packet crosses the injection link of its tile, one after the other. */
  #enter(tile: number, flits: number, lateCycles = 0): void {
    const { cycles, flitNumerator, flitDenominator } = this.topology.types[INJECTION]!;
    const head = Math.max(this.#scalars.now + cycles + lateCycles, this.#injectionFree[tile]!);
    const free = head + Math.ceil((flits * flitNumerator) / flitDenominator);
    this.#injectionFree[tile] = free;
    this.#entered = head - cycles;
    this.#head = head;
    this.#tail = free - 1;
  }

  /**
   * Takes the link behind an output port for a packet whose head and tail are at the router at `#head` and `#tail`.
   *
   * @param stretches a reduction follows at the pace at which it is joined, instead of waiting until it can go without holes
   */
  #take(port: number, channel: number, bytes: number, flits: number, stretches = false): void {
    const { topology } = this;
    const { virtualChannels, setupCycles } = topology;
    const { kind, cycles, flitNumerator, flitDenominator, creditFlits, creditCycles } = topology.types[topology.type[port]!]!;
    const head = this.#head;
    const free = this.#free[port]!;
    let start = Math.max(head, free);
    let lag = 0;
    let hold = flits;
    if (flitNumerator !== 1 || flitDenominator !== 1) {
      const exact = flits * flitNumerator - (start === free && free > 0 ? this.#lag[port]! : 0);
      hold = Math.ceil(exact / flitDenominator);
      lag = hold * flitDenominator - exact;
      if (hold < 1) {
        hold = 1;
        lag = 0;
      }
    }
    // A slower link may still be bringing the tail: starting at once would leave holes in the stream.
    const due = this.#tail + 1 - hold;
    if (due > start) {
      if (stretches) {
        hold += due - start;
        lag = 0;
      } else {
        start = due;
      }
    }
    if (kind !== EJECTION) {
      // As many packets as the buffer holds go at once; then one per returned credit (Turner's leaky bucket, GCRA).
      const packets = virtualChannels * Math.floor(creditFlits / flits);
      const roundTrip = cycles + hold + creditCycles;
      if (packets * hold < roundTrip) {
        const each = roundTrip / packets;
        start = Math.max(start, Math.ceil(this.#window[port]! - roundTrip + each));
        this.#window[port] = Math.max(this.#window[port]!, start) + each;
      }
      this.#scalars.linkHops++;
      this.#scalars.flitHops += flits;
    }
    // A lane rests between two packets; with several lanes another one can go meanwhile.
    const rest = setupCycles === 0 ? 0 : Math.max(0, Math.ceil((hold + setupCycles) / virtualChannels) - hold);
    this.#free[port] = start + hold + rest;
    this.#lag[port] = rest === 0 ? lag : 0;
    this.#lastChannel[port] = channel;
    const at = (port * this.channels + channel) * COUNTER_STRIDE;
    const counters = this.#counters;
    counters[at + COUNT_BYTES]! += bytes;
    counters[at + COUNT_BUSY]! += hold;
    counters[at + COUNT_PACKETS]! += 1;
    counters[at + COUNT_ARBITRATION_STALL]! += start - head;
    this.#head = start + cycles;
    this.#tail = this.#head + hold - 1;
  }

  /** Takes all links from a router to the destination, or to the edge of the die. */
  #travel(from: number, target: number, channel: number, bytes: number, flits: number, sequence: number, source: number, trafficClass: number, entered: number): void {
    const { topology } = this;
    const { tiles, hubRouter, waferTiles, nodes, nodePorts } = topology;
    // A memory node is behind a port of its tile.
    const node = target < waferTiles ? -1 : (target - waferTiles) % nodes.length;
    const finalTile = node < 0 ? target : dieOfTarget(topology, target) * tiles + (nodePorts[node]! >>> 3);
    let router = from;
    let lane = trafficClass;
    for (;;) {
      let port = this.#route(router, finalTile, lane, source);
      const home = router < tiles && port === LOCAL;
      if (home && node >= 0) port = nodePorts[node]! & 7;
      const out = router * PORT_STRIDE + port;
      this.#take(out, channel, bytes, flits);
      if (home) {
        this.#arrive(node < 0 ? router : tiles + node, this.#tail, channel, bytes, source, sequence, entered);
        return;
      }
      const peer = topology.peer[out]!;
      if (peer === NO_LINK) throw new Error(`Die ${topology.dieId}: the route from tile ${source} to tile ${finalTile} leaves router ${router} by port ${port}, where there is no link.`);
      if (peer < 0) {
        this.packetsOut[boundaryDirection(peer)]!.push(this.#head, boundaryPosition(peer), (lane << 8) | channel, this.#tail, bytes, target, source, sequence | 0, entered);
        return;
      }
      const next = peer >>> 3;
      if (next >= tiles) {
        router = hubRouter;
      } else {
        if (router === hubRouter) lane = CLASS_FROM_HUB;
        router = next;
      }
    }
  }

  /** A packet from a neighbouring die goes on. */
  #goOn(port: number, at: number, cycle: number): void {
    const { fields } = this.#pending;
    const { topology } = this;
    const router = topology.hubRouter >= 0 && port >>> 3 >= topology.tiles ? topology.hubRouter : port >>> 3;
    this.#head = cycle;
    this.#tail = fields[at + PENDING_TAIL]!;
    const meta = fields[at + PENDING_META]!;
    const bytes = fields[at + PENDING_BYTES]!;
    this.#travel(router, fields[at + PENDING_FINAL]!, meta & 0xff, bytes, this.#flits(bytes), fields[at + PENDING_SEQUENCE]!, fields[at + PENDING_SOURCE]!, meta >>> 8, fields[at + PENDING_ENTERED]!);
  }

  #route(router: number, finalTile: number, lane: number, source: number): number {
    const { topology } = this;
    const { dieId, tiles, tilesX, tilesY, diesX, hubRouter, gateways, gatewayOfTile, routes } = topology;
    const finalDie = Math.floor(finalTile / tiles);
    const finalLocal = finalTile - finalDie * tiles;
    if (router === hubRouter) {
      if (routes !== null) return routes.port(router, finalTile);
      if (finalDie === dieId) return FIRST_GATEWAY + gatewayOfTile[finalLocal]!;
      return xThenY((finalDie % diesX) - topology.dieX, Math.floor(finalDie / diesX) - topology.dieY);
    }
    let target = finalLocal;
    let dieSteps = finalDie;
    if (lane === CLASS_TO_HUB) {
      target = gateways[gatewayOfTile[(source < topology.waferTiles ? source : topology.nodePorts[(source - topology.waferTiles) % topology.nodes.length]! >>> 3) % tiles]!]!;
      if (target === router) return HUB;
      dieSteps = dieId;
    }
    const back = lane === CLASS_RESPONSE;
    if (routes !== null) return routes.port(router, dieSteps * tiles + target, back);
    const dx = (target % tilesX) - (router % tilesX) + ((dieSteps % diesX) - topology.dieX) * tilesX;
    const dy = Math.floor(target / tilesX) - Math.floor(router / tilesX) + (Math.floor(dieSteps / diesX) - topology.dieY) * tilesY;
    if (dx === 0 && dy === 0) return LOCAL;
    return xThenY(back && dy !== 0 ? 0 : dx, dy); // responses go back the way that requests came
  }

  /** Every router joins its inputs and sends the result on, leaves first. */
  #join({ tree, sequence, channel, bytes, head, tail, endsPage, entered }: OpenReduction, flits: number): void {
    const { topology } = this;
    const { plan, order } = this.#reductions[tree]!;
    const { inputsPerCycle, latencyCycles, pageGapCycles, landingBytesPerCycle } = topology.reduction;
    for (const router of order) {
      const inputs = bitsOf(plan.inputs[router]!);
      this.#head = head[router]!;
      this.#tail = tail[router]!;
      if (inputs > 1) {
        // With two inputs per cycle, n inputs of f flits take (n − 1) × f cycles.
        const start = Math.max(this.#head, this.#combineFree[router]!);
        const end = start + Math.ceil(((inputs - 1) / (inputsPerCycle - 1)) * flits);
        this.#combineFree[router] = end;
        this.#head = start + latencyCycles;
        this.#tail = Math.max(this.#tail, end - 1) + latencyCycles;
      }
      const out = plan.out[router]!;
      const port = router * PORT_STRIDE + out;
      let read = this.#tail - (inputs > 1 ? latencyCycles : 0);
      this.#take(port, channel, bytes, flits, true);
      if (inputs === 1) read = this.#tail - topology.types[topology.type[port]!]!.cycles;
      if (pageGapCycles > 0 && endsPage[router] === 1) this.#injectionFree[router] = Math.max(this.#injectionFree[router]!, read + 1 + pageGapCycles);
      if (out === LOCAL) {
        this.#arrive(router, this.#tail + Math.ceil(bytes / landingBytesPerCycle), channel, bytes, topology.dieId * topology.tiles + plan.root, sequence, entered);
        return;
      }
      const next = topology.peer[port]! >>> 3;
      head[next] = Math.max(head[next]!, this.#head);
      tail[next] = Math.max(tail[next]!, this.#tail);
    }
  }

  #arrive(tile: number, cycle: number, channel: number, bytes: number, source: number, sequence: number, entered: number): void {
    const at = this.#pending.push(cycle, this.#scalars.order++);
    const { fields } = this.#pending;
    fields[at + PENDING_TILE] = tile;
    fields[at + PENDING_META] = channel;
    fields[at + PENDING_BYTES] = bytes;
    fields[at + PENDING_SOURCE] = source;
    fields[at + PENDING_SEQUENCE] = sequence;
    fields[at + PENDING_ENTERED] = entered;
  }

  #deliver(at: number, tile: number, cycle: number): void {
    const { fields } = this.#pending;
    const row = this.delivered;
    if (row === this.deliveredTile.length) this.#growDelivered();
    const source = fields[at + PENDING_SOURCE]!;
    const sequence = fields[at + PENDING_SEQUENCE]!;
    this.deliveredTile[row] = tile;
    this.deliveredChannel[row] = fields[at + PENDING_META]! & 0xff;
    this.deliveredBytes[row] = fields[at + PENDING_BYTES]!;
    this.deliveredSource[row] = source;
    this.deliveredSequence[row] = sequence;
    this.deliveredEntered[row] = fields[at + PENDING_ENTERED]!;
    this.delivered++;
    this.#scalars.deliveredPackets++;
    foldDelivery(this.deliveryHash, tile, source, sequence, cycle);
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

/** The die of a tile or of a memory node. */
function dieOfTarget({ tiles, waferTiles, nodes }: DieTopology, target: number): number {
  return target < waferTiles ? Math.floor(target / tiles) : Math.floor((target - waferTiles) / nodes.length);
}

function bitsOf(mask: number): number {
  let count = 0;
  for (let left = mask; left !== 0; left &= left - 1) count++;
  return count;
}

function copyOpen(open: OpenReduction): OpenReduction {
  return { ...open, head: open.head.slice(), tail: open.tail.slice(), endsPage: open.endsPage.slice() };
}

/** The routers of a tree, each before the one that it sends to. */
function leavesFirst({ root, out }: ReductionPlan, { peer }: DieTopology): Int32Array {
  const depth = new Map<number, number>([[root, 0]]);
  const depthOf = (router: number): number => {
    const known = depth.get(router);
    if (known !== undefined) return known;
    const mine = 1 + depthOf(peer[router * PORT_STRIDE + out[router]!]! >>> 3);
    depth.set(router, mine);
    return mine;
  };
  const members: number[] = [];
  for (let router = 0; router < out.length; router++) if (out[router] !== 255) members.push(router);
  for (const router of members) depthOf(router);
  return Int32Array.from(members.sort((a, b) => depth.get(b)! - depth.get(a)! || a - b));
}
