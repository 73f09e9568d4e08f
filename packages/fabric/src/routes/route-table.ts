import { tilesPerDie, type Hardware } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import { FIRST_GATEWAY, LOCAL } from '../ports.ts';
import { damageOf, holesOfDie, type Damage } from './damage.ts';
import { xThenY, yThenX } from './dimension-order.ts';
import { meshGraph, type MeshGraph } from './mesh-graph.ts';
import type { RouteTable } from './routes.ts';
import { columnTo, NO_ROUTE, upDownLabels, type UpDownLabels } from './up-down.ts';

/** Routers that up*\/down* routing takes on at most: those of a die on `hub` hardware, of the wafer otherwise. A column of a table takes about 20 ms then. */
export const MAX_DAMAGED_ROUTERS = 2 ** 20;

/** Memory for columns of route tables of one mesh, bytes. What does not fit is worked out again when it is needed. */
export const COLUMN_BYTES = 2 ** 28;

/** Next hops on one die of a wafer with defects. It depends on nothing but the hardware. */
export interface DamagedRoutes extends RouteTable {
  /** [tiles] the gateway (its place in `d2d.gateways`) that a tile uses on the way to and from other dies: the one with the shortest way; 255 for an absent tile and where there is none. */
  readonly gatewayOfTile: Uint8Array;
}

/** Columns of one mesh with defects, worked out when first asked for. */
export class Columns {
  readonly labels: UpDownLabels;
  readonly #columns: (Uint8Array | undefined)[] = [];
  readonly #kept: number[] = [];
  readonly #limit: number;
  readonly #hops: Int32Array;
  #oldest = 0;

  constructor(graph: MeshGraph, bytes = COLUMN_BYTES) {
    this.labels = upDownLabels(graph);
    this.#limit = Math.max(64, Math.floor(bytes / graph.nodes));
    this.#hops = new Int32Array(graph.nodes);
  }

  /** Columns in memory. */
  get kept(): number {
    return this.#kept.length;
  }

  port(node: number, target: number): number {
    return (this.#columns[target] ?? this.column(target))[node]!;
  }

  /** [nodes] output ports toward a target. */
  column(target: number): Uint8Array {
    const known = this.#columns[target];
    if (known !== undefined) return known;
    const { port } = columnTo(this.labels, target, this.#hops);
    if (this.#kept.length < this.#limit) {
      this.#kept.push(target);
    } else {
      this.#columns[this.#kept[this.#oldest]!] = undefined;
      this.#kept[this.#oldest] = target;
      this.#oldest = (this.#oldest + 1) % this.#limit;
    }
    this.#columns[target] = port;
    return port;
  }
}

/** The meshes of a machine with defects: one for the wafer, or one for each die, and one for the routers of the dies. */
export interface DamagedMeshes {
  readonly damage: Damage;
  /** Where dies are joined edge to edge, or there is one: [wafer's tiles]; else null. */
  readonly wafer: Columns | null;
  /** Where they are not: of the tiles of a die; null where the die is whole or absent. */
  readonly die: (dieId: number) => Columns | null;
  /** `hub`: of the routers of the dies. */
  readonly hubs: Columns | null;
  /** `hub`: of a die, [tiles] see {@link DamagedRoutes.gatewayOfTile}. */
  readonly gateways: (dieId: number) => Uint8Array;
}

/** Do routes of tiles end at the edge of their die? They do with routers of dies between, and in a network of each die alone. */
export function areDiesApart({ wafer, d2d }: Hardware): boolean {
  return d2d?.shape === 'hub' || (d2d === null && wafer.diesX * wafer.diesY > 1);
}

const known = new WeakMap<Hardware, DamagedMeshes | null>();

/**
 * The meshes that up*\/down* routing is worked out on; null where the hardware is whole.
 *
 * @throws FabricError `FABRIC_MESH_TOO_LARGE`
 */
export function damagedMeshes(hardware: Hardware): DamagedMeshes | null {
  let meshes = known.get(hardware);
  if (meshes === undefined) {
    const damage = damageOf(hardware);
    meshes = damage === null ? null : areDiesApart(hardware) ? dieMeshes(hardware, damage) : waferMesh(hardware, damage);
    known.set(hardware, meshes);
  }
  return meshes;
}

function checkSize(routers: number, of: string): void {
  if (routers <= MAX_DAMAGED_ROUTERS) return;
  const message = `Routes around defects are worked out on meshes of at most ${MAX_DAMAGED_ROUTERS} routers, and ${of} has ${routers}. Use fewer tiles, or a machine without defects.`;
  throw new FabricError('FABRIC_MESH_TOO_LARGE', message, { routers, most: MAX_DAMAGED_ROUTERS });
}

function waferMesh(hardware: Hardware, damage: Damage): DamagedMeshes {
  const { wafer, die } = hardware;
  const width = wafer.diesX * die.tilesX;
  const height = wafer.diesY * die.tilesY;
  checkSize(width * height, wafer.diesX * wafer.diesY === 1 ? 'this die' : 'this wafer');
  return { damage, wafer: new Columns(meshGraph(width, height, damage.tiles, tileNumbers(hardware))), die: () => null, hubs: null, gateways: () => new Uint8Array(0) };
}

function dieMeshes(hardware: Hardware, damage: Damage): DamagedMeshes {
  const { tilesX, tilesY } = hardware.die;
  const { diesX, diesY } = hardware.wafer;
  checkSize(tilesX * tilesY, 'each die of this wafer');
  const meshes: (Columns | null)[] = [];
  const die = (dieId: number): Columns | null => (meshes[dieId] ??=
    damage.damagedDie[dieId] === 0 ? null : new Columns(meshGraph(tilesX, tilesY, holesOfDie(hardware, damage, dieId), (x, y) => y * tilesX + x)));
  const known: Uint8Array[] = [];
  const gateways = (dieId: number): Uint8Array => (known[dieId] ??= gatewaysOfTiles(hardware, damage, die(dieId), dieId));
  return { damage, wafer: null, die, gateways, hubs: hardware.d2d === null ? null : new Columns(meshGraph(diesX, diesY, damage.dies, (x, y) => y * diesX + x)) };
}

/** Tile ids by coordinates on the wafer, without the checks and objects of the public function: it is asked for every link. */
export function tileNumbers({ wafer, die }: Hardware): (x: number, y: number) => number {
  const { diesX } = wafer;
  const { tilesX, tilesY } = die;
  if (diesX * wafer.diesY === 1) return (x, y) => y * tilesX + x;
  const xOffset = Uint32Array.from({ length: diesX * tilesX }, (_, x) => Math.floor(x / tilesX) * tilesX * tilesY + (x % tilesX));
  const yOffset = Uint32Array.from({ length: wafer.diesY * tilesY }, (_, y) => Math.floor(y / tilesY) * diesX * tilesX * tilesY + (y % tilesY) * tilesX);
  return (x, y) => xOffset[x]! + yOffset[y]!;
}

/**
 * The routes of one die; null where the wafer has no defects, and dimension order holds. Tables of the dies of one machine
 * share what they work out.
 *
 * @throws FabricError `FABRIC_MESH_TOO_LARGE`
 */
export function routeTable(hardware: Hardware, dieId: number): DamagedRoutes | null {
  const meshes = damagedMeshes(hardware);
  if (meshes === null) return null;
  const tiles = tilesPerDie(hardware);
  const { wafer, hubs } = meshes;
  if (wafer !== null) {
    const first = dieId * tiles;
    return {
      port: (router, target) => wafer.port(first + router, target),
      reaches: (router, target) => wafer.port(first + router, target) !== NO_ROUTE,
      gatewayOfTile: new Uint8Array(tiles),
    };
  }
  const mesh = meshes.die(dieId);
  const { tilesX } = hardware.die;
  const gatewayOfTile = meshes.gateways(dieId);
  const { absent } = meshes.damage.tiles;
  const inside = (router: number, target: number, back: boolean): number => {
    if (mesh !== null) return mesh.port(router, target);
    return (back ? yThenX : xThenY)((target % tilesX) - (router % tilesX), Math.floor(target / tilesX) - Math.floor(router / tilesX));
  };
  return {
    port: (router, target, back = false) => {
      if (router < tiles) return inside(router, target % tiles, back);
      const direction = hubs!.port(dieId, Math.floor(target / tiles));
      return direction === LOCAL ? FIRST_GATEWAY + gatewayOfTile[target % tiles]! : direction;
    },
    reaches: (router, target) => {
      const targetDie = Math.floor(target / tiles);
      if (absent[dieId * tiles + router] === 1 || absent[target] === 1) return false;
      if (targetDie === dieId) return inside(router, target % tiles, false) !== NO_ROUTE;
      return gatewayOfTile[router] !== NO_GATEWAY && hubs !== null && hubs.port(dieId, targetDie) !== NO_ROUTE && meshes.gateways(targetDie)[target % tiles] !== NO_GATEWAY;
    },
    gatewayOfTile,
  };
}

/** Instead of a gateway: a tile has none. */
export const NO_GATEWAY = 255;

function gatewaysOfTiles(hardware: Hardware, damage: Damage, mesh: Columns | null, dieId: number): Uint8Array {
  const tiles = tilesPerDie(hardware);
  const { tilesX } = hardware.die;
  const nearest = new Uint8Array(tiles).fill(NO_GATEWAY);
  if (hardware.d2d?.shape !== 'hub' || damage.dies.absent[dieId] === 1) return nearest;
  const fewest = new Int32Array(tiles).fill(0x7fffffff);
  for (const [gateway, { x, y }] of hardware.d2d.gateways.entries()) {
    const hops = mesh === null ? null : columnTo(mesh.labels, y * tilesX + x).hops;
    for (let tile = 0; tile < tiles; tile++) {
      const links = hops === null ? Math.abs(x - (tile % tilesX)) + Math.abs(y - Math.floor(tile / tilesX)) : hops[tile]!;
      if (links < 0 || links >= fewest[tile]!) continue;
      fewest[tile] = links;
      nearest[tile] = gateway;
    }
  }
  return nearest;
}
