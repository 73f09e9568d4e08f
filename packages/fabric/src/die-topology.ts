import {
  creditCyclesOf, directions, edgeNodes, ejectionLinkOf, isAbsentLink, reductionOf, setupCyclesOf, tilesPerDie, virtualChannelsOf, type EdgeNode, type Hardware, type ReductionSpec,
} from '@kerf/hardware';
import { FabricError } from './errors.ts';
import { EJECTION, FROM_HUB, INJECTION, linkType, MESH, TILE_LINK, TO_HUB, type LinkType } from './link-type.ts';
import { DIRECTIONS, EAST, FIRST_GATEWAY, HUB, LOCAL, NORTH, opposite, PORT_STRIDE, SOUTH, WEST } from './ports.ts';
import { routeTable } from './routes/route-table.ts';
import type { RouteTable } from './routes/routes.ts';

/** `peer` of a port without a link. */
export const NO_LINK = -1;

/** `peer` of a port whose link crosses the edge of the die: direction and position on that edge. */
export function boundaryPeer(direction: number, position: number): number {
  return -2 - (direction * 65536 + position);
}

export function boundaryDirection(peer: number): number {
  return (-2 - peer) >>> 16;
}

export function boundaryPosition(peer: number): number {
  return (-2 - peer) & 65535;
}

/** The networks of a machine: the wide one, and a narrow one beside it for synchronisation. */
export type Network = 'wide' | 'sync';

/**
 * Routers, ports and links of one die. Tile routers come first, in the order of tile ids; `hub` hardware has the die's
 * router behind them. A port index is router × 8 + port; the die's router, being last, may have more than eight ports.
 */
export interface DieTopology {
  readonly dieId: number;
  readonly dieX: number;
  readonly dieY: number;
  readonly tiles: number;
  readonly routers: number;
  /** Row of the die's router, or −1. */
  readonly hubRouter: number;
  /** Port indices in all, unused ones included. */
  readonly ports: number;
  /** [routers] x | y << 16 on the wafer, in tiles; of the die's router in dies. */
  readonly coordinates: Int32Array;
  /** [ports] the port index at the other end of the link, {@link NO_LINK}, or a {@link boundaryPeer}. */
  readonly peer: Int32Array;
  /** [ports] row of `types` of the link that leaves there. */
  readonly type: Uint8Array;
  readonly types: readonly LinkType[];
  /** [tiles] which gateway (row of `gateways`) a tile uses on the way to and from other dies. */
  readonly gatewayOfTile: Uint8Array;
  /** Local tiles of the gateways. */
  readonly gateways: readonly number[];
  /** [4] does the die have a neighbour in that direction? */
  readonly hasNeighbour: readonly boolean[];
  /** [4][position] port index at the edge: of both the outgoing and the incoming lane. */
  readonly boundaryPorts: readonly Int32Array[];
  readonly flitBytes: number;
  readonly maxPacketBytes: number;
  readonly maxPacketFlits: number;
  readonly tilesX: number;
  readonly tilesY: number;
  readonly diesX: number;
  /** Tiles of all dies. */
  readonly waferTiles: number;
  /** Memory nodes of the die: they count after the tiles as sources and destinations, see {@link nodeId}. */
  readonly nodes: readonly EdgeNode[];
  /** [nodes] port index of each: a port of a tile at the edge that leads off the die. */
  readonly nodePorts: Int32Array;
  /** Does every node answer for all addresses, so that a tile uses the one of its column or row? */
  readonly columnAliasing: boolean;
  /** Virtual channels of each port and traffic class. */
  readonly virtualChannels: number;
  /** Cycles that a lane rests between the tail of one packet and the head of the next. */
  readonly setupCycles: number;
  readonly reduction: Readonly<Required<ReductionSpec>>;
  /** Null: along x, then along y. */
  readonly routes: RouteTable | null;
}

/** Inputs of a router. */
const ALL_INPUTS = 5;

/**
 * The machine's narrow network as if it were its wide one: a network of each die alone. Its routers join words of all inputs at once,
 * as the parallel reduction of collective-capable FlooNoC's narrow network does (arXiv 2603.26438), so that a join costs a step whatever
 * the number of inputs; software and pages of wide reductions do not show.
 */
function syncMachine(hardware: Hardware): Hardware {
  const { syncLink } = hardware;
  if (syncLink === undefined) throw new FabricError('FABRIC_BAD_OPTION', `The hardware "${hardware.name}" has no syncLink, so there is no narrow network.`, { network: 'sync' });
  const { d2d: _, memory, ejectionLink: __, ...rest } = hardware;
  const { edgeNodes: ___, ...channels } = memory ?? {};
  const { latencyCycles, tableEntries } = reductionOf(hardware);
  return { ...rest, link: syncLink, localLink: syncLink, reduction: { inputsPerCycle: ALL_INPUTS, latencyCycles, tableEntries }, d2d: null, memory: memory === null ? null : (channels as Hardware['memory']) };
}

/** Lays out the routers of one die of the hardware, for one of its networks. */
export function dieTopology(machine: Hardware, dieId: number, network: Network = 'wide'): DieTopology {
  const hardware = network === 'sync' ? syncMachine(machine) : machine;
  const { diesX, diesY } = hardware.wafer;
  const { tilesX, tilesY } = hardware.die;
  const tiles = tilesPerDie(hardware);
  const dieX = dieId % diesX;
  const dieY = Math.floor(dieId / diesX);
  const hub = hardware.d2d?.shape === 'hub' ? hardware.d2d : null;
  const routers = tiles + (hub === null ? 0 : 1);
  const gateways = hub === null ? [] : hub.gateways.map(({ x, y }) => y * tilesX + x);
  const ports = tiles * PORT_STRIDE + (hub === null ? 0 : FIRST_GATEWAY + gateways.length);
  const flitBytes = hardware.link.bytesPerCycle;
  const maxPacketBytes = hardware.link.maxPacketBytes;
  const maxPacketFlits = Math.ceil(maxPacketBytes / flitBytes);

  const types: LinkType[] = [
    linkType(MESH, hardware.link, flitBytes, maxPacketFlits),
    // A tile takes whatever arrives: ejection has no buffer that could run out.
    linkType(EJECTION, { ...hardware.localLink, credits: maxPacketFlits }, flitBytes, maxPacketFlits),
  ];
  const rowOf = (added: LinkType): number => types.push(added) - 1;
  const ejection = hardware.ejectionLink === undefined ? INJECTION : rowOf(linkType(EJECTION, { ...ejectionLinkOf(hardware), credits: maxPacketFlits }, flitBytes, maxPacketFlits));
  const dieLink = hardware.d2d === null ? -1 : rowOf(linkType(MESH, hardware.d2d.link, flitBytes, maxPacketFlits));
  const toHub = hub === null ? -1 : rowOf(linkType(TO_HUB, hub.gatewayLink, flitBytes, maxPacketFlits));
  const fromHub = hub === null ? -1 : rowOf(linkType(FROM_HUB, hub.gatewayLink, flitBytes, maxPacketFlits));

  const coordinates = new Int32Array(routers);
  const peer = new Int32Array(ports).fill(NO_LINK);
  const type = new Uint8Array(ports);
  const hasNeighbour = [dieX + 1 < diesX, dieX > 0, dieY > 0, dieY + 1 < diesY].map((neighbour) => neighbour && hardware.d2d !== null);
  const lanes = hub === null ? [tilesY, tilesY, tilesX, tilesX] : [1, 1, 1, 1];
  const boundaryPorts = lanes.map((count) => new Int32Array(count));

  for (let tile = 0; tile < tiles; tile++) {
    const x = tile % tilesX;
    const y = Math.floor(tile / tilesX);
    coordinates[tile] = (dieX * tilesX + x) | ((dieY * tilesY + y) << 16);
    const neighbours = [x + 1 < tilesX ? tile + 1 : -1, x > 0 ? tile - 1 : -1, y > 0 ? tile - tilesX : -1, y + 1 < tilesY ? tile + tilesX : -1];
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      const port = tile * PORT_STRIDE + direction;
      const neighbour = neighbours[direction]!;
      if (neighbour >= 0) {
        type[port] = TILE_LINK;
        // A link that leads one way only is kept: its credits go back on it, and no route leads the other way.
        if (!isCut(hardware, dieId, tile, neighbour, direction)) peer[port] = neighbour * PORT_STRIDE + opposite(direction);
      } else if (hub === null && hasNeighbour[direction]) {
        const position = direction === EAST || direction === WEST ? y : x;
        peer[port] = boundaryPeer(direction, position);
        type[port] = dieLink;
        boundaryPorts[direction]![position] = port;
      }
    }
    peer[tile * PORT_STRIDE + LOCAL] = NO_LINK;
    type[tile * PORT_STRIDE + LOCAL] = ejection;
  }

  const routes = routeTable(hardware, dieId);
  const gatewayOfTile = routes?.gatewayOfTile ?? new Uint8Array(tiles);
  if (hub !== null) {
    coordinates[tiles] = dieX | (dieY << 16);
    const base = tiles * PORT_STRIDE;
    gateways.forEach((tile, gateway) => {
      peer[tile * PORT_STRIDE + HUB] = base + FIRST_GATEWAY + gateway;
      type[tile * PORT_STRIDE + HUB] = toHub;
      peer[base + FIRST_GATEWAY + gateway] = tile * PORT_STRIDE + HUB;
      type[base + FIRST_GATEWAY + gateway] = fromHub;
    });
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      if (!hasNeighbour[direction]) continue;
      peer[base + direction] = boundaryPeer(direction, 0);
      type[base + direction] = dieLink;
      boundaryPorts[direction]![0] = base + direction;
    }
    if (routes === null) for (let tile = 0; tile < tiles; tile++) gatewayOfTile[tile] = nearestGateway(tile, gateways, tilesX);
  }

  const nodes = edgeNodes(hardware);
  const nodePorts = Int32Array.from(nodes, ({ edge, tile: { x, y } }) => {
    const port = (y * tilesX + x) * PORT_STRIDE + DIRECTION_OF_EDGE[edge];
    if (peer[port] !== NO_LINK || type[port] === ejection) {
      const message = `Tile (${x},${y}) has one port to the ${edge}, which is taken: memory nodes stand at edges without neighbouring dies, at most one at each tile.`;
      throw new FabricError('FABRIC_BAD_OPTION', message, { edge, x, y });
    }
    type[port] = ejection;
    return port;
  });

  return {
    waferTiles: tiles * diesX * diesY, nodes, nodePorts, columnAliasing: hardware.memory?.aliasing === 'column',
    virtualChannels: virtualChannelsOf(hardware), setupCycles: setupCyclesOf(hardware), reduction: reductionOf(hardware), routes,
    dieId, dieX, dieY, tiles, routers, hubRouter: hub === null ? -1 : tiles, ports, coordinates, peer, type, types, gatewayOfTile, gateways,
    hasNeighbour, boundaryPorts, flitBytes, maxPacketBytes, maxPacketFlits, tilesX, tilesY, diesX,
  };
}

/** Is the connection of two tiles of a die absent in both directions? */
function isCut(hardware: Hardware, dieId: number, tile: number, neighbour: number, direction: number): boolean {
  if (hardware.defects === undefined) return false;
  const first = dieId * tilesPerDie(hardware);
  return isAbsentLink(hardware, first + tile, directions[direction]!) && isAbsentLink(hardware, first + neighbour, directions[opposite(direction)]!);
}

const DIRECTION_OF_EDGE = { east: EAST, west: WEST, north: NORTH, south: SOUTH } as const;

/** A memory node of a die as source or destination, wafer-wide: nodes count after all tiles. */
export function nodeId({ waferTiles, nodes, dieId }: DieTopology, node: number): number {
  return waferTiles + dieId * nodes.length + node;
}

/**
 * The memory node that a tile reaches a channel of the die's memory through.
 *
 * @returns number of the node on the die
 */
export function edgeNodeOf({ nodes, columnAliasing, tilesX, tiles }: DieTopology, localTile: number, channel: number): number {
  if (nodes.length === 0 || localTile >= tiles) throw new FabricError('FABRIC_BAD_OPTION', `Tile ${localTile} has no memory node: nodes ${nodes.length}, tiles ${tiles}.`, { localTile, channel });
  const owner = Math.floor(channel / nodes[0]!.channels);
  if (!columnAliasing) {
    if (!(owner >= 0 && owner < nodes.length)) throw new FabricError('FABRIC_BAD_OPTION', `Memory channel ${channel} is none of the ${nodes.length * nodes[0]!.channels} of the die.`, { channel });
    return owner;
  }
  const x = localTile % tilesX;
  const y = Math.floor(localTile / tilesX);
  const own = nodes.filter(({ edge, first, tiles: count }) => {
    const along = edge === 'west' || edge === 'east' ? y : x;
    return along >= first && along < first + count;
  });
  return own[channel % own.length]!.node;
}

/** The gateway with the fewest links to cross; the first in the list among equals. */
function nearestGateway(tile: number, gateways: readonly number[], tilesX: number): number {
  let best = 0;
  let fewest = Infinity;
  gateways.forEach((at, gateway) => {
    const links = Math.abs((at % tilesX) - (tile % tilesX)) + Math.abs(Math.floor(at / tilesX) - Math.floor(tile / tilesX));
    if (links < fewest) [best, fewest] = [gateway, links];
  });
  return best;
}

/** Fewest cycles that anything needs from one die to the next: the lookahead. Infinity with a single die. */
export function dieLinkCycles(hardware: Hardware): number {
  return hardware.d2d === null ? Infinity : Math.min(hardware.d2d.link.cycles, creditCyclesOf(hardware.d2d.link));
}

