import type { Hardware } from '@kerf/hardware';
import { dieTopology } from '../die-topology.ts';
import { machine } from '../laboratory.ts';
import { hash32 } from '../uniform-traffic.ts';
import { FlitKernel, type FlitKernelOptions } from './flit-kernel.ts';
import { flitPipelines, routerCycles, type FlitPipeline } from './pipeline.ts';

/** Machines and a driver for the tests and benchmarks of the flit kernel. Not part of the package's API. */

/** The BookSim machine: wires of one cycle everywhere, a cycle at the source, 8 flits of buffer, flits of 128 bytes. */
export function meshKernel(choice: { side: number; tilesY?: number; pipeline?: FlitPipeline; more?: Partial<Hardware> } & Partial<FlitKernelOptions>): FlitKernel {
  const { side, tilesY = side, pipeline = flitPipelines.A, more = {}, ...options } = choice;
  const topology = dieTopology(machine({ tilesX: side, tilesY, more }), 0);
  const hop = routerCycles(pipeline) + 1;
  return new FlitKernel(topology, { channels: 1, pipeline, virtualChannels: 1, bufferFlits: 8, linkCycles: hop, injectionCycles: 2, ejectionCycles: hop, ...options });
}

export interface OpenLoop {
  readonly seed: number;
  /** Chance that a tile starts a packet in a cycle. */
  readonly packetsPerCycle: number;
  readonly flits: number;
  /** Destination of packet `packet` of a tile. */
  readonly destination: (tile: number, packet: number) => number;
  readonly warmupCycles: number;
  readonly measuredCycles: number;
  /** Runs on, under load, until all packets created in the measured cycles are there. Otherwise stops after those. */
  readonly drain: boolean;
}

export interface OpenLoopResult {
  /** Mean cycles from creation to the tail's arrival of packets created in the measured cycles; and from leaving the source queue. */
  readonly packetLatencyCycles: number;
  readonly networkLatencyCycles: number;
  /** Packets created in the measured cycles. */
  readonly packets: number;
  /** Flits per tile and cycle that arrived in the measured cycles. */
  readonly acceptedFlitRate: number;
  /** Routers traversed by flits, from the end of the warm-up on. */
  readonly traversals: number;
  readonly cycles: number;
}

/** Bernoulli injection, open loop, as BookSim measures it: packets created after the warm-up count, their wait in the source queue included. */
export function runOpenLoop(kernel: FlitKernel, load: OpenLoop, onWarm?: () => void): OpenLoopResult {
  const { seed, packetsPerCycle, flits, destination, warmupCycles, measuredCycles, drain } = load;
  const { tiles } = kernel.topology;
  const perGap = 1 / Math.log(1 - packetsPerCycle);
  const gap = (tile: number, packet: number): number => 1 + Math.floor(Math.log((hash32(seed, tile, packet) + 1) / 4294967297) * perGap);
  const slots = 4096;
  const calendar = new Int32Array(slots).fill(-1);
  const next = new Int32Array(tiles);
  const due = new Int32Array(tiles);
  const sent = new Uint32Array(tiles);
  // [tiles × ring] cycle of creation by sequence
  const ring = 4096;
  const created = new Int32Array(tiles * ring);
  const enter = (tile: number, cycle: number): void => {
    due[tile] = cycle;
    next[tile] = calendar[cycle & (slots - 1)]!;
    calendar[cycle & (slots - 1)] = tile;
  };
  for (let tile = 0; tile < tiles; tile++) enter(tile, gap(tile, 0) - 1);
  const end = warmupCycles + measuredCycles;
  let measured = 0;
  let arrived = 0;
  let latency = 0;
  let network = 0;
  let accepted = 0;
  let before = 0;
  let cycle = 0;
  for (; cycle < end || (drain && arrived < measured); cycle++) {
    if (cycle === warmupCycles) {
      before = kernel.flitHops + kernel.deliveredPackets * flits;
      onWarm?.();
    }
    kernel.beginCycle(cycle);
    for (let row = 0; row < kernel.delivered; row++) {
      if (cycle >= warmupCycles && cycle < end) accepted++;
      const at = created[(kernel.deliveredSource[row]!) * ring + (kernel.deliveredSequence[row]! & (ring - 1))]!;
      if (at < warmupCycles || at >= end) continue;
      arrived++;
      latency += cycle - at;
      network += cycle - kernel.deliveredEntered[row]!;
    }
    let tile = calendar[cycle & (slots - 1)]!;
    calendar[cycle & (slots - 1)] = -1;
    while (tile >= 0) {
      const following = next[tile]!;
      if (due[tile] === cycle) {
        const packet = sent[tile]!++;
        created[tile * ring + (packet & (ring - 1))] = cycle;
        kernel.inject(tile, destination(tile, packet), 0, flits * 128, packet);
        if (cycle >= warmupCycles && cycle < end) measured++;
        enter(tile, cycle + gap(tile, packet + 1));
      } else {
        enter(tile, due[tile]!);
      }
      tile = following;
    }
    kernel.decide();
  }
  return {
    packetLatencyCycles: latency / arrived,
    networkLatencyCycles: network / arrived,
    packets: measured,
    acceptedFlitRate: (accepted * flits) / tiles / measuredCycles,
    traversals: kernel.flitHops + kernel.deliveredPackets * flits - before,
    cycles: cycle,
  };
}

export function uniform(tiles: number, seed: number): (tile: number, packet: number) => number {
  return (tile, packet) => hash32(seed + 0x1234567, tile, packet) % tiles;
}

export function transpose(side: number): (tile: number) => number {
  return (tile) => (tile % side) * side + Math.floor(tile / side);
}
