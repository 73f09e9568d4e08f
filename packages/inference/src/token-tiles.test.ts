import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PresentTiles } from './present-tiles.ts';
import { slotTiles } from './token-tiles.ts';

/** Dies that have the first `tiles` tiles. */
const full = (dies: number, tiles: number): PresentTiles => ({
  dies: Array.from({ length: dies }, (_, die) => die),
  tilesOfDie: Array.from({ length: dies }, () => Array.from({ length: tiles }, (_, tile) => tile)),
});

test.each([
  [1, [0]],
  [2, [0, 4]],
  [3, [0, 2, 5]],
  [8, [0, 1, 2, 3, 4, 5, 6, 7]],
  [10, [0, 1, 2, 3, 4, 5, 6, 7, 0, 1]],
])('%i tokens on a die of 8 tiles sit on tiles %j', (tokensPerDie, local) => {
  expect([...slotTiles(full(2, 8), 8, tokensPerDie)]).toEqual([...local, ...local.map((tile) => 8 + tile)]);
});

test('no tile of a die holds more than one token more than another, and none two while others are free', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 120 }), (tilesX, tilesY, tokensPerDie) => {
    const tiles = tilesX * tilesY;
    const held = new Array<number>(tiles).fill(0);
    for (const tile of slotTiles(full(1, tiles), tiles, tokensPerDie)) held[tile]!++;
    expect(Math.max(...held)).toBe(Math.ceil(tokensPerDie / tiles));
    expect(Math.min(...held)).toBe(Math.floor(tokensPerDie / tiles));
  }));
});

test('tokens sit on tiles that are there, on dies that are there', () => {
  const holed: PresentTiles = { dies: [0, 2], tilesOfDie: [[0, 1, 3], [], [2]] };
  expect([...slotTiles(holed, 4, 1)]).toEqual([0, 10]);
  expect([...slotTiles(holed, 4, 4)]).toEqual([0, 1, 3, 0, 10, 10, 10, 10]);
});
