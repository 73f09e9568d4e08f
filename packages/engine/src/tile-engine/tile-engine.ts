import {
  AnalyticFabric, CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE, dieTopology, FlitKernel, NEVER, nodeId, PacketKernel, type DieTopology, type Fabric,
  type Fidelity, type FlitPipeline, type KernelSnapshot,
} from '@kerf/fabric';
import { tilesPerDie, type Hardware } from '@kerf/hardware';
import {
  ENGINES, memberOfPeer, peerPlace, scopeAt, TileEngineId, tileEngines, tileOperationKinds, TileOperation, type ProgramInstances,
} from '@kerf/program';
import { CompletionHeap } from '../completion-heap.ts';
import { barrierHops, groupBarrierCycles } from '../costs/barrier.ts';
import { pushCycles } from '../costs/dma.ts';
import { CostError } from '../costs/errors.ts';
import type { CostOptions } from '../costs/options.ts';
import { restoreMemory, saveMemory, settleMemory, type MemoryColumns } from '../costs/memory-channel.ts';
import { planCollectives, type CollectivePlan } from './collective-plan.ts';
import { DieMemory } from './die-memory.ts';
import {
  copied, createAnswerColumns, createExchangeColumns, createNodeColumns, createTileColumns, doubled, FINISHING, HELD_UP, IDLE, IN_FLIGHT, ISSUING, REASON_BARRIER, REASON_DEPENDENCY, REASON_FABRIC, REASON_MEMORY, REASONS,
  type AnswerColumns, type ExchangeColumns, type NodeColumns, type TileColumns,
} from './engine-state.ts';
import { layOut, placeOnDie, QUEUE_STRIDE, type LaidOutPrograms, type PlacedTiles } from './laid-out-programs.ts';
import {
  CHANNEL_ANSWER, CHANNEL_BARRIER, CHANNEL_LOAD, CHANNEL_MULTICAST, CHANNEL_REDUCE, CHANNEL_REQUEST, CHANNEL_SEND, CHANNEL_STORE, costsOf, PARTS, tileChannels, type TileRunOptions,
} from './options.ts';
import { tileHardwareOf, type TileHardware } from './tile-hardware.ts';

const DMA = TileEngineId.DMA;
const NO_TREE = -1;
/** Share of the L1 cycles that others can take from the matrix engine: an arbiter leaves it one in 16. */
const MOST_BOOKED = 15 / 16;
/** The router at flit fidelity: what links take beyond one cycle is wire. */
const SINGLE_CYCLE: FlitPipeline = { routing: 0, vcAllocation: 1, switchAllocation: 1, switchTraversal: 0, creditDelay: 0, lookAhead: true, speculative: true };
/** The flit kernel counts the flits of a buffer in a byte. */
const MOST_BUFFER_FLITS = 254;

function fabricOf(topology: DieTopology, hardware: Hardware, fidelity: Fidelity, classes: readonly number[], reverse: { readonly reverseVisits?: boolean }): Fabric {
  const channels = tileChannels.length;
  if (fidelity === 'analytic') return new AnalyticFabric(topology, { channels });
  if (fidelity === 'packet') return new PacketKernel(topology, { channels, classes, ...reverse });
  return new FlitKernel(topology, { channels, classes, pipeline: SINGLE_CYCLE, virtualChannels: topology.virtualChannels, bufferFlits: Math.min(MOST_BUFFER_FLITS, hardware.link.credits ?? topology.types[0]!.creditFlits), ...reverse });
}

interface Scalars {
  now: number;
  unfinished: number;
  freeExchange: number;
  freeAnswer: number;
  lastEndCycle: number;
  started: boolean;
}

/** All that an engine holds between two cycles, but for program and hardware. */
export interface TileSnapshot {
  readonly wide: unknown;
  readonly sync: KernelSnapshot | null;
  readonly memory: MemoryColumns | null;
  readonly tiles: TileColumns;
  readonly exchanges: ExchangeColumns;
  readonly answers: AnswerColumns;
  readonly nodes: NodeColumns;
  readonly exchangeOf: Int32Array;
  readonly heap: { cycles: Float64Array; operations: Uint32Array };
  readonly scalars: Scalars;
}

/** One operation of a recorded tile. */
export interface RecordedOperation {
  readonly tile: number;
  readonly engine: number;
  /** Row of the role's table. */
  readonly row: number;
  readonly kind: number;
  readonly startCycle: number;
  readonly endCycle: number;
}

/**
 * Runs tile programs on one die: its tiles, its memory channels, its fabrics. Each engine of a tile takes its queue in order; its next
 * operation starts in the cycle in which all that it depends on is done. Cycles count from the start of the kernel.
 *
 * A cycle has phases: what arrives is applied; operations whose end was known end; then every tile of which something ended starts
 * what can start, in the order of tiles; then routers decide. So nothing depends on the order of events inside a cycle.
 */
export class TileEngine {
  readonly dieId: number;
  readonly topology: DieTopology;
  readonly wide: Fabric;
  /** The fabric of barriers, at packet fidelity; the wide one where there is no other; null where they are a formula or there are none. */
  readonly sync: PacketKernel | null;
  readonly memory: DieMemory | null;
  readonly tileHardware: TileHardware;
  readonly recorded: RecordedOperation[] = [];
  readonly #hardware: Hardware;
  readonly #costs: CostOptions;
  /** The same without a write window. */
  readonly #streaming: CostOptions;
  /** Answers to loads, stores and sends are packets. */
  readonly #answersTravel: boolean;
  /** Cycles per link of what is told but no packet; 0 where answers take no time. */
  readonly #tellCycles: number;
  /** Memory nodes are behind the tiles that they stand at. */
  readonly #nodesAtTiles: boolean;
  readonly #l1Contention: boolean;
  readonly #laid: LaidOutPrograms;
  readonly #placed: PlacedTiles;
  readonly #plan: CollectivePlan;
  readonly #recordedTiles: Uint8Array;
  readonly #tileCount: number;
  readonly #slots: number;
  readonly #flitBytes: number;
  readonly #packetBytes: number;
  readonly #packetShift: number;
  /** Most members of a multicast or message. */
  readonly #arrivalStride: number;
  /** [groups] where its scopes of collectives, then its messages begin in `exchangeOf`. */
  readonly #firstExchange: Int32Array;
  readonly #firstMessage: Int32Array;
  readonly #heap = new CompletionHeap();
  /** [tiles / 32] bits: something of the tile has ended in this cycle. */
  readonly #touched: Int32Array;
  /** Memory requests of this cycle: rows of the deliveries, by node. */
  readonly #requestRows: Int32Array;
  /** [scopes and messages of all groups] the exchange in progress, or −1. */
  #exchangeOf: Int32Array;
  #tiles: TileColumns;
  #exchanges: ExchangeColumns;
  #answers: AnswerColumns;
  #nodes: NodeColumns;
  #scalars: Scalars = { now: -1, unfinished: 0, freeExchange: -1, freeAnswer: -1, lastEndCycle: 0, started: false };

  constructor(hardware: Hardware, dieId: number, programs: readonly ProgramInstances[], options: TileRunOptions = {}) {
    this.dieId = dieId;
    this.#hardware = hardware;
    this.#costs = costsOf(options);
    this.#streaming = { ...this.#costs, dmaWriteWindow: false };
    this.tileHardware = tileHardwareOf(hardware);
    this.topology = dieTopology(hardware, dieId);
    this.#tileCount = tilesPerDie(hardware);
    this.#slots = this.#tileCount * ENGINES;
    this.#flitBytes = this.topology.flitBytes;
    this.#packetBytes = this.topology.maxPacketBytes;
    this.#laid = layOut(programs, this.tileHardware, this.#costs);
    this.#placed = placeOnDie(hardware, dieId, this.#laid);
    const { fidelity = 'packet', l1Contention = true } = options;
    const free = this.#costs.freeResponses;
    this.#answersTravel = !free;
    this.#tellCycles = free ? 0 : hardware.link.cycles;
    this.#nodesAtTiles = fidelity === 'flit';
    this.#l1Contention = l1Contention;
    const has = (kind: number) => this.#laid.kind.includes(kind);
    const networkBarriers = has(TileOperation.BARRIER) && (options.barriers ?? (this.#costs.name === 'reference' ? 'software' : 'network')) === 'network';
    const joins = has(TileOperation.REDUCE);
    const reverse = options.reverseVisits === undefined ? {} : { reverseVisits: options.reverseVisits };
    const onWide = networkBarriers && hardware.syncLink === undefined && fidelity === 'packet';
    const classes = [CLASS_REQUEST, ...(free ? [] : [CLASS_RESPONSE]), ...((joins && fidelity === 'packet') || onWide ? [CLASS_REDUCTION] : [])];
    this.wide = fabricOf(this.topology, hardware, fidelity, classes, reverse);
    if (!networkBarriers) this.sync = null;
    else if (onWide) this.sync = this.wide as PacketKernel;
    else this.sync = new PacketKernel(hardware.syncLink === undefined ? this.topology : dieTopology(hardware, dieId, 'sync'), { channels: tileChannels.length, classes: [CLASS_REDUCTION], ...reverse });
    this.#plan = planCollectives(hardware, dieId, this.#laid, this.#placed, this.wide, this.sync, { answers: !free && fidelity === 'packet', joins: fidelity !== 'flit' });
    this.memory = has(TileOperation.LOAD) || has(TileOperation.STORE) ? new DieMemory(hardware, this.tileHardware, this.#costs, this.#laid, this.#placed, options.edges ?? {}) : null;

    const groups = this.#placed.groups;
    this.#firstExchange = new Int32Array(groups);
    this.#firstMessage = new Int32Array(groups);
    let exchanges = 0;
    let most = 2;
    for (let g = 0; g < groups; g++) {
      const { compiled } = programs[this.#placed.programOfGroup[g]!]!;
      const { group, messages } = compiled.program;
      this.#firstExchange[g] = exchanges;
      exchanges += compiled.scopes;
      this.#firstMessage[g] = exchanges;
      exchanges += messages * group.width * group.height;
      compiled.program.collectives.forEach(({ kind }, c) => {
        if (kind === 'multicast') most = Math.max(most, compiled.members[c]!);
      });
    }
    this.#arrivalStride = most;
    this.#exchangeOf = new Int32Array(exchanges).fill(-1);
    let longest = 1;
    for (let entry = 0; entry < this.#laid.bytes.length; entry++) {
      if (this.#laid.collective[entry]! >= 0 || this.#laid.message[entry]! >= 0) longest = Math.max(longest, Math.ceil(this.#laid.bytes[entry]! / this.#packetBytes));
    }
    this.#packetShift = Math.ceil(Math.log2(longest + 1));
    this.#touched = new Int32Array(Math.ceil(this.#tileCount / 32));
    this.#requestRows = new Int32Array(Math.max(1, this.topology.nodes.length));
    this.#recordedTiles = new Uint8Array(this.#tileCount);
    for (const tile of options.record ?? []) this.#recordedTiles[tile] = 1;
    this.#tiles = createTileColumns(this.#tileCount);
    this.#exchanges = createExchangeColumns(64, most);
    this.#answers = createAnswerColumns(256);
    this.#nodes = createNodeColumns(this.topology.nodes.length);
    this.#linkExchanges(0);
    this.#linkAnswers(0);
    this.#scalars.unfinished = this.#operations();
  }

  /** Is every operation done? */
  get done(): boolean {
    return this.#scalars.unfinished === 0;
  }

  /** Cycle last begun. */
  get now(): number {
    return this.#scalars.now;
  }

  /** The fabric of barriers, if it is another than the wide one. */
  get #ownSync(): PacketKernel | null {
    return this.sync === this.wide ? null : this.sync;
  }

  /** Operations of all tiles of the die. */
  #operations(): number {
    let count = 0;
    for (let tile = 0; tile < this.#tileCount; tile++) {
      const role = this.#placed.roleOfTile[tile]!;
      if (role >= 0) count += this.#laid.queueStart[role * QUEUE_STRIDE + ENGINES]! - this.#laid.queueStart[role * QUEUE_STRIDE]!;
    }
    return count;
  }

  /** Everything as before cycle 0: the canonical state of a quiescent kernel boundary. Counters of fabric and memory go on. */
  startKernel(): void {
    this.wide.startKernel();
    this.#ownSync?.startKernel();
    if (this.memory !== null) settleMemory(this.memory.memory, 0);
    this.#tiles = createTileColumns(this.#tileCount);
    this.#nodes = createNodeColumns(this.topology.nodes.length);
    // Rows are numbered as in a new engine: their numbers say in which order answers of one cycle leave a node.
    this.#scalars = { now: -1, unfinished: this.#operations(), freeExchange: -1, freeAnswer: -1, lastEndCycle: 0, started: false };
    this.#linkExchanges(0);
    this.#linkAnswers(0);
  }

  /** The next cycle with something to do, or NEVER. */
  nextCycle(): number {
    if (!this.#scalars.started) return 0;
    let next = this.wide.nextCycle();
    const sync = this.#ownSync;
    if (sync !== null) next = Math.min(next, sync.nextCycle());
    return Math.min(next, this.#heap.nextCycle);
  }

  /** Runs every cycle before `limit`. */
  runUntil(limit: number): void {
    const { wide } = this;
    const sync = this.#ownSync;
    const heap = this.#heap;
    const scalars = this.#scalars;
    const nodeCount = this.topology.nodes.length;
    while (scalars.unfinished > 0 || wide.nextCycle() !== NEVER || (sync !== null && sync.nextCycle() !== NEVER)) {
      const cycle = this.nextCycle();
      if (cycle >= limit) {
        if (cycle === NEVER && scalars.unfinished > 0) throw this.#standsStill();
        return;
      }
      if (cycle >= NEVER) throw this.#standsStill();
      scalars.now = cycle;
      wide.beginCycle(cycle);
      this.#deliver(wide, cycle);
      if (sync !== null) {
        sync.beginCycle(cycle);
        this.#release(sync, cycle);
      }
      while (heap.nextCycle === cycle) {
        const id = heap.pop();
        if (id < this.#slots) this.#slotEvent(id, cycle);
        else if (id < this.#slots + nodeCount) this.#nodeEvent(id - this.#slots, cycle);
        else this.#answer(id - this.#slots - nodeCount, cycle);
      }
      if (!scalars.started) {
        scalars.started = true;
        for (let tile = 0; tile < this.#tileCount; tile++) if (this.#placed.roleOfTile[tile]! >= 0) this.#touch(tile);
      }
      this.#startWhatCan(cycle);
      wide.decide();
      sync?.decide();
    }
  }

  /** Cycles from the start to the end of the last operation. */
  get lastEndCycle(): number {
    return this.#scalars.lastEndCycle;
  }

  /** Critical path to the end of the last operation, of the first tile among several; the parts add up to {@link lastEndCycle}. */
  get criticalPath(): Float64Array {
    const slot = this.#tiles.endCycle.indexOf(this.lastEndCycle);
    return this.#tiles.path.slice(slot * PARTS, (slot + 1) * PARTS);
  }

  get columns(): TileColumns {
    return this.#tiles;
  }

  save(): TileSnapshot {
    return {
      wide: this.wide.save(), sync: this.#ownSync?.save() ?? null, memory: this.memory === null ? null : saveMemory(this.memory.memory),
      tiles: copied(this.#tiles), exchanges: copied(this.#exchanges), answers: copied(this.#answers), nodes: copied(this.#nodes), exchangeOf: this.#exchangeOf.slice(), heap: this.#heap.save(), scalars: { ...this.#scalars },
    };
  }

  /** Takes the state of another engine of the same hardware, programs and options. */
  restore(snapshot: TileSnapshot): void {
    this.wide.restore(snapshot.wide);
    this.#ownSync?.restore(snapshot.sync!);
    if (this.memory !== null) restoreMemory(this.memory.memory, snapshot.memory!);
    this.#tiles = copied(snapshot.tiles);
    this.#exchanges = copied(snapshot.exchanges);
    this.#answers = copied(snapshot.answers);
    this.#nodes = copied(snapshot.nodes);
    this.#exchangeOf = snapshot.exchangeOf.slice();
    this.#heap.restore(snapshot.heap);
    this.#scalars = { ...snapshot.scalars };
  }

  #standsStill(): Error {
    const lines = this.explainWaiting(8);
    return new Error(`Die ${this.dieId} stands still at cycle ${this.now} with ${this.#scalars.unfinished} operations left. ${lines.join('; ')}`);
  }

  /** Sentences about what keeps the kernel from ending. */
  explainWaiting(limit: number): string[] {
    const lines = this.wide.explainWaiting(limit);
    for (let tile = 0; tile < this.#tileCount && lines.length < limit; tile++) {
      const role = this.#placed.roleOfTile[tile]!;
      if (role < 0) continue;
      for (let e = 0; e < ENGINES && lines.length < limit; e++) {
        const slot = tile * ENGINES + e;
        const entry = this.#laid.queueStart[role * QUEUE_STRIDE + e]! + this.#tiles.done[slot]!;
        if (entry >= this.#laid.queueStart[role * QUEUE_STRIDE + e + 1]!) continue;
        lines.push(`tile ${tile}: operation ${this.#laid.row[entry]} (${tileOperationKinds[this.#laid.kind[entry]!]}) of the ${tileEngines[e]} engine ${this.#tiles.phase[slot] === IDLE ? 'has not started' : `has been going on since cycle ${this.#tiles.startCycle[slot]}`}`);
      }
    }
    return lines;
  }

  #touch(tile: number): void {
    this.#touched[tile >>> 5]! |= 1 << (tile & 31);
  }

  /** Every tile of which something ended starts what can start, in the order of tiles. */
  #startWhatCan(cycle: number): void {
    const touched = this.#touched;
    for (let word = 0; word < touched.length; word++) {
      let bits = touched[word]!;
      if (bits === 0) continue;
      touched[word] = 0;
      for (; bits !== 0; bits &= bits - 1) this.#startTile((word << 5) + 31 - Math.clz32(bits & -bits), cycle);
    }
  }

  #startTile(tile: number, cycle: number): void {
    const { queueStart, needs } = this.#laid;
    const { done, phase } = this.#tiles;
    const queues = this.#placed.roleOfTile[tile]! * QUEUE_STRIDE;
    const first = tile * ENGINES;
    for (let again = true; again;) {
      again = false;
      engines: for (let e = 0; e < ENGINES; e++) {
        const slot = first + e;
        if (phase[slot] !== IDLE) continue;
        const entry = queueStart[queues + e]! + done[slot]!;
        if (entry >= queueStart[queues + e + 1]!) continue;
        const at = entry * ENGINES;
        for (let other = 0; other < ENGINES; other++) if (done[first + other]! < needs[at + other]!) continue engines;
        this.#start(tile, e, entry, cycle);
        if (phase[slot] === IDLE) again = true;
      }
    }
  }

  #start(tile: number, e: number, entry: number, cycle: number): void {
    const columns = this.#tiles;
    const { needs, kind, cycles } = this.#laid;
    const first = tile * ENGINES;
    const slot = first + e;
    // What it waited for last ended in this cycle: the own engine first, then the others in order.
    let last = e;
    if (cycle > 0 && columns.endCycle[slot] !== cycle) {
      for (let other = 0; other < ENGINES; other++) if (needs[entry * ENGINES + other]! > 0 && columns.endCycle[first + other] === cycle) last = other;
      const stall = cycle - columns.endCycle[slot]!;
      if (stall > 0) columns.stallCycles[slot * REASONS + this.#reasonOf(tile, last)]! += stall;
      const { path } = columns;
      if (last !== e) path.copyWithin(slot * PARTS, (first + last) * PARTS, (first + last + 1) * PARTS);
    }
    columns.startCycle[slot] = cycle;
    const crossing = last === e ? 0 : this.tileHardware.tileBarrierCycles;
    switch (kind[entry]) {
      case TileOperation.MATMUL:
        columns.phase[slot] = FINISHING;
        columns.l1BytesBefore[tile] = columns.l1Bytes[tile]!;
        this.#heap.push(cycle + crossing + this.tileHardware.matrixIssueCycles + cycles[entry]!, slot);
        return;
      case TileOperation.VECTOR:
      case TileOperation.TRANSPOSE:
      case TileOperation.CLEAR:
      case TileOperation.COPY:
        columns.phase[slot] = FINISHING;
        this.#heap.push(cycle + crossing + cycles[entry]!, slot);
        return;
      case TileOperation.LOAD:
      case TileOperation.REDUCE:
        columns.phase[slot] = ISSUING;
        this.#heap.push(cycle + crossing + cycles[entry]!, slot);
        return;
      case TileOperation.STORE:
      case TileOperation.SEND:
        columns.phase[slot] = ISSUING;
        this.#heap.push(cycle + crossing + cycles[entry]! + this.#windowCycles(tile, entry), slot);
        return;
      case TileOperation.MULTICAST: {
        if (cycles[entry]! > 0) {
          columns.phase[slot] = ISSUING;
          this.#heap.push(cycle + crossing + cycles[entry]! + this.#windowCycles(tile, entry), slot);
          return;
        }
        this.#await(slot, this.#exchangeFor(tile, entry), this.#memberOf(tile, entry), cycle);
        return;
      }
      case TileOperation.RECEIVE:
        this.#await(slot, this.#messageFor(tile, this.#laid.message[entry]!), 1, cycle);
        return;
      case TileOperation.BARRIER:
        this.#arriveAtBarrier(tile, slot, entry, cycle);
        return;
      case TileOperation.WAIT:
        this.#end(slot, cycle);
        return;
      default:
        throw new Error(`Entry ${entry} has the unknown kind ${kind[entry]}.`);
    }
  }

  /** Cycles that a write takes longer because few rows of L1 are in flight at once; it is taken to begin so much later. */
  #windowCycles(tile: number, entry: number): number {
    if (!this.#costs.dmaWriteWindow) return 0;
    const { tilesX } = this.#hardware.die;
    const hopsTo = (other: number) => Math.abs((tile % tilesX) - (other % tilesX)) + Math.abs(Math.floor(tile / tilesX) - Math.floor(other / tilesX));
    let hops: number;
    switch (this.#laid.kind[entry]!) {
      case TileOperation.STORE: {
        const node = this.memory!.nodeOf(tile, entry);
        if (node < 0) return 0;
        hops = hopsTo(this.topology.nodePorts[node]! >>> 3) + 1;
        break;
      }
      case TileOperation.SEND:
        hops = hopsTo(this.#peerOf(tile, entry));
        break;
      default:
        hops = this.#plan.farthest[this.#treeFor(tile, entry)]!;
    }
    const bytes = this.#laid.bytes[entry]!;
    const { dma } = this.tileHardware;
    const late = pushCycles(bytes, hops, this.#flitBytes, dma, this.#costs) - pushCycles(bytes, hops, this.#flitBytes, dma, this.#streaming);
    // A channel that takes a line every second cycle is as slow by itself.
    return this.#laid.kind[entry] === TileOperation.STORE && this.#costs.memoryWritePieces ? Math.max(0, late - Math.ceil(bytes / this.#flitBytes)) : late;
  }

  /** What another engine's last operation was about. */
  #reasonOf(tile: number, e: number): number {
    const slot = tile * ENGINES + e;
    const entry = this.#laid.queueStart[this.#placed.roleOfTile[tile]! * QUEUE_STRIDE + e]! + this.#tiles.done[slot]! - 1;
    switch (this.#laid.kind[entry]) {
      case TileOperation.LOAD:
      case TileOperation.STORE: return REASON_MEMORY;
      case TileOperation.SEND:
      case TileOperation.RECEIVE:
      case TileOperation.MULTICAST:
      case TileOperation.REDUCE: return REASON_FABRIC;
      case TileOperation.BARRIER: return REASON_BARRIER;
      default: return REASON_DEPENDENCY;
    }
  }

  #entryOf(slot: number): number {
    const tile = Math.floor(slot / ENGINES);
    return this.#laid.queueStart[this.#placed.roleOfTile[tile]! * QUEUE_STRIDE + (slot - tile * ENGINES)]! + this.#tiles.done[slot]!;
  }

  #slotEvent(slot: number, cycle: number): void {
    const tile = Math.floor(slot / ENGINES);
    const entry = this.#entryOf(slot);
    if (this.#tiles.phase[slot]! >= FINISHING) {
      if (this.#tiles.phase[slot] === FINISHING && this.#laid.job[entry]! >= 0) {
        const late = this.#heldUpCycles(tile, entry);
        if (late > 0) {
          this.#tiles.phase[slot] = HELD_UP;
          this.#heap.push(cycle + late, slot);
          return;
        }
      } else if (slot - tile * ENGINES <= DMA && this.#tiles.waiting[slot]! < 0) this.#countWork(tile, entry);
      this.#end(slot, cycle);
      return;
    }
    this.#tiles.phase[slot] = IN_FLIGHT;
    switch (this.#laid.kind[entry]!) {
      case TileOperation.LOAD:
        this.#transfer(tile, slot, entry, false, cycle);
        return;
      case TileOperation.STORE:
        this.#transfer(tile, slot, entry, true, cycle);
        return;
      case TileOperation.SEND:
        this.#send(tile, slot, entry, cycle);
        return;
      case TileOperation.MULTICAST:
        this.#multicast(tile, slot, entry, cycle);
        return;
      case TileOperation.REDUCE:
        this.#contribute(tile, slot, entry, cycle);
        return;
    }
  }

  /** Work inside the tile is over: what it moved in L1. Loads and stores are counted packet by packet. */
  #countWork(tile: number, entry: number): void {
    switch (this.#laid.kind[entry]!) {
      case TileOperation.VECTOR:
      case TileOperation.TRANSPOSE:
      case TileOperation.CLEAR:
      case TileOperation.COPY:
        this.#tiles.l1Bytes[tile]! += this.#laid.bytes[entry]!;
    }
  }

  /**
   * Cycles that a matrix job takes longer for what others moved in L1 since it began, spread evenly over it: as `contendedMatrixEnd`
   * with a steady stream.
   */
  #heldUpCycles(tile: number, entry: number): number {
    const foreign = this.#tiles.l1Bytes[tile]! - this.#tiles.l1BytesBefore[tile]!;
    if (!this.#l1Contention || foreign === 0) return 0;
    const { job, jobStart, accessCycles, arrayCycles, repeats, cycles } = this.#laid;
    const booked = Math.min(MOST_BOOKED, foreign / this.tileHardware.matrix.l1BytesPerCycle / cycles[entry]!);
    let late = 0;
    const end = jobStart[job[entry]! + 1]!;
    for (let phase = jobStart[job[entry]!]!; phase < end; phase++) {
      const alone = Math.max(accessCycles[phase]!, arrayCycles[phase]!);
      const needed = accessCycles[phase]! / (1 - booked);
      if (needed > alone) late += repeats[phase]! * (needed - alone);
    }
    return Math.floor(late);
  }

  /** Packets of a load ask, packets of a store carry. */
  #transfer(tile: number, slot: number, entry: number, isStore: boolean, cycle: number): void {
    const memory = this.memory!;
    const packets = memory.packetsOf(entry);
    const node = memory.nodeOf(tile, entry);
    this.#tiles.left[slot] = packets;
    if (node < 0) {
      // Memory without a place: the tile's own port is all that is crossed.
      let end = cycle;
      let free = Math.max(cycle, this.#tiles.portFreeCycle[tile]!);
      for (let packet = 0; packet < packets; packet++) {
        const bytes = memory.bytesOf(entry, packet);
        const flits = Math.ceil(bytes / this.#flitBytes);
        const done = memory.request(tile, entry, packet, node, isStore, isStore ? free : cycle, isStore ? 1 : 0);
        free = isStore ? free + flits : Math.max(free + flits, done);
        end = Math.max(end, free, done);
      }
      this.#tiles.portFreeCycle[tile] = free;
      this.#finish(slot, end);
      return;
    }
    const to = this.#nodesAtTiles ? this.dieId * this.#tileCount + (this.topology.nodePorts[node]! >>> 3) : nodeId(this.topology, node);
    const channel = isStore ? CHANNEL_STORE : this.#answersTravel ? CHANNEL_REQUEST : CHANNEL_LOAD;
    if (isStore) this.#tiles.l1Bytes[tile]! += this.#laid.bytes[entry]!;
    for (let packet = 0; packet < packets; packet++) this.wide.inject(tile, to, channel, channel === CHANNEL_REQUEST ? 0 : memory.bytesOf(entry, packet), packet);
  }

  /** Ends an operation of the DMA or fabric engine at a cycle, once that is noticed. */
  #finish(slot: number, cycle: number): void {
    this.#tiles.phase[slot] = FINISHING;
    // The loop that waits began with the operation; it looks once per pass.
    const { pollCycles } = this.tileHardware.dma;
    const start = this.#tiles.startCycle[slot]!;
    this.#heap.push(Math.max(this.#scalars.now + 1, start + Math.ceil((cycle - start) / pollCycles) * pollCycles), slot);
  }

  #deliver(fabric: Fabric, cycle: number): void {
    const { delivered } = fabric;
    if (delivered === 0) return;
    const { deliveredTile, deliveredChannel, deliveredSequence, deliveredBytes } = fabric;
    const tileCount = this.#tileCount;
    let requests = 0;
    for (let row = 0; row < delivered; row++) {
      const tile = deliveredTile[row]!;
      const channel = deliveredChannel[row]!;
      if (tile >= tileCount || (this.#nodesAtTiles && (channel === CHANNEL_REQUEST || channel === CHANNEL_STORE || (channel === CHANNEL_LOAD && !this.#answersTravel)))) {
        // Requests of one cycle reach the channels in the order of nodes.
        const rows = this.#requestRows;
        let at = requests++;
        while (at > 0 && deliveredTile[rows[at - 1]!]! > tile) {
          rows[at] = rows[at - 1]!;
          at--;
        }
        rows[at] = row;
        continue;
      }
      const sequence = deliveredSequence[row]!;
      switch (channel) {
        case CHANNEL_LOAD:
          this.#transferred(tile, deliveredBytes[row]!, cycle);
          break;
        case CHANNEL_ANSWER:
          if ((sequence & 1) === 1) this.#answered(sequence >>> 1, cycle);
          else this.#transferred(tile, 0, cycle);
          break;
        case CHANNEL_SEND:
        case CHANNEL_MULTICAST:
          this.#received(tile, sequence >>> this.#packetShift, channel === CHANNEL_MULTICAST, deliveredBytes[row]!, cycle);
          break;
        case CHANNEL_REDUCE:
          this.#reduced(tile, sequence >>> this.#packetShift, cycle);
          break;
        case CHANNEL_BARRIER:
          this.#released(tile, sequence >>> this.#packetShift, cycle);
          break;
      }
    }
    for (let i = 0; i < requests; i++) this.#requested(fabric, this.#requestRows[i]!, cycle);
  }

  #release(sync: Fabric, cycle: number): void {
    const { delivered, deliveredTile, deliveredSequence } = sync;
    for (let row = 0; row < delivered; row++) this.#released(deliveredTile[row]!, deliveredSequence[row]! >>> this.#packetShift, cycle);
  }

  /** A packet of a load or store has come to a memory node. */
  #requested(fabric: Fabric, row: number, cycle: number): void {
    const memory = this.memory!;
    const tile = fabric.deliveredSource[row]! - this.dieId * this.#tileCount;
    const packet = fabric.deliveredSequence[row]!;
    const isStore = fabric.deliveredChannel[row] === CHANNEL_STORE;
    const entry = this.#entryOf(tile * ENGINES + DMA);
    const node = memory.nodeOf(tile, entry);
    const bytes = memory.bytesOf(entry, packet);
    const flits = Math.ceil(bytes / this.#flitBytes);
    const id = this.#takeAnswer();
    const answers = this.#answers;
    answers.node[id] = node;
    answers.tile[id] = tile;
    answers.packet[id] = packet;
    answers.flits[id] = flits;
    answers.bytes[id] = isStore ? 0 : bytes;
    answers.isStore[id] = isStore ? 1 : 0;
    if (memory.shared) {
      memory.beginPacket(answers, id, tile, entry, packet);
      answers.next[id] = -1;
      const nodes = this.#nodes;
      if (nodes.head[node]! >= 0) answers.next[nodes.tail[node]!] = id;
      else {
        nodes.head[node] = id;
        this.#heap.push(Math.max(cycle + 1, nodes.freeCycle[node]!), this.#slots + node);
      }
      nodes.tail[node] = id;
      return;
    }
    // What comes flit by flit came a cycle each until now.
    const carries = isStore || !this.#answersTravel;
    const done = memory.request(tile, entry, packet, node, isStore, carries ? Math.max(0, cycle - flits + 1) : cycle, carries ? 1 : 0);
    this.#answerAt(id, done, cycle);
  }

  /** A node offers its next line. */
  #nodeEvent(node: number, cycle: number): void {
    const nodes = this.#nodes;
    const answers = this.#answers;
    const id = nodes.head[node]!;
    const next = this.memory!.takeLine(answers, id, answers.isStore[id] === 1, cycle);
    nodes.freeCycle[node] = next;
    if (answers.leftBytes[id] === 0) {
      const following = answers.next[id]!;
      nodes.head[node] = following;
      if (following >= 0) this.#heap.push(next, this.#slots + node);
      // Lines of a packet that carries them came one by one while it did; the last of them is taken to have come now.
      const early = answers.isStore[id] === 1 || !this.#answersTravel ? answers.flits[id]! : 0;
      this.#answerAt(id, answers.doneCycle[id]! - early, cycle);
    } else this.#heap.push(next, this.#slots + node);
  }

  /** Data leave so that the last flit is there when the link has carried those before. */
  #answerAt(id: number, done: number, cycle: number): void {
    const { isStore, flits } = this.#answers;
    const leaves = isStore[id] === 1 || !this.#answersTravel ? done : done - flits[id]! + 1;
    this.#heap.push(Math.max(cycle + 1, leaves), this.#slots + this.topology.nodes.length + id);
  }

  #takeAnswer(): number {
    const scalars = this.#scalars;
    if (scalars.freeAnswer < 0) {
      const rows = this.#answers.next.length;
      this.#answers = doubled(this.#answers);
      this.#linkAnswers(rows);
    }
    const id = scalars.freeAnswer;
    scalars.freeAnswer = this.#answers.next[id]!;
    return id;
  }

  #linkAnswers(from: number): void {
    const { next } = this.#answers;
    for (let row = next.length - 1; row >= from; row--) {
      next[row] = this.#scalars.freeAnswer;
      this.#scalars.freeAnswer = row;
    }
  }

  /** The memory's answer is ready. */
  #answer(id: number, cycle: number): void {
    const { node, tile, packet, bytes, isStore, next } = this.#answers;
    const to = tile[id]!;
    if (this.#answersTravel) {
      const from = this.#nodesAtTiles ? this.topology.nodePorts[node[id]!]! >>> 3 : this.#tileCount + node[id]!;
      this.wide.inject(from, this.dieId * this.#tileCount + to, isStore[id] === 1 ? CHANNEL_ANSWER : CHANNEL_LOAD, bytes[id]!, packet[id]! * 2, CLASS_RESPONSE);
    } else this.#transferred(to, bytes[id]!, cycle);
    next[id] = this.#scalars.freeAnswer;
    this.#scalars.freeAnswer = id;
  }

  /** A packet of a load is in L1, or one of a store has been accepted. */
  #transferred(tile: number, bytes: number, cycle: number): void {
    const slot = tile * ENGINES + DMA;
    this.#tiles.l1Bytes[tile]! += bytes;
    if (--this.#tiles.left[slot]! > 0) return;
    const entry = this.#entryOf(slot);
    // The last burst of a read is written to L1 once it is complete.
    const isLoad = this.#laid.kind[entry] === TileOperation.LOAD;
    this.#finish(slot, isLoad ? cycle + Math.ceil(this.memory!.bytesOf(entry, this.memory!.packetsOf(entry) - 1) / this.tileHardware.dma.rowBytes) : cycle);
  }

  // Exchanges.

  #exchangeKey(tile: number, entry: number): number {
    const { groupOfTile, placeOfTile, programOfGroup } = this.#placed;
    const group = groupOfTile[tile]!;
    const { compiled } = this.#laid.programs[programOfGroup[group]!]!;
    const collective = this.#laid.collective[entry]!;
    const { width } = compiled.program.group;
    const place = placeOfTile[tile]!;
    const x = place % width;
    return this.#firstExchange[group]! + compiled.firstScope[collective]! + scopeAt(compiled.program.collectives[collective]!.scope, x, (place - x) / width);
  }

  #treeFor(tile: number, entry: number): number {
    const { groupOfTile, placeOfTile, programOfGroup } = this.#placed;
    const group = groupOfTile[tile]!;
    const program = programOfGroup[group]!;
    const { compiled } = this.#laid.programs[program]!;
    const collective = this.#laid.collective[entry]!;
    const { width } = compiled.program.group;
    const place = placeOfTile[tile]!;
    const x = place % width;
    return this.#plan.firstTree[group]! + this.#plan.shapeOf[this.#plan.firstCollective[program]! + collective]! + scopeAt(compiled.program.collectives[collective]!.scope, x, (place - x) / width);
  }

  /** Place of a tile in the scope of its collective. */
  #memberOf(tile: number, entry: number): number {
    const { groupOfTile, placeOfTile, programOfGroup } = this.#placed;
    const { compiled: { program } } = this.#laid.programs[programOfGroup[groupOfTile[tile]!]!]!;
    const place = placeOfTile[tile]!;
    const { scope } = program.collectives[this.#laid.collective[entry]!]!;
    const { width } = program.group;
    return scope === 'row' ? place % width : scope === 'column' ? Math.floor(place / width) : place;
  }

  /** The exchange of a collective that a tile takes part in, opened when it is not. */
  #exchangeFor(tile: number, entry: number): number {
    const key = this.#exchangeKey(tile, entry);
    const open = this.#exchangeOf[key]!;
    if (open >= 0) return open;
    const tree = this.#treeFor(tile, entry);
    return this.#open(key, tree, this.#plan.members[tree]!);
  }

  /** The exchange of a message that a tile receives. */
  #messageFor(tile: number, message: number): number {
    const { groupOfTile, placeOfTile, programOfGroup } = this.#placed;
    const group = groupOfTile[tile]!;
    const { program } = this.#laid.programs[programOfGroup[group]!]!.compiled;
    const key = this.#firstMessage[group]! + placeOfTile[tile]! * program.messages + message;
    const open = this.#exchangeOf[key]!;
    return open >= 0 ? open : this.#open(key, NO_TREE, 2);
  }

  #open(key: number, tree: number, members: number): number {
    const scalars = this.#scalars;
    if (scalars.freeExchange < 0) {
      const rows = this.#exchanges.next.length;
      this.#exchanges = doubled(this.#exchanges);
      this.#linkExchanges(rows);
    }
    const id = scalars.freeExchange;
    const columns = this.#exchanges;
    scalars.freeExchange = columns.next[id]!;
    if (id >= 2 ** (32 - this.#packetShift)) throw new Error(`More than ${id} collectives and messages are open at once.`);
    columns.key[id] = key;
    columns.tree[id] = tree;
    columns.started[id] = 0;
    columns.unfinished[id] = members;
    columns.rootSlot[id] = -1;
    columns.packets[id] = -1;
    columns.arrived[id] = 0;
    columns.sinceCycle[id] = -1;
    const from = id * this.#arrivalStride;
    columns.arrivals.fill(0, from, from + this.#arrivalStride);
    this.#exchangeOf[key] = id;
    return id;
  }

  #linkExchanges(from: number): void {
    const { next } = this.#exchanges;
    for (let row = next.length - 1; row >= from; row--) {
      next[row] = this.#scalars.freeExchange;
      this.#scalars.freeExchange = row;
    }
  }

  /** One member is done; the last one closes the exchange. */
  #leave(id: number): void {
    const columns = this.#exchanges;
    if (--columns.unfinished[id]! > 0) return;
    this.#exchangeOf[columns.key[id]!] = -1;
    columns.next[id] = this.#scalars.freeExchange;
    this.#scalars.freeExchange = id;
  }

  /** All that follows waits for what this slot does, from its start on. */
  #since(id: number, slot: number): void {
    const columns = this.#exchanges;
    const start = this.#tiles.startCycle[slot]!;
    if (start <= columns.sinceCycle[id]!) return;
    columns.sinceCycle[id] = start;
    for (let part = 0; part < PARTS; part++) columns.path[id * PARTS + part] = this.#tiles.path[slot * PARTS + part]!;
  }

  /** A receiver waits for its packets, or has them. */
  #await(slot: number, id: number, member: number, cycle: number): void {
    const columns = this.#exchanges;
    if (columns.packets[id]! >= 0 && columns.arrivals[id * this.#arrivalStride + member] === columns.packets[id]) {
      this.#end(slot, cycle);
      this.#leave(id);
      return;
    }
    this.#tiles.phase[slot] = IN_FLIGHT;
    this.#tiles.waiting[slot] = id;
  }

  #multicast(tile: number, slot: number, entry: number, cycle: number): void {
    const id = this.#exchangeFor(tile, entry);
    const columns = this.#exchanges;
    const tree = columns.tree[id]!;
    const plain = this.#plan.tree[tree]!;
    if (plain < 0) {
      this.#leave(id);
      this.#finish(slot, cycle);
      return;
    }
    const bytes = this.#laid.bytes[entry]!;
    const packets = Math.max(1, Math.ceil(bytes / this.#packetBytes));
    columns.packets[id] = packets;
    columns.rootSlot[id] = slot;
    this.#since(id, slot);
    this.#tiles.l1Bytes[tile]! += bytes;
    // Packets of a tree keep their order, so the answer to the last one answers for all.
    const inOrder = this.topology.virtualChannels === 1;
    const answered = this.#plan.answer[tree]!;
    this.#tiles.left[slot] = answered < 0 ? 1 : inOrder ? 1 : packets;
    for (let packet = 0; packet < packets; packet++) {
      const last = packet === packets - 1;
      this.wide.multicast(answered >= 0 && (last || !inOrder) ? answered : plain, CHANNEL_MULTICAST, last ? bytes - (packets - 1) * this.#packetBytes : this.#packetBytes, ((id << this.#packetShift) | packet) >>> 0);
    }
  }

  #send(tile: number, slot: number, entry: number, cycle: number): void {
    const message = this.#laid.message[entry]!;
    const to = this.#peerOf(tile, entry);
    const id = this.#messageFor(to, message);
    const columns = this.#exchanges;
    const bytes = this.#laid.bytes[entry]!;
    const packets = Math.max(1, Math.ceil(bytes / this.#packetBytes));
    columns.packets[id] = packets;
    columns.rootSlot[id] = slot;
    this.#since(id, slot);
    this.#tiles.left[slot] = this.#answersTravel ? packets : 1;
    this.#tiles.l1Bytes[tile]! += bytes;
    if (to === tile) {
      // Nothing leaves the tile.
      columns.arrivals[id * this.#arrivalStride + 1] = packets;
      const waits = this.#waitingSlot(tile, id);
      const end = cycle + Math.ceil(bytes / this.tileHardware.dma.rowBytes);
      if (waits >= 0) {
        this.#tiles.phase[waits] = FINISHING;
        this.#heap.push(end, waits);
      }
      this.#sent(id, slot, end);
      return;
    }
    for (let packet = 0; packet < packets; packet++) {
      this.wide.inject(tile, this.dieId * this.#tileCount + to, CHANNEL_SEND, packet === packets - 1 ? bytes - (packets - 1) * this.#packetBytes : this.#packetBytes, ((id << this.#packetShift) | packet) >>> 0);
    }
  }

  #peerOf(tile: number, entry: number): number {
    const { groupOfTile, placeOfTile, programOfGroup, instanceOfGroup, cornerOfGroup } = this.#placed;
    const group = groupOfTile[tile]!;
    const placed = this.#laid.programs[programOfGroup[group]!]!;
    const { program } = placed.compiled;
    const { width, height } = program.group;
    const place = placeOfTile[tile]!;
    const { table } = program.roles[program.roleOf[place]!]!;
    const row = this.#laid.row[entry]!;
    const { tilesX } = this.#hardware.die;
    const inGroup = peerPlace(program.group, program.peers[table.peer[row]!]!, place % width, Math.floor(place / width));
    if (inGroup >= 0) return cornerOfGroup[group]! + Math.floor(inGroup / width) * tilesX + (inGroup % width);
    const member = memberOfPeer(placed, instanceOfGroup[group]! * width * height + place, row);
    const instance = Math.floor(member / (width * height));
    if (placed.die[instance] !== this.dieId) throw new CostError('COST_BAD_ARGUMENT', `Tile ${tile} of die ${this.dieId} sends to die ${placed.die[instance]}; a tile program runs on one die.`, { tile, die: this.dieId });
    const other = member % (width * height);
    return (placed.y[instance]! + Math.floor(other / width)) * tilesX + placed.x[instance]! + (other % width);
  }

  /** A packet of a multicast or message has arrived, or the answer to one has come back to the sender. */
  #received(tile: number, id: number, isMulticast: boolean, bytes: number, cycle: number): void {
    const columns = this.#exchanges;
    const rootSlot = columns.rootSlot[id]!;
    const rootTile = Math.floor(rootSlot / ENGINES);
    if (tile === rootTile) {
      if (--this.#tiles.left[rootSlot]! === 0) this.#sent(id, rootSlot, cycle);
      return;
    }
    const member = isMulticast ? this.#memberInScope(tile, id) : 1;
    const packets = columns.packets[id]!;
    const tree = columns.tree[id]!;
    this.#tiles.l1Bytes[tile]! += bytes;
    columns.arrived[id]!++;
    const at = id * this.#arrivalStride + member;
    columns.arrivals[at]!++;
    if (!isMulticast && this.#answersTravel) this.wide.inject(tile, this.dieId * this.#tileCount + rootTile, CHANNEL_ANSWER, 0, id * 2 + 1, CLASS_RESPONSE);
    if (columns.arrivals[at] === packets) {
      const slot = this.#waitingSlot(tile, id);
      if (slot >= 0) {
        this.#endExchange(slot, id, cycle);
        this.#leave(id);
      }
    }
    // Without an acknowledgement the sender learns of the last arrival from as far as the farthest receiver.
    const all = packets * (isMulticast ? this.#plan.members[tree]! - 1 : 1);
    if (columns.arrived[id] !== all) return;
    if (isMulticast ? this.#plan.answer[tree]! < 0 : !this.#answersTravel) this.#sent(id, rootSlot, cycle + (isMulticast ? this.#tellCycles * this.#plan.farthest[tree]! : 0));
  }

  /** A packet of a message is acknowledged. */
  #answered(id: number, cycle: number): void {
    const slot = this.#exchanges.rootSlot[id]!;
    if (--this.#tiles.left[slot]! === 0) this.#sent(id, slot, cycle);
  }

  /** All has arrived, and the sender knows. */
  #sent(id: number, slot: number, cycle: number): void {
    this.#finish(slot, cycle);
    this.#leave(id);
  }

  #memberInScope(tile: number, id: number): number {
    const { groupOfTile, placeOfTile, programOfGroup } = this.#placed;
    const { group } = this.#laid.programs[programOfGroup[groupOfTile[tile]!]!]!.compiled.program;
    const place = placeOfTile[tile]!;
    const entry = this.#entryOf(this.#exchanges.rootSlot[id]!);
    const rootTile = Math.floor(this.#exchanges.rootSlot[id]! / ENGINES);
    const { scope } = this.#laid.programs[programOfGroup[groupOfTile[rootTile]!]!]!.compiled.program.collectives[this.#laid.collective[entry]!]!;
    return scope === 'row' ? place % group.width : scope === 'column' ? Math.floor(place / group.width) : place;
  }

  #waitingSlot(tile: number, id: number): number {
    const { waiting } = this.#tiles;
    const first = tile * ENGINES;
    for (let slot = first; slot < first + ENGINES; slot++) if (waiting[slot] === id) return slot;
    return -1;
  }

  #contribute(tile: number, slot: number, entry: number, cycle: number): void {
    const id = this.#exchangeFor(tile, entry);
    const columns = this.#exchanges;
    const tree = columns.tree[id]!;
    if (this.#plan.members[tree] === 1) {
      this.#leave(id);
      this.#finish(slot, cycle);
      return;
    }
    const bytes = this.#laid.bytes[entry]!;
    const packets = Math.max(1, Math.ceil(bytes / this.#packetBytes));
    columns.packets[id] = packets;
    if (this.#plan.root[tree] === tile) columns.rootSlot[id] = slot;
    this.#since(id, slot);
    this.#tiles.waiting[slot] = id;
    this.#tiles.l1Bytes[tile]! += bytes;
    if (this.#plan.tree[tree]! < 0) {
      // A fabric that does not join: as long as the way from the farthest member, and joining at the busiest router.
      if (++columns.started[id]! < this.#plan.members[tree]!) return;
      const { reduction: { inputsPerCycle, latencyCycles, startCycles }, types } = this.topology;
      const flits = Math.ceil(bytes / this.#flitBytes);
      const way = types[1]!.cycles * 2 + this.#plan.farthest[tree]! * (this.#hardware.link.cycles + latencyCycles);
      this.#tell(id, tree, cycle + startCycles + way + Math.ceil((flits * Math.max(1, this.#plan.inputs[tree]! - 1)) / (inputsPerCycle - 1)), true);
      return;
    }
    for (let packet = 0; packet < packets; packet++) {
      this.wide.contribute(this.#plan.tree[tree]!, tile, CHANNEL_REDUCE, packet === packets - 1 ? bytes - (packets - 1) * this.#packetBytes : this.#packetBytes, ((id << this.#packetShift) | packet) >>> 0);
    }
  }

  /** A packet of the result is at the root, or a member hears that the result is in place. */
  #reduced(tile: number, id: number, cycle: number): void {
    const columns = this.#exchanges;
    const tree = columns.tree[id]!;
    if (this.#plan.root[tree] !== tile) {
      this.#endMember(tile, id, cycle);
      return;
    }
    if (++columns.arrived[id]! < columns.packets[id]!) return;
    this.#tiles.l1Bytes[tile]! += this.#laid.bytes[this.#entryOf(columns.rootSlot[id]!)]!;
    if (this.#plan.answer[tree]! >= 0) this.wide.multicast(this.#plan.answer[tree]!, CHANNEL_REDUCE, 0, (id << this.#packetShift) >>> 0);
    else this.#tell(id, tree, cycle, false);
    this.#endMember(tile, id, cycle);
  }

  /** Every member, or every one but the root, hears at its distance from the root that the result is in place. */
  #tell(id: number, tree: number, cycle: number, withRoot: boolean): void {
    const { tilesX } = this.#hardware.die;
    const { x, y, width, height, root } = this.#plan;
    const [rootX, rootY] = [root[tree]! % tilesX, Math.floor(root[tree]! / tilesX)];
    for (let dy = 0; dy < height[tree]!; dy++) {
      for (let dx = 0; dx < width[tree]!; dx++) {
        const tile = (y[tree]! + dy) * tilesX + x[tree]! + dx;
        if (tile === root[tree] && !withRoot) continue;
        const slot = this.#waitingSlot(tile, id);
        const told = cycle + this.#tellCycles * (Math.abs(x[tree]! + dx - rootX) + Math.abs(y[tree]! + dy - rootY));
        if (told === this.#scalars.now) {
          this.#endExchange(slot, id, told);
          this.#leave(id);
        } else {
          this.#tiles.phase[slot] = FINISHING;
          this.#heap.push(told, slot);
        }
      }
    }
  }

  #endMember(tile: number, id: number, cycle: number): void {
    const slot = this.#waitingSlot(tile, id);
    if (slot < 0) throw new Error(`Tile ${tile} hears of exchange ${id}, which it does not wait for.`);
    this.#endExchange(slot, id, cycle);
    this.#leave(id);
  }

  #arriveAtBarrier(tile: number, slot: number, entry: number, cycle: number): void {
    const id = this.#exchangeFor(tile, entry);
    const columns = this.#exchanges;
    const tree = columns.tree[id]!;
    this.#tiles.phase[slot] = IN_FLIGHT;
    this.#tiles.waiting[slot] = id;
    this.#since(id, slot);
    columns.started[id]!++;
    if (this.#plan.tree[tree]! >= 0) {
      this.sync!.contribute(this.#plan.tree[tree]!, tile, CHANNEL_BARRIER, 0, (id << this.#packetShift) >>> 0);
      return;
    }
    if (columns.started[id]! < this.#plan.members[tree]!) return;
    if (this.sync !== null) {
      // A tile alone.
      this.#end(slot, cycle);
      return;
    }
    // The last one wakes all; they hear of it at their distance from it.
    const { tilesX } = this.#hardware.die;
    const rectangle = { x: this.#plan.x[tree]!, y: this.#plan.y[tree]!, width: this.#plan.width[tree]!, height: this.#plan.height[tree]! };
    const last = { x: tile % tilesX, y: Math.floor(tile / tilesX) };
    const observed = { x: 0, y: 0 };
    for (let dy = 0; dy < rectangle.height; dy++) {
      for (let dx = 0; dx < rectangle.width; dx++) {
        observed.x = rectangle.x + dx;
        observed.y = rectangle.y + dy;
        const waits = this.#waitingSlot(observed.y * tilesX + observed.x, id);
        this.#tiles.phase[waits] = FINISHING;
        this.#heap.push(cycle + groupBarrierCycles(barrierHops(rectangle, last, observed), this.tileHardware.groupBarrierCycles), waits);
      }
    }
  }

  #released(tile: number, id: number, cycle: number): void {
    this.#endMember(tile, id, cycle);
  }

  /** An operation ends that waited for others: its critical path is theirs. */
  #endExchange(slot: number, id: number, cycle: number): void {
    const columns = this.#exchanges;
    const { path } = this.#tiles;
    const since = columns.sinceCycle[id]!;
    const part = this.#laid.part[this.#entryOf(slot)]!;
    for (let p = 0; p < PARTS; p++) path[slot * PARTS + p] = columns.path[id * PARTS + p]!;
    path[slot * PARTS + part]! += cycle - since;
    this.#tiles.waiting[slot] = -1;
    this.#close(slot, cycle);
  }

  /** The operation in progress ends. */
  #end(slot: number, cycle: number): void {
    const { path, waiting, startCycle } = this.#tiles;
    const id = waiting[slot]!;
    if (id >= 0) {
      // A barrier in software.
      this.#endExchange(slot, id, cycle);
      this.#leave(id);
      return;
    }
    const part = this.#laid.part[this.#entryOf(slot)]!;
    path[slot * PARTS + part]! += cycle - startCycle[slot]!;
    this.#close(slot, cycle);
  }

  #close(slot: number, cycle: number): void {
    const columns = this.#tiles;
    const tile = Math.floor(slot / ENGINES);
    if (this.#recordedTiles[tile] === 1) {
      const entry = this.#entryOf(slot);
      this.recorded.push({ tile, engine: slot - tile * ENGINES, row: this.#laid.row[entry]!, kind: this.#laid.kind[entry]!, startCycle: columns.startCycle[slot]!, endCycle: cycle });
    }
    columns.busyCycles[slot]! += cycle - columns.startCycle[slot]!;
    columns.done[slot]!++;
    columns.phase[slot] = IDLE;
    columns.endCycle[slot] = cycle;
    this.#scalars.unfinished--;
    if (cycle > this.#scalars.lastEndCycle) this.#scalars.lastEndCycle = cycle;
    this.#touch(tile);
  }
}

