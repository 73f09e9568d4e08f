import { manhattan, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COUNT_BUSY, COUNT_PACKETS, NEVER } from './kernel-state.ts';
import { kernelOf, machine, outcome, randomTraffic, runWafer, type Shipment } from './laboratory.ts';
import { flitsOf, zeroLoadCycles } from './latency.ts';
import { EAST, PORT_STRIDE } from './ports.ts';
import { runUniformTraffic } from './uniform-traffic.ts';

const few = { numRuns: 25 };
const sizes = fc.integer({ min: 1, max: 9 });
const seeds = fc.nat(1_000_000);
const edge = (choice: object = {}): Hardware => machine({
  tilesX: 4, tilesY: 3, diesX: 2, diesY: 2, d2d: { shape: 'edge', link: { bytesPerCycle: [256, 3], cycles: 20, picojoulesPerByteHop: 2 } }, ...choice,
});
const hub = (choice: object = {}): Hardware => machine({
  tilesX: 4, tilesY: 3, diesX: 2, diesY: 2,
  d2d: {
    shape: 'hub', link: { bytesPerCycle: [1000, 3], cycles: 17, picojoulesPerByteHop: 2 },
    gatewayLink: { bytesPerCycle: 128, cycles: 2, picojoulesPerByteHop: 0.15 }, gateways: [{ x: 0, y: 0 }, { x: 2, y: 0 }, { x: 3, y: 2 }],
  },
  ...choice,
});
const mesh = machine({ tilesX: 5, tilesY: 4, link: { cycles: 2, maxPacketBytes: 1024 } });
const shapes: readonly (readonly [string, Hardware])[] = [['a mesh', mesh], ['four dies edge to edge', edge()], ['four dies with hubs', hub()]];
const tilesOf = ({ wafer, die }: Hardware): number => wafer.diesX * wafer.diesY * die.tilesX * die.tilesY;
const someTraffic = (seed: number, hardware: Hardware, packets = 400): Shipment[] =>
  randomTraffic(seed, packets, tilesOf(hardware), { cycles: 200, maxBytes: hardware.link.maxPacketBytes, channels: 2 });

describe('an idle mesh', () => {
  test('costs a single packet exactly the zero-load latency', () => {
    fc.assert(fc.property(sizes, sizes, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 4096 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(1000), (tilesX, tilesY, a, b, bytes, cycles, localCycles, at) => {
      const hardware = machine({ tilesX, tilesY, link: { cycles }, localLink: { cycles: localCycles } });
      const [from, to] = [a % tilesOf(hardware), b % tilesOf(hardware)];
      const { deliveries, kernels } = runWafer(hardware, [{ cycle: at, from, to, bytes, channel: 0 }]);
      const hops = manhattan(hardware, from, to);
      expect(deliveries).toEqual([[at + zeroLoadCycles(hops, flitsOf(bytes, 128), cycles, localCycles), to, 0, bytes]]);
      expect(kernels[0]!.linkHops).toBe(hops);
    }));
  });
});

describe.each(shapes)('random traffic on %s', (name, hardware) => {
  test('is conserved: all that was injected is delivered where it was sent, and every credit returns', () => {
    fc.assert(fc.property(seeds, (seed) => {
      const traffic = someTraffic(seed, hardware);
      const { kernels, deliveries } = runWafer(hardware, traffic, { channels: 2 });
      const count = (rows: (readonly [number, number, number])[]): string[] => rows.map((row) => row.join()).sort();
      expect(count(deliveries.map(([, tile, channel, bytes]) => [tile, channel, bytes]))).toEqual(count(traffic.map(({ to, channel, bytes }) => [to, channel, bytes])));
      for (const kernel of kernels) kernel.assertQuiescent();
    }), few);
  });

  if (name !== 'four dies with hubs') {
    test('crosses the sum of the Manhattan distances', () => {
      fc.assert(fc.property(seeds, (seed) => {
        const traffic = someTraffic(seed, hardware);
        const { kernels } = runWafer(hardware, traffic, { channels: 2 });
        expect(kernels.reduce((sum, { linkHops }) => sum + linkHops, 0)).toBe(traffic.reduce((sum, { from, to }) => sum + manhattan(hardware, from, to), 0));
      }), few);
    });
  }

  test('shows neither the order of visits, nor the order of dies, nor a save in the middle', () => {
    fc.assert(fc.property(seeds, fc.integer({ min: 1, max: 300 }), (seed, saveAt) => {
      const traffic = someTraffic(seed, hardware);
      const plain = outcome(runWafer(hardware, traffic, { channels: 2 }));
      expect(outcome(runWafer(hardware, traffic, { channels: 2, reverseVisits: true }))).toEqual(plain);
      expect(outcome(runWafer(hardware, traffic, { channels: 2, reverseDies: true }))).toEqual(plain);
      expect(outcome(runWafer(hardware, traffic, { channels: 2, saveAt }))).toEqual(plain);
    }), few);
  });

  test('arrives whole through buffers of one largest packet', () => {
    const maxPacketFlits = hardware.link.maxPacketBytes / 128;
    const small = { ...hardware, link: { ...hardware.link, credits: maxPacketFlits }, d2d: hardware.d2d && { ...hardware.d2d, link: { ...hardware.d2d.link, credits: maxPacketFlits } } } as Hardware;
    fc.assert(fc.property(seeds, (seed) => {
      const traffic = someTraffic(seed, small);
      const { kernels, deliveries } = runWafer(small, traffic, { channels: 2 });
      expect(deliveries.length).toBe(traffic.length);
      for (const kernel of kernels) kernel.assertQuiescent();
    }), few);
  });

  test('keeps no link more than 100 % busy in any bin, and reports the same totals for every bin length', () => {
    fc.assert(fc.property(seeds, fc.integer({ min: 1, max: 100 }), (seed, binCycles) => {
      const traffic = someTraffic(seed, hardware, 200);
      const binned = new Map<string, number[]>();
      const binEnd = new Map<unknown, number>();
      const drain = (kernel: ReturnType<typeof kernelOf>, end: number): void => {
        const busyOfPort = new Map<number, number>();
        kernel.drainCounters(end, (port, channel, values, at) => {
          busyOfPort.set(port, (busyOfPort.get(port) ?? 0) + values[at + COUNT_BUSY]!);
          const key = [kernel.topology.dieId, port, channel].join();
          const sums = binned.get(key) ?? [0, 0, 0, 0, 0];
          binned.set(key, sums.map((sum, field) => sum + values[at + field]!));
        });
        for (const busy of busyOfPort.values()) expect(busy).toBeLessThanOrEqual(binCycles);
      };
      const { kernels } = runWafer(hardware, traffic, {
        channels: 2,
        beforeCycle: (kernel, cycle) => {
          let end = binEnd.get(kernel.topology.dieId) ?? binCycles;
          for (; end <= cycle; end += binCycles) drain(kernel, end);
          binEnd.set(kernel.topology.dieId, end);
        },
      });
      for (const kernel of kernels) kernel.drainCounters(NEVER, (port, channel, values, at) => {
        const key = [kernel.topology.dieId, port, channel].join();
        binned.set(key, (binned.get(key) ?? [0, 0, 0, 0, 0]).map((sum, field) => sum + values[at + field]!));
      });
      const whole = new Map<string, number[]>();
      for (const kernel of runWafer(hardware, traffic, { channels: 2 }).kernels) {
        kernel.drainCounters(NEVER, (port, channel, values, at) => whole.set([kernel.topology.dieId, port, channel].join(), [...values.subarray(at, at + 5)]));
      }
      expect(new Map([...binned].sort())).toEqual(new Map([...whole].sort()));
    }), few);
  });
});

/** Grants on one output port: cycle-by-cycle sums since the last call. */
function packetsOn(kernel: ReturnType<typeof kernelOf>, wanted: number, end: number): number {
  let packets = 0;
  kernel.drainCounters(end, (port, _channel, values, at) => {
    if (port === wanted) packets += values[at + COUNT_PACKETS]!;
  });
  return packets;
}

describe('a saturated link', () => {
  const [numerator, denominator] = [829, 10];
  const dies = machine({ tilesX: 1, tilesY: 1, diesX: 2, d2d: { shape: 'edge', link: { bytesPerCycle: [numerator, denominator], cycles: 50, picojoulesPerByteHop: 2 } } });

  test.each([1, 3, 32])('of 829/10 bytes per cycle carries its rate with packets of %i flits: never more, and less by no more than one packet', (flits) => {
    const bytes = flits * 128;
    const packets = Math.ceil(30_000 / bytes) * 10;
    const traffic = Array.from({ length: packets }, () => ({ cycle: 0, from: 0, to: 1, bytes, channel: 0 }));
    let carried = 0;
    let first = -1;
    runWafer(dies, traffic, {
      beforeCycle: (kernel, cycle) => {
        if (kernel.topology.dieId !== 0) return;
        carried += packetsOn(kernel, EAST, cycle) * bytes;
        if (carried === 0 || carried === packets * bytes) return;
        if (first < 0) first = kernel.now;
        const possible = ((kernel.now - first) * numerator) / denominator;
        expect(carried - bytes).toBeLessThanOrEqual(possible); // the last packet may have started just now
        expect(carried).toBeGreaterThanOrEqual(possible);
      },
    });
    expect(carried).toBe(packets * bytes);
  });

  test('with a buffer of one largest packet carries one packet per round trip; with the derived buffer all of its rate', () => {
    const packets = 40;
    const bytes = 4096;
    const cycles = 200;
    const end = (credits: number | undefined): number => {
      const link = { bytesPerCycle: 128, cycles, picojoulesPerByteHop: 2, ...(credits === undefined ? {} : { credits }) };
      const hardware = machine({ tilesX: 1, tilesY: 1, diesX: 2, d2d: { shape: 'edge', link } });
      const traffic = Array.from({ length: packets }, () => ({ cycle: 0, from: 0, to: 1, bytes, channel: 0 }));
      return runWafer(hardware, traffic).deliveries.at(-1)![0];
    };
    // injection 1, link, ejection 1, tail; then one packet per (there, read out, back) or per 32 flits
    const rest = cycles + 1 + 31;
    const roundTrip = 2 * cycles + 32;
    expect(end(32)).toBe(1 + (packets - 1) * roundTrip + rest);
    expect(end(undefined)).toBe(1 + (packets - 1) * 32 + rest);
    expect(end(64)).toBe(1 + (packets / 2 - 1) * roundTrip + 32 + rest);
  });

  test.each([[2, 1, [4, 1]], [1, 2, [4, 2]], [3, 7, [8, 1]]])('is shared evenly by two saturated inputs (%i and %i flits per packet)', (flitsA, flitsB, [targetX]) => {
    // West and local input of one router both want its east output for as long as we look.
    const hardware = machine({ tilesX: targetX! + 1, tilesY: 1 });
    const kernel = kernelOf(hardware, 0, { channels: 2 });
    kernel.beginCycle(0);
    for (let packet = 0; packet < 200; packet++) {
      kernel.inject(0, targetX!, 0, flitsA * 128, packet);
      kernel.inject(1, targetX!, 1, flitsB * 128, packet);
    }
    kernel.decide();
    for (let cycle = kernel.nextCycle(); cycle < 300; cycle = kernel.nextCycle()) {
      kernel.beginCycle(cycle);
      kernel.decide();
    }
    const packets = [0, 0];
    let busy = 0;
    kernel.drainCounters(kernel.now + 1, (port, channel, values, at) => {
      if (port !== PORT_STRIDE + EAST) return;
      packets[channel]! += values[at + COUNT_PACKETS]!;
      busy += values[at + COUNT_BUSY]!;
    });
    expect(Math.abs(packets[0]! - packets[1]!)).toBeLessThanOrEqual(1);
    expect(busy).toBeGreaterThanOrEqual(kernel.now - 2); // full from cycle 1 on
  });
});

describe('busy time in bins', () => {
  test('stays with the channel of the packet that crosses the end of the bin', () => {
    const kernel = kernelOf(machine({ tilesX: 2, tilesY: 1 }), 0, { channels: 2 });
    kernel.beginCycle(0);
    kernel.inject(0, 1, 0, 512, 0);
    kernel.inject(0, 1, 1, 512, 1);
    kernel.decide();
    const busyEast = (end: number): number[] => {
      for (let cycle = kernel.nextCycle(); cycle < end; cycle = kernel.nextCycle()) {
        kernel.beginCycle(cycle);
        kernel.decide();
      }
      const busy = [0, 0];
      kernel.drainCounters(end, (port, channel, values, at) => {
        if (port === EAST) busy[channel]! += values[at + COUNT_BUSY]!;
      });
      return busy;
    };
    // Flits of channel 0 leave in cycles 1 to 4, those of channel 1 in 5 to 8.
    expect([busyEast(3), busyEast(6), busyEast(9), busyEast(12)]).toEqual([[2, 0], [2, 1], [0, 3], [0, 0]]);
  });
});

describe('the tile interface', () => {
  test.each([[1, 1], [4, 3], [9, 1]])('never lets a packet into the router before the injection link (%i cycles) has brought it, with %i flits', (localCycles, flits) => {
    // The second packet is handed over in the cycle in which the first one leaves the router; the link there is slower than a tile link.
    const d2d = { shape: 'edge', link: { bytesPerCycle: 32, cycles: 10, picojoulesPerByteHop: 2 } } as const;
    const hardware = machine({ tilesX: 1, tilesY: 1, diesX: 2, localLink: { cycles: localCycles }, d2d });
    const alone = runWafer(hardware, [{ cycle: 0, from: 0, to: 1, bytes: flits * 128, channel: 0 }]).deliveries[0]![0];
    for (let gap = 0; gap < 12 * flits; gap++) {
      const { deliveries } = runWafer(hardware, [{ cycle: 0, from: 0, to: 1, bytes: flits * 128, channel: 0 }, { cycle: gap, from: 0, to: 1, bytes: flits * 128, channel: 0 }]);
      expect(deliveries[0]![0]).toBe(alone);
      expect(deliveries[1]![0]).toBe(alone + Math.max(gap, 4 * flits));
    }
  });

  test('does not hold up one class of traffic when a packet of another arrives', () => {
    // On a die with a hub, traffic inside the die and traffic to other dies are classes with queues of their own.
    const hardware = hub({ localLink: { cycles: 6 } });
    const inside = (cycle: number): Shipment => ({ cycle, from: 5, to: 6, bytes: 128, channel: 0 });
    const outside = (cycle: number): Shipment => ({ cycle, from: 5, to: 12 + 6, bytes: 128, channel: 1 });
    const arrivalInside = (traffic: Shipment[]): number => runWafer(hardware, traffic, { channels: 2 }).deliveries.find(([, , channel]) => channel === 0)![0];
    expect(arrivalInside([inside(0), outside(5)])).toBe(arrivalInside([inside(0)]));
  });

  test('refuses a packet larger than the largest, and one of a fraction of a byte', () => {
    const kernel = kernelOf(mesh);
    kernel.beginCycle(0);
    expect(() => kernel.inject(0, 1, 0, 1024, 0)).not.toThrow();
    for (const bytes of [1025, 0.5, -1, NaN]) expect(() => kernel.inject(0, 1, 0, bytes, 1)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_PAYLOAD' }));
  });
});

describe('a promise', () => {
  test.each(['packet', 'credit'] as const)('that a neighbour breaks with a late %s stops the run; one cycle later is in time', (what) => {
    const kernel = kernelOf(edge());
    kernel.beginCycle(7);
    kernel.decide();
    const list = kernel.packetsOut[EAST]!;
    const accept = (arrival: number): void => {
      list.clear();
      list.push(arrival, 0, 1, arrival, 128, 0, 12, 0);
      if (what === 'packet') kernel.acceptPackets(EAST, list);
      else kernel.acceptCredits(EAST, list);
    };
    expect(() => accept(7)).toThrow('a promise was broken');
    expect(() => accept(8)).not.toThrow();
  });

  test('of a cycle is kept: cycles begin in order', () => {
    const kernel = kernelOf(mesh);
    kernel.beginCycle(3);
    expect(() => kernel.beginCycle(3)).toThrow('begins after');
    expect(() => kernel.beginCycle(4)).not.toThrow();
  });
});

describe('a kernel boundary', () => {
  test('is refused while a packet is on its way', () => {
    const kernel = kernelOf(mesh);
    kernel.beginCycle(0);
    kernel.inject(0, 7, 0, 128, 0);
    kernel.decide();
    expect(() => kernel.startKernel()).toThrow('still holds 1 packets');
    expect(kernel.explainWaiting(5)).toEqual([`tile (0,0): packet 0 of tile 0 waits for its turn on east`]);
  });

  test('starts over exactly: the same traffic takes the same cycles and leaves no event behind', () => {
    fc.assert(fc.property(seeds, (seed) => {
      const kernel = kernelOf(mesh, 0, { channels: 2 });
      const traffic = someTraffic(seed, mesh, 150);
      const once = (): unknown[] => {
        const seen: unknown[] = [];
        let sent = 0;
        for (let cycle = 0; cycle !== NEVER; cycle = Math.min(kernel.nextCycle(), traffic[sent]?.cycle ?? NEVER)) {
          kernel.beginCycle(cycle);
          for (let row = 0; row < kernel.delivered; row++) seen.push(`${cycle} ${kernel.deliveredTile[row]} ${kernel.deliveredBytes[row]}`);
          for (; traffic[sent]?.cycle === cycle; sent++) kernel.inject(traffic[sent]!.from, traffic[sent]!.to, traffic[sent]!.channel, traffic[sent]!.bytes, sent);
          kernel.decide();
        }
        kernel.drainCounters(kernel.now + 1, (port, channel, values, at) => seen.push([port, channel, ...values.subarray(at, at + 5)]));
        return seen.map(String).sort();
      };
      const first = once();
      kernel.startKernel();
      expect(kernel.now).toBe(-1);
      expect(kernel.nextCycle()).toBe(NEVER);
      expect(once()).toEqual(first);
    }), few);
  });
});

test('a fixed seed keeps its deliveries: 16 x 16 tiles, uniform, 0.05 packets per tile and cycle', () => {
  const kernel = kernelOf(machine({ tilesX: 16, tilesY: 16 }));
  runUniformTraffic(kernel, { seed: 1, packetsPerCycle: 0.05, bytes: 128, cycles: 1000 });
  kernel.assertQuiescent();
  expect([kernel.deliveredPackets, kernel.linkHops, kernel.deliveryHash.reduce((sum, hash) => (Math.imul(sum, 31) + hash) | 0, 0)]).toEqual([13002, 138327, -1356219672]);
});
