import { isAbsentTile, presetHardware, tilesPerDie, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MulticastPlan, ReductionPlan } from '../fabric.ts';
import { machine } from '../laboratory.ts';
import { DIRECTIONS, LOCAL, opposite } from '../ports.ts';
import { NOT_IN_TREE, planMulticast, planReduction } from './collective-plans.ts';
import { damagedDies, hubMachine, legalDistances } from '../testing/damaged-machines.ts';
import { damagedMeshes } from './route-table.ts';
import { onOneDie, type TileSet } from './tile-set.ts';

const mesh = machine({ tilesX: 8, tilesY: 6 });

/** Sends one packet down a tree: how often each tile gets it, and over how many links. */
function deliver({ root, forks }: MulticastPlan, tilesX: number): Map<number, number[]> {
  const step = [1, -1, -tilesX, tilesX];
  const got = new Map<number, number[]>();
  const walk = (router: number, links: number): void => {
    if (links > forks.length) throw new Error('the tree has a circle');
    if (forks[router] === 0) throw new Error(`router ${router} gets a packet and has nowhere to send it`);
    for (let port = 0; port < DIRECTIONS; port++) if ((forks[router]! >> port) % 2 === 1) walk(router + step[port]!, links + 1);
    if ((forks[router]! >> LOCAL) % 2 === 1) got.set(router, [...(got.get(router) ?? []), links]);
  };
  walk(root, 0);
  return got;
}

/** Sends one part from each contributor up the tree; the tiles whose parts the root joins. */
function join({ root, inputs, out }: ReductionPlan, tilesX: number): number[] {
  const step = [1, -1, -tilesX, tilesX];
  const gather = (router: number, depth: number): number[] => {
    if (depth > inputs.length) throw new Error('the tree has a circle');
    const parts: number[] = (inputs[router]! >> LOCAL) % 2 === 1 ? [router] : [];
    for (let port = 0; port < DIRECTIONS; port++) {
      if ((inputs[router]! >> port) % 2 === 0) continue;
      const from = router + step[port]!;
      expect(out[from]).toBe(opposite(port));
      parts.push(...gather(from, depth + 1));
    }
    return parts;
  };
  expect(out[root]).toBe(LOCAL);
  return gather(root, 0).sort((a, b) => a - b);
}

const sets = (hardware: Hardware): fc.Arbitrary<TileSet> => {
  const { tilesX, tilesY } = hardware.die;
  return fc.oneof(
    fc.uniqueArray(fc.nat(tilesX * tilesY - 1), { minLength: 1 }),
    fc.record({ x: fc.nat(tilesX - 1), y: fc.nat(tilesY - 1), w: fc.nat(), h: fc.nat() }).map(({ x, y, w, h }) => ({ x, y, width: 1 + (w % (tilesX - x)), height: 1 + (h % (tilesY - y)) })),
    fc.record({ x: fc.nat(tilesX - 1), y: fc.nat(tilesY - 1), columnMask: fc.nat(7), rowMask: fc.nat(7) }),
  );
};

describe('on a whole mesh', () => {
  test('a multicast reaches exactly the tiles of its set, once each, by the shortest way; a reduction joins exactly them', () => {
    fc.assert(fc.property(sets(mesh), fc.nat(47), (set, root) => {
      const plan = planMulticast(mesh, 0, root, set);
      const got = deliver(plan, 8);
      expect([...got.keys()].sort((a, b) => a - b)).toEqual(plan.tiles);
      for (const [tile, links] of got) expect(links).toEqual([Math.abs((tile % 8) - (root % 8)) + Math.abs(Math.floor(tile / 8) - Math.floor(root / 8))]);
      expect(plan).toMatchObject({ root, receivers: plan.tiles.length, absent: [] });
      const reduction = planReduction(mesh, 0, root, set);
      expect(join(reduction, 8)).toEqual(plan.tiles);
      expect(reduction.contributors).toBe(plan.receivers);
      expect(reduction.inputs).toEqual(plan.forks);
      for (let router = 0; router < 48; router++) expect(reduction.out[router] === NOT_IN_TREE).toBe(reduction.inputs[router] === 0);
    }));
  });

  test('the tree runs along the row of the root, then along the columns', () => {
    const { forks } = planMulticast(mesh, 0, 8 + 1, { x: 0, y: 0, width: 4, height: 3 });
    const [east, west, north, south, local] = [1, 2, 4, 8, 16];
    expect([...forks.subarray(0, 4)]).toEqual([local, local, local, local]);
    expect([...forks.subarray(8, 12)]).toEqual([north + south + local, east + west + north + south + local, east + north + south + local, north + south + local]);
    expect([...forks.subarray(16, 20)]).toEqual([local, local, local, local]);
    expect(forks.reduce((links, ports) => links + [0, 1, 2, 3].filter((port) => (ports >> port) % 2 === 1).length, 0)).toBe(11); // 12 tiles
  });

  test('masks free bits of a coordinate', () => {
    expect(planMulticast(mesh, 0, 0, { x: 4, y: 2, columnMask: 3, rowMask: 1 }).tiles).toEqual([20, 21, 22, 23, 28, 29, 30, 31]);
    expect(planMulticast(mesh, 0, 0, { x: 1, y: 0, columnMask: 6, rowMask: 0 }).tiles).toEqual([1, 3, 5, 7]);
    expect(planMulticast(mesh, 0, 0, { x: 0, y: 5, columnMask: 0, rowMask: 65_535 }).tiles).toEqual([0, 8, 16, 24, 32, 40]);
    expect(planMulticast(mesh, 0, 0, { x: 0, y: 0, columnMask: 65_535, rowMask: 65_535 }).receivers).toBe(48);
  });

  test('the router of the die has no part in trees', () => {
    const hardware = presetHardware('flat-wafer-64');
    const { forks } = planMulticast(hardware, 63, 5, { x: 0, y: 0, width: 32, height: 32 });
    expect([forks.length, forks[1024]]).toEqual([1025, 0]);
  });
});

describe('on a die with defects', () => {
  test('a multicast reaches exactly the tiles of its set that are there, once each, up first and then down, by the shortest way; a reduction joins exactly them', () => {
    fc.assert(fc.property(damagedDies.chain((hardware) => fc.tuple(fc.constant(hardware), sets(hardware), fc.nat())), ([hardware, set, pick]) => {
      const meshes = damagedMeshes(hardware);
      fc.pre(meshes !== null);
      const { labels } = meshes.wafer!;
      const there = [...labels.order];
      const root = there[pick % there.length]!;
      const { tilesX } = hardware.die;
      let plan;
      try {
        plan = planMulticast(hardware, 0, root, set);
      } catch (error) {
        // The set is absent, or a part of it is cut off from the root.
        expect(error).toMatchObject({ code: expect.stringMatching(/^FABRIC_(EMPTY_SET|NO_TREE)$/) });
        if ((error as { code: string }).code === 'FABRIC_NO_TREE') expect(new Set(labels.corner.filter((at) => at >= 0)).size).toBeGreaterThan(1);
        return;
      }
      const got = deliver(plan, tilesX);
      expect([...got.keys()].sort((a, b) => a - b)).toEqual(plan.tiles);
      expect(plan.tiles.some((tile) => isAbsentTile(hardware, tile))).toBe(false);
      expect(plan.absent.every((tile) => isAbsentTile(hardware, tile))).toBe(true);
      const bothWays = labels.graph.next.map((to, link) => (to >= 0 && labels.graph.next[to * 4 + ((link & 3) ^ 1)] === link >> 2 ? to : -1));
      const fewest = legalDistances(bothWays, labels.label, labels.corner, root);
      for (const [tile, links] of got) expect(links).toEqual([fewest[tile]]);
      expect(join(planReduction(hardware, 0, root, set), tilesX)).toEqual(plan.tiles);
      expect(planMulticast({ ...hardware }, 0, root, set)).toEqual(plan);
    }), { numRuns: 300 });
  });

  const holed: Hardware = { ...mesh, defects: { tiles: [{ x: 3, y: 1 }, { x: 3, y: 2 }] } };
  const around = { x: 2, y: 0, width: 4, height: 4 };

  test('absent tiles of a set are gone around, or refused when asked', () => {
    const plan = planMulticast(holed, 0, 10, around);
    expect(plan.absent).toEqual([11, 19]);
    expect(plan.receivers).toBe(14);
    expect(() => planMulticast(holed, 0, 10, around, { absentTiles: 'refuse' })).toThrow('The set of 4 x 4 tiles at (2, 0) has 2 absent tiles, the first (3, 1).');
    expect(() => planReduction(holed, 0, 10, around, { absentTiles: 'refuse' })).toThrow(expect.objectContaining({ code: 'FABRIC_ABSENT_TILE' }));
  });

  test('an absent root, an absent set and a part that no way leads to are refused', () => {
    expect(() => planMulticast(holed, 0, 11, around)).toThrow('Root (3, 1) of the set of 4 x 4 tiles at (2, 0) is absent. Choose a root that is there.');
    expect(() => planMulticast(holed, 0, 0, [11, 19])).toThrow('Every tile of the set of the tiles 11, 19 on die (0, 0) is absent; a collective needs at least one.');
    const cut: Hardware = { ...mesh, defects: { tiles: Array.from({ length: 6 }, (_, y) => ({ x: 3, y })) } };
    expect(() => planReduction(cut, 0, 0, { x: 0, y: 0, width: 5, height: 1 })).toThrow(
      'No tree for the set of 5 x 1 tiles at (0, 0): tile (4, 0) cannot be reached from root (0, 0) inside the die by a way that goes up first and then down. Choose another root or a smaller set.',
    );
  });

  test('a whole die of a hub wafer keeps the dimension-order tree when others have defects', () => {
    const set = { x: 0, y: 0, width: 4, height: 3 };
    const hardware = hubMachine({ tiles: [{ die: { x: 1, y: 1 }, x: 1, y: 1 }] });
    expect(planMulticast(hardware, 0, 6, set)).toEqual(planMulticast(hubMachine(), 0, 6, set));
    expect(planMulticast(hardware, 4, 6, set).receivers).toBe(11);
  });

  test('on dies edge to edge a tree stays on its die', () => {
    const d2d = { shape: 'edge' as const, link: { bytesPerCycle: 128, cycles: 9, picojoulesPerByteHop: 2 } };
    const wafer: Hardware = { ...machine({ tilesX: 4, tilesY: 4, diesX: 2, diesY: 2, d2d }), defects: { tiles: [{ die: { x: 1, y: 1 }, x: 1, y: 1 }] } };
    for (let die = 0; die < 4; die++) {
      const plan = planMulticast(wafer, die, 10, { x: 0, y: 0, width: 4, height: 4 });
      expect([...deliver(plan, 4).keys()].sort((a, b) => a - b)).toEqual(plan.tiles);
      expect(plan.receivers).toBe(die === 3 ? 15 : 16);
    }
    expect(tilesPerDie(wafer)).toBe(16);
  });
});

test.each<[string, TileSet, number, string, string]>([
  ['an empty rectangle', { x: 0, y: 0, width: 0, height: 3 }, 0, 'FABRIC_EMPTY_SET', 'The set of 0 x 3 tiles at (0, 0) has no tile'],
  ['an empty list', [], 0, 'FABRIC_EMPTY_SET', 'a collective needs at least one'],
  ['a rectangle over the rim', { x: 6, y: 0, width: 3, height: 1 }, 0, 'FABRIC_TILE_OFF_DIE', 'A die has the columns 0 to 7 and the rows 0 to 5'],
  ['a rectangle of fractions', { x: 0.5, y: 0, width: 3, height: 1 }, 0, 'FABRIC_TILE_OFF_DIE', 'Coordinates are whole numbers.'],
  ['a tile off the die', [3, 48], 0, 'FABRIC_TILE_OFF_DIE', 'Tiles of a die are 0 to 47.'],
  ['a mask around nothing', { x: 8, y: 0, columnMask: 1, rowMask: 0 }, 0, 'FABRIC_TILE_OFF_DIE', 'x is 0 to 7, y is 0 to 5, and a mask has 16 bits.'],
  ['a root off the die', [3], 48, 'FABRIC_TILE_OFF_DIE', 'Root 48 is not on the die; its tiles are 0 to 47.'],
])('%s is refused', (_, set, root, code, message) => {
  for (const plan of [planMulticast, planReduction]) expect(() => plan(mesh, 0, root, set)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as unknown }));
});

test('a die off the wafer is refused', () => {
  expect(() => planMulticast(mesh, 1, 0, [0])).toThrow('Die 1 is not on the wafer; its dies are 0 to 0.');
});

test('a rectangle of the wafer is taken to its die; one that crosses dies is refused', () => {
  const hardware = hubMachine();
  expect(onOneDie(hardware, { x: 5, y: 3, width: 3, height: 3 })).toEqual({ dieId: 4, rectangle: { x: 1, y: 0, width: 3, height: 3 } });
  expect(() => onOneDie(hardware, { x: 3, y: 0, width: 2, height: 1 })).toThrow(expect.objectContaining({ code: 'FABRIC_CROSSES_DIES', message: expect.stringContaining('from die (0, 0) to die (1, 0)') as unknown }));
  expect(() => onOneDie(hardware, { x: 12, y: 0, width: 1, height: 1 })).toThrow('The wafer has 12 x 6 tiles.');
});
