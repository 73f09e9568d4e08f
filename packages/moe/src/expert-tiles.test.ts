import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expertTiles } from './expert-tiles.ts';
import { linearPlacement } from './placement.ts';

const grid = (dies: number, tilesX: number, tilesY: number) => ({ wafer: { diesX: dies, diesY: 1 }, die: { tilesX, tilesY } });

test('the experts of a die share its tiles out: contiguous, in order, nearly equal, nothing left over', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (experts, dies, tilesX, tilesY) => {
    const perDie = tilesX * tilesY;
    const placement = linearPlacement(experts, dies);
    const layout = expertTiles(placement, grid(dies, tilesX, tilesY));
    for (let dieId = 0; dieId < dies; dieId++) {
      const here = [...placement.keys()].filter((expert) => placement[expert] === dieId);
      if (here.length === 0) continue;
      if (here.length > perDie) {
        here.forEach((expert, rank) => expect([layout.first[expert], layout.count[expert]]).toEqual([rank % perDie, 1]));
        continue;
      }
      let next = 0;
      for (const expert of here) {
        expect(layout.first[expert]).toBe(next);
        next += layout.count[expert]!;
      }
      expect(next).toBe(perDie);
      const counts = here.map((expert) => layout.count[expert]!);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  }));
});

test('seats are numbered by die, tile and expert, and those of one expert are consecutive', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 12 }), (experts, dies, tiles) => {
    const layout = expertTiles(linearPlacement(experts, dies), grid(dies, tiles, 1));
    for (let dieId = 0; dieId < dies; dieId++) {
      for (let seat = layout.dieSeatStart[dieId]! + 1; seat < layout.dieSeatStart[dieId + 1]!; seat++) {
        const order = (of: number) => layout.seatTile[of]! * experts + layout.seatExpert[of]!;
        expect(order(seat)).toBeGreaterThan(order(seat - 1));
      }
    }
    for (let expert = 0; expert < experts; expert++) {
      for (let i = 0; i < layout.count[expert]!; i++) {
        const seat = layout.firstSeat[expert]! + i;
        expect([layout.seatExpert[seat], layout.seatTile[seat]]).toEqual([expert, layout.first[expert]! + i]);
      }
    }
  }));
});

test('an expert on a die that does not exist is refused by name', () => {
  expect(() => expertTiles(Uint16Array.of(0, 3), grid(2, 2, 2))).toThrow('Expert 1 is placed on die 3 of a wafer with 2 dies.');
});

test('on a die with holes the experts share out the tiles that are there', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 20 }), fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8], { minLength: 1 }), (experts, there) => {
    const layout = expertTiles(linearPlacement(experts, 1), grid(1, 3, 3), [there]);
    const packed = expertTiles(linearPlacement(experts, 1), grid(1, there.length, 1));
    expect([...layout.seatTile]).toEqual([...packed.seatTile].map((tile) => there[tile]));
    expect(layout.count).toEqual(packed.count);
    expect(layout.firstSeat).toEqual(packed.firstSeat);
    for (let expert = 0; expert < experts; expert++) expect(layout.first[expert]).toBe(layout.seatTile[layout.firstSeat[expert]!]);
  }));
  expect(() => expertTiles(Uint16Array.of(1), grid(2, 2, 2), [[0], []])).toThrow('Expert 0 is placed on die 1, which has no tile.');
});
