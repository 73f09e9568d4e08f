/**
 * Ports of a tile router. An output port and the input port that it feeds on the next router differ in the lowest bit:
 * what leaves EAST arrives at WEST.
 */
export const EAST = 0;
export const WEST = 1;
export const NORTH = 2;
export const SOUTH = 3;
/** To and from the tile itself. */
export const LOCAL = 4;
/** To and from the router of the die, on gateway tiles of `hub` hardware. */
export const HUB = 5;
/** Where contributions to a reduction are joined: as an output the combine unit, as an input the packets that it has joined. */
export const JOIN = 6;
/** Indices of the ports of a tile router are spaced by this. */
export const PORT_STRIDE = 8;
/** The die's router has its four directions first, then one port per gateway. */
export const FIRST_GATEWAY = 4;
export const MAX_GATEWAYS = 28;

/** Directions that lead to a neighbouring die: EAST, WEST, NORTH, SOUTH. */
export const DIRECTIONS = 4;

/** The direction that an item sent in `direction` comes from. */
export function opposite(direction: number): number {
  return direction ^ 1;
}
