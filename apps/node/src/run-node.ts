import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setImmediate as immediate } from 'node:timers/promises';
import { KerfError } from '@kerf/checks';
import {
  ClusterError, CONTROL_VERSION, KernelRunner, partitionOf, type ControlLink, type FromNode, type StartMessage, type ToNode,
} from '@kerf/cluster';
import { Region, type LinkRow as EngineLinkRow } from '@kerf/engine';
import { FIRST_GATEWAY } from '@kerf/fabric';
import { parseHardware, tilesPerDie, type Hardware } from '@kerf/hardware';
import { collectiveRows, dieProgram, expertRows, kernelStepLayer, planReplay, type ReplayPlan } from '@kerf/inference';
import { moeChannels } from '@kerf/moe';
import type { ProgramTable } from '@kerf/program';
import { PHASE, PORT, ROUTER_KIND, RunWriters } from '@kerf/results';
import { parseModelCard, parseScenario, type ModelCard, type Scenario } from '@kerf/scenario';
import type { RoutingTrace } from '@kerf/traces';
import { NodeError } from './errors.ts';
import type { PeerNetwork } from './peer-network.ts';
import { TableFiles } from './table-files.ts';

export interface RunNodeOptions {
  readonly rank: number;
  readonly control: ControlLink<FromNode, ToNode>;
  readonly network: PeerNetwork;
  /** Reads and checks a trace of the given model; the app that started this node may have it at hand already. */
  readonly loadTrace: (path: string, model: ModelCard) => RoutingTrace;
}

const PROGRESS_SECONDS = 0.2;

/**
 * One node process from its first word to its last: says hello, derives its dies' programs from the scenario and the
 * trace, runs kernel after kernel as told, writes the tables of its dies, and reports. Never throws: what goes wrong is
 * reported as `failed`.
 */
export async function runNode(options: RunNodeOptions): Promise<void> {
  const { rank, control, network } = options;
  const inbox = new Inbox(control);
  control.send({ type: 'hello', version: CONTROL_VERSION, rank, pid: process.pid, url: network.url });
  try {
    const start = await inbox.take();
    if (start.type === 'abort') return;
    if (start.type !== 'start') throw new ClusterError('CLUSTER_BAD_MESSAGE', `Expected the message start, got ${start.type}.`, { type: start.type });
    if (start.version !== CONTROL_VERSION) throw new NodeError('NODE_VERSION', `This node process speaks version ${CONTROL_VERSION}, the coordinator ${start.version}.`, { version: start.version });
    const run = new NodeRun(options, start);
    try {
      await run.serve(inbox);
    } finally {
      run.close();
    }
  } catch (error) {
    const known = error instanceof KerfError ? error : undefined;
    control.send({
      type: 'failed',
      code: known === undefined ? 'INTERNAL' : String(known.code),
      message: known?.message ?? (error as Error).stack ?? String(error),
      context: { ...known?.context },
      bug: known === undefined,
    });
  }
}

/** Messages from the coordinator, one after the other; a lost connection is an abort. */
class Inbox {
  readonly #messages: ToNode[] = [];
  #waiting: ((message: ToNode) => void) | undefined;

  constructor(control: ControlLink<FromNode, ToNode>) {
    control.onMessage((message) => this.#put(message));
    control.onClose((reason) => this.#put({ type: 'abort', reason }));
  }

  take(): Promise<ToNode> {
    const message = this.#messages.shift();
    return message === undefined ? new Promise((resolve) => (this.#waiting = resolve)) : Promise.resolve(message);
  }

  #put(message: ToNode): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#messages.push(message);
    else waiting(message);
  }
}

/** The run as one process sees it. */
class NodeRun {
  readonly #options: RunNodeOptions;
  readonly #start: StartMessage;
  readonly #hardware: Hardware;
  readonly #plan: ReplayPlan;
  readonly #dies: readonly number[];
  readonly #files: TableFiles;
  readonly #writers: RunWriters;
  readonly #region: Region;
  readonly #copies = new Map<number, { dispatched: number; combined: number }>();
  readonly #startedSeconds = performance.now() / 1000;
  #step = 0;
  #layer = 0;
  #lastProgress = 0;
  #runner: KernelRunner | undefined;

  constructor(options: RunNodeOptions, start: StartMessage) {
    this.#options = options;
    this.#start = start;
    const scenario: Scenario = parseScenario(start.scenario, 'the scenario of the run');
    this.#hardware = parseHardware(scenario.hardware, 'the scenario of the run');
    const model = parseModelCard(scenario.workload.model, 'the scenario of the run');
    this.#plan = planReplay(scenario, this.#hardware, model, options.loadTrace(start.tracePath, model));
    this.#dies = start.diesOfRank[options.rank]!;
    this.#files = new TableFiles(start.runDirectory);
    const { binCycles } = scenario.output;
    const facts = { clockMegahertz: this.#hardware.clockMegahertz, binCycles, grid: this.#hardware, layers: model.layers, experts: model.experts, dies: this.#dies };
    this.#writers = new RunWriters(facts, (table, die) => this.#files.open(table, die));
    this.#region = new Region(this.#hardware, this.#dies, {
      channels: moeChannels,
      elementType: model.computeType,
      binCycles,
      onLinkRow: (row) => this.#writeLink(row),
    });
  }

  async serve(inbox: Inbox): Promise<void> {
    const { rank, control, network } = this.#options;
    const partition = partitionOf(this.#start.diesOfRank);
    const peers = await network.connect(KernelRunner.neighbours(partition, this.#hardware, rank), this.#start.peers);
    const runner = new KernelRunner({
      rank,
      partition,
      hardware: this.#hardware,
      region: this.#region,
      peers,
      host: { now: () => performance.now() / 1000, pause: () => immediate() },
      onIdle: (report) => control.send({ type: 'idle', ...report, packetHops: this.#region.linkHops }),
      onProgress: (kernel, cycle) => this.#progress(kernel, cycle),
      onPeerLost: (error) => runner.abort(error),
    });
    this.#runner = runner;
    control.send({ type: 'ready' });
    let message = await inbox.take();
    while (message.type === 'kernel') {
      const { kernel, startCycle } = message;
      const programs = this.#dies.map((die) => dieProgram(this.#plan, kernel, die));
      ({ step: this.#step, layer: this.#layer } = kernelStepLayer(this.#plan, kernel));
      const running = runner.runKernel(kernel, programs);
      do {
        const next = inbox.take();
        message = await Promise.race([next, running.then(() => next)]);
        if (message.type === 'jump') runner.jump(message.kernel, message.cycle);
      } while (message.type === 'jump');
      if (message.type === 'abort') break;
      runner.endKernel();
      await running;
      this.#endKernel(kernel, startCycle, programs);
    }
    if (message.type === 'abort') {
      runner.abort(new ClusterError('CLUSTER_ABORTED', message.reason, {}));
      return;
    }
    for (const channel of peers.values()) {
      channel.onClose(() => undefined);
    }
    this.#finish();
  }

  close(): void {
    this.#files.close();
  }

  #progress(kernel: number, cycle: number): void {
    const now = performance.now() / 1000;
    if (now - this.#lastProgress < PROGRESS_SECONDS) return;
    this.#lastProgress = now;
    this.#options.control.send({ type: 'progress', kernel, cycle: Number.isFinite(cycle) ? cycle : 0, packetHops: this.#region.linkHops });
  }

  #writeLink(row: EngineLinkRow): void {
    const hub = row.router === tilesPerDie(this.#hardware);
    this.#writers.link({
      step: this.#step,
      layer: this.#layer,
      phase: row.channel === 0 ? PHASE.dispatch : PHASE.combine,
      bin: row.bin,
      routerKind: hub ? ROUTER_KIND.hub : ROUTER_KIND.tile,
      router: hub ? row.dieId : row.dieId * tilesPerDie(this.#hardware) + row.router,
      port: hub && row.port >= FIRST_GATEWAY ? PORT.firstGateway + row.port - FIRST_GATEWAY : row.port,
      bytes: row.bytes,
      busyCycles: row.busyCycles,
      packets: row.packets,
      creditStallCycles: row.creditStallCycles,
      arbitrationStallCycles: row.arbitrationStallCycles,
    });
  }

  #endKernel(kernel: number, kernelStart: number, programs: readonly ProgramTable[]): void {
    this.#region.finishKernel();
    const place = { step: this.#step, layer: this.#layer };
    const copies = this.#copies.get(this.#layer) ?? { dispatched: 0, combined: 0 };
    this.#copies.set(this.#layer, copies);
    this.#region.engines.forEach(({ dieId, startCycle, endCycle }, index) => {
      for (const row of expertRows(this.#plan, kernel, programs[index]!, startCycle, endCycle)) {
        this.#writers.expert({ ...row, ...place, die: dieId, startCycle: kernelStart + row.startCycle, endCycle: kernelStart + row.endCycle });
      }
      for (const { phase, ...row } of collectiveRows(this.#plan, kernel, programs[index]!, startCycle, endCycle)) {
        this.#writers.collective({ ...row, ...place, die: dieId, phase: PHASE[phase], startCycle: kernelStart + row.startCycle, endCycle: kernelStart + row.endCycle });
        copies[phase === 'dispatch' ? 'dispatched' : 'combined'] += row.copiesReceived;
      }
    });
  }

  #finish(): void {
    this.#region.assertQuiescent();
    const { statistics } = this.#runner!;
    const summary = this.#writers.totals();
    this.#writers.finish();
    const files = this.#files.convert();
    const engines = this.#region.engines;
    this.#options.control.send({
      type: 'finished',
      files,
      deliveries: engines.map(({ dieId, fabric }) => {
        const { buffer, byteOffset, byteLength } = fabric.deliveryHash;
        return { dieId, digest: createHash('sha256').update(new Uint8Array(buffer, byteOffset, byteLength)).digest('hex') };
      }),
      statistics: {
        pid: process.pid,
        wallSeconds: performance.now() / 1000 - this.#startedSeconds,
        computeSeconds: statistics.computeSeconds,
        waitSeconds: statistics.waitSeconds,
        packetHops: this.#region.linkHops,
        deliveredPackets: engines.reduce((sum, engine) => sum + engine.fabric.deliveredPackets, 0),
        boundaryPacketsSent: statistics.boundaryPacketsSent,
        boundaryPacketsReceived: statistics.boundaryPacketsReceived,
        framesSent: statistics.framesSent,
        rounds: statistics.rounds,
        peakRssBytes: process.resourceUsage().maxRSS * 1024,
      },
      summary,
      conservation: [...this.#copies].map(([layer, { dispatched, combined }]) => ({ layer, dispatched, combined })),
    });
  }
}
