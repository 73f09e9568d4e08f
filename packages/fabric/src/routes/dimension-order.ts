import { EAST, LOCAL, NORTH, SOUTH, WEST } from '../ports.ts';

/** Output port at a router for a target `dx` columns to the east and `dy` rows to the south; LOCAL when both are 0. */
export type OffsetRouting = (dx: number, dy: number) => number;

/** Along x first, then along y: routes and multicast trees on whole meshes. */
export const xThenY: OffsetRouting = (dx, dy) => (dx > 0 ? EAST : dx < 0 ? WEST : dy > 0 ? SOUTH : dy < 0 ? NORTH : LOCAL);

/** Along y first, then along x: the ways of a reduction on whole meshes, since they are those of a multicast reversed. */
export const yThenX: OffsetRouting = (dx, dy) => (dy > 0 ? SOUTH : dy < 0 ? NORTH : xThenY(dx, 0));
