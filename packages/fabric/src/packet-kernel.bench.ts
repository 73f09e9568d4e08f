import { bench, describe, expect } from 'vitest';
import { kernelOf, machine } from './laboratory.ts';
import { runUniformTraffic } from './uniform-traffic.ts';

const seed = 7;

describe.each([
  { side: 64, flitsPerCycle: 0.02, cycles: 300, deliveryHash: -1989823838 },
  { side: 16, flitsPerCycle: 0.05, cycles: 3000, deliveryHash: 1842978996 },
])('$side x $side tiles, uniform, one-flit packets, $flitsPerCycle flits per tile and cycle', ({ side, flitsPerCycle, cycles, deliveryHash }) => {
  const kernel = kernelOf(machine({ tilesX: side, tilesY: side }));
  const run = (): void => runUniformTraffic(kernel, { seed, packetsPerCycle: flitsPerCycle, bytes: 128, cycles });
  run();
  kernel.assertQuiescent();
  expect(kernel.deliveryHash.reduce((sum, hash) => (Math.imul(sum, 31) + hash) | 0, 0)).toBe(deliveryHash);
  const hops = kernel.linkHops;
  let best = Infinity;

  bench(`${hops} link hops`, () => {
    kernel.startKernel();
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }, {
    iterations: 5, time: 1500, warmupIterations: 2, warmupTime: 200,
    teardown: (_task, mode) => {
      if (mode === 'run') console.log(`${side} x ${side} tiles: ${(hops / best / 1000).toFixed(2)} million link hops per second at best`);
    },
  });
});
