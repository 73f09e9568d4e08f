import { dieXY, tileIdOnWafer, type Grid, type XY } from './coordinates.ts';

/** A rectangle of tiles in wafer coordinates: x to x + width − 1, y to y + height − 1. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** All tiles of the wafer. */
export function waferRectangle({ wafer, die }: Grid): Rectangle {
  return { x: 0, y: 0, width: wafer.diesX * die.tilesX, height: wafer.diesY * die.tilesY };
}

/** All tiles of one die. */
export function dieRectangle(grid: Grid, dieId: number): Rectangle {
  const { tilesX, tilesY } = grid.die;
  const { x, y } = dieXY(grid, dieId);
  return { x: x * tilesX, y: y * tilesY, width: tilesX, height: tilesY };
}

/** Whether a place, or the whole of another rectangle, lies inside. An empty rectangle lies nowhere. */
export function contains(outer: Rectangle, inner: XY | Rectangle): boolean {
  const { width, height } = 'width' in inner ? inner : { width: 1, height: 1 };
  if (width <= 0 || height <= 0) return false;
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + width <= outer.x + outer.width && inner.y + height <= outer.y + outer.height;
}

/** The tiles that two rectangles share, or undefined when there are none. */
export function overlap(a: Rectangle, b: Rectangle): Rectangle | undefined {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  const width = Math.min(a.x + a.width, b.x + b.width) - x;
  const height = Math.min(a.y + a.height, b.y + b.height) - y;
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** Ids of the tiles inside, row by row from the north-west corner; what hangs over the rim of the wafer is left out. */
export function tilesOf(grid: Grid, rectangle: Rectangle): number[] {
  const inside = overlap(rectangle, waferRectangle(grid));
  if (inside === undefined) return [];
  const ids: number[] = [];
  for (let y = inside.y; y < inside.y + inside.height; y++) {
    for (let x = inside.x; x < inside.x + inside.width; x++) ids.push(tileIdOnWafer(grid, x, y));
  }
  return ids;
}
