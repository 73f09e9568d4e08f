import { bench, describe, expect } from 'vitest';
import { exchange, kernelOf, machine } from './laboratory.ts';
import { PlainLoop } from './plain-loop.ts';
import { runUniformTraffic, runWaferTraffic } from './uniform-traffic.ts';

/*
 * Rates are medians of the measured rounds. "packet-hops" are routers traversed: links between routers + 1 for each packet. The
 * plain loop is the same work without credits, classes, counters and checks; it runs in the same process, in turn with the kernel.
 */
const seed = 7;
const rounds = { iterations: 5, time: 1000, warmupIterations: 2, warmupTime: 300 };

interface Rate {
  packetHops: number;
  flitHops: number;
  readonly milliseconds: number[];
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const million = (count: number, { milliseconds }: Rate): string => (count / median(milliseconds) / 1000).toFixed(2);

/** Times a run, remembers how long it took, and says so at the end. */
function timed(name: string, rate: Rate, run: () => void, report: () => string): void {
  bench(name, () => {
    const start = performance.now();
    run();
    rate.milliseconds.push(performance.now() - start);
  }, {
    ...rounds,
    setup: () => void (rate.milliseconds.length = 0),
    teardown: (_task, mode) => {
      if (mode === 'run') console.log(report());
    },
  });
}

describe.each([
  { side: 64, packetsPerCycle: 0.02, flits: 1, cycles: 300, deliveryHash: -1989823838 },
  { side: 16, packetsPerCycle: 0.05, flits: 1, cycles: 3000, deliveryHash: 1842978996 },
  { side: 64, packetsPerCycle: 0.2 / 8, flits: 8, cycles: 300, deliveryHash: undefined },
])('$side x $side tiles, uniform, $flits flits per packet, $packetsPerCycle packets per tile and cycle', ({ side, packetsPerCycle, flits, cycles, deliveryHash }) => {
  const choice = { seed, packetsPerCycle, bytes: 128 * flits, cycles };
  const kernel = kernelOf(machine({ tilesX: side, tilesY: side }));
  const plain = new PlainLoop(side);
  runUniformTraffic(kernel, choice);
  runUniformTraffic(plain, choice);
  kernel.assertQuiescent();
  expect([plain.deliveredPackets, plain.linkHops, plain.flitHops]).toEqual([kernel.deliveredPackets, kernel.linkHops, kernel.flitHops]);
  if (deliveryHash !== undefined) expect(kernel.deliveryHash.reduce((sum, hash) => (Math.imul(sum, 31) + hash) | 0, 0)).toBe(deliveryHash);
  const ours: Rate = { packetHops: kernel.linkHops + kernel.deliveredPackets, flitHops: kernel.flitHops, milliseconds: [] };
  const theirs: Rate = { ...ours, milliseconds: [] };

  const name = `${side} x ${side} tiles, ${flits} flits`;
  timed('packet kernel', ours, () => {
    kernel.startKernel();
    runUniformTraffic(kernel, choice);
  }, () => `${name}: ${million(ours.packetHops, ours)} million packet-hops, ${million(ours.flitHops, ours)} million flit-hops per second`);
  timed('plain loop', theirs, () => {
    plain.startKernel();
    runUniformTraffic(plain, choice);
  }, () => `${name}: plain loop ${million(theirs.packetHops, theirs)} million packet-hops per second; the kernel has ${(median(theirs.milliseconds) / median(ours.milliseconds)).toFixed(2)} of that`);
});

describe('a wafer of 64 dies of 32 x 32 tiles, edge to edge, die by die through windows of 256 cycles, one-flit packets, 0.02 packets per tile and cycle, one in eight to the next die', () => {
  const dieLink = { bytesPerCycle: 128, cycles: 256, picojoulesPerByteHop: 1 };
  const hardware = machine({ tilesX: 32, tilesY: 32, diesX: 8, diesY: 8, d2d: { shape: 'edge', link: dieLink } });
  const kernels = Array.from({ length: 64 }, (_, die) => kernelOf(hardware, die));
  const choice = { seed, packetsPerCycle: 0.02, bytes: 128, cycles: 512 };
  const run = (): void => runWaferTraffic(kernels, 8, 256, () => exchange(kernels, 8), choice);
  run();
  const sum = (of: (kernel: (typeof kernels)[number]) => number): number => kernels.reduce((total, kernel) => total + of(kernel), 0);
  const ours: Rate = { packetHops: sum(({ linkHops }) => linkHops) + sum(({ deliveredPackets }) => deliveredPackets), flitHops: 0, milliseconds: [] };
  for (const kernel of kernels) kernel.assertQuiescent();

  timed('packet kernel', ours, () => {
    for (const kernel of kernels) kernel.startKernel();
    run();
  }, () => `wafer of 65,536 tiles: ${million(ours.packetHops, ours)} million packet-hops per second`);
});
