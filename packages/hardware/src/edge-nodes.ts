import type { XY } from './coordinates.ts';
import type { DirectionName, Hardware } from './spec.ts';

/** A memory node: where some of a die's channels join the mesh. */
export interface EdgeNode {
  readonly edge: DirectionName;
  /** Number among the nodes of the die: those of the west edge from north to south, then north, east, south, each from its first tile. */
  readonly node: number;
  /** The tile of the edge whose router it is linked to, on its die. */
  readonly tile: XY;
  /** First tile of the edge that it serves, counted along the edge, and how many: its column or row with `aliasing: "column"`. */
  readonly first: number;
  readonly tiles: number;
  /** Channels behind it. */
  readonly channels: number;
}

/**
 * The memory nodes of a die, all dies being alike; none where the file gives the channels no place. n nodes on an edge of
 * T tiles: node i is linked to tile floor(i × T / n) and serves the tiles from there to the next node.
 */
export function edgeNodes({ die, memory }: Pick<Hardware, 'die' | 'memory'>): readonly EdgeNode[] {
  if (memory?.edgeNodes === undefined) return [];
  const { edgeNodes: on, channels } = memory;
  const share = channels / (on.west + on.north + on.east + on.south);
  const nodes: EdgeNode[] = [];
  for (const edge of ['west', 'north', 'east', 'south'] as const) {
    const along = edge === 'west' || edge === 'east' ? die.tilesY : die.tilesX;
    for (let i = 0; i < on[edge]; i++) {
      const first = Math.floor((i * along) / on[edge]);
      const next = Math.floor(((i + 1) * along) / on[edge]);
      const tile = {
        west: { x: 0, y: first },
        north: { x: first, y: 0 },
        east: { x: die.tilesX - 1, y: first },
        south: { x: first, y: die.tilesY - 1 },
      }[edge];
      nodes.push({ edge, node: nodes.length, tile, first, tiles: next - first, channels: share });
    }
  }
  return nodes;
}
