import { dies, hasDefects, isAbsentTile, tilesPerDie, type Hardware } from '@kerf/hardware';

/** Where work can be put on a wafer. */
export interface PresentTiles {
  /** Dies with at least one tile, rising. */
  readonly dies: readonly number[];
  /** [dies of the wafer] local tiles that are there, rising. */
  readonly tilesOfDie: readonly (readonly number[])[];
}

/** The tiles that are there, die by die. */
export function presentTilesOf(hardware: Hardware): PresentTiles {
  const perDie = tilesPerDie(hardware);
  const all = Array.from({ length: perDie }, (_, tile) => tile);
  const broken = hasDefects(hardware);
  const tilesOfDie = Array.from({ length: dies(hardware) }, (_, dieId) => (broken ? all.filter((tile) => !isAbsentTile(hardware, dieId * perDie + tile)) : all));
  return { dies: [...tilesOfDie.keys()].filter((dieId) => tilesOfDie[dieId]!.length > 0), tilesOfDie };
}
