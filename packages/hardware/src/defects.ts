import { dieIdOf, dieOfTile, dieXY, dies, tileIdOf, tiles, tilesPerDie, tileXYOnDie, tileXYOnWafer, tileIdOnWafer } from './coordinates.ts';
import type { DirectionName, Hardware } from './spec.ts';

/** The directions of a mesh in the order of a router's ports: an even one and the next are opposite. */
export const directions = ['east', 'west', 'north', 'south'] as const satisfies readonly DirectionName[];

/** Steps on the grid, in the order of {@link directions}: x grows east, y south. */
const steps = [[1, 0], [-1, 0], [0, -1], [0, 1]] as const;

/** What is missing, ready to be asked: a machine without defects shares one empty answer. */
interface Defects {
  readonly tiles: ReadonlySet<number>;
  readonly dies: ReadonlySet<number>;
  /** tile × 4 + direction, directed; links of absent tiles are not listed. */
  readonly links: ReadonlySet<number>;
  /** die × 4 + direction, directed, between the routers of dies. */
  readonly hubLinks: ReadonlySet<number>;
}

const none: Defects = { tiles: new Set(), dies: new Set(), links: new Set(), hubLinks: new Set() };

/** By the list of defects in the machine, which nobody changes once it has been checked; the same list may lie in a copy of the machine with another grid. */
const known = new WeakMap<object, { diesX: number; diesY: number; tilesX: number; tilesY: number; shape: string | undefined; defects: Defects }>();

function defectsOf(hardware: Hardware): Defects {
  const { defects: list, wafer, die, d2d } = hardware;
  if (list === undefined) return none;
  const entry = known.get(list);
  if (entry !== undefined && entry.diesX === wafer.diesX && entry.diesY === wafer.diesY && entry.tilesX === die.tilesX && entry.tilesY === die.tilesY && entry.shape === d2d?.shape) {
    return entry.defects;
  }
  const defects = collect(hardware);
  known.set(list, { ...wafer, ...die, shape: d2d?.shape, defects });
  return defects;
}

function collect(hardware: Hardware): Defects {
  const { dies: namedDies = [], tiles: namedTiles = [], links = [] } = hardware.defects!;
  const found = { tiles: new Set<number>(), dies: new Set<number>(), links: new Set<number>(), hubLinks: new Set<number>() };
  const dieId = (die: { x: number; y: number } = { x: 0, y: 0 }) => dieIdOf(hardware, die.x, die.y);
  for (const die of namedDies) found.dies.add(dieId(die));
  for (const { die, x, y } of namedTiles) found.tiles.add(tileIdOf(hardware, dieId(die), x, y));
  for (const { die, x, y, direction, bothWays = true } of links) {
    const d = directions.indexOf(direction);
    const hub = x === undefined || y === undefined;
    const from = hub ? dieId(die) : tileIdOf(hardware, dieId(die), x, y);
    const to = hub ? neighbouringDie(hardware, from, direction) : neighbouringTile(hardware, from, direction);
    const set = hub ? found.hubLinks : found.links;
    set.add(from * 4 + d);
    if (bothWays && to >= 0) set.add(to * 4 + (d ^ 1));
  }
  return found;
}

/** Whether anything is missing from the full grid. */
export function hasDefects({ defects }: Hardware): boolean {
  return defects !== undefined && (defects.dies?.length ?? 0) + (defects.tiles?.length ?? 0) + (defects.links?.length ?? 0) > 0;
}

/** Whether a die is absent, with all that is on it. */
export function isAbsentDie(hardware: Hardware, dieId: number): boolean {
  return defectsOf(hardware).dies.has(dieId);
}

/** Whether a tile is absent, with its router and all its links: by itself, or with its die. `tileId` is wafer-wide. */
export function isAbsentTile(hardware: Hardware, tileId: number): boolean {
  const { tiles: absent, dies: absentDies } = defectsOf(hardware);
  return absent.has(tileId) || (absentDies.size > 0 && absentDies.has(dieOfTile(hardware, tileId)));
}

/**
 * Whether the directed link from a tile to its neighbour is absent: named as a defect, or one of its ends is absent. The
 * neighbour may lie on the next die (`edge`). False where a full grid has no link either: at the rim of the wafer, and at
 * the edge of a die whose dies are joined by hubs or not at all.
 */
export function isAbsentLink(hardware: Hardware, tileId: number, direction: DirectionName): boolean {
  if (hardware.defects === undefined) return false;
  const neighbour = neighbouringTile(hardware, tileId, direction);
  if (neighbour < 0) return false;
  return defectsOf(hardware).links.has(tileId * 4 + directions.indexOf(direction)) || isAbsentTile(hardware, tileId) || isAbsentTile(hardware, neighbour);
}

/** Whether the directed link from the router of a die to that of the next is absent (`hub`): named, or one of the dies is. False at the rim of the wafer. */
export function isAbsentHubLink(hardware: Hardware, dieId: number, direction: DirectionName): boolean {
  if (hardware.defects === undefined) return false;
  const neighbour = neighbouringDie(hardware, dieId, direction);
  if (neighbour < 0) return false;
  return defectsOf(hardware).hubLinks.has(dieId * 4 + directions.indexOf(direction)) || isAbsentDie(hardware, dieId) || isAbsentDie(hardware, neighbour);
}

/** Ids of the tiles that were named as absent, wafer-wide, in their order; those of absent dies are not among them. */
export function absentTiles(hardware: Hardware): number[] {
  const { tiles: absent, dies: absentDies } = defectsOf(hardware);
  const ids = [...absent].sort((a, b) => a - b);
  return absentDies.size === 0 ? ids : ids.filter((tile) => !absentDies.has(dieOfTile(hardware, tile)));
}

/** The directed links between tiles that are there which were named as absent, in the order of their tiles and directions. */
export function absentLinks(hardware: Hardware): { readonly tile: number; readonly direction: DirectionName }[] {
  const links: { tile: number; direction: DirectionName }[] = [];
  for (const link of [...defectsOf(hardware).links].sort((a, b) => a - b)) {
    const [tile, direction] = [Math.floor(link / 4), directions[link % 4]!];
    if (!isAbsentTile(hardware, tile) && !isAbsentTile(hardware, neighbouringTile(hardware, tile, direction))) links.push({ tile, direction });
  }
  return links;
}

/** What is missing, counted; links are directed. */
export interface DefectCounts {
  readonly dies: number;
  /** Those of absent dies included. */
  readonly tiles: number;
  /** Between tiles, those of absent tiles included. */
  readonly links: number;
  /** Between the routers of dies, those of absent dies included. */
  readonly hubLinks: number;
}

/** Counts what is missing. */
export function countDefects(hardware: Hardware): DefectCounts {
  const { tiles: named, dies: absentDies, links, hubLinks } = defectsOf(hardware);
  const missing = new Set<number>(named);
  const perDie = tilesPerDie(hardware);
  for (const die of absentDies) for (let tile = die * perDie; tile < (die + 1) * perDie; tile++) missing.add(tile);
  const missingLinks = new Set<number>(links);
  for (const tile of missing) {
    directions.forEach((direction, d) => {
      const neighbour = neighbouringTile(hardware, tile, direction);
      if (neighbour < 0) return;
      missingLinks.add(tile * 4 + d);
      missingLinks.add(neighbour * 4 + (d ^ 1));
    });
  }
  const missingHubLinks = new Set<number>(hubLinks);
  for (const die of hardware.d2d?.shape === 'hub' ? absentDies : []) {
    directions.forEach((direction, d) => {
      const neighbour = neighbouringDie(hardware, die, direction);
      if (neighbour < 0) return;
      missingHubLinks.add(die * 4 + d);
      missingHubLinks.add(neighbour * 4 + (d ^ 1));
    });
  }
  return { dies: absentDies.size, tiles: missing.size, links: missingLinks.size, hubLinks: missingHubLinks.size };
}

/** Tiles of the wafer that are there. */
export function presentTiles(hardware: Hardware): number {
  return tiles(hardware) - countDefects(hardware).tiles;
}

/**
 * The tile that a link of the full grid leads to, or −1: beyond the rim of the wafer, and beyond the edge of a die unless
 * dies are joined edge to edge.
 */
export function neighbouringTile(hardware: Hardware, tileId: number, direction: DirectionName): number {
  const [dx, dy] = steps[directions.indexOf(direction)]!;
  const { tilesX, tilesY } = hardware.die;
  const { x, y } = tileXYOnDie(hardware, tileId);
  const inside = x + dx >= 0 && x + dx < tilesX && y + dy >= 0 && y + dy < tilesY;
  if (inside) return tileId + dy * tilesX + dx;
  if (hardware.d2d?.shape !== 'edge') return -1;
  const onWafer = tileXYOnWafer(hardware, tileId);
  const toX = onWafer.x + dx;
  const toY = onWafer.y + dy;
  if (toX < 0 || toY < 0 || toX >= hardware.wafer.diesX * tilesX || toY >= hardware.wafer.diesY * tilesY) return -1;
  return tileIdOnWafer(hardware, toX, toY);
}

/** The die beside a die, or −1 beyond the rim of the wafer. */
export function neighbouringDie(hardware: Hardware, dieId: number, direction: DirectionName): number {
  const [dx, dy] = steps[directions.indexOf(direction)]!;
  const { diesX } = hardware.wafer;
  const { x } = dieXY(hardware, dieId);
  if (x + dx < 0 || x + dx >= diesX) return -1;
  const die = dieId + dy * diesX + dx;
  return die < 0 || die >= dies(hardware) ? -1 : die;
}
