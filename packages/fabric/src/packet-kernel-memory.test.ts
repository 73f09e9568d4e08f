import { expect, test } from 'vitest';
import { CLASS_REDUCTION } from './fabric.ts';
import { NEVER } from './kernel-state.ts';
import { kernelOf, machine } from './laboratory.ts';
import type { PacketKernel } from './packet-kernel.ts';
import { planMulticast, planReduction } from './routes/collective-plans.ts';
import { hash32 } from './uniform-traffic.ts';

/** Keeps the fabric busy for some cycles, without allocating anything itself. */
function drive(kernel: PacketKernel, from: number, cycles: number, each: (kernel: PacketKernel, cycle: number) => void): void {
  for (let cycle = from; cycle < from + cycles; cycle++) {
    kernel.beginCycle(cycle);
    each(kernel, cycle);
    kernel.decide();
  }
}

const side = 16;
const link = { maxPacketBytes: 512, credits: 12 };
const unicast = (kernel: PacketKernel, cycle: number): void => {
  for (let i = 0; i < 6; i++) kernel.inject(hash32(1, cycle, i) & 255, hash32(2, cycle, i) & 255, 0, 512, cycle);
};

test.each([
  ['one lane', 1, unicast],
  ['eight virtual channels', 8, unicast],
  ['collectives', 1, (kernel: PacketKernel, cycle: number) => {
    if (cycle % 64 !== 0) return;
    kernel.multicast(0, 0, 512, cycle);
    for (let tile = 0; tile < side * side; tile++) kernel.contribute(1, tile, 0, 512, cycle);
  }],
] as const)('the loop does not allocate: %s', (_name, virtualChannels, each) => {
  const hardware = machine({ tilesX: side, tilesY: side, link: { ...link, virtualChannels } });
  const kernel = kernelOf(hardware, 0, { classes: [CLASS_REDUCTION] });
  kernel.defineMulticast(planMulticast(hardware, 0, 0, { x: 0, y: 0, width: side, height: side }));
  kernel.defineReduction(planReduction(hardware, 0, 0, { x: 0, y: 0, width: side, height: side }));
  drive(kernel, 0, 20_000, each); // grows its columns, and is compiled
  const hops = kernel.linkHops;
  // What is there anyhow would be seen as a step down when it is collected, and what is added as a step up.
  let least = Infinity;
  for (let round = 1; round <= 3; round++) {
    const before = process.memoryUsage().heapUsed;
    drive(kernel, round * 20_000, 20_000, each);
    least = Math.min(least, Math.abs(process.memoryUsage().heapUsed - before));
  }
  const bytesPerHop = least / ((kernel.linkHops - hops) / 3);
  expect(kernel.linkHops - hops).toBeGreaterThan(200_000);
  expect(bytesPerHop).toBeLessThan(0.5);
}, 30_000);

test('a mesh of 850 x 850 tiles stands ready in less than 0.7 GB, and a cycle with one packet in it costs microseconds', () => {
  const before = process.memoryUsage().arrayBuffers;
  const kernel = kernelOf(machine({ tilesX: 850, tilesY: 850 }));
  kernel.beginCycle(0);
  kernel.inject(0, 849, 0, 128, 0);
  kernel.decide();
  let cycles = 0;
  for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle(), cycles++) {
    kernel.beginCycle(cycle);
    kernel.decide();
  }
  kernel.assertQuiescent();
  expect(cycles).toBe(851);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(0.7 * 2 ** 30);
});
