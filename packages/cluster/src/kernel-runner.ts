import { NEVER, opposite } from '@kerf/fabric';
import type { DieSnapshot, Region } from '@kerf/engine';
import { tiles, type Hardware } from '@kerf/hardware';
import type { ProgramTable } from '@kerf/program';
import type { Channel } from './channel.ts';
import { checkItems } from './check-items.ts';
import { ClusterError } from './errors.ts';
import { decodeFrame, encodeFrame, type BoundaryFrame, type FrameSection } from './frame.ts';
import type { Partition } from './partition.ts';

/** The world outside the pure simulation. */
export interface RunnerHost {
  /** Seconds on a clock that never goes back. */
  now(): number;
  /** Lets sockets and timers have their turn. */
  pause(): Promise<void>;
}

export interface RunnerOptions {
  readonly rank: number;
  readonly partition: Partition;
  readonly hardware: Hardware;
  readonly region: Region;
  /** One channel per rank that owns a neighbouring die. */
  readonly peers: ReadonlyMap<number, Channel>;
  readonly host: RunnerHost;
  /** Nothing is left to do before `nextCycle` unless something arrives. */
  onIdle(report: { kernel: number; nextCycle: number; endCycle: number; sent: number[]; received: number[]; waiting: string[] }): void;
  onProgress(kernel: number, cycle: number): void;
  onPeerLost(error: ClusterError): void;
}

/** Counters of the protocol, over the whole run. */
export interface RunnerStatistics {
  computeSeconds: number;
  waitSeconds: number;
  boundaryPacketsSent: number;
  boundaryPacketsReceived: number;
  framesSent: number;
  rounds: number;
}

export interface RunnerSnapshot {
  readonly kernel: number;
  readonly round: number;
  /** What this process may count on: its peers' own promises, and the coordinator's word. */
  readonly promised: [rank: number, promiseCycle: number, jumpCycle: number][];
  readonly sent: number[];
  readonly received: number[];
  readonly dies: DieSnapshot[];
}

/** Longest stretch without a pause, seconds: progress and interrupts are noticed within this time. */
const STRETCH_SECONDS = 0.05;
/** A process that could go on only after so many more rounds of promises reports itself idle. */
const IDLE_ROUNDS = 4;
/** Longest window of a single die, cycles, so that it pauses too. */
const WINDOW_CYCLES = 65_536;

interface Peer {
  readonly rank: number;
  readonly channel: Channel;
  readonly frames: BoundaryFrame[];
  /** Nothing more arrives before this cycle, by the peer's own word. */
  promiseCycle: number;
  /** The same by the coordinator's word, where that says more. */
  jumpCycle: number;
}

/**
 * Runs kernels on the dies of one process, in step with the processes beside it: conservative, neighbour to neighbour.
 *
 * In a round a process runs until the smallest promise it holds, then sends each neighbour one frame: what crossed their
 * common edges, and a promise, "nothing more from me before cycle t". What it may still send starts either from an event it
 * has already, or from something yet to arrive, and needs at least one link latency to get across; so t is the earlier of
 * its next event and its own smallest promise, plus that latency (Chandy & Misra 1979).
 */
export class KernelRunner {
  readonly statistics: RunnerStatistics = { computeSeconds: 0, waitSeconds: 0, boundaryPacketsSent: 0, boundaryPacketsReceived: 0, framesSent: 0, rounds: 0 };
  readonly #options: RunnerOptions;
  readonly #peers: Peer[];
  readonly #sent: number[];
  readonly #received: number[];
  #kernel = -1;
  #round = 0;
  #over = true;
  #failure: Error | undefined;
  #signal: (() => void) | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    const ranks = options.partition.diesOfRank.length;
    this.#sent = new Array<number>(ranks).fill(0);
    this.#received = new Array<number>(ranks).fill(0);
    this.#peers = [...options.peers].sort(([a], [b]) => a - b).map(([rank, channel]) => ({ rank, channel, frames: [], promiseCycle: 0, jumpCycle: 0 }));
    for (const peer of this.#peers) {
      peer.channel.onMessage((bytes) => this.#take(peer, bytes));
      peer.channel.onClose((reason) => options.onPeerLost(new ClusterError('CLUSTER_PEER_LOST', `Node process ${options.rank} lost the connection to ${peer.rank}: ${reason}.`, { rank: options.rank, peer: peer.rank })));
    }
  }

  /** Ranks that share an edge with `rank`. */
  static neighbours(partition: Partition, hardware: Hardware, rank: number): number[] {
    const { diesX, diesY } = hardware.wafer;
    const ranks = new Set<number>();
    for (const die of partition.diesOfRank[rank]!) {
      const x = die % diesX;
      const beside = [x > 0 ? die - 1 : die, x + 1 < diesX ? die + 1 : die, die >= diesX ? die - diesX : die, die + diesX < diesX * diesY ? die + diesX : die];
      for (const other of beside) ranks.add(partition.rankOfDie[other]!);
    }
    ranks.delete(rank);
    return [...ranks].sort((a, b) => a - b);
  }

  /**
   * Runs one kernel until {@link endKernel} says that it is over on the whole wafer.
   *
   * @throws ClusterError when a peer breaks its promise or sends what is no frame, and the reason given to {@link abort}
   */
  async runKernel(kernel: number, programs: readonly ProgramTable[]): Promise<void> {
    const { region } = this.#options;
    region.startKernel(programs);
    this.#kernel = kernel;
    this.#round = 0;
    this.#sent.fill(0);
    this.#received.fill(0);
    for (const peer of this.#peers) {
      peer.promiseCycle = region.lookaheadCycles;
      peer.jumpCycle = 0;
      this.#dropStale(peer);
    }
    await this.#rounds();
  }

  /** Continues a kernel from {@link save}; every process of the run must do so from the same round. */
  async resumeKernel(programs: readonly ProgramTable[], snapshot: RunnerSnapshot): Promise<void> {
    this.#options.region.restore(programs, snapshot.dies);
    this.#kernel = snapshot.kernel;
    this.#round = snapshot.round;
    const promised = new Map(snapshot.promised.map(([rank, ...cycles]) => [rank, cycles]));
    for (const peer of this.#peers) [peer.promiseCycle, peer.jumpCycle] = promised.get(peer.rank)!;
    snapshot.sent.forEach((items, rank) => (this.#sent[rank] = items));
    snapshot.received.forEach((items, rank) => (this.#received[rank] = items));
    await this.#rounds();
  }

  /** State between two rounds: all frames of the last one are in, none of the next is out. */
  save(): RunnerSnapshot {
    return {
      kernel: this.#kernel,
      round: this.#round,
      promised: this.#peers.map((peer) => [peer.rank, peer.promiseCycle, peer.jumpCycle]),
      sent: [...this.#sent],
      received: [...this.#received],
      dies: this.#options.region.save(),
    };
  }

  /** Called at the beginning of a round, when {@link save} may be. */
  onRound: (round: number) => void = () => undefined;

  /** The coordinator's word that nothing crosses between processes before `cycle` of the kernel. */
  jump(kernel: number, cycle: number): void {
    if (kernel !== this.#kernel) return;
    for (const peer of this.#peers) peer.jumpCycle = Math.max(peer.jumpCycle, cycle);
  }

  /** The coordinator's word that nothing is left to do anywhere. */
  endKernel(): void {
    this.#over = true;
    this.#signal?.();
  }

  /** Ends the kernel with an error. */
  abort(error: Error): void {
    this.#failure = error;
    this.#signal?.();
  }

  async #rounds(): Promise<void> {
    const { region, host } = this.#options;
    this.#over = false;
    let idleReported = '';
    for (;;) {
      this.onRound(this.#round);
      const promised = this.#peers.reduce((least, peer) => Math.min(least, Math.max(peer.promiseCycle, peer.jumpCycle)), Infinity);
      let started = host.now();
      let lastPause = started;
      while (region.runWindow(Math.min(promised, NEVER), WINDOW_CYCLES)) {
        const now = host.now();
        if (now - lastPause < STRETCH_SECONDS) continue;
        this.statistics.computeSeconds += now - started;
        this.#options.onProgress(this.#kernel, region.nextCycle());
        await host.pause();
        if (this.#failure !== undefined) throw this.#failure;
        started = lastPause = host.now();
      }
      const next = region.nextCycle();
      this.#sendFrames(Math.min(next, promised) + region.lookaheadCycles);
      this.statistics.computeSeconds += host.now() - started;
      if (next >= promised + IDLE_ROUNDS * region.lookaheadCycles || next === Infinity) {
        const report = `${next} ${this.#sent.join()} ${this.#received.join()}`;
        if (report !== idleReported) this.#reportIdle(next);
        idleReported = report;
      }
      started = host.now();
      const again = await this.#nextRound();
      this.statistics.waitSeconds += host.now() - started;
      if (!again) return;
    }
  }

  #reportIdle(nextCycle: number): void {
    const { region } = this.#options;
    const waiting = region.done || nextCycle !== Infinity ? [] : region.engines.flatMap((engine) => engine.explainWaiting(5));
    this.#options.onIdle({ kernel: this.#kernel, nextCycle, endCycle: nextCycle === Infinity ? region.lastEndCycle() : 0, sent: [...this.#sent], received: [...this.#received], waiting });
  }

  /** Waits for one frame of every neighbour and takes it in. False when the kernel is over. */
  async #nextRound(): Promise<boolean> {
    // A neighbour may know already that the kernel is over and be in the next one: its frames are for later.
    const missing = (peer: Peer): boolean => peer.frames[0]?.kernel !== this.#kernel;
    while (!this.#over && this.#failure === undefined && (this.#peers.length === 0 || this.#peers.some(missing))) {
      await new Promise<void>((resolve) => (this.#signal = resolve));
      this.#signal = undefined;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#over) return false;
    for (const peer of this.#peers) this.#accept(peer, peer.frames.shift()!);
    this.#round++;
    this.statistics.rounds++;
    return true;
  }

  #sendFrames(promiseCycle: number): void {
    const { region, partition } = this.#options;
    for (const peer of this.#peers) {
      const sections: FrameSection[] = [];
      for (const { neighbourDie, direction, packets, credits } of region.ports) {
        if (partition.rankOfDie[neighbourDie] !== peer.rank || packets.rows + credits.rows === 0) continue;
        sections.push({ dieId: neighbourDie, direction: opposite(direction), packets, credits });
        this.#sent[peer.rank]! += packets.rows + credits.rows;
        this.statistics.boundaryPacketsSent += packets.rows;
      }
      peer.channel.send(encodeFrame({ kernel: this.#kernel, round: this.#round, promiseCycle, sections }));
      this.statistics.framesSent++;
      for (const { packets, credits } of sections) {
        packets.clear();
        credits.clear();
      }
    }
  }

  #take(peer: Peer, bytes: Uint8Array): void {
    try {
      const frame = decodeFrame(bytes);
      if (frame.kernel < this.#kernel) this.#assertEmpty(peer, frame);
      else peer.frames.push(frame);
    } catch (error) {
      this.abort(error as Error);
    }
    this.#signal?.();
  }

  /** Frames of a kernel that is over carry promises only. */
  #dropStale(peer: Peer): void {
    while (peer.frames.length > 0 && peer.frames[0]!.kernel < this.#kernel) this.#assertEmpty(peer, peer.frames.shift()!);
  }

  #assertEmpty(peer: Peer, frame: BoundaryFrame): void {
    if (frame.sections.length === 0) return;
    throw new ClusterError('CLUSTER_BROKEN_PROMISE', `Node process ${peer.rank} sent items of kernel ${frame.kernel} after it was over.`, { peer: peer.rank, kernel: frame.kernel });
  }

  #accept(peer: Peer, frame: BoundaryFrame): void {
    const { region, partition, rank, hardware } = this.#options;
    if (frame.kernel !== this.#kernel || frame.round !== this.#round) {
      throw new ClusterError('CLUSTER_BAD_FRAME', `Node process ${peer.rank} sent kernel ${frame.kernel}, round ${frame.round}; expected ${this.#kernel}, ${this.#round}.`, { peer: peer.rank });
    }
    for (const { dieId, direction, packets, credits } of frame.sections) {
      if (partition.rankOfDie[dieId] !== rank) throw new ClusterError('CLUSTER_BAD_FRAME', `Node process ${peer.rank} addressed die ${dieId}, which is not of process ${rank}.`, { peer: peer.rank, dieId });
      checkItems(region.engineOf(dieId).fabric, direction, packets, credits, Math.max(peer.promiseCycle, peer.jumpCycle), tiles(hardware));
      region.accept(dieId, direction, packets, credits);
      this.#received[peer.rank]! += packets.rows + credits.rows;
      this.statistics.boundaryPacketsReceived += packets.rows;
    }
    if (frame.promiseCycle < peer.promiseCycle) throw new ClusterError('CLUSTER_BROKEN_PROMISE', `Node process ${peer.rank} took back its promise of cycle ${peer.promiseCycle}: now ${frame.promiseCycle}.`, { peer: peer.rank });
    peer.promiseCycle = frame.promiseCycle;
  }
}
