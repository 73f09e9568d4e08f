import { tilesPerDie, type Hardware } from '@kerf/hardware';
import { EJECTION, FROM_HUB, linkType, MESH, TO_HUB, type LinkType } from './link-type.ts';
import { DIRECTIONS, EAST, FIRST_GATEWAY, HUB, LOCAL, opposite, PORT_STRIDE, WEST } from './ports.ts';

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
}

/** Lays out the routers of one die of the hardware. */
export function dieTopology(hardware: Hardware, dieId: number): DieTopology {
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
  if (hardware.d2d !== null) types.push(linkType(MESH, hardware.d2d.link, flitBytes, maxPacketFlits));
  if (hub !== null) {
    types.push(linkType(TO_HUB, hub.gatewayLink, flitBytes, maxPacketFlits), linkType(FROM_HUB, hub.gatewayLink, flitBytes, maxPacketFlits));
  }
  const MESH_LINK = 0;
  const EJECTION_LINK = 1;
  const DIE_LINK = 2;
  const TO_HUB_LINK = 3;
  const FROM_HUB_LINK = 4;

  const coordinates = new Int32Array(routers);
  const peer = new Int32Array(ports).fill(NO_LINK);
  const type = new Uint8Array(ports);
  const hasNeighbour = [dieX + 1 < diesX, dieX > 0, dieY > 0, dieY + 1 < diesY];
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
        peer[port] = neighbour * PORT_STRIDE + opposite(direction);
        type[port] = MESH_LINK;
      } else if (hub === null && hasNeighbour[direction]) {
        const position = direction === EAST || direction === WEST ? y : x;
        peer[port] = boundaryPeer(direction, position);
        type[port] = DIE_LINK;
        boundaryPorts[direction]![position] = port;
      }
    }
    peer[tile * PORT_STRIDE + LOCAL] = NO_LINK;
    type[tile * PORT_STRIDE + LOCAL] = EJECTION_LINK;
  }

  const gatewayOfTile = new Uint8Array(tiles);
  if (hub !== null) {
    coordinates[tiles] = dieX | (dieY << 16);
    const base = tiles * PORT_STRIDE;
    gateways.forEach((tile, gateway) => {
      peer[tile * PORT_STRIDE + HUB] = base + FIRST_GATEWAY + gateway;
      type[tile * PORT_STRIDE + HUB] = TO_HUB_LINK;
      peer[base + FIRST_GATEWAY + gateway] = tile * PORT_STRIDE + HUB;
      type[base + FIRST_GATEWAY + gateway] = FROM_HUB_LINK;
    });
    for (let direction = 0; direction < DIRECTIONS; direction++) {
      if (!hasNeighbour[direction]) continue;
      peer[base + direction] = boundaryPeer(direction, 0);
      type[base + direction] = DIE_LINK;
      boundaryPorts[direction]![0] = base + direction;
    }
    for (let tile = 0; tile < tiles; tile++) gatewayOfTile[tile] = nearestGateway(tile, gateways, tilesX);
  }

  return {
    dieId, dieX, dieY, tiles, routers, hubRouter: hub === null ? -1 : tiles, ports, coordinates, peer, type, types, gatewayOfTile, gateways,
    hasNeighbour, boundaryPorts, flitBytes, maxPacketBytes, maxPacketFlits, tilesX, tilesY, diesX,
  };
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
  return hardware.d2d === null ? Infinity : hardware.d2d.link.cycles;
}

