import type { DieToDieSpec, Hardware, LinkSpec, TileLinkSpec } from '@kerf/hardware';
import { dieTopology, nodeId } from './die-topology.ts';
import { NEVER, type KernelSnapshot } from './kernel-state.ts';
import { PacketKernel, type PacketKernelOptions } from './packet-kernel.ts';
import { DIRECTIONS, opposite } from './ports.ts';
import { hash32 } from './uniform-traffic.ts';

/** Small machines and drivers for the tests and benchmarks of this package. Not part of its public API. */

/** What a machine of the laboratory differs in from plain: tile links of 128 B and one cycle, packets of at most 4096 B. */
export interface MachineChoice {
  readonly tilesX: number;
  readonly tilesY: number;
  readonly link?: Partial<TileLinkSpec>;
  readonly localLink?: Partial<LinkSpec>;
  readonly diesX?: number;
  readonly diesY?: number;
  readonly d2d?: DieToDieSpec;
  /** Anything else of the hardware file. */
  readonly more?: Partial<Hardware>;
}

export function machine({ tilesX, tilesY, link, localLink, diesX = 1, diesY = 1, d2d, more }: MachineChoice): Hardware {
  const plain = { bytesPerCycle: 128, cycles: 1, picojoulesPerByteHop: 0.15 };
  return {
    formatVersion: 1,
    name: 'laboratory',
    description: 'A machine of the tests.',
    clockMegahertz: 1000,
    wafer: { diesX, diesY },
    die: { tilesX, tilesY },
    tile: { matrix: { flopsPerCycle: { fp16: 1024, fp8: 1024 }, rows: 32, columns: 16, pipelineStages: 1 }, vector: { flopsPerCycle: 128 }, l1Bytes: 393_216, l1BytesPerCycle: 512 },
    link: { ...plain, maxPacketBytes: 4096, ...link },
    localLink: { ...plain, ...localLink },
    memory: { channels: 8, bytesPerCyclePerChannel: 64, latencyCycles: 200, capacityBytes: 2 ** 34 },
    d2d: d2d ?? null,
    ...more,
  };
}

export function kernelOf(hardware: Hardware, dieId = 0, options: Partial<PacketKernelOptions> = {}): PacketKernel {
  return new PacketKernel(dieTopology(hardware, dieId), { channels: 1, ...options });
}

/** A packet to send: from a tile, at a cycle, to a tile; tiles are wafer-wide. */
export interface Shipment {
  readonly cycle: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  readonly channel: number;
  readonly trafficClass?: number;
  /** Instead of a packet from `from` to `to`: that tile's part in a collective. */
  readonly collective?: { readonly kind: 'multicast' | 'contribute'; readonly tree: number; readonly sequence: number };
}

/** One delivery: cycle, wafer-wide tile, channel, bytes. */
export type Delivery = readonly [cycle: number, tile: number, channel: number, bytes: number];

/** Reproducible traffic: every number of packet i is drawn from (seed, i). Sorted by cycle, then by packet. */
export function randomTraffic(seed: number, packets: number, tiles: number, choice: { cycles: number; maxBytes: number; channels?: number }): Shipment[] {
  const draw = (packet: number, what: number, below: number): number => hash32(seed, packet, what) % below;
  const traffic = Array.from({ length: packets }, (_, packet) => ({
    cycle: draw(packet, 0, choice.cycles),
    from: draw(packet, 1, tiles),
    to: draw(packet, 2, tiles),
    bytes: 1 + draw(packet, 3, choice.maxBytes),
    channel: draw(packet, 4, choice.channels ?? 1),
  }));
  return traffic.sort((a, b) => a.cycle - b.cycle);
}

export interface WaferChoice {
  readonly channels?: number;
  readonly classes?: readonly number[];
  /** Makes trees known to a fresh kernel. */
  readonly trees?: (kernel: PacketKernel) => void;
  readonly reverseVisits?: boolean;
  /** Run the dies of a window in reverse. */
  readonly reverseDies?: boolean;
  /** Save every die at the first window boundary at or after this cycle, and go on in fresh kernels. */
  readonly saveAt?: number;
  /** Called for every die before it begins a cycle. */
  readonly beforeCycle?: (kernel: PacketKernel, cycle: number) => void;
}

export interface WaferRun {
  readonly kernels: readonly PacketKernel[];
  readonly deliveries: readonly Delivery[];
}

/**
 * Sends the traffic over all dies of the hardware and runs until nothing is left. Each die runs alone through a window
 * as long as the link between dies; what crosses is handed over between windows. A single die is one endless window,
 * unless it is to be saved.
 */
export function runWafer(hardware: Hardware, traffic: readonly Shipment[], choice: WaferChoice = {}): WaferRun {
  const { diesX, diesY } = hardware.wafer;
  const dies = diesX * diesY;
  const options = { channels: choice.channels ?? 1, reverseVisits: choice.reverseVisits ?? false, classes: choice.classes ?? [] };
  const freshKernel = (die: number): PacketKernel => {
    const kernel = kernelOf(hardware, die, options);
    choice.trees?.(kernel);
    return kernel;
  };
  let kernels = Array.from({ length: dies }, (_, die) => freshKernel(die));
  const tiles = kernels[0]!.topology.tiles;
  const { waferTiles, nodes } = kernels[0]!.topology;
  const dieOf = (from: number): number => Math.floor(from < waferTiles ? from / tiles : (from - waferTiles) / nodes.length);
  const plans = kernels.map((_, die) => traffic.filter(({ from }) => dieOf(from) === die));
  const sent = kernels.map(() => 0);
  const sequence = new Uint32Array(dies * (tiles + nodes.length));
  const deliveries: Delivery[] = [];
  const order = kernels.map((_, die) => (choice.reverseDies === true ? dies - 1 - die : die));
  let saveAt = choice.saveAt ?? NEVER;
  const windowCycles = hardware.d2d?.link.cycles ?? Math.min(saveAt, NEVER - 1);
  const nextOf = (die: number): number => Math.min(kernels[die]!.nextCycle(), plans[die]![sent[die]!]?.cycle ?? NEVER);
  for (let windowEnd = windowCycles; ; windowEnd = Math.min(NEVER, windowEnd + windowCycles)) {
    for (const die of order) {
      const kernel = kernels[die]!;
      const plan = plans[die]!;
      for (let cycle = nextOf(die); cycle < windowEnd; cycle = nextOf(die)) {
        choice.beforeCycle?.(kernel, cycle);
        kernel.beginCycle(cycle);
        for (let row = 0; row < kernel.delivered; row++) {
          const endpoint = kernel.deliveredTile[row]!;
          deliveries.push([cycle, endpoint < tiles ? die * tiles + endpoint : nodeId(kernel.topology, endpoint - tiles), kernel.deliveredChannel[row]!, kernel.deliveredBytes[row]!]);
        }
        for (; plan[sent[die]!]?.cycle === cycle; sent[die]!++) {
          const { from, to, bytes, channel, trafficClass, collective } = plan[sent[die]!]!;
          if (collective === undefined) kernel.inject(from < waferTiles ? from % tiles : tiles + ((from - waferTiles) % nodes.length), to, channel, bytes, sequence[from]!++, trafficClass);
          else if (collective.kind === 'multicast') kernel.multicast(collective.tree, channel, bytes, collective.sequence);
          else kernel.contribute(collective.tree, from % tiles, channel, bytes, collective.sequence);
        }
        kernel.decide();
      }
    }
    exchange(kernels, diesX);
    if (windowEnd >= saveAt) {
      kernels = kernels.map((kernel, die) => {
        const fresh = freshKernel(die);
        fresh.restore(structuredClone<KernelSnapshot>(kernel.save()));
        return fresh;
      });
      saveAt = NEVER;
    }
    if (order.every((die) => nextOf(die) === NEVER)) break;
  }
  return { kernels, deliveries: deliveries.sort(compare) };
}

/** Hands over what the dies sent to their neighbours in the last window. */
export function exchange(kernels: readonly PacketKernel[], diesX: number): void {
  const step = [1, -1, -diesX, diesX];
  for (const [die, kernel] of kernels.entries()) {
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      if (!kernel.topology.hasNeighbour[direction]) continue;
      const neighbour = kernels[die + step[direction]!]!;
      neighbour.acceptPackets(opposite(direction), kernel.packetsOut[direction]!);
      neighbour.acceptCredits(opposite(direction), kernel.creditsOut[direction]!);
      kernel.packetsOut[direction]!.clear();
      kernel.creditsOut[direction]!.clear();
    }
  }
}

/** What the law tests compare: everything of a run that a user could see. */
export function outcome({ kernels, deliveries }: WaferRun): unknown {
  const hashes = kernels.map((kernel) => [...kernel.deliveryHash]);
  const counters: number[][] = [];
  for (const kernel of kernels) kernel.drainCounters(NEVER, (port, channel, values, at) => counters.push([port, channel, ...values.subarray(at, at + 5)]));
  return { deliveries, hashes, counters, linkHops: kernels.map((kernel) => kernel.linkHops), flitHops: kernels.map((kernel) => kernel.flitHops) };
}

function compare(a: Delivery, b: Delivery): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}
