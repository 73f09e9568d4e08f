import { checkWhole } from './errors.ts';

/** Where a group of tiles lies; x grows east, y south. */
export interface BarrierGroup {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Links crossed on the critical path of a group barrier. */
export interface BarrierHops {
  /** From the tile that comes last to the counter of its row. */
  readonly toRowCounter: number;
  /** From that tile to the counter of the group. */
  readonly toGroupCounter: number;
  /** From that tile to the one whose release is looked at. */
  readonly wake: number;
}

/**
 * The trips of a group barrier whose last arriver and observed tile are given. The counter of a row is its middle tile (left +
 * right, halved and rounded down), that of the group the middle tile of the middle row; the last arriver adds to both and wakes all.
 *
 * @see gvsoc/gvsoc soft_hier_release, flex_cluster_sdk/runtime/include/flex_group_barrier.h
 */
export function barrierHops(group: BarrierGroup, last: { readonly x: number; readonly y: number }, observed: { readonly x: number; readonly y: number }): BarrierHops {
  const middleX = Math.floor((2 * group.x + group.width - 1) / 2);
  const middleY = Math.floor((2 * group.y + group.height - 1) / 2);
  const toRowCounter = Math.abs(last.x - middleX);
  return {
    toRowCounter,
    toGroupCounter: toRowCounter + Math.abs(last.y - middleY),
    wake: Math.abs(last.x - observed.x) + Math.abs(last.y - observed.y),
  };
}

/**
 * Cycles from the arrival of the last tile until the observed one goes on: C + 2 to the row's counter + 2 to the group's + wake. C
 * holds the interfaces, the tile barriers before and after, and all scalar code.
 *
 * @param constantCycles C; 74 in the reference's kernels (fitted there to ± 4; the position of the code in memory alone moves it by 8)
 */
export function groupBarrierCycles(hops: BarrierHops, constantCycles: number): number {
  return constantCycles + 2 * hops.toRowCounter + 2 * hops.toGroupCounter + hops.wake;
}

/**
 * Cycles per barrier when a group does nothing else: the one released last arrives last at the next, so opposite corners take turns
 * and the mean of both counts.
 */
export function repeatedGroupBarrierCycles(width: number, height: number, constantCycles: number): number {
  checkWhole('width of a group', width, 1);
  checkWhole('height of a group', height, 1);
  const group = { x: 0, y: 0, width, height };
  const first = { x: 0, y: 0 };
  const far = { x: width - 1, y: height - 1 };
  return (groupBarrierCycles(barrierHops(group, first, far), constantCycles) + groupBarrierCycles(barrierHops(group, far, first), constantCycles)) / 2;
}

/**
 * A barrier over N × N tiles in software with one counter: its bank serves about one atomic per cycle, so N² decides.
 * Straight line through the two published points (4: 118, 32: 1072): no prediction there, only between and beyond.
 *
 * @see SoftHier project slides, 8 July 2024
 */
export function singleCounterBarrierCycles(edge: number): number {
  checkWhole('tiles along an edge', edge, 1);
  const perTile = (1072 - 118) / (32 * 32 - 4 * 4);
  return Math.round(118 + perTile * (edge * edge - 16));
}

/** The same with a counter per row and one for the rows: N arrive at a row's, N rows at the last. Line through (4: 169, 32: 248). */
export function rowThenColumnBarrierCycles(edge: number): number {
  checkWhole('tiles along an edge', edge, 1);
  return Math.round(169 + ((248 - 169) / (32 - 4)) * (edge - 4));
}

/** The tile barrier, all cores of one tile: cycles from the last core's arrival until all go on, 4 to 20 in loops, by code position. */
export const TILE_BARRIER_CYCLES = 4;
