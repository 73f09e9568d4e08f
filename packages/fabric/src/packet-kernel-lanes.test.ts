import { manhattan, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE } from './fabric.ts';
import { NEVER } from './kernel-state.ts';
import { kernelOf, machine, outcome, randomTraffic, runWafer, type Shipment } from './laboratory.ts';
import { flitsOf, zeroLoadCycles } from './latency.ts';
import { runUniformTraffic } from './uniform-traffic.ts';

const few = { numRuns: 15 };
const seeds = fc.nat(1_000_000);
const all = [CLASS_RESPONSE, CLASS_REDUCTION];
const tilesOf = ({ wafer, die }: Hardware): number => wafer.diesX * wafer.diesY * die.tilesX * die.tilesY;

/** Machines of one die, of dies joined edge to edge, and of dies with hubs, with some number of virtual channels. */
function shapes(virtualChannels: number): Hardware[] {
  const link = { virtualChannels, maxPacketBytes: 512, creditCycles: 2 };
  const d2d = { bytesPerCycle: [256, 3] as [number, number], cycles: 20, picojoulesPerByteHop: 2 };
  const gatewayLink = { bytesPerCycle: 128, cycles: 2, picojoulesPerByteHop: 0.15 };
  const dies = { tilesX: 3, tilesY: 3, diesX: 2, diesY: 2, link };
  return [
    machine({ tilesX: 5, tilesY: 4, link, more: { router: { setupCycles: 2 } } }),
    machine({ ...dies, d2d: { shape: 'edge', link: { ...d2d, creditCycles: 31 } } }),
    machine({ ...dies, d2d: { shape: 'hub', link: d2d, gatewayLink, gateways: [{ x: 0, y: 0 }, { x: 2, y: 0 }] }, more: { router: { setupCycles: 1 } } }),
  ];
}

const classes = (seed: number, hardware: Hardware, packets = 120): Shipment[] =>
  randomTraffic(seed, packets, tilesOf(hardware), { cycles: 100, maxBytes: hardware.link.maxPacketBytes, channels: 2 })
    .map((shipment, i) => ({ ...shipment, trafficClass: [CLASS_REQUEST, CLASS_RESPONSE, CLASS_REDUCTION][i % 3]! }));

describe.each([1, 2, 3, 8, 16])('with %i virtual channels, traffic of all classes', (virtualChannels) => {
  test('is conserved and shows neither the order of visits, nor the order of dies, nor a save in the middle', () => {
    for (const hardware of shapes(virtualChannels)) {
      fc.assert(fc.property(seeds, fc.integer({ min: 1, max: 200 }), (seed, saveAt) => {
        const traffic = classes(seed, hardware);
        const choice = { channels: 2, classes: all };
        const run = runWafer(hardware, traffic, choice);
        const count = (rows: (readonly number[])[]): string[] => rows.map((row) => row.join()).sort();
        expect(count(run.deliveries.map(([, tile, channel, bytes]) => [tile, channel, bytes]))).toEqual(count(traffic.map(({ to, channel, bytes }) => [to, channel, bytes])));
        for (const kernel of run.kernels) kernel.assertQuiescent();
        const plain = outcome(run);
        expect(outcome(runWafer(hardware, traffic, { ...choice, reverseVisits: true }))).toEqual(plain);
        expect(outcome(runWafer(hardware, traffic, { ...choice, reverseDies: true }))).toEqual(plain);
        expect(outcome(runWafer(hardware, traffic, { ...choice, saveAt }))).toEqual(plain);
      }), { numRuns: virtualChannels > 3 ? 2 : 4 });
    }
  });

  test('starts over exactly at a kernel boundary', () => {
    const hardware = shapes(virtualChannels)[0]!;
    const traffic = classes(7, hardware);
    const kernel = kernelOf(hardware, 0, { channels: 2, classes: all });
    const once = (): string[] => {
      const seen: string[] = [];
      let sent = 0;
      for (let cycle = 0; cycle !== NEVER; cycle = Math.min(kernel.nextCycle(), traffic[sent]?.cycle ?? NEVER)) {
        kernel.beginCycle(cycle);
        for (let row = 0; row < kernel.delivered; row++) seen.push(`${cycle} ${kernel.deliveredTile[row]} ${kernel.deliveredBytes[row]}`);
        for (; traffic[sent]?.cycle === cycle; sent++) kernel.inject(traffic[sent]!.from, traffic[sent]!.to, traffic[sent]!.channel, traffic[sent]!.bytes, sent, traffic[sent]!.trafficClass);
        kernel.decide();
      }
      return seen.sort();
    };
    const first = once();
    kernel.startKernel();
    expect(once()).toEqual(first);
  });

  test('costs a single packet exactly the zero-load latency', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }), fc.nat(), fc.nat(), fc.integer({ min: 0, max: 4096 }), fc.integer({ min: 1, max: 5 }), (tilesX, tilesY, a, b, bytes, cycles) => {
      const hardware = machine({ tilesX, tilesY, link: { cycles, virtualChannels }, more: { router: { setupCycles: 3 } } });
      const [from, to] = [a % tilesOf(hardware), b % tilesOf(hardware)];
      const { deliveries } = runWafer(hardware, [{ cycle: 0, from, to, bytes, channel: 0 }]);
      expect(deliveries[0]![0]).toBe(zeroLoadCycles(manhattan(hardware, from, to), flitsOf(bytes, 128), cycles, 1));
    }), few);
  });
});

/** A router pipeline of t cycles behind links of one cycle, as the packet kernel sees it: BookSim's T0 = (H + 1) t + H + 3 + (P − 1). */
function pipeline(routerCycles: number, virtualChannels: number, setupCycles: number, k = 8): Hardware {
  const spec = { bytesPerCycle: 128, picojoulesPerByteHop: 0.15 };
  return machine({
    tilesX: k, tilesY: k,
    link: { cycles: routerCycles + 1, creditCycles: 2, virtualChannels, credits: 8, maxPacketBytes: 512 },
    localLink: { cycles: routerCycles + 1 },
    more: { router: { setupCycles }, ejectionLink: { ...spec, cycles: 2 } },
  });
}

test.each([[4, 1], [4, 8], [2, 1], [2, 8]])('stands for a router pipeline of %i cycles with %i virtual channels: T0 = (H + 1) t + H + 3 + (P - 1)', (routerCycles, virtualChannels) => {
  const hardware = pipeline(routerCycles, virtualChannels, 2);
  for (const [from, to] of [[0, 0], [0, 1], [0, 63], [9, 20], [60, 3]] as const) {
    for (const flits of [1, 4]) {
      const hops = manhattan(hardware, from, to);
      const { deliveries } = runWafer(hardware, [{ cycle: 0, from, to, bytes: flits * 128, channel: 0 }]);
      expect(deliveries[0]![0]).toBe((hops + 1) * routerCycles + hops + 3 + (flits - 1));
    }
  }
});

test.each([[1, 2, 1 / 3], [4, 2, 2 / 3], [1, 0, 1], [4, 0, 1], [32, 3, 32 / 35]])('with one lane, packets of %i flits and %i cycles of setup load a link by at most P / (P + setup)', (flits, setupCycles, most) => {
  const hardware = machine({ tilesX: 2, tilesY: 1, more: { router: { setupCycles } } });
  const packets = 100;
  const { deliveries } = runWafer(hardware, Array.from({ length: packets }, () => ({ cycle: 0, from: 0, to: 1, bytes: flits * 128, channel: 0 })));
  const cycles = deliveries.at(-1)![0] - deliveries[0]![0];
  expect(((packets - 1) * flits) / cycles).toBeCloseTo(most, 10);
});

test('two lanes hide the setup of each other', () => {
  const hardware = machine({ tilesX: 2, tilesY: 1, link: { virtualChannels: 2 }, more: { router: { setupCycles: 1 } } });
  const { deliveries } = runWafer(hardware, Array.from({ length: 100 }, () => ({ cycle: 0, from: 0, to: 1, bytes: 128, channel: 0 })));
  expect(deliveries.at(-1)![0] - deliveries[0]![0]).toBe(99);
});

test.each([[1, 2, 0], [0, 7, 0], [0, 2, 5]])('a buffer of one packet is used again %i + creditCycles %i later', (_extra, creditCycles) => {
  // 4 flits leave the buffer, the credit comes back, the next packet needs the link.
  const hardware = machine({ tilesX: 3, tilesY: 1, link: { credits: 4, maxPacketBytes: 512, creditCycles, cycles: 3 } });
  const { deliveries } = runWafer(hardware, Array.from({ length: 20 }, () => ({ cycle: 0, from: 0, to: 2, bytes: 512, channel: 0 })));
  const gaps = deliveries.slice(1).map(([cycle], i) => cycle - deliveries[i]![0]);
  expect(new Set(gaps)).toEqual(new Set([3 + 4 + creditCycles]));
});

test('a virtual channel lets packets pass one that waits for a credit; with one lane they stand behind it', () => {
  // Tile 0 sends to 2 through a buffer that is full, and to tile 1 behind it.
  const arrival = (virtualChannels: number): number => {
    const hardware = machine({ tilesX: 4, tilesY: 1, link: { virtualChannels, credits: 32, creditCycles: 1000 } });
    const long = { cycle: 0, from: 0, to: 3, bytes: 4096, channel: 0 };
    const traffic = [...Array.from({ length: 4 }, () => long), { cycle: 300, from: 0, to: 1, bytes: 128, channel: 1 }];
    return runWafer(hardware, traffic, { channels: 2 }).deliveries.find(([, , channel]) => channel === 1)![0];
  };
  expect(arrival(1)).toBeGreaterThan(1000);
  expect(arrival(8)).toBeLessThan(310);
});

test('classes do not block each other', () => {
  const hardware = machine({ tilesX: 3, tilesY: 1, link: { credits: 32, creditCycles: 1000 } });
  const requests = Array.from({ length: 5 }, () => ({ cycle: 0, from: 0, to: 2, bytes: 4096, channel: 0 }));
  const answer = { cycle: 200, from: 0, to: 2, bytes: 128, channel: 1, trafficClass: CLASS_RESPONSE };
  const { deliveries } = runWafer(hardware, [...requests, answer], { channels: 2, classes: all });
  expect(deliveries.find(([, , channel]) => channel === 1)![0]).toBe(200 + zeroLoadCycles(2, 1, 1, 1));
});

test('a class without buffers is refused, and so is one that nobody can ask for', () => {
  const kernel = kernelOf(machine({ tilesX: 2, tilesY: 1 }));
  kernel.beginCycle(0);
  for (const trafficClass of [1, 2, 3, 4, 5, -1]) {
    expect(() => kernel.inject(0, 1, 0, 128, 0, trafficClass)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
    if (trafficClass > 2 || trafficClass < 0) expect(() => kernelOf(machine({ tilesX: 2, tilesY: 1 }), 0, { classes: [trafficClass] })).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
  }
  kernel.assertQuiescent();
});

test('a link behind small buffers is never more than full, with any number of lanes', () => {
  for (const virtualChannels of [1, 8]) {
    const kernel = kernelOf(machine({ tilesX: 8, tilesY: 8, link: { virtualChannels, credits: 32 } }));
    runUniformTraffic(kernel, { seed: 3, packetsPerCycle: 0.3, bytes: 256, cycles: 100 });
    kernel.assertQuiescent();
    kernel.drainCounters(kernel.now + 1, (_port, _channel, counters, at) => expect(counters[at + 1]!).toBeLessThanOrEqual(kernel.now + 1));
  }
});
