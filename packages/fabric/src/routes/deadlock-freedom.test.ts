import { presetHardware, presets, tiles, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machine } from '../laboratory.ts';
import { DIRECTIONS } from '../ports.ts';
import { addTurnsOfColumn, reversedTurns, turnsOfOffsets } from './channel-dependencies.ts';
import { checkDeadlockFreedom, requireDeadlockFreedom } from './deadlock-freedom.ts';
import { xThenY, yThenX, type OffsetRouting } from './dimension-order.ts';
import { damagedHubs, damagedMachines, hubMachine } from '../testing/damaged-machines.ts';
import { meshGraph } from './mesh-graph.ts';
import { damagedMeshes } from './route-table.ts';
import { permittedTurns, treeFrom } from './up-down.ts';

const mesh = machine({ tilesX: 4, tilesY: 3 });

describe('whole hardware', () => {
  test.each(Object.keys(presets).filter((name) => tiles(presetHardware(name)) <= 65_536))('%s has no circle', (name) => {
    expect(checkDeadlockFreedom(presetHardware(name))).toMatchObject({ acyclic: true, routing: 'dimension-order' });
  });

  test('channels are links times classes, dependencies the turns of dimension order', () => {
    // 4 x 3: 17 connections, 34 links. Straight on: in each of 3 rows 2 x 2, in each of 4 columns 2 x 1; from x to y: each of 9 + 9 links along x meets 1 or 2 links along y.
    const straight = 3 * 4 + 4 * 2;
    const turns = 18 / 3 * (1 + 2 + 1);
    expect(checkDeadlockFreedom(mesh)).toEqual({ channels: 34 * 3, dependencies: (straight + turns) * 3, classes: ['request', 'response', 'reduction'], routing: 'dimension-order', acyclic: true });
    expect(checkDeadlockFreedom(machine({ tilesX: 1, tilesY: 1 }))).toMatchObject({ channels: 0, dependencies: 0, acyclic: true });
  });

  test('turns found with near targets and one router of each kind are those found with all targets and routers', () => {
    const negativeFirst: OffsetRouting = (dx, dy) => (dx < 0 ? 1 : dy < 0 ? 2 : xThenY(dx, dy));
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(xThenY, yThenX, negativeFirst), (width, height, routing) => {
      const nodeAt = (x: number, y: number): number => y * width + x;
      const graph = meshGraph(width, height, null, nodeAt);
      const walked = new Uint8Array(width * height * DIRECTIONS);
      for (let target = 0; target < graph.nodes; target++) {
        addTurnsOfColumn(walked, Uint8Array.from({ length: graph.nodes }, (_, at) => routing((target % width) - (at % width), Math.floor(target / width) - Math.floor(at / width))), graph);
      }
      expect(turnsOfOffsets([routing], width, height, nodeAt)).toEqual(walked);
      const [xy, yx] = [turnsOfOffsets([xThenY], width, height, nodeAt), turnsOfOffsets([yThenX], width, height, nodeAt)];
      expect(reversedTurns(xy, graph)).toEqual(yx);
    }));
  });

  test('the narrow network is checked beside the wide one, in every die alone', () => {
    const syncLink = { bytesPerCycle: 8, cycles: 1, picojoulesPerByteHop: 0.1, maxPacketBytes: 8 };
    expect(checkDeadlockFreedom({ ...mesh, syncLink })).toMatchObject({ acyclic: true, channels: 2 * 34 * 3 });
    const perDie = 2 * (3 * 3 + 4 * 2);
    expect(checkDeadlockFreedom({ ...hubMachine(), syncLink }).channels - checkDeadlockFreedom(hubMachine()).channels).toBe(6 * perDie * 3);
    expect(checkDeadlockFreedom({ ...hubMachine({ tiles: [{ die: { x: 1, y: 1 }, x: 1, y: 1 }] }), syncLink })).toMatchObject({ acyclic: true, routing: 'up-down' });
  });

  test('on hub hardware the way through the routers of the dies is part of the graph', () => {
    const report = checkDeadlockFreedom(hubMachine());
    const perDie = 2 * (3 * 3 + 4 * 2);
    expect(report).toMatchObject({ acyclic: true, channels: 6 * perDie * 5 + 6 * 2 * 3 + 2 * 7, classes: ['request', 'response', 'reduction', 'to-hub', 'from-hub'] });
  });
});

describe('a wrong rule', () => {
  test('x then y mixed with y then x in one class closes a circle, which is explained', () => {
    const report = checkDeadlockFreedom(mesh, { unicast: [xThenY, yThenX] });
    expect(report.acyclic).toBe(false);
    expect(report.cycle!.length).toBeGreaterThanOrEqual(4);
    for (const channel of report.cycle!) expect(channel).toMatch(/^tile \(\d, \d\) (east|west|north|south) \((request|response)\)$/);
    // Along the circle, each link begins where the one before ends.
    const step: Record<string, [number, number]> = { east: [1, 0], west: [-1, 0], north: [0, -1], south: [0, 1] };
    const links = report.cycle!.map((channel) => /\((\d), (\d)\) (\w+)/.exec(channel)!);
    links.forEach(([, x, y, direction], at) => {
      const [, nextX, nextY] = links[(at + 1) % links.length]!;
      expect([Number(nextX), Number(nextY)]).toEqual([Number(x) + step[direction!]![0], Number(y) + step[direction!]![1]]);
    });
  });

  test('reductions in the channels of requests close a circle: that is why they have their own', () => {
    expect(checkDeadlockFreedom(mesh, { reductionsAsRequests: true })).toMatchObject({ acyclic: false });
    expect(checkDeadlockFreedom(machine({ tilesX: 9, tilesY: 1 }), { reductionsAsRequests: true })).toMatchObject({ acyclic: true });
  });

  test('responses along x first close a circle with acknowledgements, which join along y first', () => {
    const { acyclic, cycle } = checkDeadlockFreedom(mesh, { responsesAsRequests: true });
    expect(acyclic).toBe(false);
    expect(cycle!.every((channel) => channel.endsWith('(response)'))).toBe(true);
  });

  test('also between the routers of dies', () => {
    const hardware = { ...hubMachine(), die: { tilesX: 4, tilesY: 1 } } as Hardware;
    const flat = { ...hardware, d2d: { ...hardware.d2d!, gateways: [{ x: 0, y: 0 }] } } as Hardware;
    const report = checkDeadlockFreedom(flat, { unicast: [xThenY, yThenX] });
    expect(report.acyclic).toBe(false);
    expect(report.cycle!.every((channel) => channel.startsWith('router of die ('))).toBe(true);
  });
});

describe('hardware with defects', () => {
  test('has no circle, whatever is absent', () => {
    fc.assert(fc.property(fc.oneof(damagedMachines, damagedHubs), (hardware) => {
      expect(checkDeadlockFreedom(hardware)).toMatchObject({ acyclic: true, routing: damagedMeshes(hardware) === null ? 'dimension-order' : 'up-down' });
    }), { numRuns: 200 });
  });

  test('takes no turn that the rule does not permit: neither the routes of pairs nor trees nor their mirrors', () => {
    fc.assert(fc.property(damagedMachines, (hardware) => {
      const mesh = damagedMeshes(hardware)?.wafer;
      fc.pre(mesh !== null && mesh !== undefined);
      const { labels } = mesh;
      const { graph } = labels;
      const permitted = permittedTurns(labels);
      const taken = new Uint8Array(permitted.length);
      const mirrored = new Uint8Array(permitted.length);
      for (const node of labels.order) {
        addTurnsOfColumn(taken, mesh.column(node), graph);
        // Toward the root, a tree is a column.
        addTurnsOfColumn(mirrored, treeFrom(labels, node), graph);
      }
      const trees = reversedTurns(mirrored, graph);
      for (let at = 0; at < permitted.length; at++) expect([taken[at]! & ~permitted[at]!, mirrored[at]! & ~permitted[at]!, trees[at]! & ~permitted[at]!]).toEqual([0, 0, 0]);
    }), { numRuns: 60 });
  });
});

test('a machine that is about to be used is refused when its routes are cyclic, and not otherwise', () => {
  expect(requireDeadlockFreedom(mesh)).toEqual(checkDeadlockFreedom(mesh));
});
