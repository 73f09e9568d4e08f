import type { Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dieTopology, edgeNodeOf, nodeId } from './die-topology.ts';
import { CLASS_REQUEST, CLASS_RESPONSE } from './fabric.ts';
import { kernelOf, machine, outcome, randomTraffic, runWafer, type Shipment } from './laboratory.ts';
import { zeroLoadCycles } from './latency.ts';
import { PacketKernel } from './packet-kernel.ts';

type Memory = NonNullable<Hardware['memory']>;
const memory = (edgeNodes: NonNullable<Memory['edgeNodes']>, aliasing: 'none' | 'column' = 'none'): { memory: Memory } => ({
  memory: { channels: 16, bytesPerCyclePerChannel: 64, latencyCycles: 100, capacityBytes: 2 ** 34, edgeNodes, aliasing },
});
const link = { bytesPerCycle: 128, cycles: 9, picojoulesPerByteHop: 1 };
const die = machine({ tilesX: 4, tilesY: 6, more: memory({ west: 6, north: 0, east: 0, south: 2 }) });
const hub = machine({
  tilesX: 4, tilesY: 4, diesX: 2, diesY: 1, link: { virtualChannels: 2 }, more: memory({ west: 4, north: 4, east: 4, south: 4 }),
  d2d: { shape: 'hub', link, gatewayLink: { ...link, cycles: 2 }, gateways: [{ x: 3, y: 1 }] },
});
const edge = machine({ tilesX: 4, tilesY: 4, diesX: 2, diesY: 1, d2d: { shape: 'edge', link }, more: memory({ west: 0, north: 2, east: 0, south: 4 }) });

/** Random packets from anywhere to anywhere; a memory node sends to its own die and is sent to from there. */
function trafficOf(hardware: Hardware, seed: number): Shipment[] {
  const { tiles, waferTiles, nodes } = dieTopology(hardware, 0);
  const dies = waferTiles / tiles;
  return randomTraffic(seed, 300, waferTiles + dies * nodes.length, { cycles: 100, maxBytes: 4096, channels: 2 }).map((shipment, i) => {
    const dieOf = (id: number): number => Math.floor(id < waferTiles ? id / tiles : (id - waferTiles) / nodes.length);
    const isNode = shipment.from >= waferTiles || shipment.to >= waferTiles;
    const local = (id: number): number => (id < waferTiles ? dieOf(shipment.from) * tiles + (id % tiles) : waferTiles + dieOf(shipment.from) * nodes.length + ((id - waferTiles) % nodes.length));
    return { ...shipment, to: isNode ? local(shipment.to) : shipment.to, trafficClass: i % 2 === 0 ? CLASS_RESPONSE : CLASS_REQUEST };
  });
}

describe.each([['a die', die], ['dies with hubs', hub], ['dies joined edge to edge', edge]] as const)('memory nodes of %s', (_name, hardware) => {
  test('send and receive like tiles: all arrives, and neither visits nor a save show', () => {
    fc.assert(fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 200 }), (seed, saveAt) => {
      const traffic = trafficOf(hardware, seed);
      const choice = { channels: 2, classes: [CLASS_RESPONSE] };
      const run = runWafer(hardware, traffic, choice);
      const sorted = (rows: (readonly number[])[]): string[] => rows.map((row) => row.join()).sort();
      expect(sorted(run.deliveries.map(([, to, channel, bytes]) => [to, channel, bytes]))).toEqual(sorted(traffic.map(({ to, channel, bytes }) => [to, channel, bytes])));
      for (const kernel of run.kernels) kernel.assertQuiescent();
      const plain = outcome(run);
      expect(outcome(runWafer(hardware, traffic, { ...choice, reverseVisits: true }))).toEqual(plain);
      expect(outcome(runWafer(hardware, traffic, { ...choice, reverseDies: true, saveAt }))).toEqual(plain);
    }), { numRuns: 8 });
  });

  test('are as far away as the tile that they stand at', () => {
    const topology = dieTopology(hardware, 0);
    topology.nodes.forEach(({ tile: { x, y } }, node) => {
      const id = nodeId(topology, node);
      for (const from of [0, 5, 15]) {
        const hops = Math.abs((from % 4) - x) + Math.abs(Math.floor(from / 4) - y);
        expect(runWafer(hardware, [{ cycle: 0, from, to: id, bytes: 512, channel: 0 }]).deliveries).toEqual([[zeroLoadCycles(hops, 4, 1, 1), id, 0, 512]]);
        expect(runWafer(hardware, [{ cycle: 0, from: id, to: from, bytes: 512, channel: 0 }]).deliveries).toEqual([[zeroLoadCycles(hops, 4, 1, 1), from, 0, 512]]);
      }
    });
  });
});

describe('the node of a memory channel', () => {
  test('owns it, or with column aliasing is the one of the row or column of the tile', () => {
    const topology = dieTopology(die, 0);
    for (let channel = 0; channel < 16; channel++) expect(edgeNodeOf(topology, 7, channel)).toBe(Math.floor(channel / 2));
    expect(() => edgeNodeOf(topology, 7, 16)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
    expect(() => edgeNodeOf(topology, 7, -1)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
    const aliased = dieTopology({ ...die, ...memory({ west: 6, north: 0, east: 0, south: 2 }, 'column') }, 0);
    for (let tile = 0; tile < 24; tile++) {
      expect(edgeNodeOf(aliased, tile, 4)).toBe(Math.floor(tile / 4)); // the west node of its row
      expect(edgeNodeOf(aliased, tile, 5)).toBe(6 + Math.floor((tile % 4) / 2)); // the south node of its half
    }
  });

  test('is none on a machine whose channels have no place, and for what is no tile', () => {
    expect(() => edgeNodeOf(dieTopology(machine({ tilesX: 2, tilesY: 2 }), 0), 0, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
    expect(() => edgeNodeOf(dieTopology(die, 0), 24, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
  });
});

test('a node beyond those of the die is no destination', () => {
  const kernel = kernelOf(die);
  kernel.beginCycle(0);
  expect(() => kernel.inject(0, nodeId(kernel.topology, 7), 0, 128, 0)).not.toThrow();
  for (const to of [nodeId(kernel.topology, 8), nodeId(dieTopology(hub, 1), 0) + 1000]) {
    expect(() => kernel.inject(0, to, 0, 128, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_TILE_OFF_WAFER' }));
  }
});

test('nodes do not fit where a neighbouring die is joined, or two at one tile', () => {
  const withNodes = (east: number): Hardware => ({ ...edge, ...memory({ west: 0, north: 0, east, south: 0 }) });
  expect(() => dieTopology(withNodes(4), 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
  expect(() => dieTopology(withNodes(4), 1)).not.toThrow();
  expect(() => dieTopology(withNodes(5), 1)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
});

describe('the narrow network', () => {
  const syncLink = { bytesPerCycle: 8, cycles: 2, maxPacketBytes: 64, picojoulesPerByteHop: 0.01 };

  test('has the same tiles and numbers of its own; dies, memory nodes and hubs are the wide one\'s', () => {
    const topology = dieTopology({ ...hub, syncLink }, 1, 'sync');
    expect([topology.tiles, topology.routers, topology.flitBytes, topology.maxPacketFlits, topology.nodes.length, topology.hubRouter, topology.hasNeighbour]).toEqual([16, 16, 8, 8, 0, -1, [false, false, false, false]]);
    expect(dieTopology({ ...edge, syncLink }, 1, 'sync').peer.every((peer) => peer >= -1)).toBe(true);
    const kernel = new PacketKernel(topology, { channels: 1 });
    kernel.beginCycle(0);
    kernel.inject(0, 16 + 15, 0, 64, 0);
    kernel.decide();
    let arrival = 0;
    for (let cycle = kernel.nextCycle(); kernel.livePackets > 0; cycle = kernel.nextCycle()) {
      kernel.beginCycle(cycle);
      kernel.decide();
      arrival = cycle;
    }
    expect(arrival).toBe(zeroLoadCycles(6, 8, 2, 2));
  });

  test('is refused where the hardware has none', () => {
    expect(() => dieTopology(die, 0, 'sync')).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
  });
});
