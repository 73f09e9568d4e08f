import { dies, tilesPerDie, type Hardware } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import { tileName } from './names.ts';
import { damagedMeshes, NO_GATEWAY } from './route-table.ts';
import type { UpDownLabels } from './up-down.ts';

/**
 * Refuses a machine on which some tile cannot send to another.
 *
 * @throws FabricError `FABRIC_UNREACHABLE` with the tiles that are cut off
 */
export function checkReachable(hardware: Hardware): void {
  const cut = cutOffTiles(hardware);
  if (cut.length === 0) return;
  const shown = cut.slice(0, 8).map((tile) => tileName(hardware, tile)).join(', ');
  const more = cut.length > 8 ? ` and ${cut.length - 8} more` : '';
  const message = `The defects of ${hardware.name} cut ${cut.length === 1 ? 'a tile' : `${cut.length} tiles`} off from the rest: ${shown}${more}. Declare what no other tile can reach absent as well, or give it a link.`;
  throw new FabricError('FABRIC_UNREACHABLE', message, { tiles: cut.length, first: cut[0]! });
}

/** Tiles that are there and that some other cannot reach: all but those of the largest part that hangs together, in the order of their ids. */
export function cutOffTiles(hardware: Hardware): number[] {
  const meshes = damagedMeshes(hardware);
  if (meshes === null) return [];
  if (meshes.wafer !== null) return [...outsideLargest(meshes.wafer.labels)];
  const perDie = tilesPerDie(hardware);
  const { damage } = meshes;
  const { hubs } = meshes;
  const dieCutOff = hubs === null ? new Set<number>() : outsideLargest(hubs.labels);
  const oneDie = hubs === null || damage.dies.absent.filter((absent) => absent === 0).length === 1;
  const cut: number[] = [];
  for (let dieId = 0; dieId < dies(hardware); dieId++) {
    if (damage.dies.absent[dieId] === 1) continue;
    const mesh = meshes.die(dieId);
    const cutOff = mesh === null ? new Set<number>() : outsideLargest(mesh.labels);
    const gateways = meshes.gateways(dieId);
    for (let tile = 0; tile < perDie; tile++) {
      if (damage.tiles.absent[dieId * perDie + tile] === 1) continue;
      if (dieCutOff.has(dieId) || cutOff.has(tile) || (!oneDie && gateways[tile] === NO_GATEWAY)) cut.push(dieId * perDie + tile);
    }
  }
  return cut;
}

/** Routers outside the largest component; of equals the one with the first router is the largest. */
function outsideLargest({ corner }: UpDownLabels): Set<number> {
  const routers = new Map<number, number>();
  for (const at of corner) if (at >= 0) routers.set(at, (routers.get(at) ?? 0) + 1);
  let largest = -1;
  for (const [at, count] of routers) if (largest < 0 || count > routers.get(largest)!) largest = at;
  const outside = new Set<number>();
  for (let node = 0; node < corner.length; node++) if (corner[node]! >= 0 && corner[node] !== largest) outside.add(node);
  return outside;
}
