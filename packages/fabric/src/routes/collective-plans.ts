import { dies, tilesPerDie, type Hardware } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import type { MulticastPlan, ReductionPlan } from '../fabric.ts';
import { DIRECTIONS, LOCAL, opposite } from '../ports.ts';
import { damageOf } from './damage.ts';
import { xThenY } from './dimension-order.ts';
import { dieName, tileName } from './names.ts';
import { damagedMeshes } from './route-table.ts';
import { localTilesOf, setName, type TileSet } from './tile-set.ts';
import { NO_ROUTE, treeFrom } from './up-down.ts';

/** `out` of a reduction plan where a router is not in the tree. */
export const NOT_IN_TREE = 255;

/** What a plan made of a set of tiles. */
export interface PlannedSet {
  /** Local tiles that take part, rising. */
  readonly tiles: readonly number[];
  /** Local tiles of the set that the die lacks; the tree goes around them. */
  readonly absent: readonly number[];
  /** The set, in messages. */
  readonly name: string;
}

export interface CollectiveOptions {
  /** `around` (default): absent tiles of the set are left out and the tree goes around them. `refuse`: they are an error. */
  readonly absentTiles?: 'around' | 'refuse';
}

/**
 * The tree of a multicast on one die: from the root along x, then along y. On a die with defects it is the tree of the
 * shortest ways that go up and then down ({@link treeFrom}), which has no other turns than the unicasts of its class.
 *
 * @param root local tile that sends; it receives its own copy only if it is in the set
 * @throws FabricError `FABRIC_EMPTY_SET`, `FABRIC_TILE_OFF_DIE`, `FABRIC_ABSENT_TILE` and `FABRIC_NO_TREE` (a tile that no legal way inside the die reaches)
 */
export function planMulticast(hardware: Hardware, dieId: number, root: number, receivers: TileSet, options: CollectiveOptions = {}): MulticastPlan & PlannedSet {
  const set = takePart(hardware, dieId, root, receivers, options);
  const forks = new Uint8Array(tilesPerDie(hardware) + (hardware.d2d?.shape === 'hub' ? 1 : 0));
  const { tilesX } = hardware.die;
  const step = [1, -1, -tilesX, tilesX];
  const entry = entries(hardware, dieId, root);
  for (const tile of set.tiles) {
    let port = LOCAL;
    for (let at = tile; ;) {
      const before = forks[at]!;
      forks[at] = before | (1 << port);
      // Routers in the tree are joined to the root already.
      if (before !== 0 || at === root) break;
      const from = entry(at);
      if (from === NO_ROUTE) throw noTree(hardware, dieId, root, tile, set.name);
      at += step[from]!;
      port = opposite(from);
    }
  }
  return { root, forks, receivers: set.tiles.length, ...set };
}

/** The input port through which a tree from `root` enters a router, if it does; NO_ROUTE where it cannot. */
function entries(hardware: Hardware, dieId: number, root: number): (at: number) => number {
  const meshes = damagedMeshes(hardware);
  const mesh = meshes === null ? null : meshes.wafer ?? meshes.die(dieId);
  const { tilesX } = hardware.die;
  if (mesh === null) {
    // The last step of the way there, seen from its end: along y unless the way has no part along y.
    return (at) => {
      const [dx, dy] = [(root % tilesX) - (at % tilesX), Math.floor(root / tilesX) - Math.floor(at / tilesX)];
      return dy === 0 ? xThenY(dx, 0) : xThenY(0, dy);
    };
  }
  const tiles = tilesPerDie(hardware);
  const first = meshes!.wafer === null ? 0 : dieId * tiles;
  const tree = treeFrom(mesh.labels, first + root, first, first + tiles);
  return (at) => tree[first + at]!;
}

/**
 * The tree of a reduction on one die: the mirror of the multicast from its root, so contributions go along y first, then
 * along x, and meet at the routers where the multicast would fork.
 *
 * @param root local tile that receives the result; it contributes only if it is in the set
 * @throws FabricError as {@link planMulticast}
 */
export function planReduction(hardware: Hardware, dieId: number, root: number, contributors: TileSet, options: CollectiveOptions = {}): ReductionPlan & PlannedSet {
  const { forks, receivers, ...rest } = planMulticast(hardware, dieId, root, contributors, options);
  const { tilesX } = hardware.die;
  const step = [1, -1, -tilesX, tilesX];
  const out = new Uint8Array(forks.length).fill(NOT_IN_TREE);
  out[root] = LOCAL;
  for (let router = 0; router < tilesPerDie(hardware); router++) {
    for (let port = 0; port < DIRECTIONS; port++) if ((forks[router]! >> port) % 2 === 1) out[router + step[port]!] = opposite(port);
  }
  return { ...rest, inputs: forks, out, contributors: receivers };
}

function takePart(hardware: Hardware, dieId: number, root: number, set: TileSet, { absentTiles = 'around' }: CollectiveOptions): PlannedSet {
  const perDie = tilesPerDie(hardware);
  if (!Number.isInteger(dieId) || dieId < 0 || dieId >= dies(hardware)) {
    throw new FabricError('FABRIC_TILE_OFF_WAFER', `Die ${dieId} is not on the wafer; its dies are 0 to ${dies(hardware) - 1}.`, { dieId });
  }
  if (!Number.isInteger(root) || root < 0 || root >= perDie) {
    throw new FabricError('FABRIC_TILE_OFF_DIE', `Root ${root} is not on the die; its tiles are 0 to ${perDie - 1}.`, { root });
  }
  const name = setName(set);
  const all = localTilesOf(hardware, set);
  const holes = damageOf(hardware)?.tiles.absent;
  const first = dieId * perDie;
  if (holes === undefined) return { tiles: all, absent: [], name };
  if (holes[first + root] === 1) {
    throw new FabricError('FABRIC_ABSENT_TILE', `Root ${tileName(hardware, first + root)} of the set ${name} is absent. Choose a root that is there.`, { root });
  }
  const absent = all.filter((tile) => holes[first + tile] === 1);
  const tiles = absent.length === 0 ? all : all.filter((tile) => holes[first + tile] === 0);
  if (absent.length > 0 && absentTiles === 'refuse') {
    const message = `The set ${name} has ${absent.length} absent ${absent.length === 1 ? 'tile' : 'tiles'}, the first ${tileName(hardware, first + absent[0]!)}. Choose a set without, or let the tree go around.`;
    throw new FabricError('FABRIC_ABSENT_TILE', message, { tiles: absent.length, first: absent[0]! });
  }
  if (tiles.length === 0) {
    throw new FabricError('FABRIC_EMPTY_SET', `Every tile of the set ${name} on ${dieName(hardware, dieId)} is absent; a collective needs at least one.`, { dieId });
  }
  return { tiles, absent, name };
}

function noTree(hardware: Hardware, dieId: number, root: number, tile: number, name: string): FabricError {
  const first = dieId * tilesPerDie(hardware);
  const message = `No tree for the set ${name}: tile ${tileName(hardware, first + tile)} cannot be reached from root ${tileName(hardware, first + root)} inside the die by a way that goes up first and then down. Choose another root or a smaller set.`;
  return new FabricError('FABRIC_NO_TREE', message, { root, tile });
}
