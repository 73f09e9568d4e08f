import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DieToDieSpec } from '@kerf/hardware';
import { dieTopology } from '../die-topology.ts';
import type { Fabric } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { machine, type MachineChoice } from '../laboratory.ts';
import { allToAllBisectionCycles, zeroLoadCycles } from '../latency.ts';
import { PacketKernel } from '../packet-kernel.ts';
import { planMulticast, planReduction } from '../routes/collective-plans.ts';
import { runCollective } from '../traffic/collective-run.ts';
import { runStream } from '../traffic/stream.ts';
import { runTraffic } from '../traffic/traffic-run.ts';
import { AnalyticFabric } from './analytic-fabric.ts';
import { bisectionBytesPerCycle, ringAllReduceCycles, singleFlowCycles } from './closed-forms.ts';

const analytic = (choice: MachineChoice, die = 0): AnalyticFabric => new AnalyticFabric(dieTopology(machine(choice), die), { channels: 1 });
const packet = (choice: MachineChoice, die = 0, classes: readonly number[] = []): PacketKernel => new PacketKernel(dieTopology(machine(choice), die), { channels: 1, classes });

function drain(fabric: Fabric, onArrival: (cycle: number, tile: number, bytes: number) => void = () => undefined): number {
  let last = 0;
  for (let cycle = fabric.nextCycle(); cycle !== NEVER; cycle = fabric.nextCycle()) {
    fabric.beginCycle(cycle);
    for (let row = 0; row < fabric.delivered; row++) onArrival(cycle, fabric.deliveredTile[row]!, fabric.deliveredBytes[row]!);
    if (fabric.delivered > 0) last = cycle;
    fabric.decide();
  }
  return last;
}

describe('closed forms are met exactly', () => {
  test('a single flow: zero-load latency of the head, then one flit per cycle', () => {
    fc.assert(fc.property(fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 40 }), (x, y, packets) => {
      const fabric = analytic({ tilesX: 6, tilesY: 6, link: { cycles: 3 } });
      const bytes = packets * 4096;
      const { cycles } = runStream(fabric, { from: 0, to: y * 6 + x, bytes, packetBytes: 4096 });
      expect(cycles).toBe(singleFlowCycles(zeroLoadCycles(x + y, 1, 3, 1), bytes, 128));
    }));
  });

  test.each([2, 4, 8])('a ring all-reduce among %i tiles: 2 (n − 1) / n × V / B on the links, and the latency of each step', (members) => {
    // The ring goes around two rows, so that neighbours in it are neighbours in the mesh.
    const width = members / 2;
    const place = (step: number): number => (step % members < width ? step % members : members + width - 1 - (step % members));
    const fabric = analytic({ tilesX: width, tilesY: 2 });
    const bytes = 4096 * members;
    let start = 0;
    for (let step = 0; step < 2 * (members - 1); step++) {
      if (start > fabric.now) fabric.beginCycle(start);
      for (let tile = 0; tile < members; tile++) fabric.inject(place(tile), place(tile + 1), 0, bytes / members, step);
      fabric.decide();
      start = drain(fabric) + 1;
    }
    const latency = zeroLoadCycles(1, 1, 1, 1);
    expect(start).toBe(ringAllReduceCycles(members, bytes, 128) + 2 * (members - 1) * latency);
  });

  test.each([2, 4, 8])('an all-to-all on a mesh of side %i: its busiest link is taken for k × V / (4 B) cycles', (k) => {
    const fabric = analytic({ tilesX: k, tilesY: k });
    fabric.beginCycle(0);
    const tiles = k * k;
    for (let round = 0; round < tiles; round++) for (let tile = 0; tile < tiles; tile++) fabric.inject(tile, (tile + round) % tiles, 0, 4096, round);
    const last = drain(fabric);
    let busiest = 0;
    fabric.drainCounters(NEVER, (port, _, counters, at) => {
      if (port % 8 < 4) busiest = Math.max(busiest, counters[at + 1]!);
    });
    expect(busiest).toBe(allToAllBisectionCycles(k, tiles * 4096, 128));
    expect(last).toBeGreaterThanOrEqual(busiest);
    expect(bisectionBytesPerCycle(k, k, 128) * busiest * 2).toBe((tiles * tiles * 4096) / 2);
  });
});

test('a link is never busy for more cycles than pass, and everything arrives', () => {
  fc.assert(fc.property(fc.nat(1000), fc.constantFrom(0.1, 0.3, 0.5), (seed, rate) => {
    const fabric = analytic({ tilesX: 5, tilesY: 4 });
    const { packetsLeft, cycles } = runTraffic(fabric, { pattern: 'uniform', rate, bytes: 256, seed, warmupCycles: 100, cycles: 500, latencyLimitCycles: 100_000 });
    expect(packetsLeft).toBe(0);
    const end = Math.max(cycles, drain(fabric) + 1);
    fabric.assertQuiescent();
    fabric.drainCounters(NEVER, (_port, _channel, counters, at) => expect(counters[at + 1]).toBeLessThanOrEqual(end));
  }), { numRuns: 20 });
});

describe('a packet alone, from die to die, is as fast as at packet fidelity', () => {
  const slow = { bytesPerCycle: [829, 10] as [number, number], cycles: 40, picojoulesPerByteHop: 1 };
  const joints: readonly [string, DieToDieSpec][] = [
    ['edge', { shape: 'edge', link: slow }],
    ['hub', { shape: 'hub', link: slow, gatewayLink: { bytesPerCycle: 64, cycles: 5, picojoulesPerByteHop: 1 }, gateways: [{ x: 1, y: 0 }, { x: 2, y: 2 }] }],
  ];
  test.each(joints)('%s', (_, d2d) => {
    const choice: MachineChoice = { tilesX: 3, tilesY: 3, diesX: 2, diesY: 2, d2d };
    fc.assert(fc.property(fc.nat(35), fc.nat(35), fc.integer({ min: 1, max: 4096 }), (source, destination, bytes) => {
      const events = { cycle: Int32Array.of(0), source: Int32Array.of(source), destination: Int32Array.of(destination), bytes: Int32Array.of(bytes) };
      const of = (make: (choice: MachineChoice, die: number) => Fabric): unknown => {
        const { packetLatencyCycles, networkLatencyCycles, hops, packetHops } = runTraffic([0, 1, 2, 3].map((die) => make(choice, die)), { events, seed: 1, warmupCycles: 0, cycles: 1 });
        return { packetLatencyCycles, networkLatencyCycles, hops, packetHops };
      };
      expect(of(analytic)).toEqual(of(packet));
    }), { numRuns: 60 });
  });
});

describe('a collective in an empty network is as fast as at packet fidelity', () => {
  const choice: MachineChoice = { tilesX: 5, tilesY: 4 };
  const region = fc.tuple(fc.nat(3), fc.nat(2), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 2 }), fc.nat(19)).map(([x, y, width, height, root]) => ({ rectangle: { x, y, width, height }, root }));

  test('multicast', () => {
    fc.assert(fc.property(region, fc.integer({ min: 1, max: 20_000 }), ({ rectangle, root }, bytes) => {
      const multicast = planMulticast(machine(choice), 0, root, rectangle);
      const run = (fabric: Fabric): unknown => runCollective(fabric, { kind: 'multicast', groups: [{ multicast }], bytes, repeat: 2 });
      expect(run(analytic(choice))).toEqual(run(packet(choice)));
    }));
  });

  test('reduction', () => {
    fc.assert(fc.property(region, fc.integer({ min: 1, max: 4096 }), ({ rectangle, root }, bytes) => {
      const reduction = planReduction(machine(choice), 0, root, rectangle);
      const run = (fabric: Fabric): number => runCollective(fabric, { kind: 'reduce', groups: [{ reduction, contributors: reduction.tiles }], bytes, repeat: 1 }).cycles;
      expect(run(analytic(choice))).toBe(run(packet(choice, 0, [2])));
    }));
  });

  test('reduction in pages, with what they cost', () => {
    const costly = { ...choice, more: { reduction: { inputsPerCycle: 2, latencyCycles: 2, tableEntries: 16, startCycles: 21, pageBytes: 4096, pageGapCycles: 7, landingBytesPerCycle: 512 } } };
    fc.assert(fc.property(region, fc.integer({ min: 1, max: 20_000 }), ({ rectangle, root }, bytes) => {
      const reduction = planReduction(machine(costly), 0, root, rectangle);
      const run = (fabric: Fabric): number => runCollective(fabric, { kind: 'reduce', groups: [{ reduction, contributors: reduction.tiles }], bytes, repeat: 1 }).cycles;
      expect(run(analytic(costly))).toBe(run(packet(costly, 0, [2])));
    }));
  });

  test('barrier', () => {
    fc.assert(fc.property(region, ({ rectangle, root }) => {
      const [multicast, reduction] = [planMulticast(machine(choice), 0, root, rectangle), planReduction(machine(choice), 0, root, rectangle)];
      const run = (fabric: Fabric): readonly number[] => runCollective(fabric, { kind: 'barrier', groups: [{ multicast, reduction, contributors: reduction.tiles }], bytes: 0, repeat: 3 }).repetitions;
      expect(run(analytic(choice))).toEqual(run(packet(choice, 0, [2])));
    }));
  });
});

test('saved at any cycle and restored in a fresh fabric, the rest is the same', () => {
  fc.assert(fc.property(fc.nat(60), (saveAt) => {
    const build = (): AnalyticFabric => {
      const fabric = analytic({ tilesX: 4, tilesY: 4 });
      fabric.defineReduction(planReduction(machine({ tilesX: 4, tilesY: 4 }), 0, 5, { x: 0, y: 0, width: 4, height: 4 }));
      return fabric;
    };
    const play = (from: AnalyticFabric, first: number, last: number): void => {
      for (let cycle = first; cycle < last; cycle++) {
        from.beginCycle(cycle);
        if (cycle < 40) from.inject((cycle * 7) % 16, (cycle * 5) % 16, 0, 1 + cycle * 90, cycle);
        if (cycle < 16) from.contribute(0, cycle, 0, 512, 0);
        from.decide();
      }
    };
    const whole = build();
    play(whole, 0, 200);
    const part = build();
    play(part, 0, saveAt);
    const fresh = build();
    fresh.restore(structuredClone(part.save()));
    play(fresh, saveAt, 200);
    expect([...fresh.deliveryHash]).toEqual([...whole.deliveryHash]);
    expect([fresh.linkHops, fresh.flitHops, fresh.deliveredPackets, fresh.livePackets]).toEqual([whole.linkHops, whole.flitHops, whole.deliveredPackets, 0]);
  }));
});

test('a reduction that lacks a contribution says so', () => {
  const fabric = analytic({ tilesX: 2, tilesY: 2 });
  const tree = fabric.defineReduction(planReduction(machine({ tilesX: 2, tilesY: 2 }), 0, 0, [0, 1, 3]));
  fabric.beginCycle(0);
  fabric.contribute(tree, 1, 0, 64, 7);
  expect(fabric.livePackets).toBe(1);
  expect(fabric.explainWaiting(8)).toEqual([`reduction tree ${tree}, sequence 7: waits for 2 of 3 contributions`]);
  expect(() => fabric.contribute(tree, 0, 0, 65, 7)).toThrow(/the same bytes: 64 came first, then 65/);
  expect(() => fabric.contribute(tree, 2, 0, 64, 7)).toThrow(/Tile 2 does not contribute/);
});
