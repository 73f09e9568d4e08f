import type { Hardware } from './spec.ts';

/** A place on a grid: x grows east, y south, both from 0. */
export interface XY {
  readonly x: number;
  readonly y: number;
}

/** What coordinates need to know of a machine. */
export type Grid = Pick<Hardware, 'wafer' | 'die'>;

/*
 * tileId = dieId × tilesPerDie + localTile, localTile = y × tilesX + x on the die, dieId = dieY × diesX + dieX.
 * Ids and coordinates are those of tiles that exist; nothing here checks it.
 */

/** Tiles of one die. */
export function tilesPerDie({ die }: Grid): number {
  return die.tilesX * die.tilesY;
}

/** Dies of the wafer. */
export function dies({ wafer }: Grid): number {
  return wafer.diesX * wafer.diesY;
}

/** Tiles of the wafer. */
export function tiles(grid: Grid): number {
  return dies(grid) * tilesPerDie(grid);
}

/** The die that a tile lies on. */
export function dieOfTile(grid: Grid, tileId: number): number {
  return Math.floor(tileId / tilesPerDie(grid));
}

/** A tile's number on its own die. */
export function localTileOf(grid: Grid, tileId: number): number {
  return tileId % tilesPerDie(grid);
}

/** The tile at (x, y) of a die. */
export function tileIdOf(grid: Grid, dieId: number, x: number, y: number): number {
  return dieId * tilesPerDie(grid) + y * grid.die.tilesX + x;
}

/** The die at (x, y) of the wafer, counted in dies. */
export function dieIdOf({ wafer }: Grid, x: number, y: number): number {
  return y * wafer.diesX + x;
}

/** Where a die lies on the wafer, in dies. */
export function dieXY({ wafer }: Grid, dieId: number): XY {
  return { x: dieId % wafer.diesX, y: Math.floor(dieId / wafer.diesX) };
}

/** Where a tile lies on its die, in tiles. */
export function tileXYOnDie(grid: Grid, tileId: number): XY {
  const localTile = localTileOf(grid, tileId);
  return { x: localTile % grid.die.tilesX, y: Math.floor(localTile / grid.die.tilesX) };
}

/** Where a tile lies on the wafer, in tiles. */
export function tileXYOnWafer(grid: Grid, tileId: number): XY {
  const die = dieXY(grid, dieOfTile(grid, tileId));
  const tile = tileXYOnDie(grid, tileId);
  return { x: die.x * grid.die.tilesX + tile.x, y: die.y * grid.die.tilesY + tile.y };
}

/** The tile at (x, y) of the wafer, counted in tiles: the inverse of {@link tileXYOnWafer}. */
export function tileIdOnWafer(grid: Grid, x: number, y: number): number {
  const { tilesX, tilesY } = grid.die;
  return tileIdOf(grid, dieIdOf(grid, Math.floor(x / tilesX), Math.floor(y / tilesY)), x % tilesX, y % tilesY);
}

/** Links between two tiles on a wafer joined edge to edge, the shortest way: |Δx| + |Δy|. */
export function manhattan(grid: Grid, fromTile: number, toTile: number): number {
  const from = tileXYOnWafer(grid, fromTile);
  const to = tileXYOnWafer(grid, toTile);
  return Math.abs(from.x - to.x) + Math.abs(from.y - to.y);
}
