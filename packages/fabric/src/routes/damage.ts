import { dieIdOf, dieOfTile, dies, directions, hasDefects, neighbouringDie, neighbouringTile, tileIdOf, tiles, tilesPerDie, type Hardware } from '@kerf/hardware';
import { opposite } from '../ports.ts';
import type { Holes } from './mesh-graph.ts';

/** What a machine lacks, by number. */
export interface Damage {
  /** Tiles of the wafer and the links that leave them; on `edge` hardware also those across the edges of dies. */
  readonly tiles: Holes;
  /** Dies, and on `hub` hardware the links between their routers. */
  readonly dies: Holes;
  /** [dies] 1 where a die is there but not all of its tiles and of the links inside it. */
  readonly damagedDie: Uint8Array;
}

const known = new WeakMap<Hardware, Damage | null>();

/** What the hardware lacks; null where it is whole. */
export function damageOf(hardware: Hardware): Damage | null {
  let damage = known.get(hardware);
  if (damage === undefined) {
    damage = findDamage(hardware);
    known.set(hardware, damage);
  }
  return damage;
}

function findDamage(hardware: Hardware): Damage | null {
  const { defects } = hardware;
  if (defects === undefined || !hasDefects(hardware)) return null;
  const perDie = tilesPerDie(hardware);
  const all = dies(hardware);
  const absentTile = new Uint8Array(tiles(hardware));
  const absentTileLinks = new Uint8Array(absentTile.length);
  const absentDie = new Uint8Array(all);
  const absentDieLinks = new Uint8Array(all);
  const damagedDie = new Uint8Array(all);
  const dieOf = (die: { x: number; y: number } | undefined): number => (die === undefined ? 0 : dieIdOf(hardware, die.x, die.y));

  for (const { x, y } of defects.dies ?? []) {
    const die = dieIdOf(hardware, x, y);
    absentDie[die] = 1;
    absentTile.fill(1, die * perDie, (die + 1) * perDie);
  }
  for (const { die, x, y } of defects.tiles ?? []) {
    absentTile[tileIdOf(hardware, dieOf(die), x, y)] = 1;
    damagedDie[dieOf(die)] = 1;
  }
  for (const { die, x, y, direction, bothWays } of defects.links ?? []) {
    const out = directions.indexOf(direction);
    const betweenDies = x === undefined || y === undefined;
    const holes = betweenDies ? absentDieLinks : absentTileLinks;
    const from = betweenDies ? dieOf(die) : tileIdOf(hardware, dieOf(die), x, y);
    const to = betweenDies ? neighbouringDie(hardware, from, direction) : neighbouringTile(hardware, from, direction);
    if (to < 0) continue; // between dies, in a network of each die alone
    holes[from]! |= 1 << out;
    if (bothWays !== false) holes[to]! |= 1 << opposite(out);
    if (!betweenDies && dieOfTile(hardware, to) === dieOf(die)) damagedDie[dieOf(die)] = 1;
  }
  for (let die = 0; die < all; die++) if (absentDie[die] === 1) damagedDie[die] = 0;
  return { tiles: { absent: absentTile, absentLinks: absentTileLinks }, dies: { absent: absentDie, absentLinks: absentDieLinks }, damagedDie };
}

/** The part of a die in what the wafer lacks. */
export function holesOfDie(hardware: Hardware, damage: Damage, dieId: number): Holes {
  const from = dieId * tilesPerDie(hardware);
  const to = from + tilesPerDie(hardware);
  return { absent: damage.tiles.absent.subarray(from, to), absentLinks: damage.tiles.absentLinks.subarray(from, to) };
}
