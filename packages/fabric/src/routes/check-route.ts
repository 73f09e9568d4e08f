import { nodeId, type DieTopology } from '../die-topology.ts';
import { FabricError } from '../errors.ts';

/**
 * Refuses a packet that has no way around the defects of its wafer.
 *
 * @param from tile or memory node of the die, by number on it
 * @param to wafer-wide tile, or memory node of the die
 * @throws FabricError `FABRIC_UNREACHABLE`
 */
export function checkRoute(topology: DieTopology, from: number, to: number): void {
  const { routes, tiles, tilesX, waferTiles, dieId, nodePorts } = topology;
  if (routes === null) return;
  const source = from < tiles ? from : nodePorts[from - tiles]! >>> 3;
  const target = to < waferTiles ? to : dieId * tiles + (nodePorts[to - nodeId(topology, 0)]! >>> 3);
  if (routes.reaches(source, target)) return;
  const [x, y] = [source % tilesX, Math.floor(source / tilesX)];
  const [toX, toY] = [(target % tiles) % tilesX, Math.floor((target % tiles) / tilesX)];
  const message = `No way leads from tile (${x}, ${y}) of die ${dieId} to tile (${toX}, ${toY}) of die ${Math.floor(target / tiles)}: one of them is absent, or the defects of the wafer cut it off.`;
  throw new FabricError('FABRIC_UNREACHABLE', message, { from: dieId * tiles + source, to: target });
}
