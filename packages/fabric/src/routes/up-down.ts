import { DIRECTIONS, LOCAL, opposite } from '../ports.ts';
import { isBothWays, type MeshGraph } from './mesh-graph.ts';

/** Instead of a port: there is no way. */
export const NO_ROUTE = 255;

/**
 * The labels of up*\/down* routing: the distance from a corner, breadth first. A link to a smaller label leads up, one to
 * a larger label down; a packet goes up any number of links, then down any number, and never up again, so channels cannot
 * wait for each other in a circle. On a whole mesh this is the negative-first turn model.
 *
 * A grid has no odd cycle, so the labels of neighbours differ, by exactly 1 where the link leads both ways.
 *
 * @see Schroeder et al., Autonet (IEEE JSAC 9(8), 1991); Glass & Ni, The turn model (ISCA 1992)
 */
export interface UpDownLabels {
  readonly graph: MeshGraph;
  /** [nodes] distance from the corner of its component; −1 where there is no router. */
  readonly label: Int32Array;
  /** [nodes] the corner of its component: the first of its routers in the order of numbers; −1 where there is none. */
  readonly corner: Int32Array;
  /** Routers present, by rising label, component by component. */
  readonly order: Int32Array;
}

/** Labels a graph. Routers belong together when links that lead both ways join them. */
export function upDownLabels(graph: MeshGraph): UpDownLabels {
  const { nodes, present, next } = graph;
  const label = new Int32Array(nodes).fill(-1);
  const corner = new Int32Array(nodes).fill(-1);
  const queue = new Int32Array(nodes);
  let tail = 0;
  for (let start = 0; start < nodes; start++) {
    if (present[start] === 0 || label[start]! >= 0) continue;
    label[start] = 0;
    corner[start] = start;
    let head = tail;
    queue[tail++] = start;
    while (head < tail) {
      const node = queue[head++]!;
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        if (!isBothWays(graph, node, direction)) continue;
        const to = next[node * DIRECTIONS + direction]!;
        if (label[to]! >= 0) continue;
        label[to] = label[node]! + 1;
        corner[to] = start;
        queue[tail++] = to;
      }
    }
  }
  return { graph, label, corner, order: queue.slice(0, tail) };
}

/** Is the step from one router to the next an up step? Both are of one component. */
export function isUp({ label }: UpDownLabels, from: number, to: number): boolean {
  return label[to]! < label[from]!;
}

/** The ways to one router. */
export interface Column {
  /** [nodes] output port: a direction, LOCAL at the target, {@link NO_ROUTE} where no way leads. */
  readonly port: Uint8Array;
  /** [nodes] links to cross; −1 where no way leads. */
  readonly hops: Int32Array;
}

/**
 * The next hop from every router to a target: down the shortest way where it can be reached by going down alone, else up
 * so that the whole way is shortest; of equals the first port. Where a packet came from does not matter: one that came
 * down goes on down, since its target could be reached so from where it came. Where all links lead both ways, no way that
 * goes up first and then down is shorter; with links that lead one way only, some may be.
 *
 * Takes O(nodes).
 */
export function columnTo(labels: UpDownLabels, target: number, hops: Int32Array = new Int32Array(labels.graph.nodes)): Column {
  const { graph, label, corner, order } = labels;
  const { next } = graph;
  const port = new Uint8Array(graph.nodes).fill(NO_ROUTE);
  hops.fill(-1);
  if (label[target]! < 0) return { port, hops };
  const here = corner[target]!;
  port[target] = LOCAL;
  hops[target] = 0;
  const best = (node: number, up: boolean): void => {
    let fewest = 0x7fffffff;
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      const to = next[node * DIRECTIONS + direction]!;
      if (to < 0 || corner[to] !== here || label[to]! < label[node]! !== up || hops[to]! < 0 || hops[to]! >= fewest) continue;
      fewest = hops[to]!;
      port[node] = direction;
    }
    if (fewest < 0x7fffffff) hops[node] = fewest + 1;
  };
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at]!;
    if (corner[node] === here && label[node]! < label[target]!) best(node, false);
  }
  for (const node of order) if (corner[node] === here && hops[node]! < 0) best(node, true);
  return { port, hops };
}

/**
 * The shortest legal way from a root to every router, one parent each: up first, then down. Only links that lead both
 * ways are used, so that the mirror of the tree (every way reversed, which is again up first, then down) is legal too.
 *
 * @param from the tree stays within routers `from` to `to` − 1: those of a die of a wafer
 * @returns [nodes] input port through which the tree enters a router; LOCAL at the root, {@link NO_ROUTE} where none leads
 */
export function treeFrom(labels: UpDownLabels, root: number, from = 0, to = labels.graph.nodes): Uint8Array {
  const { graph, label, corner, order } = labels;
  const { next } = graph;
  const entry = new Uint8Array(graph.nodes).fill(NO_ROUTE);
  if (label[root]! < 0) return entry;
  const here = corner[root]!;
  const hops = new Int32Array(graph.nodes).fill(-1);
  entry[root] = LOCAL;
  hops[root] = 0;
  /** Enters a router by the shortest way from the routers after it (an up step) or before it (a down step). */
  const enter = (node: number, up: boolean): void => {
    let fewest = 0x7fffffff;
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      if (!isBothWays(graph, node, direction)) continue;
      const before = next[node * DIRECTIONS + direction]!;
      if (label[before]! > label[node]! !== up || hops[before]! < 0 || hops[before]! >= fewest) continue;
      fewest = hops[before]!;
      entry[node] = direction;
    }
    if (fewest < 0x7fffffff) hops[node] = fewest + 1;
  };
  for (let at = order.length - 1; at >= 0; at--) {
    const node = order[at]!;
    if (corner[node] === here && label[node]! < label[root]! && node >= from && node < to) enter(node, true);
  }
  for (const node of order) if (corner[node] === here && hops[node]! < 0 && node >= from && node < to) enter(node, false);
  return entry;
}

/**
 * What up*\/down* permits: everything but going up after having come down, and turning back.
 *
 * @returns [nodes × 4] by the direction in which a packet arrives at a router: bits of the directions in which it may go on
 */
export function permittedTurns(labels: UpDownLabels): Uint8Array {
  const { graph, corner } = labels;
  const { nodes, next } = graph;
  const turns = new Uint8Array(nodes * DIRECTIONS);
  for (let from = 0; from < nodes; from++) {
    for (let travel = 0; travel < DIRECTIONS; travel++) {
      const node = next[from * DIRECTIONS + travel]!;
      if (node < 0 || corner[node] !== corner[from]) continue;
      const cameDown = !isUp(labels, from, node);
      let onward = 0;
      for (let direction = 0; direction < DIRECTIONS; direction++) {
        const to = next[node * DIRECTIONS + direction]!;
        if (to < 0 || corner[to] !== corner[node] || direction === opposite(travel)) continue;
        if (cameDown && isUp(labels, node, to)) continue;
        onward |= 1 << direction;
      }
      turns[node * DIRECTIONS + travel] = onward;
    }
  }
  return turns;
}
