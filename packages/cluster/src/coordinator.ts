import type { FromNode, ToNode } from './control.ts';
import { ClusterError } from './errors.ts';

type Idle = Extract<FromNode, { type: 'idle' }>;

export interface CoordinatorOptions {
  readonly ranks: number;
  readonly kernels: number;
  /** Fewest cycles that anything needs from one process to another. */
  readonly lookaheadCycles: number;
  send(rank: number, message: ToNode): void;
  /** A kernel is over on the whole wafer; cycles count from the start of the run. */
  onKernel(facts: { kernel: number; startCycle: number; endCycle: number; packetHops: number }): void;
  /** The last kernel is over and every process was told to finish. */
  onAllKernels(): void;
  onFailure(error: ClusterError): void;
}

/**
 * Decides when a kernel is over on the whole wafer and begins the next one, and tells processes that are idle for long how
 * far they may jump. Off the hot path: a process reports only when it is idle.
 *
 * When every process has reported, and for every pair the items that one says it sent are those that the other says it
 * received, the latest reports form a consistent cut with nothing in flight (Mattern 1987 on distributed termination). After
 * that cut nothing happens anywhere before the earliest next cycle T of the reports, so nothing crosses between processes
 * before T + lookahead; and if no process has a next cycle, the kernel is over.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #idle: (Idle | undefined)[];
  readonly #ready = new Set<number>();
  #kernel = -1;
  #startCycle = 0;
  #hops = 0;
  #jumpedTo = 0;
  #over = false;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#idle = Array.from({ length: options.ranks }, () => undefined);
  }

  /** The kernel that runs now; −1 before the first. */
  get kernel(): number {
    return this.#kernel;
  }

  /** Cycle at which it began. */
  get startCycle(): number {
    return this.#startCycle;
  }

  /** Takes `ready`, `idle` and `failed` from a process; other messages are the owner's. */
  receive(rank: number, message: FromNode): void {
    if (this.#over) return;
    if (message.type === 'ready') {
      this.#ready.add(rank);
      if (this.#ready.size === this.#options.ranks) this.#begin(0, 0);
    } else if (message.type === 'idle') {
      if (message.kernel !== this.#kernel) return; // sent before it heard that the kernel is over
      this.#idle[rank] = message;
      this.#judge();
    } else if (message.type === 'failed') {
      this.#over = true;
      this.#options.onFailure(new ClusterError('CLUSTER_NODE_FAILED', `Node process ${rank} failed: ${message.code}: ${message.message}`, { rank, code: message.code }));
    }
  }

  #begin(kernel: number, previousEndCycle: number): void {
    this.#kernel = kernel;
    this.#idle.fill(undefined);
    this.#jumpedTo = 0;
    for (let rank = 0; rank < this.#options.ranks; rank++) this.#options.send(rank, { type: 'kernel', kernel, startCycle: this.#startCycle, previousEndCycle });
  }

  #judge(): void {
    const reports = this.#idle as Idle[];
    if (this.#idle.includes(undefined)) return;
    for (let from = 0; from < reports.length; from++) {
      for (let to = 0; to < reports.length; to++) if (reports[from]!.sent[to] !== reports[to]!.received[from]) return;
    }
    const next = Math.min(...reports.map((report) => report.nextCycle));
    if (next !== Infinity) {
      if (next <= this.#jumpedTo) return;
      this.#jumpedTo = next;
      for (let rank = 0; rank < reports.length; rank++) this.#options.send(rank, { type: 'jump', kernel: this.#kernel, cycle: next + this.#options.lookaheadCycles });
      return;
    }
    const waiting = reports.flatMap((report) => report.waiting);
    if (waiting.length > 0) {
      this.#over = true;
      const message = `Nothing can happen any more in kernel ${this.#kernel}, but work is left: ${waiting.slice(0, 5).join('; ')}.`;
      this.#options.onFailure(new ClusterError('CLUSTER_DEADLOCK', message, { kernel: this.#kernel }));
      return;
    }
    const cycles = Math.max(...reports.map((report) => report.endCycle));
    const hops = reports.reduce((sum, report) => sum + report.packetHops, 0);
    const endCycle = this.#startCycle + cycles;
    this.#options.onKernel({ kernel: this.#kernel, startCycle: this.#startCycle, endCycle, packetHops: hops - this.#hops });
    this.#hops = hops;
    this.#startCycle = endCycle;
    if (this.#kernel + 1 < this.#options.kernels) {
      this.#begin(this.#kernel + 1, cycles);
      return;
    }
    this.#over = true;
    for (let rank = 0; rank < this.#options.ranks; rank++) this.#options.send(rank, { type: 'finish', previousEndCycle: cycles });
    this.#options.onAllKernels();
  }
}
