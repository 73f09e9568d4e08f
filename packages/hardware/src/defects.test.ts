import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dies, tileIdOf, tiles, tilesPerDie, tileXYOnWafer } from './coordinates.ts';
import { absentLinks as absentLinksOf, absentTiles as absentTilesOf, countDefects, directions, hasDefects, isAbsentDie, isAbsentHubLink, isAbsentLink, isAbsentTile, neighbouringDie, neighbouringTile, presentTiles } from './defects.ts';
import { parseHardware } from './parse.ts';
import { presetHardware } from './presets.ts';
import type { DefectsSpec, Hardware } from './spec.ts';

const wafer = presetHardware('flat-wafer-8');
const hub = presetHardware('flat-wafer-64');
const die = presetHardware('mesh-8x8');

const broken = (machine: Hardware, defects: DefectsSpec): Hardware => parseHardware({ ...machine, defects }, 'wafer.json');

/** Every tile and every link of the full grid at most once. */
const defectsOf = (machine: Hardware) => {
  const place = (tile: number) => {
    const local = tile % tilesPerDie(machine);
    const id = Math.floor(tile / tilesPerDie(machine));
    const { diesX } = machine.wafer;
    return { die: { x: id % diesX, y: Math.floor(id / diesX) }, x: local % machine.die.tilesX, y: Math.floor(local / machine.die.tilesX) };
  };
  const tile = fc.nat(tiles(machine) - 1);
  const link = fc.record({ tile, direction: fc.constantFrom(...directions), bothWays: fc.boolean() }).filter(({ tile: from, direction }) => neighbouringTile(machine, from, direction) >= 0);
  const pair = ({ tile: from, direction }: { tile: number; direction: (typeof directions)[number] }) => [from, neighbouringTile(machine, from, direction)].sort((a, b) => a - b).join();
  return fc
    .record({ dies: fc.uniqueArray(fc.nat(dies(machine) - 2), { maxLength: 2 }), tiles: fc.uniqueArray(tile, { maxLength: 20 }), links: fc.uniqueArray(link, { maxLength: 20, selector: pair }) })
    .map((found) => ({
      absentDies: found.dies,
      absentTiles: found.tiles,
      absentLinks: found.links,
      defects: {
        dies: found.dies.map((id) => ({ x: id % machine.wafer.diesX, y: Math.floor(id / machine.wafer.diesX) })),
        tiles: found.tiles.map(place),
        links: found.links.map(({ tile: from, direction, bothWays }) => ({ ...place(from), direction, bothWays })),
      },
    }));
};

test('what is absent is what was named, and what hangs on it', () => {
  fc.assert(fc.property(defectsOf(wafer), ({ absentDies, absentTiles, absentLinks, defects }) => {
    const machine = broken(wafer, defects);
    const missing = (tile: number) => absentTiles.includes(tile) || absentDies.includes(Math.floor(tile / tilesPerDie(wafer)));
    let absentNow = 0;
    let linksNow = 0;
    for (let tile = 0; tile < tiles(wafer); tile++) {
      expect(isAbsentTile(machine, tile)).toBe(missing(tile));
      absentNow += Number(missing(tile));
      directions.forEach((direction, d) => {
        const to = neighbouringTile(machine, tile, direction);
        const named = absentLinks.some((link) => (link.tile === tile && link.direction === direction)
          || (link.bothWays && to === link.tile && directions.indexOf(link.direction) === (d ^ 1)));
        const expected = to >= 0 && (named || missing(tile) || missing(to));
        expect(isAbsentLink(machine, tile, direction)).toBe(expected);
        linksNow += Number(expected);
      });
    }
    expect(countDefects(machine)).toEqual({ dies: absentDies.length, tiles: absentNow, links: linksNow, hubLinks: 0 });
    expect(absentTilesOf(machine)).toEqual([...absentTiles].sort((a, b) => a - b).filter((tile) => !absentDies.includes(Math.floor(tile / tilesPerDie(wafer)))));
    for (const { tile, direction } of absentLinksOf(machine)) expect([isAbsentLink(machine, tile, direction), missing(tile), missing(neighbouringTile(machine, tile, direction))]).toEqual([true, false, false]);
    expect(presentTiles(machine)).toBe(tiles(wafer) - absentNow);
    expect(hasDefects(machine)).toBe(absentDies.length + absentTiles.length + absentLinks.length > 0);
  }), { numRuns: 30 });
});

test('a machine that names no defects has none, and one with empty lists neither', () => {
  for (const machine of [wafer, broken(wafer, {}), broken(wafer, { dies: [], tiles: [], links: [] })]) {
    expect(hasDefects(machine)).toBe(false);
    expect(isAbsentTile(machine, 3) || isAbsentDie(machine, 0) || isAbsentLink(machine, 3, 'east')).toBe(false);
    expect(countDefects(machine)).toEqual({ dies: 0, tiles: 0, links: 0, hubLinks: 0 });
  }
});

test('neighbours are one step apart on the wafer, and there and back again is home', () => {
  fc.assert(fc.property(fc.constantFrom(wafer, hub, die), fc.nat(), fc.constantFrom(0, 1, 2, 3), (machine, seed, d) => {
    const tile = seed % tiles(machine);
    const to = neighbouringTile(machine, tile, directions[d]);
    fc.pre(to >= 0);
    const a = tileXYOnWafer(machine, tile);
    const b = tileXYOnWafer(machine, to);
    expect([b.x - a.x, b.y - a.y]).toEqual([[1, 0], [-1, 0], [0, -1], [0, 1]][d]);
    expect(neighbouringTile(machine, to, directions[d ^ 1]!)).toBe(tile);
  }));
  expect(neighbouringTile(hub, tileIdOf(hub, 0, 31, 5), 'east')).toBe(-1);
  expect(neighbouringTile(wafer, tileIdOf(wafer, 0, 7, 5), 'east')).toBe(tileIdOf(wafer, 1, 0, 5));
  expect(neighbouringDie(hub, 7, 'east')).toBe(-1);
  expect(neighbouringDie(hub, 7, 'south')).toBe(15);
});

test('the link between two hubs is named by its die alone', () => {
  const machine = broken(hub, { links: [{ die: { x: 2, y: 1 }, direction: 'north' }, { die: { x: 0, y: 0 }, direction: 'east', bothWays: false }], dies: [{ x: 7, y: 7 }] });
  expect(isAbsentHubLink(machine, 10, 'north')).toBe(true);
  expect(isAbsentHubLink(machine, 2, 'south')).toBe(true);
  expect(isAbsentHubLink(machine, 0, 'east')).toBe(true);
  expect(isAbsentHubLink(machine, 1, 'west')).toBe(false);
  expect(isAbsentHubLink(machine, 62, 'east')).toBe(true);
  expect(isAbsentHubLink(machine, 63, 'east')).toBe(false);
  expect(countDefects(machine)).toEqual({ dies: 1, tiles: 1024, links: 2 * 2 * 32 * 31, hubLinks: 3 + 4 });
});

test.each<[string, Hardware, DefectsSpec, string, string]>([
  ['a die off the wafer', wafer, { dies: [{ x: 4, y: 0 }] }, 'HARDWARE_BAD_DEFECT', 'defects.dies.0 must be a die of the wafer, x from 0 to 3 and y from 0 to 1, got (4, 0).'],
  ['a tile off the die', die, { tiles: [{ x: 1, y: 1 }, { x: 8, y: 0 }] }, 'HARDWARE_BAD_DEFECT', 'defects.tiles.1 must be a tile of the die, x from 0 to 7 and y from 0 to 7, got (8, 0).'],
  ['a tile of a die off the wafer', wafer, { tiles: [{ die: { x: 0, y: 2 }, x: 0, y: 0 }] }, 'HARDWARE_BAD_DEFECT', 'defects.tiles.0.die must be a die of the wafer'],
  ['a tile of no die among many', wafer, { tiles: [{ x: 0, y: 0 }] }, 'HARDWARE_BAD_DEFECT', 'defects.tiles.0.die must be an object { "x": …, "y": … }, got nothing. The wafer has 8 dies'],
  ['a tile named twice', die, { tiles: [{ x: 1, y: 1 }, { die: { x: 0, y: 0 }, x: 1, y: 1 }] }, 'HARDWARE_BAD_DEFECT', 'defects.tiles.1 must be named once, got tile (1, 1). defects.tiles.0 is the same.'],
  ['a die named twice', wafer, { dies: [{ x: 1, y: 1 }, { x: 1, y: 1 }] }, 'HARDWARE_BAD_DEFECT', 'defects.dies.1 must be named once, got die (1, 1). defects.dies.0 is the same.'],
  ['a link named twice', die, { links: [{ x: 1, y: 1, direction: 'east', bothWays: false }, { x: 1, y: 1, direction: 'east' }] }, 'HARDWARE_BAD_DEFECT', 'defects.links.1 must be named once, got east of tile (1, 1).'],
  ['a link named from both ends', die, { links: [{ x: 1, y: 1, direction: 'east' }, { x: 2, y: 1, direction: 'west' }] }, 'HARDWARE_BAD_DEFECT', 'defects.links.0 is the same.'],
  ['a link off the wafer', die, { links: [{ x: 7, y: 1, direction: 'east' }] }, 'HARDWARE_BAD_DEFECT', 'defects.links.0 must be a link of the full grid, got east of tile (7, 1). It leads off the wafer.'],
  ['a lane where dies have hubs', hub, { links: [{ die: { x: 0, y: 0 }, x: 31, y: 1, direction: 'east' }] }, 'HARDWARE_BAD_DEFECT', 'leave out x and y for the link between those'],
  ['a link between hubs that are not there', wafer, { links: [{ die: { x: 0, y: 0 }, direction: 'east' }] }, 'HARDWARE_BAD_DEFECT', 'must be a link from a tile, with x and y, got neither'],
  ['half a place', die, { links: [{ x: 3, direction: 'east' }] }, 'HARDWARE_BAD_DEFECT', 'must be a link with both x and y, or neither, got x = 3'],
  ['a hub link off the wafer', hub, { links: [{ die: { x: 7, y: 0 }, direction: 'east' }] }, 'HARDWARE_BAD_DEFECT', 'got east of die (7, 0). It leads off the wafer.'],
  ['an absent gateway', hub, { tiles: [{ die: { x: 3, y: 3 }, x: 4, y: 0 }] }, 'HARDWARE_BAD_DEFECT', 'defects.tiles.0 must be no gateway of its die, got tile (4, 0) of die (3, 3). It is d2d.gateways.2'],
  ['nothing left', presetHardware('c2c-256g'), { dies: [{ x: 0, y: 0 }], tiles: [{ die: { x: 1, y: 0 }, x: 0, y: 0 }] }, 'HARDWARE_BAD_DEFECT', 'defects must be fewer: at least one tile must be left, got all 2 tiles absent'],
])('%s is refused', (_what, machine, defects, code, message) => {
  expect(() => broken(machine, defects)).toThrow(expect.objectContaining({ code }));
  expect(() => broken(machine, defects)).toThrow(message);
});

test.each([
  ['an unknown direction', { links: [{ x: 0, y: 0, direction: 'up' }] }, 'defects.links.0.direction must be one of "east", "west", "north", "south", got "up"'],
  ['a misspelt list', { tile: [] }, 'unknown key defects.tile. Did you mean "tiles"?'],
  ['a misspelt key', { tiles: [{ X: 0, y: 0 }] }, 'unknown key defects.tiles.0.X. Did you mean "x"?'],
])('%s is an error of shape', (_what, defects, message) => {
  expect(() => parseHardware({ ...die, defects }, 'wafer.json')).toThrow(message);
});
