import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dieIdOf, dieOfTile, dies, dieXY, localTileOf, manhattan, tileIdOf, tileIdOnWafer, tiles, tilesPerDie, tileXYOnDie, tileXYOnWafer, type Grid } from './coordinates.ts';

const side = fc.integer({ min: 1, max: 40 });
const grids: fc.Arbitrary<Grid> = fc.record({ wafer: fc.record({ diesX: side, diesY: side }), die: fc.record({ tilesX: side, tilesY: side }) });
const gridAndTiles = grids.chain((grid) => fc.tuple(fc.constant(grid), fc.array(fc.nat(tiles(grid) - 1), { minLength: 3, maxLength: 3 })));

test('a tile id comes back from its die and place, and from its place on the wafer', () => {
  fc.assert(fc.property(gridAndTiles, ([grid, [tile]]) => {
    const { x, y } = tileXYOnDie(grid, tile!);
    expect(tileIdOf(grid, dieOfTile(grid, tile!), x, y)).toBe(tile);
    const place = tileXYOnWafer(grid, tile!);
    expect(tileIdOnWafer(grid, place.x, place.y)).toBe(tile);
    expect(dieOfTile(grid, tile!) * tilesPerDie(grid) + localTileOf(grid, tile!)).toBe(tile);
  }));
});

test('places stay inside the die and the wafer', () => {
  fc.assert(fc.property(gridAndTiles, ([grid, [tile]]) => {
    const onDie = tileXYOnDie(grid, tile!);
    const onWafer = tileXYOnWafer(grid, tile!);
    expect(onDie.x < grid.die.tilesX && onDie.y < grid.die.tilesY).toBe(true);
    expect(onWafer.x < grid.die.tilesX * grid.wafer.diesX && onWafer.y < grid.die.tilesY * grid.wafer.diesY).toBe(true);
    expect(dieOfTile(grid, tile!) < dies(grid)).toBe(true);
  }));
});

test('a die id comes back from its place', () => {
  fc.assert(fc.property(grids, (grid) => {
    for (let die = 0; die < dies(grid); die++) {
      const { x, y } = dieXY(grid, die);
      expect(dieIdOf(grid, x, y)).toBe(die);
    }
  }), { numRuns: 20 });
});

test('manhattan is a distance: zero only at home, symmetric, and no detour is shorter', () => {
  fc.assert(fc.property(gridAndTiles, ([grid, [a, b, c]]) => {
    expect(manhattan(grid, a!, b!) === 0).toBe(a === b);
    expect(manhattan(grid, a!, b!)).toBe(manhattan(grid, b!, a!));
    expect(manhattan(grid, a!, c!)).toBeLessThanOrEqual(manhattan(grid, a!, b!) + manhattan(grid, b!, c!));
  }));
});

test('neighbours across the rim of a die are one link apart', () => {
  const grid = { wafer: { diesX: 4, diesY: 2 }, die: { tilesX: 8, tilesY: 8 } };
  expect(manhattan(grid, tileIdOf(grid, 0, 7, 3), tileIdOf(grid, 1, 0, 3))).toBe(1);
  expect(manhattan(grid, tileIdOf(grid, 1, 2, 7), tileIdOf(grid, 5, 2, 0))).toBe(1);
  expect(manhattan(grid, 0, tiles(grid) - 1)).toBe(31 + 15);
});
