import {
  COUNT_ARBITRATION_STALL, COUNT_BUSY, COUNT_BYTES, COUNT_CREDIT_STALL, COUNT_PACKETS, dieTopology, NEVER, PacketKernel, type KernelSnapshot,
} from '@kerf/fabric';
import type { ElementType, Hardware } from '@kerf/hardware';
import { COMPUTE, operationKinds, RECEIVE, SEND, WAIT, type ProgramTable } from '@kerf/program';
import { CompletionHeap } from './completion-heap.ts';
import { computeCycles, computeRates, type ComputeRates } from './costs.ts';

/** What one output port carried for one channel in one time bin of a kernel. */
export interface LinkRow {
  dieId: number;
  bin: number;
  /** Router of the die: a local tile, or the number of tiles for the die's router. */
  router: number;
  port: number;
  channel: number;
  bytes: number;
  busyCycles: number;
  packets: number;
  creditStallCycles: number;
  arbitrationStallCycles: number;
}

export interface EngineOptions {
  /** Message channels, the same for every program. */
  readonly channels: readonly string[];
  /** Element type that the matrix engines compute in. */
  readonly elementType: ElementType;
  /** Length of a time bin, cycles. */
  readonly binCycles: number;
  /** Takes the rows of a bin, in the order of ports; the row object is used again for the next one. */
  readonly onLinkRow: (row: LinkRow) => void;
  readonly reverseVisits?: boolean;
}

/** All that an engine holds between two cycles, but for the program. */
export interface DieSnapshot {
  readonly fabric: KernelSnapshot;
  readonly started: boolean;
  readonly done: number;
  readonly bin: number;
  readonly pending: Int32Array;
  readonly startCycle: Float64Array;
  readonly endCycle: Float64Array;
  readonly awaitedBytes: Float64Array;
  readonly firstArrival: Float64Array;
  readonly matrixFree: Float64Array;
  readonly sequence: Uint32Array;
  readonly heap: { cycles: Float64Array; operations: Uint32Array };
}

const NOT_STARTED = -1;

/**
 * Runs the program of one die: tiles, their matrix engines and network interfaces, and the die's fabric. Time is in
 * cycles from the start of the kernel.
 */
export class DieEngine {
  readonly dieId: number;
  readonly fabric: PacketKernel;
  readonly #options: EngineOptions;
  readonly #rates: ComputeRates;
  readonly #channels: number;
  readonly #heap = new CompletionHeap();
  readonly #row: LinkRow;
  /** [tiles] packets sent so far, over all kernels: numbers the packets of a tile. */
  #sequence: Uint32Array;
  /** [tiles] cycle from which the matrix engine is free. */
  #matrixFree: Float64Array;
  /** [tiles × channels] bytes that the receive there still waits for. */
  #awaitedBytes: Float64Array;
  /** [tiles × channels] cycle of the first arrival there in this kernel, or −1. */
  #firstArrival: Float64Array;
  /** [tiles × channels] the receive there, or −1. */
  #receiveOf: Int32Array;
  #program: ProgramTable | undefined;
  /** [operations] dependencies not yet done. */
  #pending = new Int32Array(0);
  #followerStart = new Uint32Array(0);
  #followers = new Uint32Array(0);
  #startCycle = new Float64Array(0);
  #endCycle = new Float64Array(0);
  #ready: number[] = [];
  #started = false;
  #done = 0;
  #lastEnd = 0;
  #bin = 0;
  /** Tiles that compute in this kernel: they share the die's memory. */
  #computingTiles = 1;

  constructor(hardware: Hardware, dieId: number, options: EngineOptions) {
    this.dieId = dieId;
    this.#options = options;
    this.#channels = options.channels.length;
    this.#rates = computeRates(hardware, options.elementType);
    this.fabric = new PacketKernel(dieTopology(hardware, dieId), { channels: this.#channels, ...(options.reverseVisits === undefined ? {} : { reverseVisits: options.reverseVisits }) });
    const { tiles } = this.fabric.topology;
    this.#sequence = new Uint32Array(tiles);
    this.#matrixFree = new Float64Array(tiles);
    this.#awaitedBytes = new Float64Array(tiles * this.#channels);
    this.#firstArrival = new Float64Array(tiles * this.#channels);
    this.#receiveOf = new Int32Array(tiles * this.#channels);
    this.#row = { dieId, bin: 0, router: 0, port: 0, channel: 0, bytes: 0, busyCycles: 0, packets: 0, creditStallCycles: 0, arbitrationStallCycles: 0 };
  }

  /**
   * [operations] cycle at which each operation of the kernel started and ended; −1 before it has. A receive that is done
   * started when it was ready and its first bytes were there.
   */
  get startCycle(): Float64Array {
    return this.#startCycle;
  }

  get endCycle(): Float64Array {
    return this.#endCycle;
  }

  /** The last cycle at which an operation of the kernel has ended so far; 0 before any has. */
  get lastEndCycle(): number {
    return this.#lastEnd;
  }

  /** Is every operation of the kernel done? */
  get done(): boolean {
    return this.#program !== undefined && this.#done === this.#program.operations;
  }

  /** Begins a kernel at its cycle 0. The fabric must be empty. */
  startKernel(program: ProgramTable): void {
    this.#load(program);
    this.fabric.startKernel();
    const { operations, kind, localTile, channel, bytes } = program;
    this.#startCycle = new Float64Array(operations).fill(NOT_STARTED);
    this.#endCycle = new Float64Array(operations).fill(NOT_STARTED);
    this.#matrixFree.fill(0);
    this.#awaitedBytes.fill(0);
    this.#firstArrival.fill(NOT_STARTED);
    for (let row = 0; row < operations; row++) {
      if (kind[row] === RECEIVE) this.#awaitedBytes[localTile[row]! * this.#channels + channel[row]!] = bytes[row]!;
    }
    this.#ready = [];
    this.#started = false;
    this.#lastEnd = 0;
    this.#done = 0;
    this.#bin = 0;
  }

  /** The next cycle with something to do, or Infinity. */
  nextCycle(): number {
    if (!this.#started && this.#program !== undefined && this.#program.operations > 0) return 0;
    const fabric = this.fabric.nextCycle();
    return Math.min(fabric === NEVER ? Infinity : fabric, this.#heap.nextCycle);
  }

  /** Runs every cycle before `limit`. */
  runUntil(limit: number): void {
    const { fabric } = this;
    for (;;) {
      const cycle = this.nextCycle();
      if (cycle >= limit || cycle === Infinity) return;
      if (cycle >= NEVER) throw new Error(`A kernel may last ${NEVER} cycles; die ${this.dieId} is past that.`);
      if (cycle >= (this.#bin + 1) * this.#options.binCycles) this.#closeBins(cycle);
      fabric.beginCycle(cycle);
      if (!this.#started) this.#start();
      for (let i = 0; i < fabric.delivered; i++) {
        this.#arrive(fabric.deliveredTile[i]!, fabric.deliveredChannel[i]!, fabric.deliveredBytes[i]!, cycle);
      }
      while (this.#heap.nextCycle === cycle) this.#complete(this.#heap.pop(), cycle);
      this.#issue(cycle);
      fabric.decide();
    }
  }

  /** Reports what links carried since the last full bin. Call when the kernel is over on the whole wafer. */
  finishKernel(): void {
    // A link may be held for longer than the last event: what reaches past a bin is the next one's.
    const { binCycles } = this.#options;
    while (this.#drain(this.#bin, (this.#bin + 1) * binCycles) > 0) this.#bin++;
    this.#program = undefined;
  }

  save(): DieSnapshot {
    return {
      fabric: this.fabric.save(),
      started: this.#started,
      done: this.#done,
      bin: this.#bin,
      pending: this.#pending.slice(),
      startCycle: this.#startCycle.slice(),
      endCycle: this.#endCycle.slice(),
      awaitedBytes: this.#awaitedBytes.slice(),
      firstArrival: this.#firstArrival.slice(),
      matrixFree: this.#matrixFree.slice(),
      sequence: this.#sequence.slice(),
      heap: this.#heap.save(),
    };
  }

  /** Continues from a snapshot, in this kernel's program. */
  restore(program: ProgramTable, snapshot: DieSnapshot): void {
    this.#load(program);
    this.fabric.restore(snapshot.fabric);
    this.#started = snapshot.started;
    this.#done = snapshot.done;
    this.#lastEnd = snapshot.endCycle.reduce((last, cycle) => Math.max(last, cycle), 0);
    this.#bin = snapshot.bin;
    this.#pending = snapshot.pending.slice();
    this.#startCycle = snapshot.startCycle.slice();
    this.#endCycle = snapshot.endCycle.slice();
    this.#awaitedBytes = snapshot.awaitedBytes.slice();
    this.#firstArrival = snapshot.firstArrival.slice();
    this.#matrixFree = snapshot.matrixFree.slice();
    this.#sequence = snapshot.sequence.slice();
    this.#heap.restore(snapshot.heap);
    this.#ready = [];
  }

  /** Sentences about what keeps the kernel from ending; empty when it has ended. */
  explainWaiting(limit: number): string[] {
    const program = this.#program;
    if (program === undefined || this.done) return [];
    const lines = this.fabric.explainWaiting(limit);
    for (let row = 0; row < program.operations && lines.length < limit; row++) {
      if (this.#endCycle[row]! >= 0) continue;
      const tile = program.localTile[row]!;
      const what = `die ${this.dieId}, tile ${tile}: operation ${row} (${operationKinds[program.kind[row]!]})`;
      if (this.#startCycle[row]! < 0) lines.push(`${what} waits for ${this.#pending[row]} operations`);
      else if (program.kind[row] === RECEIVE) {
        lines.push(`${what} waits for ${this.#awaitedBytes[tile * this.#channels + program.channel[row]!]} bytes on channel ${program.channels[program.channel[row]!]}`);
      }
    }
    return lines;
  }

  /** Dependencies turned round: who follows whom. */
  #load(program: ProgramTable): void {
    const { operations, dependsOn, dependsOnStart, kind, localTile, channel } = program;
    this.#program = program;
    this.#pending = new Int32Array(operations);
    this.#followerStart = new Uint32Array(operations + 2);
    this.#followers = new Uint32Array(dependsOn.length);
    this.#receiveOf.fill(-1);
    const computing = new Set<number>();
    for (let row = 0; row < operations; row++) {
      if (kind[row] === COMPUTE) computing.add(localTile[row]!);
      this.#pending[row] = dependsOnStart[row + 1]! - dependsOnStart[row]!;
      if (kind[row] === RECEIVE) this.#receiveOf[localTile[row]! * this.#channels + channel[row]!] = row;
    }
    this.#computingTiles = Math.max(1, computing.size);
    for (const earlier of dependsOn) this.#followerStart[earlier + 2]!++;
    for (let row = 2; row < operations + 2; row++) this.#followerStart[row]! += this.#followerStart[row - 1]!;
    for (let row = 0; row < operations; row++) {
      for (let d = dependsOnStart[row]!; d < dependsOnStart[row + 1]!; d++) {
        this.#followers[this.#followerStart[dependsOn[d]! + 1]!++] = row;
      }
    }
  }

  #start(): void {
    this.#started = true;
    const { operations } = this.#program!;
    for (let row = 0; row < operations; row++) if (this.#pending[row] === 0) this.#ready.push(row);
  }

  /** Starts what is ready, to a fixpoint. Each round goes by the order of operations, not of events. */
  #issue(cycle: number): void {
    while (this.#ready.length > 0) {
      const round = this.#ready;
      this.#ready = [];
      if (round.length > 1) round.sort((a, b) => a - b);
      for (const row of round) this.#startOperation(row, cycle);
    }
  }

  #startOperation(row: number, cycle: number): void {
    const program = this.#program!;
    const tile = program.localTile[row]!;
    this.#startCycle[row] = cycle;
    switch (program.kind[row]) {
      case SEND:
        this.#send(tile, program.peerTile[row]!, program.channel[row]!, program.bytes[row]!);
        this.#complete(row, cycle);
        break;
      case RECEIVE:
        if (this.#awaitedBytes[tile * this.#channels + program.channel[row]!] === 0) this.#complete(row, cycle);
        break;
      case COMPUTE: {
        const start = Math.max(cycle, this.#matrixFree[tile]!);
        const end = start + computeCycles(program.flops[row]!, program.bytes[row]!, this.#rates, this.#computingTiles);
        this.#startCycle[row] = start;
        this.#matrixFree[tile] = end;
        this.#heap.push(end, row);
        break;
      }
      case WAIT:
        this.#complete(row, cycle);
        break;
      default:
        throw new Error(`Operation ${row} has the unknown kind ${program.kind[row]}.`);
    }
  }

  /** Cuts a message into packets and hands them to the network interface. */
  #send(tile: number, peerTile: number, channel: number, bytes: number): void {
    const { maxPacketBytes } = this.fabric.topology;
    let left = bytes;
    do {
      const payload = Math.min(left, maxPacketBytes);
      this.fabric.inject(tile, peerTile, channel, payload, this.#sequence[tile]!++);
      left -= payload;
    } while (left > 0);
  }

  #arrive(tile: number, channel: number, bytes: number, cycle: number): void {
    const slot = tile * this.#channels + channel;
    const left = this.#awaitedBytes[slot]! - bytes;
    if (left < 0) throw new Error(`Tile ${tile} of die ${this.dieId} received ${-left} bytes on channel ${this.#options.channels[channel]} that its program does not expect.`);
    this.#awaitedBytes[slot] = left;
    if (this.#firstArrival[slot]! < 0) this.#firstArrival[slot] = cycle;
    const row = this.#receiveOf[slot]!;
    if (left > 0 || row < 0 || this.#startCycle[row]! < 0 || this.#endCycle[row]! >= 0) return;
    // It was ready long before, perhaps: what it did began with the first bytes.
    this.#startCycle[row] = Math.max(this.#startCycle[row]!, this.#firstArrival[slot]!);
    this.#complete(row, cycle);
  }

  #complete(row: number, cycle: number): void {
    this.#endCycle[row] = cycle;
    this.#lastEnd = cycle;
    this.#done++;
    const end = this.#followerStart[row + 1]!;
    for (let f = this.#followerStart[row]!; f < end; f++) {
      const follower = this.#followers[f]!;
      if (--this.#pending[follower]! === 0) this.#ready.push(follower);
    }
  }

  /** Closes the bins that end at or before `cycle`. Empty ones in between are skipped. */
  #closeBins(cycle: number): void {
    const { binCycles } = this.#options;
    const current = Math.floor(cycle / binCycles);
    while (this.#bin < current) {
      const rows = this.#drain(this.#bin, (this.#bin + 1) * binCycles);
      this.#bin = rows === 0 ? current : this.#bin + 1;
    }
  }

  #drain(bin: number, end: number): number {
    const row = this.#row;
    const { routers } = this.fabric.topology;
    let rows = 0;
    this.fabric.drainCounters(end, (port, channel, counters, at) => {
      row.bin = bin;
      row.router = Math.min(port >>> 3, routers - 1);
      row.port = port - row.router * 8;
      row.channel = channel;
      row.bytes = counters[at + COUNT_BYTES]!;
      row.busyCycles = counters[at + COUNT_BUSY]!;
      row.packets = counters[at + COUNT_PACKETS]!;
      row.creditStallCycles = counters[at + COUNT_CREDIT_STALL]!;
      row.arbitrationStallCycles = counters[at + COUNT_ARBITRATION_STALL]!;
      this.#options.onLinkRow(row);
      rows++;
    });
    return rows;
  }
}
