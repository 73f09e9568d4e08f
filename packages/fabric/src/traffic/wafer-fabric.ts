import { boundaryDirection, boundaryPosition } from '../die-topology.ts';
import type { Fabric } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { FROM_HUB, INJECTION, MESH, TILE_LINK, TO_HUB } from '../link-type.ts';
import { DIRECTIONS, FIRST_GATEWAY, HUB, LOCAL, opposite, PORT_STRIDE } from '../ports.ts';
import { xThenY } from '../routes/dimension-order.ts';
import type { PatternGrid } from './patterns.ts';

/**
 * The fabrics of all dies of a wafer in one process. Each die runs alone through a window as long as the link between dies;
 * what crosses is handed over between windows.
 */
export interface WaferFabric {
  /** In the order of die ids. */
  readonly fabrics: readonly Fabric[];
  /** Cycles that a die can run alone; {@link NEVER} on a single die. */
  readonly windowCycles: number;
  readonly tiles: number;
  readonly tilesPerDie: number;
  readonly grid: PatternGrid;
}

export function waferFabric(fabrics: Fabric | readonly Fabric[], absent?: Uint8Array): WaferFabric {
  const all = Array.isArray(fabrics) ? (fabrics as readonly Fabric[]) : [fabrics as Fabric];
  const { topology } = all[0]!;
  const { tilesX, tilesY, diesX, tiles: tilesPerDie } = topology;
  let windowCycles = NEVER;
  for (const { topology: die } of all) {
    for (const ports of die.boundaryPorts) for (const port of ports) if (die.peer[port]! < -1) windowCycles = Math.min(windowCycles, die.types[die.type[port]!]!.cycles, die.types[die.type[port]!]!.creditCycles);
  }
  return {
    fabrics: all,
    windowCycles,
    tiles: all.length * tilesPerDie,
    tilesPerDie,
    grid: {
      width: diesX * tilesX,
      height: (all.length / diesX) * tilesY,
      tileAt: (x, y) => (Math.floor(y / tilesY) * diesX + Math.floor(x / tilesX)) * tilesPerDie + (y % tilesY) * tilesX + (x % tilesX),
      ...(absent === undefined ? {} : { absent }),
    },
  };
}

/** Hands over what the dies sent to their neighbours in the last window. */
export function exchangeBoundaries({ fabrics }: WaferFabric): void {
  if (fabrics.length === 1) return;
  const { diesX } = fabrics[0]!.topology;
  const step = [1, -1, -diesX, diesX];
  for (const [die, fabric] of fabrics.entries()) {
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      if (!fabric.topology.hasNeighbour[direction]) continue;
      const neighbour = fabrics[die + step[direction]!]!;
      neighbour.acceptPackets(opposite(direction), fabric.packetsOut[direction]!);
      neighbour.acceptCredits(opposite(direction), fabric.creditsOut[direction]!);
      fabric.packetsOut[direction]!.clear();
      fabric.creditsOut[direction]!.clear();
    }
  }
}

/**
 * Cycles that the longest way over the wafer takes at most when nothing else is under way, without detours around defects: a
 * network that has been fed for so long is full.
 *
 * @param flits of a packet
 */
export function longestIdleCycles({ fabrics, grid }: WaferFabric, flits: number): number {
  const { topology } = fabrics[0]!;
  const { types, type, tilesX, tilesY, diesX, hubRouter } = topology;
  const diesY = fabrics.length / diesX;
  const crossings = diesX + diesY - 2;
  const slowest = (kinds: readonly number[]): number => Math.max(0, ...types.filter(({ kind }) => kinds.includes(kind)).map(({ cycles }) => cycles));
  const dieLink = crossings === 0 ? 0 : slowest([MESH]);
  const tileLink = types[TILE_LINK]!.cycles;
  const links = hubRouter < 0 ? grid.width + grid.height - 2 - crossings : 2 * (tilesX + tilesY - 2);
  const perFlit = Math.max(...types.map(({ flitNumerator, flitDenominator }) => flitNumerator / flitDenominator));
  return types[INJECTION]!.cycles + links * tileLink + crossings * dieLink + 2 * slowest([TO_HUB, FROM_HUB]) + types[type[LOCAL]!]!.cycles + Math.ceil(flits * perFlit);
}

/** Links that a packet crosses between routers, by the route that the fabric takes. */
export function linksBetween(wafer: WaferFabric): (from: number, to: number) => number {
  const { fabrics, tilesPerDie } = wafer;
  const { topology } = fabrics[0]!;
  const { tilesX, tilesY, diesX, gateways, gatewayOfTile, hubRouter } = topology;
  if (fabrics.some(({ topology: die }) => die.routes !== null)) return (from, to) => walkedLinks(wafer, from, to);
  if (hubRouter < 0) {
    const coordinates = new Int32Array(fabrics.length * tilesPerDie);
    for (let tile = 0; tile < coordinates.length; tile++) {
      const die = Math.floor(tile / tilesPerDie);
      const local = tile - die * tilesPerDie;
      coordinates[tile] = ((die % diesX) * tilesX + (local % tilesX)) | ((Math.floor(die / diesX) * tilesY + Math.floor(local / tilesX)) << 16);
    }
    return (from, to) => {
      const a = coordinates[from]!;
      const b = coordinates[to]!;
      return Math.abs((a & 0xffff) - (b & 0xffff)) + Math.abs((a >>> 16) - (b >>> 16));
    };
  }
  const inside = (from: number, to: number): number => Math.abs((from % tilesX) - (to % tilesX)) + Math.abs(Math.floor(from / tilesX) - Math.floor(to / tilesX));
  return (from, to) => {
    const fromDie = Math.floor(from / tilesPerDie);
    const toDie = Math.floor(to / tilesPerDie);
    const a = from % tilesPerDie;
    const b = to % tilesPerDie;
    if (fromDie === toDie) return inside(a, b);
    const dies = Math.abs((fromDie % diesX) - (toDie % diesX)) + Math.abs(Math.floor(fromDie / diesX) - Math.floor(toDie / diesX));
    return inside(a, gateways[gatewayOfTile[a]!]!) + 1 + dies + 1 + inside(gateways[gatewayOfTile[b]!]!, b);
  };
}

/** The way around defects, step by step. */
function walkedLinks({ fabrics, tilesPerDie }: WaferFabric, from: number, to: number): number {
  const { diesX, hubRouter, tiles } = fabrics[0]!.topology;
  const dieStep = [1, -1, -diesX, diesX];
  const toDie = Math.floor(to / tilesPerDie);
  let die = Math.floor(from / tilesPerDie);
  let router = from % tilesPerDie;
  let links = 0;
  for (;;) {
    const { routes, gatewayOfTile, gateways, peer } = fabrics[die]!.topology;
    const awayByHub = hubRouter >= 0 && die !== toDie && router !== hubRouter;
    const target = awayByHub ? die * tilesPerDie + gateways[gatewayOfTile[from % tilesPerDie]!]! : to;
    let port = LOCAL;
    if (routes !== null) {
      port = routes.port(router, target);
    } else if (router === hubRouter) {
      port = die === toDie ? FIRST_GATEWAY + gatewayOfTile[to % tilesPerDie]! : xThenY((toDie % diesX) - (die % diesX), Math.floor(toDie / diesX) - Math.floor(die / diesX));
    } else {
      const { tilesX } = fabrics[die]!.topology;
      const local = target % tilesPerDie;
      port = xThenY((local % tilesX) - (router % tilesX), Math.floor(local / tilesX) - Math.floor(router / tilesX));
    }
    if (router < tiles && port === LOCAL) {
      if (!awayByHub) return links;
      port = HUB;
    }
    if (links++ > 4 * fabrics.length * tilesPerDie) throw new Error(`The route from tile ${from} to tile ${to} does not end.`);
    const next = peer[router * PORT_STRIDE + port]!;
    if (next >= 0) {
      router = next >>> 3 >= tiles ? hubRouter : next >>> 3;
      continue;
    }
    const direction = boundaryDirection(next);
    die += dieStep[direction]!;
    const entry = fabrics[die]!.topology.boundaryPorts[opposite(direction)]![boundaryPosition(next)]!;
    router = entry >>> 3 >= tiles ? hubRouter : entry >>> 3;
  }
}
