import { FabricError } from './errors.ts';

/** Flits of one packet: the payload cut to flits, at least one; headers have wires of their own. */
export function flitsOf(payloadBytes: number, flitBytes: number): number {
  if (!Number.isSafeInteger(payloadBytes) || payloadBytes < 0) {
    throw new FabricError('FABRIC_BAD_PAYLOAD', `A packet payload is a whole number of bytes ≥ 0, got ${payloadBytes}.`, { payloadBytes });
  }
  return Math.max(1, Math.ceil(payloadBytes / flitBytes));
}

/**
 * Cycles from the injection of a packet until its last flit is at the destination tile, in an idle mesh of equal links:
 * injection link + hops × link latency + ejection link + (flits − 1).
 *
 * @param links links crossed between routers, ≥ 0; a tile sending to itself crosses none
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), ch. 3
 */
export function zeroLoadCycles(links: number, flits: number, linkCycles: number, localCycles: number): number {
  return 2 * localCycles + links * linkCycles + flits - 1;
}

/**
 * A lower bound on the cycles in which given flows can cross a mesh with dimension-order routing: the flits of the
 * busiest link. `flows` are [fromX, fromY, toX, toY, flits] in rows.
 */
export function busiestLinkFlits(width: number, height: number, flows: readonly (readonly [number, number, number, number, number])[]): number {
  const east = new Float64Array(width * height);
  const west = new Float64Array(width * height);
  const north = new Float64Array(width * height);
  const south = new Float64Array(width * height);
  for (const [fromX, fromY, toX, toY, flits] of flows) {
    for (let x = fromX; x < toX; x++) east[fromY * width + x]! += flits;
    for (let x = fromX; x > toX; x--) west[fromY * width + x]! += flits;
    for (let y = fromY; y < toY; y++) south[y * width + toX]! += flits;
    for (let y = fromY; y > toY; y--) north[y * width + toX]! += flits;
  }
  let most = 0;
  for (const links of [east, west, north, south]) for (const flits of links) most = Math.max(most, flits);
  return most;
}

/**
 * Cycles of a uniform all-to-all on a k × k mesh bounded by its bisection: every node sends `bytesPerNode` in equal parts
 * to all nodes, half of it crosses the k links of each direction. k × V / (4 B) for link bandwidth B.
 */
export function allToAllBisectionCycles(k: number, bytesPerNode: number, bytesPerCycle: number): number {
  return (k * bytesPerNode) / (4 * bytesPerCycle);
}
