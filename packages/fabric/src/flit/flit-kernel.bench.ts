import { bench, describe, expect } from 'vitest';
import { runUniformTraffic } from '../uniform-traffic.ts';
import { meshKernel } from './laboratory.ts';

const seed = 7;

describe.each([
  { side: 16, virtualChannels: 1, flitsPerCycle: 0.05, cycles: 3000 },
  { side: 16, virtualChannels: 8, flitsPerCycle: 0.05, cycles: 3000 },
  { side: 16, virtualChannels: 8, flitsPerCycle: 0.2, cycles: 1000 },
  { side: 64, virtualChannels: 8, flitsPerCycle: 0.02, cycles: 300 },
  { side: 256, virtualChannels: 8, flitsPerCycle: 0.005, cycles: 100 },
])('$side x $side routers, $virtualChannels virtual channels, pipeline A, uniform, one-flit packets, $flitsPerCycle flits per tile and cycle', ({ side, virtualChannels, flitsPerCycle, cycles }) => {
  const kernel = meshKernel({ side, virtualChannels });
  const run = (): void => { runUniformTraffic(kernel, { seed, packetsPerCycle: flitsPerCycle, bytes: 128, cycles }); };
  run();
  kernel.assertQuiescent();
  const traversals = kernel.flitHops + kernel.deliveredPackets;
  // Every router on the way and the last one: mean distance and one, for every packet.
  expect(traversals / kernel.deliveredPackets).toBeCloseTo((2 * (side * side - 1)) / (3 * side) + 1, side > 64 ? -1 : 0);
  let best = Infinity;

  bench(`${traversals} router traversals`, () => {
    kernel.startKernel();
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }, {
    iterations: 5, time: 1500, warmupIterations: 2, warmupTime: 200,
    teardown: (_task, mode) => {
      if (mode === 'run') console.log(`${side} x ${side}, ${virtualChannels} virtual channels, ${flitsPerCycle}: ${(traversals / best / 1000).toFixed(2)} million router traversals per second at best`);
    },
  });
});
