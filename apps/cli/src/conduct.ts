import { controlLink, CONTROL_VERSION, Coordinator, type Channel, type ControlLink, type FromNode, type Partition, type StartMessage, type ToNode } from '@kerf/cluster';
import { dieLinkCycles } from '@kerf/fabric';
import { kernelFacts, type ReplayPlan } from '@kerf/inference';
import type { StepRow } from '@kerf/results';
import { CliError } from './errors.ts';
import type { NodeEvents, Nodes } from './node-processes.ts';
import type { Progress } from './progress.ts';
import { diesText } from './dies-text.ts';

/** What a node reports at its end. */
export type Finished = Extract<FromNode, { type: 'finished' }>;
type Failed = Extract<FromNode, { type: 'failed' }>;

export interface ConductOptions {
  readonly plan: ReplayPlan;
  readonly partition: Partition;
  /** What every node is told; the addresses of the others are added. */
  readonly start: Omit<StartMessage, 'type' | 'version' | 'diesOfRank' | 'peers'>;
  /** Brings the nodes to life. */
  readonly launch: (events: NodeEvents) => Promise<Nodes>;
  readonly signal: AbortSignal;
  readonly onStep: (row: StepRow) => void;
  readonly onProgress: (progress: Progress) => void;
}

export interface Outcome {
  readonly simulatedCycles: number;
  readonly packetHops: number;
  /** [ranks] */
  readonly finished: readonly Finished[];
}

/** When a node loses a neighbour, the neighbour's own end is the better explanation, and soon here. */
const EXPLANATION_MILLISECONDS = 1500;

/**
 * Takes a run from the first hello to the last report. However it ends, no node is left behind.
 *
 * @throws CliError for a node that is lost or fails, and for an interruption; ClusterError for a deadlock
 */
export async function conduct(options: ConductOptions): Promise<Outcome> {
  const conversation = new Conversation(options);
  const nodes = await options.launch({ onChannel: (rank, channel) => conversation.admit(rank, channel), onLost: (error) => conversation.fail(error) });
  conversation.nodes = nodes;
  const onAbort = (): void => conversation.fail(options.signal.reason as Error);
  options.signal.addEventListener('abort', onAbort);
  if (options.signal.aborted) onAbort();
  try {
    return await conversation.outcome;
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    conversation.end();
    await nodes.stop();
  }
}

class Conversation {
  readonly outcome: Promise<Outcome>;
  nodes: Nodes | undefined;
  readonly #options: ConductOptions;
  readonly #ranks: number;
  readonly #links: ControlLink<ToNode, FromNode>[] = [];
  readonly #urls: string[] = [];
  readonly #finished: Finished[] = [];
  readonly #coordinator: Coordinator;
  readonly #steps: StepCounter;
  /** [ranks] packet-hops so far, as each last said. */
  readonly #hops: number[];
  #kernelsDone = 0;
  #over = false;
  #resolve: (outcome: Outcome) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(options: ConductOptions) {
    this.#options = options;
    this.#ranks = options.partition.diesOfRank.length;
    this.#hops = new Array<number>(this.#ranks).fill(0);
    this.#steps = new StepCounter(options.plan, options.onStep);
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // It may fail before anyone waits for it.
    this.outcome.catch(() => undefined);
    this.#coordinator = new Coordinator({
      ranks: this.#ranks,
      kernels: options.plan.kernels,
      lookaheadCycles: dieLinkCycles(options.plan.hardware),
      send: (rank, message) => this.#links[rank]!.send(message),
      onKernel: (facts) => {
        this.#kernelsDone = facts.kernel + 1;
        this.#steps.add(facts);
        this.#showProgress(facts.endCycle);
      },
      onAllKernels: () => undefined,
      onFailure: (error) => this.fail(error),
    });
  }

  admit(rank: number, channel: Channel): void {
    const link = controlLink<ToNode, FromNode>(channel);
    this.#links[rank] = link;
    link.onMessage((message) => {
      try {
        if (!this.#over) this.#receive(rank, message);
      } catch (error) {
        this.fail(error as Error);
      }
    });
    link.onClose(() => {
      if (!this.#over) this.nodes?.disconnected(rank);
    });
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    for (const link of this.#links) link?.send({ type: 'abort', reason: error.message });
    this.#reject(error);
  }

  end(): void {
    this.#over = true;
    for (const link of this.#links) link?.close();
  }

  #receive(rank: number, message: FromNode): void {
    switch (message.type) {
      case 'hello':
        this.#hello(rank, message.version, message.url);
        break;
      case 'progress':
        this.#hops[rank] = message.packetHops;
        this.#showProgress(this.#coordinator.startCycle + message.cycle);
        break;
      case 'finished':
        this.#finish(rank, message);
        break;
      case 'failed':
        this.#nodeFailed(rank, message);
        break;
      case 'idle':
        this.#hops[rank] = message.packetHops;
        this.#coordinator.receive(rank, message);
        break;
      case 'ready':
        this.#coordinator.receive(rank, message);
        break;
    }
  }

  #hello(rank: number, version: number, url: string): void {
    if (version !== CONTROL_VERSION) {
      throw new CliError('NODE_FAILED', `Node process ${rank} speaks version ${version} of the control protocol, and this is version ${CONTROL_VERSION}. Install one version of Kerf.`, { rank, version });
    }
    this.nodes!.greeted(rank);
    this.#urls[rank] = url;
    if (this.#urls.filter((known) => known !== undefined).length < this.#ranks) return;
    const diesOfRank = this.#options.partition.diesOfRank.map((dies) => [...dies]);
    const start: StartMessage = { type: 'start', version: CONTROL_VERSION, ...this.#options.start, diesOfRank, peers: [...this.#urls] };
    for (const link of this.#links) link.send(start);
  }

  #finish(rank: number, message: Finished): void {
    this.#finished[rank] = message;
    if (this.#finished.filter((report) => report !== undefined).length < this.#ranks) return;
    this.#over = true;
    this.nodes!.finish();
    const packetHops = this.#finished.reduce((sum, { statistics }) => sum + statistics.packetHops, 0);
    this.#resolve({ simulatedCycles: this.#coordinator.startCycle, packetHops, finished: this.#finished });
  }

  #nodeFailed(rank: number, { code, message, context, bug }: Failed): void {
    const who = `Node process ${rank} (${diesText(this.#options.partition.diesOfRank[rank]!)})`;
    const details = { ...context, rank, nodeCode: code, bug };
    const error =
      code === 'DISK_FULL'
        ? new CliError('DISK_FULL', `${who}: ${message}`, details)
        : new CliError('NODE_FAILED', `${who} failed: ${code}: ${message}`, details);
    if (code === 'CLUSTER_PEER_LOST') setTimeout(() => this.fail(error), EXPLANATION_MILLISECONDS).unref();
    else this.fail(error);
  }

  #showProgress(simulatedCycles: number): void {
    const packetHops = this.#hops.reduce((a, b) => a + b, 0);
    this.#options.onProgress({ kernelsDone: this.#kernelsDone, kernels: this.#options.plan.kernels, simulatedCycles, packetHops });
  }
}

/** Puts the kernels of a step together. Copies are those of the trace; that each was carried is what `conservation` counts. */
class StepCounter {
  readonly #plan: ReplayPlan;
  readonly #onStep: (row: StepRow) => void;
  #row: StepRow | undefined;

  constructor(plan: ReplayPlan, onStep: (row: StepRow) => void) {
    this.#plan = plan;
    this.#onStep = onStep;
  }

  add({ kernel, startCycle, endCycle, packetHops }: { kernel: number; startCycle: number; endCycle: number; packetHops: number }): void {
    const { moeLayers } = this.#plan.model;
    const { tokens, copies } = kernelFacts(this.#plan, kernel);
    this.#row ??= { step: Math.floor(kernel / moeLayers), startCycle, endCycle, tokens, dispatchedCopies: 0, combinedCopies: 0, packetHops: 0 };
    const row = this.#row;
    row.endCycle = endCycle;
    row.dispatchedCopies += copies;
    row.combinedCopies += copies;
    row.packetHops += packetHops;
    if ((kernel + 1) % moeLayers !== 0) return;
    this.#row = undefined;
    this.#onStep(row);
  }
}
