import { directions, isAbsentDie, isAbsentHubLink, isAbsentLink, isAbsentTile, manhattan, neighbouringDie, neighbouringTile, tiles } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machine } from '../laboratory.ts';
import { DIRECTIONS, LOCAL } from '../ports.ts';
import { damageOf } from './damage.ts';
import { damagedHubs, damagedMachines, legalDistances } from '../testing/damaged-machines.ts';
import { isBothWays, meshGraph } from './mesh-graph.ts';
import { damagedMeshes } from './route-table.ts';
import { columnTo, NO_ROUTE, upDownLabels } from './up-down.ts';

test('routers and links are absent exactly where the hardware says so', () => {
  fc.assert(fc.property(fc.oneof(damagedMachines, damagedHubs), (hardware) => {
    const damage = damageOf(hardware);
    fc.pre(damage !== null);
    const { wafer, hubs, die } = damagedMeshes(hardware)!;
    const perDie = hardware.die.tilesX * hardware.die.tilesY;
    for (let tile = 0; tile < tiles(hardware); tile++) {
      const mesh = wafer ?? die(Math.floor(tile / perDie));
      const first = wafer === null ? tile - (tile % perDie) : 0;
      const absent = isAbsentTile(hardware, tile);
      expect(damage.tiles.absent[tile]).toBe(Number(absent));
      if (mesh === null) continue;
      expect(mesh.labels.graph.present[tile - first]).toBe(Number(!absent));
      directions.forEach((direction, d) => {
        const to = neighbouringTile(hardware, tile, direction);
        const there = to >= 0 && !isAbsentLink(hardware, tile, direction);
        expect(mesh.labels.graph.next[(tile - first) * DIRECTIONS + d]).toBe(there ? to - first : -1);
      });
    }
    if (hubs === null) return;
    for (let at = 0; at < hubs.labels.graph.nodes; at++) {
      expect(hubs.labels.graph.present[at]).toBe(Number(!isAbsentDie(hardware, at)));
      directions.forEach((direction, d) => {
        const to = neighbouringDie(hardware, at, direction);
        expect(hubs.labels.graph.next[at * DIRECTIONS + d]).toBe(to >= 0 && !isAbsentHubLink(hardware, at, direction) ? to : -1);
      });
    }
  }));
});

test('every pair that hangs together is routed, up and then down, and no other pair is; where all links lead both ways, by the shortest of all such ways', () => {
  fc.assert(fc.property(damagedMachines, (hardware) => {
    fc.pre(damageOf(hardware) !== null);
    const { labels } = damagedMeshes(hardware)!.wafer!;
    const { label, corner, graph } = labels;
    const ways = Array.from({ length: graph.nodes }, (_, from) => (label[from]! < 0 ? null : legalDistances(graph.next, label, corner, from)));
    const bothWays = [...graph.next.keys()].every((link) => graph.next[link]! < 0 || isBothWays(graph, link >> 2, link & 3));
    for (let target = 0; target < graph.nodes; target++) {
      const { port, hops } = columnTo(labels, target);
      const crossed = new Int32Array(graph.nodes).fill(-1);
      for (let from = 0; from < graph.nodes; from++) {
        if (port[from] === NO_ROUTE) continue;
        let links = 0;
        let down = false;
        for (let at = from; at !== target; links++) {
          const to = graph.next[at * DIRECTIONS + port[at]!]!;
          const up = label[to]! < label[at]!;
          if (to < 0 || links >= graph.nodes || (down && up)) throw new Error(`from ${from} to ${target}: ${links} links, at ${at}`);
          down ||= !up;
          at = to;
        }
        crossed[from] = links;
      }
      expect(crossed).toEqual(hops);
      expect(port[target]).toBe(label[target]! < 0 ? NO_ROUTE : LOCAL);
      const fewest = Int32Array.from(ways, (way, from) => (way === null || corner[from] !== corner[target] ? -1 : way[target]!));
      if (bothWays) expect(crossed).toEqual(fewest);
      else expect(crossed.every((links, from) => links >= 0 === fewest[from]! >= 0 && links >= fewest[from]!)).toBe(true);
    }
  }), { numRuns: 60 });
});

test('labels of routers that are joined differ, and each router but the corner has one above it', () => {
  fc.assert(fc.property(damagedMachines, (hardware) => {
    fc.pre(damageOf(hardware) !== null);
    const { label, corner, graph, order } = damagedMeshes(hardware)!.wafer!.labels;
    expect([...order].sort((a, b) => a - b)).toEqual([...label.keys()].filter((node) => label[node]! >= 0));
    for (const node of order) {
      const beside = [0, 1, 2, 3].map((direction) => graph.next[node * DIRECTIONS + direction]!).filter((to) => to >= 0 && corner[to] === corner[node]);
      for (const to of beside) expect(Math.abs(label[to]! - label[node]!) % 2).toBe(1);
      if (corner[node] !== node) expect(beside.some((to) => label[to] === label[node]! - 1)).toBe(true);
    }
  }));
});

test('on a whole mesh the ways are as short as the Manhattan distance', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 8 }), fc.nat(), (tilesX, tilesY, pick) => {
    const hardware = machine({ tilesX, tilesY });
    const target = pick % (tilesX * tilesY);
    const { hops } = columnTo(upDownLabels(meshGraph(tilesX, tilesY, null, (x, y) => y * tilesX + x)), target);
    expect([...hops]).toEqual(Array.from(hops, (_, from) => manhattan(hardware, from, target)));
  }));
});
