import { describe, expect, test } from 'vitest';
import { dieTopology } from '../die-topology.ts';
import { flitPipelines } from '../flit/pipeline.ts';
import { PacketKernel } from '../packet-kernel.ts';
import { MESH_FLIT_BYTES, meshMachine } from '../traffic/mesh-machine.ts';
import { patternNames, trafficPattern } from '../traffic/patterns.ts';
import { runTraffic } from '../traffic/traffic-run.ts';
import { waferFabric } from '../traffic/wafer-fabric.ts';
import { estimateTraffic } from './estimate.ts';
import { AnalyticFabric } from './analytic-fabric.ts';

function setUp(width: number, flits: number, pipeline: 'A' | 'B' = 'B', virtualChannels = 1) {
  const hardware = meshMachine({ width, height: width, virtualChannels, bufferFlits: 16, packetFlits: flits, pipeline: flitPipelines[pipeline] }, 'packet');
  const topology = dieTopology(hardware, 0);
  const { grid } = waferFabric(new AnalyticFabric(topology, { channels: 1 }));
  return { topology, grid, bytes: flits * MESH_FLIT_BYTES };
}

describe('the saturation bound is the ideal one of each pattern', () => {
  // Flits per node and cycle at which the busiest link under x-then-y routing would be full.
  test.each([
    ['uniform', (k: number) => 4 / k], ['transpose', (k: number) => 1 / (k - 1)], ['neighbor', () => 1], ['tornado', (k: number) => 1 / (Math.ceil(k / 2) - 1)],
    ['bitcomp', (k: number) => 2 / k], ['hotspot', (k: number) => 4 / (k * k)],
  ] as const)('%s', (name, bound) => {
    for (const k of [8, 16]) {
      const { topology, grid, bytes } = setUp(k, 1);
      expect(estimateTraffic(topology, trafficPattern(name, grid, 1), 0.001, bytes).saturationFlitRate).toBeCloseTo(Math.min(1, bound(k)), 9);
    }
  });
});

test.each([8, 16])('the mean distance of uniform traffic on %i x %i tiles is 2 (k² − 1) / (3 k)', (k) => {
  const { topology, grid, bytes } = setUp(k, 1, 'A');
  const links = (2 * (k * k - 1)) / (3 * k);
  const estimate = estimateTraffic(topology, trafficPattern('uniform', grid, 1), 1e-6, bytes);
  expect(estimate.hops).toBeCloseTo(links + 1, 9);
  expect(estimate.zeroLoadLatencyCycles).toBeCloseTo(7 + 5 * links, 9);
  expect(estimate.packetLatencyCycles).toBeCloseTo(7 + 5 * links, 3);
});

test('one lane of pipeline A bounds it by P / (P + 2)', () => {
  const { topology, grid, bytes } = setUp(8, 4, 'A');
  expect(estimateTraffic(topology, trafficPattern('uniform', grid, 1), 0.01, bytes).saturationFlitRate).toBeCloseTo(0.5 * (4 / 6), 9);
});

describe('up to half of saturation it is near the packet kernel', () => {
  test.each(patternNames.flatMap((name) => [1, 4].map((flits) => [name, flits] as const)))('%s, %i flits', (name, flits) => {
    const { topology, grid, bytes } = setUp(8, flits, 'B', 4);
    const pattern = trafficPattern(name, grid, 1);
    const rate = estimateTraffic(topology, pattern, 0.001, bytes).saturationFlitRate / 2;
    const estimate = estimateTraffic(topology, pattern, rate, bytes);
    const measured = runTraffic(new PacketKernel(topology, { channels: 1 }), { pattern: name, rate, bytes, seed: 1, warmupCycles: 1000, cycles: 6000 });
    expect(measured.status).toBe('stable');
    expect(Math.abs(estimate.packetLatencyCycles! / measured.packetLatencyCycles! - 1)).toBeLessThan(0.1);
  });
});

test('past the bound nothing is promised', () => {
  const { topology, grid, bytes } = setUp(8, 1);
  expect(estimateTraffic(topology, trafficPattern('uniform', grid, 1), 0.6, bytes)).toMatchObject({ status: 'saturated', packetLatencyCycles: null, acceptedFlitRate: 0.5 });
});
