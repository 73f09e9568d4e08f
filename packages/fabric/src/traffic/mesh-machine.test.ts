import { describe, expect, test } from 'vitest';
import { AnalyticFabric } from '../analytic/analytic-fabric.ts';
import { dieTopology } from '../die-topology.ts';
import type { Fabric, Fidelity } from '../fabric.ts';
import { FlitKernel } from '../flit/flit-kernel.ts';
import { flitPipelines, parseFlitPipeline, routerCycles, type FlitPipeline } from '../flit/pipeline.ts';
import { PacketKernel } from '../packet-kernel.ts';
import { MESH_FLIT_BYTES, meshMachine, type MeshChoice } from './mesh-machine.ts';
import { runTraffic } from './traffic-run.ts';

const base: MeshChoice = { width: 4, height: 3, virtualChannels: 2, bufferFlits: 8, packetFlits: 3, pipeline: flitPipelines.A };

function fabricOf(choice: MeshChoice, fidelity: Fidelity): Fabric {
  const topology = dieTopology(meshMachine(choice, fidelity), 0);
  if (fidelity === 'packet') return new PacketKernel(topology, { channels: 1 });
  if (fidelity === 'analytic') return new AnalyticFabric(topology, { channels: 1 });
  return new FlitKernel(topology, { channels: 1, pipeline: choice.pipeline, virtualChannels: choice.virtualChannels, bufferFlits: choice.bufferFlits });
}

const pipelines: readonly [string, FlitPipeline][] = [['A', flitPipelines.A], ['B', flitPipelines.B], ['of our own', parseFlitPipeline({ routing: 2, vcAllocation: 1, switchAllocation: 3, switchTraversal: 2 })]];

describe.each(['flit', 'packet', 'analytic'] as const)('at %s fidelity', (fidelity) => {
  // (H + 1) t_r + H + 3 + (P − 1): the zero-load latency of BookSim 2, exact.
  test.each(pipelines)('a packet alone has the zero-load latency of the pipeline, from every tile to every tile: %s', (_, pipeline) => {
    const { width, height, packetFlits } = base;
    const router = routerCycles(pipeline);
    const tiles = width * height;
    const fabric = fabricOf({ ...base, pipeline }, fidelity);
    for (let from = 0; from < tiles; from++) {
      for (let to = 0; to < tiles; to++) {
        const links = Math.abs((from % width) - (to % width)) + Math.abs(Math.floor(from / width) - Math.floor(to / width));
        const events = { cycle: Int32Array.of(0), source: Int32Array.of(from), destination: Int32Array.of(to), bytes: Int32Array.of(packetFlits * MESH_FLIT_BYTES) };
        const { packetLatencyCycles, hops } = runTraffic(fabric, { events, seed: 1, warmupCycles: 0, cycles: 1 });
        expect([packetLatencyCycles, hops]).toEqual([(links + 1) * router + links + 3 + packetFlits - 1, links + 1]);
        // What is left are credits on their way back.
        for (let cycle = fabric.nextCycle(); cycle < 0x7fffffff; cycle = fabric.nextCycle()) {
          fabric.beginCycle(cycle);
          fabric.decide();
        }
        fabric.startKernel();
      }
    }
  });
});

describe('one lane of pipeline A carries P / (P + RC + VA) flits per cycle, in B all', () => {
  test.each([['A', 1, 1 / 3], ['A', 4, 2 / 3], ['B', 1, 1]] as const)('%s, %i flits', (name, flits, expected) => {
    const choice = { width: 8, height: 8, virtualChannels: 1, bufferFlits: 8, packetFlits: flits, pipeline: flitPipelines[name] };
    const fabric = new PacketKernel(dieTopology(meshMachine(choice, 'packet'), 0), { channels: 1 });
    const { acceptedFlitRate } = runTraffic(fabric, { pattern: 'neighbor', rate: flits === 1 ? 1 : 1.25, bytes: flits * MESH_FLIT_BYTES, seed: 1, warmupCycles: 1000, cycles: 4000 });
    expect(acceptedFlitRate / expected).toBeGreaterThan(0.98);
    expect(acceptedFlitRate / expected).toBeLessThan(1.02);
  });
});

test.each([
  [{ width: 0 }, /1 to 4096 tiles along each side, got 0x3/],
  [{ width: -3 }, /got -3x3/],
  [{ width: 4097 }, /1 to 4096/],
  [{ width: 2048, height: 2048 }, /at most 1048576 tiles, got 2048x2048/],
  [{ bufferFlits: 2 }, /--buffer-flits from 3 on/],
])('%j is refused', (part, message) => {
  expect(() => meshMachine({ ...base, ...part }, 'packet')).toThrow(message);
});
