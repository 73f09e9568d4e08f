import { isAbsentTile, tiles, tilesPerDie, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machine } from '../laboratory.ts';
import { DIRECTIONS, FIRST_GATEWAY, LOCAL } from '../ports.ts';
import { damagedHubs, damagedMachines, hubMachine } from '../testing/damaged-machines.ts';
import { checkReachable, cutOffTiles } from './reachable.ts';
import { Columns, damagedMeshes, MAX_DAMAGED_ROUTERS, routeTable } from './route-table.ts';

const whole = machine({ tilesX: 5, tilesY: 4 });

test('whole hardware has no table: dimension order holds', () => {
  expect(routeTable(whole, 0)).toBeNull();
  expect(routeTable({ ...whole, defects: {} }, 0)).toBeNull();
  expect(routeTable({ ...whole, defects: { tiles: [] } }, 0)).toBeNull();
  expect(cutOffTiles(whole)).toEqual([]);
});

/** Follows the tables of the dies from tile to tile; returns the links crossed. */
function follow(hardware: Hardware, from: number, to: number): number {
  const perDie = tilesPerDie(hardware);
  const tables = Array.from({ length: tiles(hardware) / perDie }, (_, die) => routeTable(hardware, die)!);
  const meshes = damagedMeshes(hardware)!;
  const hub = hardware.d2d?.shape === 'hub' ? hardware.d2d : null;
  const gateways = hub?.gateways.map(({ x, y }) => y * hardware.die.tilesX + x) ?? [];
  const step = [1, -1, -hardware.die.tilesX, hardware.die.tilesX];
  let [die, router] = [Math.floor(from / perDie), from % perDie];
  // The gateway first, where the target is on another die.
  let leg = hub !== null && die !== Math.floor(to / perDie) ? die * perDie + gateways[tables[die]!.gatewayOfTile[router]!]! : to;
  for (let links = 0; links < 500; links++) {
    const port = tables[die]!.port(router, leg);
    if (router === perDie) {
      if (port < DIRECTIONS) die = meshes.hubs!.labels.graph.next[die * DIRECTIONS + port]!;
      else [router, leg] = [gateways[port - FIRST_GATEWAY]!, to];
      expect(die).toBeGreaterThanOrEqual(0);
    } else if (port === LOCAL) {
      if (die * perDie + router === to) return links;
      [router, leg] = [perDie, to];
    } else if (hub === null) {
      const next = meshes.wafer!.labels.graph.next[(die * perDie + router) * DIRECTIONS + port]!;
      expect(next).toBeGreaterThanOrEqual(0);
      [die, router] = [Math.floor(next / perDie), next % perDie];
    } else {
      router += step[port]!;
      expect(isAbsentTile(hardware, die * perDie + router)).toBe(false);
    }
  }
  throw new Error(`no way from ${from} to ${to}`);
}

describe.each([['one die or dies edge to edge', damagedMachines], ['dies with routers of their own', damagedHubs]])('%s', (_, machines) => {
  test('what is not cut off reaches all that is not cut off; what is cut off is refused by name', () => {
    fc.assert(fc.property(machines, fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 20, maxLength: 20 }), (hardware, pairs) => {
      fc.pre(damagedMeshes(hardware) !== null);
      const cut = new Set(cutOffTiles(hardware));
      if (cut.size > 0) expect(() => checkReachable(hardware)).toThrow(expect.objectContaining({ code: 'FABRIC_UNREACHABLE', context: { tiles: cut.size, first: Math.min(...cut) } }));
      else checkReachable(hardware);
      const rest = Array.from({ length: tiles(hardware) }, (__, tile) => tile).filter((tile) => !cut.has(tile) && !isAbsentTile(hardware, tile));
      for (const [a, b] of pairs) follow(hardware, rest[a % rest.length]!, rest[b % rest.length]!);
    }), { numRuns: 60 });
  });
});

test('the tiles that are cut off are named', () => {
  const hardware: Hardware = { ...whole, name: 'holey', defects: { links: [{ x: 0, y: 0, direction: 'east' }, { x: 0, y: 0, direction: 'south' }] } };
  expect(() => checkReachable(hardware)).toThrow('The defects of holey cut a tile off from the rest: (0, 0). Declare what no other tile can reach absent as well, or give it a link.');
  const split: Hardware = { ...whole, defects: { tiles: [0, 1, 2, 3].map((y) => ({ x: 3, y })) } };
  expect(cutOffTiles(split)).toEqual([4, 9, 14, 19]);
  expect(() => checkReachable(split)).toThrow('cut 4 tiles off from the rest: (4, 0), (4, 1), (4, 2), (4, 3).');
  checkReachable({ ...split, defects: { tiles: [...split.defects!.tiles!, ...[0, 1, 2, 3].map((y) => ({ x: 4, y }))] } });
});

test('a die of a hub wafer whose router is cut off is cut off as a whole', () => {
  const hardware = hubMachine({ dies: [{ x: 1, y: 0 }, { x: 0, y: 1 }] });
  expect(cutOffTiles(hardware)).toEqual(Array.from({ length: 12 }, (_, tile) => tile));
  expect(() => checkReachable(hardware)).toThrow('(0, 0) of die (0, 0)');
  checkReachable(hubMachine({ dies: [{ x: 1, y: 0 }] }));
});

test('each tile has the gateway with the shortest way around defects, not the nearest as the crow flies', () => {
  // Gateway 1 is at (2, 0); the links from (2, 1) and (1, 0) to it are gone, so (2, 1) has the shortest way to (3, 2).
  const hardware = hubMachine({ links: [{ die: { x: 0, y: 0 }, x: 2, y: 1, direction: 'north' }, { die: { x: 0, y: 0 }, x: 1, y: 0, direction: 'east' }] });
  expect(routeTable(hardware, 0)!.gatewayOfTile[6]).toBe(2);
  expect(routeTable(hardware, 1)!.gatewayOfTile[6]).toBe(1);
});

test('columns that were dropped for room come out the same when they are asked for again', () => {
  const hardware: Hardware = { ...machine({ tilesX: 9, tilesY: 9 }), defects: { tiles: [{ x: 4, y: 4 }] } };
  const mesh = damagedMeshes(hardware)!.wafer!;
  const few = new Columns(mesh.labels.graph, 64 * 81);
  for (const target of [0, ...Array.from({ length: 81 }, (_, tile) => tile), 0, 80]) expect(few.column(target)).toEqual(mesh.column(target));
  expect(few.kept).toBe(64);
  expect(mesh.kept).toBe(81);
});

test('a mesh too large to route around defects is refused', () => {
  const side = Math.sqrt(MAX_DAMAGED_ROUTERS);
  const large = (extra: number): Hardware => ({ ...machine({ tilesX: side + extra, tilesY: side }), defects: { tiles: [{ x: 1, y: 1 }] } });
  expect(() => routeTable(large(1), 0)).toThrow(expect.objectContaining({ code: 'FABRIC_MESH_TOO_LARGE' }));
  expect(() => routeTable(large(1), 0)).toThrow('Routes around defects are worked out on meshes of at most 1048576 routers, and this die has 1049600.');
  expect(routeTable(large(0), 0)).not.toBeNull();
});
