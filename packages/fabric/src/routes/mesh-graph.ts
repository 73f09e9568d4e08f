import { DIRECTIONS, opposite } from '../ports.ts';

/**
 * Routers and the links between them, as far as they exist: a die (numbered like its tiles), a wafer joined edge to edge
 * (numbered like tiles of the wafer), or the routers of the dies of `hub` hardware (numbered like dies).
 */
export interface MeshGraph {
  readonly nodes: number;
  /** [nodes] 1 where there is a router. */
  readonly present: Uint8Array;
  /** [nodes × 4] the router that the link leaving in a direction leads to; −1 without a link. */
  readonly next: Int32Array;
}

/** What a grid lacks: routers, and links by direction of what leaves. */
export interface Holes {
  /** [nodes] 1 where the router is absent. */
  readonly absent: Uint8Array;
  /** [nodes] bit d: the link that leaves in direction d is absent. */
  readonly absentLinks: Uint8Array;
}

/**
 * The links of a full grid of `width` × `height` routers, less what is absent. A link from or to an absent router is absent.
 *
 * @param nodeAt number of the router at (x, y)
 */
export function meshGraph(width: number, height: number, holes: Holes | null, nodeAt: (x: number, y: number) => number): MeshGraph {
  const nodes = width * height;
  const present = new Uint8Array(nodes).fill(1);
  const next = new Int32Array(nodes * DIRECTIONS).fill(-1);
  if (holes !== null) for (let node = 0; node < nodes; node++) present[node] = 1 - holes.absent[node]!;
  const link = (from: number, direction: number, to: number): void => {
    if (present[from] === 0 || present[to] === 0) return;
    if (holes !== null && (holes.absentLinks[from]! >> direction) % 2 === 1) return;
    next[from * DIRECTIONS + direction] = to;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const node = nodeAt(x, y);
      if (x + 1 < width) {
        const east = nodeAt(x + 1, y);
        link(node, 0, east);
        link(east, 1, node);
      }
      if (y + 1 < height) {
        const south = nodeAt(x, y + 1);
        link(node, 3, south);
        link(south, 2, node);
      }
    }
  }
  return { nodes, present, next };
}

/** Does the link lead both ways? */
export function isBothWays({ next }: MeshGraph, node: number, direction: number): boolean {
  const to = next[node * DIRECTIONS + direction]!;
  return to >= 0 && next[to * DIRECTIONS + opposite(direction)] === node;
}
