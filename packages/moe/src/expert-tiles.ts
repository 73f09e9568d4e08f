import { dies, tilesPerDie, type Grid } from '@kerf/hardware';
import { MoeError } from './errors.ts';

/**
 * Which tiles hold which expert, as columns. A *seat* is one (tile, expert) pair; seats are numbered by die, then tile,
 * then expert, and the seats of one expert are consecutive.
 */
export interface ExpertTiles {
  readonly experts: number;
  readonly tilesPerDie: number;
  /** [experts] the die that holds the expert. */
  readonly dieOfExpert: Uint16Array;
  /** [experts] first tile of the expert on its die, row-major (y × tilesX + x). */
  readonly first: Uint32Array;
  /** [experts] tiles of the expert, from `first` on those that the die has without a gap, ≥ 1. */
  readonly count: Uint32Array;
  /** [experts] seat of the expert on its first tile. */
  readonly firstSeat: Uint32Array;
  /** [seats] tile of its die. */
  readonly seatTile: Uint32Array;
  /** [seats] expert. */
  readonly seatExpert: Uint16Array;
  /** [dies + 1] where the seats of a die begin. */
  readonly dieSeatStart: Uint32Array;
}

/**
 * Divides the tiles of every die among its experts: contiguous blocks in order of expert id, no block more than one tile
 * longer than another. A die with more experts than tiles gives its r-th expert the tile r mod tiles, and several share it.
 *
 * @param placement [experts] the die of each expert
 * @param tilesOfDie [dies] the local tiles that a die has, rising; absent: all of the full grid
 * @throws MoeError `MOE_BAD_PLACEMENT` if an expert is on a die that the wafer does not have, or that has no tile
 */
export function expertTiles(placement: Uint16Array, grid: Grid, tilesOfDie?: readonly (readonly number[])[]): ExpertTiles {
  const perDie = tilesPerDie(grid);
  const expertsOfDie: number[][] = Array.from({ length: dies(grid) }, () => []);
  placement.forEach((dieId, expert) => {
    const here = expertsOfDie[dieId];
    if (here === undefined) {
      throw new MoeError('MOE_BAD_PLACEMENT', `Expert ${expert} is placed on die ${dieId} of a wafer with ${expertsOfDie.length} dies.`, { expert, dieId });
    }
    here.push(expert);
  });

  const first = new Uint32Array(placement.length);
  const count = new Uint32Array(placement.length);
  const firstSeat = new Uint32Array(placement.length);
  const dieSeatStart = new Uint32Array(expertsOfDie.length + 1);
  const seatTile: number[] = [];
  const seatExpert: number[] = [];
  const full = Array.from({ length: perDie }, (_, tile) => tile);
  const place = new Uint32Array(placement.length);
  expertsOfDie.forEach((here, dieId) => {
    const there = tilesOfDie === undefined ? full : tilesOfDie[dieId]!;
    if (here.length > 0 && there.length === 0) {
      throw new MoeError('MOE_BAD_PLACEMENT', `Expert ${here[0]!} is placed on die ${dieId}, which has no tile.`, { expert: here[0]!, dieId });
    }
    here.forEach((expert, rank) => {
      const shared = here.length > there.length;
      place[expert] = shared ? rank % there.length : Math.floor((rank * there.length) / here.length);
      count[expert] = shared ? 1 : Math.floor(((rank + 1) * there.length) / here.length) - place[expert];
      first[expert] = there[place[expert]]!;
    });
    // With a block each this is the order of ids; where experts share tiles, seats are numbered tile by tile.
    for (const expert of here.toSorted((a, b) => first[a]! - first[b]! || a - b)) {
      firstSeat[expert] = seatTile.length;
      for (let i = 0; i < count[expert]!; i++) {
        seatTile.push(there[place[expert]! + i]!);
        seatExpert.push(expert);
      }
    }
    dieSeatStart[dieId + 1] = seatTile.length;
  });
  return {
    experts: placement.length,
    tilesPerDie: perDie,
    dieOfExpert: placement,
    first,
    count,
    firstSeat,
    seatTile: Uint32Array.from(seatTile),
    seatExpert: Uint16Array.from(seatExpert),
    dieSeatStart,
  };
}
