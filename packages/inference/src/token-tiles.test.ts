import fc from 'fast-check';
import { expect, test } from 'vitest';
import { slotTiles } from './token-tiles.ts';

const grid = { wafer: { diesX: 2, diesY: 1 }, die: { tilesX: 4, tilesY: 2 } };

test.each([
  [1, [0]],
  [2, [0, 4]],
  [3, [0, 2, 5]],
  [8, [0, 1, 2, 3, 4, 5, 6, 7]],
  [10, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]],
])('%i tokens on a die of 8 tiles sit on tiles %j', (tokensPerDie, local) => {
  expect([...slotTiles(grid, tokensPerDie)]).toEqual([...local, ...local.map((tile) => 8 + tile)]);
});

test('no tile of a die holds more than one token more than another, and none two while others are free', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 120 }), (tilesX, tilesY, tokensPerDie) => {
    const tiles = tilesX * tilesY;
    const held = new Array<number>(tiles).fill(0);
    for (const tile of slotTiles({ wafer: { diesX: 1, diesY: 1 }, die: { tilesX, tilesY } }, tokensPerDie)) held[tile]!++;
    expect(Math.max(...held)).toBe(Math.ceil(tokensPerDie / tiles));
    expect(Math.min(...held)).toBe(Math.floor(tokensPerDie / tiles));
  }));
});
