import { DIRECTIONS, opposite } from '../ports.ts';
import type { MeshGraph } from './mesh-graph.ts';
import type { OffsetRouting } from './dimension-order.ts';

/**
 * Turns of one traffic class on a mesh: [nodes × 4], by the direction in which a packet arrives at a router, bits of the
 * directions in which it may go on.
 */
export type Turns = Uint8Array;

/**
 * The turns of routing functions that depend on nothing but the offset to the target, as dimension order does: for every
 * link and every target behind it that the function sends over the link, where it goes on. What a function does with an
 * offset of two or more it does with larger ones, so targets at most two away stand for all of them, and routers at the
 * same distances from the rim (at most two) for each other.
 *
 * @param routings functions that packets of the class may use, each packet one of them
 * @param nodeAt number of the router at (x, y) of the whole mesh of width × height
 */
export function turnsOfOffsets(routings: readonly OffsetRouting[], width: number, height: number, nodeAt: (x: number, y: number) => number): Turns {
  const turns = new Uint8Array(width * height * DIRECTIONS);
  const known = new Map<number, Uint8Array>();
  const place = (at: number, size: number): number => Math.min(at, 2) * 3 + Math.min(size - 1 - at, 2);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const kind = place(x, width) * 9 + place(y, height);
      let here = known.get(kind);
      if (here === undefined) {
        here = turnsAt(routings, x, y, width, height);
        known.set(kind, here);
      }
      turns.set(here, nodeAt(x, y) * DIRECTIONS);
    }
  }
  return turns;
}

const STEP_X = [1, -1, 0, 0];
const STEP_Y = [0, 0, -1, 1];

function turnsAt(routings: readonly OffsetRouting[], x: number, y: number, width: number, height: number): Uint8Array {
  const turns = new Uint8Array(DIRECTIONS);
  for (let travel = 0; travel < DIRECTIONS; travel++) {
    const [fromX, fromY] = [x - STEP_X[travel]!, y - STEP_Y[travel]!];
    if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
    for (let toY = Math.max(0, y - 2); toY <= Math.min(height - 1, y + 2); toY++) {
      for (let toX = Math.max(0, x - 2); toX <= Math.min(width - 1, x + 2); toX++) {
        for (const routing of routings) {
          if (routing(toX - fromX, toY - fromY) !== travel) continue;
          const onward = routing(toX - x, toY - y);
          if (onward < DIRECTIONS) turns[travel]! |= 1 << onward;
        }
      }
    }
  }
  return turns;
}

/** The turns of the same ways gone backwards: those of reductions, whose trees are multicast trees reversed. */
export function reversedTurns(turns: Turns, { nodes, next }: MeshGraph): Turns {
  const reversed = new Uint8Array(turns.length);
  for (let node = 0; node < nodes; node++) {
    for (let travel = 0; travel < DIRECTIONS; travel++) {
      const onward = turns[node * DIRECTIONS + travel]!;
      for (let out = 0; out < DIRECTIONS; out++) {
        if ((onward >> out) % 2 === 0 || next[node * DIRECTIONS + out]! < 0) continue;
        reversed[node * DIRECTIONS + opposite(out)]! |= 1 << opposite(travel);
      }
    }
  }
  return reversed;
}

/** Adds the turns that packets to `target` take, by the next hops of every router. */
export function addTurnsOfColumn(turns: Turns, column: Uint8Array, { nodes, next }: MeshGraph): void {
  for (let from = 0; from < nodes; from++) {
    const travel = column[from]!;
    if (travel >= DIRECTIONS) continue;
    const node = next[from * DIRECTIONS + travel]!;
    const onward = column[node]!;
    if (onward < DIRECTIONS) turns[node * DIRECTIONS + travel]! |= 1 << onward;
  }
}
