import { tiles, tilesPerDie, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { kernelOf, machine, outcome, randomTraffic, runWafer, type Shipment } from '../laboratory.ts';
import { planMulticast, planReduction } from './collective-plans.ts';
import { damageOf } from './damage.ts';
import { damagedDies, damagedHubs, damagedMachines, hubMachine } from '../testing/damaged-machines.ts';
import { cutOffTiles } from './reachable.ts';

const classes = [CLASS_RESPONSE, CLASS_REDUCTION];

/** Random packets between tiles that are there and not cut off, of both unicast classes. */
function trafficOn(hardware: Hardware, seed: number, packets: number): Shipment[] {
  const cut = new Set(cutOffTiles(hardware));
  const absent = damageOf(hardware)?.tiles.absent;
  const there = Array.from({ length: tiles(hardware) }, (_, tile) => tile).filter((tile) => !cut.has(tile) && absent?.[tile] !== 1);
  return randomTraffic(seed, packets, there.length, { cycles: 100, maxBytes: 4096, channels: 2 }).map((shipment, at) => ({
    ...shipment, from: there[shipment.from]!, to: there[shipment.to]!, trafficClass: at % 3 === 0 ? CLASS_RESPONSE : CLASS_REQUEST,
  }));
}

/** Buffers of one largest packet, where a circle of channels would soon be a deadlock. */
const tight = (hardware: Hardware): Hardware => ({
  ...hardware, link: { ...hardware.link, credits: 32 }, d2d: hardware.d2d && { ...hardware.d2d, link: { ...hardware.d2d.link, credits: 32 } },
});

describe.each([['one die or dies edge to edge', damagedMachines], ['dies with routers of their own', damagedHubs]])('packets on %s', (_, machines) => {
  test('all arrive, through buffers of one packet, whatever is absent; the order of visits and a save do not show', () => {
    fc.assert(fc.property(machines, fc.nat(1_000_000), fc.integer({ min: 1, max: 200 }), (loose, seed, saveAt) => {
      const hardware = tight(loose);
      const traffic = trafficOn(hardware, seed, 150);
      const run = runWafer(hardware, traffic, { channels: 2, classes });
      const sorted = (rows: (readonly number[])[]): string[] => rows.map((row) => row.join()).sort();
      expect(sorted(run.deliveries.map(([, tile, channel, bytes]) => [tile, channel, bytes]))).toEqual(sorted(traffic.map(({ to, channel, bytes }) => [to, channel, bytes])));
      for (const kernel of run.kernels) kernel.assertQuiescent();
      const plain = outcome(runWafer(hardware, traffic, { channels: 2, classes }));
      expect(outcome(runWafer(hardware, traffic, { channels: 2, classes, reverseVisits: true }))).toEqual(plain);
      expect(outcome(runWafer(hardware, traffic, { channels: 2, classes, reverseDies: true, saveAt }))).toEqual(plain);
    }), { numRuns: 12 });
  });
});

test('a packet to a tile that is absent or cut off is refused by the kernel, on this die and on others', () => {
  const holed: Hardware = { ...machine({ tilesX: 3, tilesY: 3 }), defects: { tiles: [{ x: 1, y: 1 }], links: [{ x: 0, y: 0, direction: 'east' }, { x: 0, y: 0, direction: 'south' }] } };
  const kernel = kernelOf(holed);
  kernel.beginCycle(0);
  for (const [from, to] of [[8, 4], [4, 8], [8, 0], [0, 8]]) {
    expect(() => kernel.inject(from!, to!, 0, 64, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_UNREACHABLE', context: { from, to } }));
  }
  expect(() => kernel.inject(8, 4, 0, 64, 0)).toThrow('No way leads from tile (2, 2) of die 0 to tile (1, 1) of die 0: one of them is absent, or the defects of the wafer cut it off.');
  kernel.inject(8, 1, 0, 64, 0);

  const hubs = kernelOf(hubMachine({ dies: [{ x: 2, y: 1 }], tiles: [{ die: { x: 1, y: 0 }, x: 1, y: 1 }] }));
  hubs.beginCycle(0);
  for (const to of [12 + 5, 5 * 12]) expect(() => hubs.inject(3, to, 0, 64, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_UNREACHABLE' }));
  hubs.inject(3, 12 + 6, 0, 64, 0);
});

test('responses along y first and acknowledgements share their buffers on whole meshes without a deadlock', () => {
  fc.assert(fc.property(fc.nat(1_000_000), (seed) => {
    const hardware = tight(machine({ tilesX: 5, tilesY: 5 }));
    const kernel = kernelOf(hardware, 0, { classes });
    const trees = Array.from({ length: 25 }, (_, root) => kernel.defineMulticast(planMulticast(hardware, 0, root, { x: 0, y: 0, width: 5, height: 5 }), { acknowledged: true }));
    kernel.beginCycle(0);
    for (const { from, to, bytes, sequence } of trafficOn(hardware, seed, 500).map((shipment, sequence) => ({ ...shipment, sequence }))) kernel.inject(from, to, 0, bytes, sequence, CLASS_RESPONSE);
    for (const tree of trees) kernel.multicast(tree, 0, 4096, 0);
    kernel.decide();
    let arrived = 0;
    for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
      kernel.beginCycle(cycle);
      arrived += kernel.delivered;
      kernel.decide();
    }
    expect(arrived).toBe(500 + 25 * 25 + 25);
    kernel.assertQuiescent();
  }), { numRuns: 10 });
});

describe('collectives on a die with defects', () => {
  test('a multicast arrives at each of its tiles once, is acknowledged once, and a reduction ends with one packet', () => {
    fc.assert(fc.property(damagedDies, fc.nat(), (loose, pick) => {
      const hardware = tight(loose);
      const absent = damageOf(hardware)?.tiles.absent;
      const cut = new Set(cutOffTiles(hardware));
      const there = Array.from({ length: tilesPerDie(hardware) }, (_, tile) => tile).filter((tile) => absent?.[tile] !== 1 && !cut.has(tile));
      const root = there[pick % there.length]!;
      const kernel = kernelOf(hardware, 0, { classes });
      const multicast = planMulticast(hardware, 0, root, there);
      const tree = kernel.defineMulticast(multicast, { acknowledged: true });
      const reduction = kernel.defineReduction(planReduction(hardware, 0, root, there));
      const got = new Map<number, number>();
      kernel.beginCycle(0);
      kernel.multicast(tree, 0, 4096, 0);
      for (const tile of there) kernel.contribute(reduction, tile, 0, 1024, 1);
      kernel.decide();
      for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
        kernel.beginCycle(cycle);
        for (let row = 0; row < kernel.delivered; row++) got.set(kernel.deliveredTile[row]!, (got.get(kernel.deliveredTile[row]!) ?? 0) + 1);
        kernel.decide();
      }
      kernel.assertQuiescent();
      // The root also has its acknowledgement and the result.
      expect(got).toEqual(new Map(there.map((tile) => [tile, tile === root ? 3 : 1])));
    }), { numRuns: 60 });
  });
});
