import { Region, type LinkRow } from '@kerf/engine';
import { dies, tilesPerDie, type DieToDieSpec, type Hardware } from '@kerf/hardware';
import { ProgramBuilder, type OperationId, type ProgramTable } from '@kerf/program';
import type { Channel } from './channel.ts';
import { controlLink, type FromNode, type ToNode } from './control.ts';
import { Coordinator } from './coordinator.ts';
import { KernelRunner, type RunnerSnapshot } from './kernel-runner.ts';
import { partitionOf } from './partition.ts';
import { memoryChannelPair, type Deliver } from './transport/memory.ts';

/** Small wafers, programs and whole runs in memory for the tests of this package. Not part of its public API. */

export const CHANNELS = ['out', 'back'] as const;

export interface WaferChoice {
  readonly diesX: number;
  readonly diesY: number;
  readonly tilesX: number;
  readonly tilesY: number;
  readonly shape: 'edge' | 'hub';
  readonly dieLinkCycles: number;
  readonly packetFlits: number;
  /** Credits beyond one largest packet. */
  readonly spareCredits: number;
}

export function wafer({ diesX, diesY, tilesX, tilesY, shape, dieLinkCycles, packetFlits, spareCredits }: WaferChoice): Hardware {
  const credits = packetFlits + spareCredits;
  const plain = { bytesPerCycle: 16, cycles: 1, credits, picojoulesPerByteHop: 0.15 };
  const link = { bytesPerCycle: [29, 3] as [number, number], cycles: dieLinkCycles, credits, picojoulesPerByteHop: 1 };
  const d2d: DieToDieSpec = shape === 'edge' ? { shape, link } : { shape, link, gatewayLink: { ...plain, cycles: 2 }, gateways: [{ x: 0, y: 0 }, { x: tilesX - 1, y: tilesY - 1 }] };
  return {
    formatVersion: 1,
    name: 'laboratory',
    description: 'A wafer of the tests.',
    clockMegahertz: 1000,
    wafer: { diesX, diesY },
    die: { tilesX, tilesY },
    tile: { matrix: { flopsPerCycle: { fp16: 64, fp8: 128 }, rows: 8, columns: 4, pipelineStages: 1 }, vector: { flopsPerCycle: 8 }, l1Bytes: 65_536, l1BytesPerCycle: 64 },
    link: { ...plain, maxPacketBytes: packetFlits * 16 },
    localLink: plain,
    memory: { channels: 2, bytesPerCyclePerChannel: 8, latencyCycles: 10, capacityBytes: 2 ** 30 },
    d2d,
  };
}

/** Tile `from` computes for `flops`, then sends `bytes` to `to`, which answers, if asked to, when it has all that it waits for. */
export interface Errand {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly flops: number;
  readonly answerBytes: number;
}

/** The programs of all dies: errands on channel `out`, their answers on `back`. Tiles are taken modulo those of the wafer. */
export function errandPrograms(hardware: Hardware, errands: readonly Errand[]): ProgramTable[] {
  const perDie = tilesPerDie(hardware);
  const all = dies(hardware) * perDie;
  const placed = errands.map((errand) => ({ ...errand, from: errand.from % all, to: errand.to % all }));
  return Array.from({ length: dies(hardware) }, (_, dieId) => {
    const builder = new ProgramBuilder(dieId, CHANNELS);
    for (let local = 0; local < perDie; local++) {
      const tile = dieId * perDie + local;
      const leaving = placed.filter(({ from }) => from === tile);
      const coming = placed.filter(({ to }) => to === tile);
      let before: OperationId[] = [];
      for (const [index, { to, bytes, flops }] of leaving.entries()) {
        if (flops > 0) before = [builder.compute(local, { label: index, rows: 1, flops, memoryBytes: bytes }, before)];
        builder.send(local, to, 0, bytes, 1, before);
      }
      if (coming.length > 0) {
        const got = builder.receive(local, 0, coming.reduce((sum, { bytes }) => sum + bytes, 0));
        const work = builder.compute(local, { label: 0, rows: coming.length, flops: 100 * coming.length, memoryBytes: 0 }, [got]);
        for (const { from, answerBytes } of coming) if (answerBytes > 0) builder.send(local, from, 1, answerBytes, 1, [work]);
      }
      const answers = leaving.reduce((sum, { answerBytes }) => sum + answerBytes, 0);
      if (answers > 0) builder.wait(local, [builder.receive(local, 1, answers)]);
    }
    return builder.finish();
  });
}

// The machinery of a run in memory needs the event loop, as the transports do.
// eslint-disable-next-line no-restricted-globals
const later = setImmediate;

/** Numbers from a seed, for delays; any generator does. */
export function dice(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Hands over in any order, one at a time, with turns of the event loop between. */
export function anyOrder(seed: number): Deliver {
  const draw = dice(seed);
  const waiting: (() => void)[] = [];
  return (hand) => {
    waiting.push(hand);
    later(() => waiting.splice(draw(waiting.length), 1)[0]!());
  };
}

export interface RunChoice {
  readonly diesOfRank: readonly (readonly number[])[];
  readonly seed?: number;
  readonly reverseVisits?: boolean;
  readonly kernels?: number;
  readonly binCycles?: number;
  /** Every process saves at the beginning of this round of the last kernel. */
  readonly saveAtRound?: number;
  /** Continue from these instead of beginning a kernel. */
  readonly resume?: readonly SavedProcess[];
  /** Changes what a rank sends to another. */
  readonly tamper?: (from: number, to: number, bytes: Uint8Array) => Uint8Array;
  /** Called with each rank's channels to its neighbours, before the run. */
  readonly onPeers?: (rank: number, peers: ReadonlyMap<number, Channel>) => void;
}

/** What one process kept when it saved: its state, and how many link rows each of its dies had written. */
export interface SavedProcess {
  readonly snapshot: RunnerSnapshot;
  readonly rows: ReadonlyMap<number, number>;
}

export interface DieOutcome {
  /** Per kernel: start and end cycle of each operation. */
  readonly operations: { readonly startCycle: number[]; readonly endCycle: number[] }[];
  readonly links: LinkRow[];
  deliveryHash: number[];
}

export interface RunOutcome {
  readonly dies: DieOutcome[];
  readonly kernelEnds: number[];
  readonly saved: (SavedProcess | undefined)[];
  readonly jumps: number;
}

/** A whole run of the programs in memory: one runner per rank, one coordinator, channels that deliver in any order. */
export async function runInMemory(hardware: Hardware, programs: readonly ProgramTable[], choice: RunChoice): Promise<RunOutcome> {
  const { diesOfRank, seed = 1, kernels = 1 } = choice;
  const partition = partitionOf(diesOfRank);
  const ranks = diesOfRank.length;
  const deliver = anyOrder(seed);
  const pairs = new Map<string, [Channel, Channel]>();
  const channelTo = (rank: number, peer: number): Channel => {
    const key = `${Math.min(rank, peer)} ${Math.max(rank, peer)}`;
    const pair = pairs.get(key) ?? memoryChannelPair(deliver);
    pairs.set(key, pair);
    const channel = pair[rank < peer ? 0 : 1];
    const { tamper } = choice;
    if (tamper !== undefined) {
      const send = channel.send.bind(channel);
      channel.send = (bytes) => send(tamper(rank, peer, bytes));
    }
    return channel;
  };
  const outcome: RunOutcome & { jumps: number } = {
    dies: programs.map(() => ({ operations: [], links: [], deliveryHash: [] })),
    kernelEnds: [],
    saved: diesOfRank.map(() => undefined),
    jumps: 0,
  };
  const controls = diesOfRank.map(() => memoryChannelPair(deliver));
  return new Promise((resolve, reject) => {
    const stop = (error: Error): void => {
      reject(error);
      for (const [, node] of controls) node.close('the run failed');
    };
    let finished = 0;
    const coordinator = new Coordinator({
      ranks,
      kernels,
      lookaheadCycles: hardware.d2d?.link.cycles ?? Infinity,
      send: (rank, message) => links[rank]!.send(message),
      onKernel: ({ endCycle }) => outcome.kernelEnds.push(endCycle),
      onAllKernels: () => undefined,
      onFailure: stop,
    });
    const links = controls.map(([end], rank) => {
      const link = controlLink<ToNode, FromNode>(end);
      link.onMessage((message) => coordinator.receive(rank, message));
      return link;
    });
    diesOfRank.forEach((dieIds, rank) => {
      const control = controlLink<FromNode, ToNode>(controls[rank]![1]);
      const region = new Region(hardware, dieIds, {
        channels: CHANNELS,
        elementType: 'fp16',
        binCycles: choice.binCycles ?? 32,
        onLinkRow: (row) => outcome.dies[row.dieId]!.links.push({ ...row }),
        ...(choice.reverseVisits === undefined ? {} : { reverseVisits: choice.reverseVisits }),
      });
      const peers = new Map(KernelRunner.neighbours(partition, hardware, rank).map((peer) => [peer, channelTo(rank, peer)]));
      choice.onPeers?.(rank, peers);
      let clock = 0;
      const runner: KernelRunner = new KernelRunner({
        rank,
        partition,
        hardware,
        region,
        peers,
        host: { now: () => (clock += 0.03), pause: () => new Promise((go) => later(go)) },
        onIdle: (report) => control.send({ type: 'idle', ...report, packetHops: 0 }),
        onProgress: () => undefined,
        onPeerLost: (error) => runner.abort(error),
      });
      const mine = dieIds.map((die) => programs[die]!);
      let kernel = 0;
      runner.onRound = (round) => {
        if (round !== choice.saveAtRound || kernel !== kernels - 1) return;
        outcome.saved[rank] = { snapshot: structuredClone(runner.save()), rows: new Map(dieIds.map((die) => [die, outcome.dies[die]!.links.length])) };
      };
      let running: Promise<void> | undefined;
      const end = async (): Promise<void> => {
        runner.endKernel();
        await running;
        region.finishKernel();
        for (const { dieId, startCycle, endCycle } of region.engines) outcome.dies[dieId]!.operations.push({ startCycle: [...startCycle], endCycle: [...endCycle] });
      };
      const take = async (message: ToNode): Promise<void> => {
        if (message.type === 'jump') {
          outcome.jumps++;
          runner.jump(message.kernel, message.cycle);
        } else if (message.type === 'kernel') {
          if (running !== undefined) await end();
          ({ kernel } = message);
          running = choice.resume === undefined ? runner.runKernel(kernel, mine) : runner.resumeKernel(mine, choice.resume[rank]!.snapshot);
          running.catch(stop);
        } else if (message.type === 'finish') {
          await end();
          for (const { dieId, fabric } of region.engines) outcome.dies[dieId]!.deliveryHash = [...fabric.deliveryHash];
          if (++finished === ranks) resolve(outcome);
        }
      };
      // One after the other, as a process does.
      let queue = Promise.resolve();
      control.onMessage((message) => {
        if (message.type === 'jump') void take(message);
        else queue = queue.then(() => take(message)).catch(stop);
      });
      control.onClose((reason) => runner.abort(new Error(reason)));
      control.send({ type: 'ready' });
    });
  });
}
