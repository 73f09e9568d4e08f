import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dieOfTile, dies, tiles, tilesPerDie, tileXYOnWafer, type Grid } from './coordinates.ts';
import { contains, dieRectangle, overlap, tilesOf, waferRectangle } from './regions.ts';

const side = fc.integer({ min: 1, max: 6 });
const grids: fc.Arbitrary<Grid> = fc.record({ wafer: fc.record({ diesX: side, diesY: side }), die: fc.record({ tilesX: side, tilesY: side }) });
const rectangles = fc.record({ x: fc.integer({ min: -3, max: 30 }), y: fc.integer({ min: -3, max: 30 }), width: fc.integer({ min: 0, max: 20 }), height: fc.integer({ min: 0, max: 20 }) });

test('a rectangle holds exactly the tiles whose place it contains, each once', () => {
  fc.assert(fc.property(grids, rectangles, (grid, rectangle) => {
    const expected = new Set<number>();
    for (let tile = 0; tile < tiles(grid); tile++) if (contains(rectangle, tileXYOnWafer(grid, tile))) expected.add(tile);
    const ids = tilesOf(grid, rectangle);
    expect(ids.length).toBe(expected.size);
    expect(new Set(ids)).toEqual(expected);
  }));
});

test('two rectangles overlap in the places that both contain', () => {
  fc.assert(fc.property(rectangles, rectangles, (a, b) => {
    const shared = overlap(a, b);
    expect(overlap(b, a)).toEqual(shared);
    const wrong: string[] = [];
    for (let y = -3; y < 50; y++) {
      for (let x = -3; x < 50; x++) {
        const inBoth = contains(a, { x, y }) && contains(b, { x, y });
        if (inBoth !== (shared !== undefined && contains(shared, { x, y }))) wrong.push(`(${x}, ${y})`);
      }
    }
    expect(wrong).toEqual([]);
    if (shared !== undefined) expect(contains(a, shared) && contains(b, shared)).toBe(true);
  }));
});

test('the dies cut the wafer without gap or overlap', () => {
  fc.assert(fc.property(grids, (grid) => {
    expect(tilesOf(grid, waferRectangle(grid)).length).toBe(tiles(grid));
    for (let die = 0; die < dies(grid); die++) {
      const inside = tilesOf(grid, dieRectangle(grid, die));
      expect(inside.length).toBe(tilesPerDie(grid));
      expect(inside.every((tile) => dieOfTile(grid, tile) === die)).toBe(true);
    }
  }), { numRuns: 30 });
});
