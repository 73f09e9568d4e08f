import { dieIdOf, dieOfTile, dies, tileIdOf, tiles, dieXY } from './coordinates.ts';
import { directions, neighbouringDie, neighbouringTile, presentTiles } from './defects.ts';
import type { Refuse } from './errors.ts';
import type { Hardware } from './spec.ts';

type Die = { readonly x: number; readonly y: number } | undefined;

/** Defects must be on the wafer, be named once, and leave the machine something to work with. */
export function checkDefects(hardware: Hardware, refuse: Refuse): void {
  const { defects } = hardware;
  if (defects === undefined) return;
  const { diesX, diesY } = hardware.wafer;
  const { tilesX, tilesY } = hardware.die;
  const seen = new Map<string, string>();

  const once = (thing: string, path: string, got: string) => {
    const first = seen.get(thing);
    if (first !== undefined) refuse('HARDWARE_BAD_DEFECT', path, 'named once', got, `${first} is the same.`);
    seen.set(thing, path);
  };
  const onWafer = (die: { x: number; y: number }, path: string) => {
    if (die.x < diesX && die.y < diesY) return;
    refuse('HARDWARE_BAD_DEFECT', path, `a die of the wafer, x from 0 to ${diesX - 1} and y from 0 to ${diesY - 1}`, `(${die.x}, ${die.y})`, 'A defect is something that the full grid has.');
  };
  const dieId = (die: Die, path: string): number => {
    if (die === undefined) {
      if (dies(hardware) > 1) refuse('HARDWARE_BAD_DEFECT', `${path}.die`, 'an object { "x": …, "y": … }', 'nothing', `The wafer has ${dies(hardware)} dies; only on one die can it be left out.`);
      return 0;
    }
    onWafer(die, `${path}.die`);
    return dieIdOf(hardware, die.x, die.y);
  };
  const onDie = (x: number, y: number, path: string) => {
    if (x < tilesX && y < tilesY) return;
    refuse('HARDWARE_BAD_DEFECT', path, `a tile of the die, x from 0 to ${tilesX - 1} and y from 0 to ${tilesY - 1}`, `(${x}, ${y})`, 'A defect is something that the full grid has.');
  };

  for (const [index, die] of (defects.dies ?? []).entries()) {
    const path = `defects.dies.${index}`;
    onWafer(die, path);
    once(`die ${dieIdOf(hardware, die.x, die.y)}`, path, `die (${die.x}, ${die.y})`);
  }
  const gateways = hardware.d2d?.shape === 'hub' ? hardware.d2d.gateways : [];
  for (const [index, { die, x, y }] of (defects.tiles ?? []).entries()) {
    const path = `defects.tiles.${index}`;
    const id = dieId(die, path);
    onDie(x, y, path);
    once(`tile ${tileIdOf(hardware, id, x, y)}`, path, `tile (${x}, ${y})${ofDie(hardware, id)}`);
    const gateway = gateways.findIndex((at) => at.x === x && at.y === y);
    if (gateway >= 0) {
      refuse('HARDWARE_BAD_DEFECT', path, 'no gateway of its die', `tile (${x}, ${y})${ofDie(hardware, id)}`, `It is d2d.gateways.${gateway}; a die needs all of its gateways, or it is absent as a whole.`);
    }
  }
  for (const [index, { die, x, y, direction, bothWays = true }] of (defects.links ?? []).entries()) {
    const path = `defects.links.${index}`;
    const id = dieId(die, path);
    const d = directions.indexOf(direction);
    if (x === undefined || y === undefined) {
      if (x !== y) refuse('HARDWARE_BAD_DEFECT', path, 'a link with both x and y, or neither', x === undefined ? `y = ${y}` : `x = ${x}`, 'Without both it is the link between the routers of two dies.');
      if (hardware.d2d?.shape !== 'hub') refuse('HARDWARE_BAD_DEFECT', path, 'a link from a tile, with x and y', 'neither', 'Only where d2d.shape is "hub" have dies routers of their own, with links between them.');
      const to = neighbouringDie(hardware, id, direction);
      const { x: dieX, y: dieY } = dieXY(hardware, id);
      const got = `${direction} of die (${dieX}, ${dieY})`;
      if (to < 0) refuse('HARDWARE_BAD_DEFECT', path, 'a link of the full grid', got, 'It leads off the wafer.');
      once(`hub ${id * 4 + d}`, path, got);
      if (bothWays) once(`hub ${to * 4 + (d ^ 1)}`, path, got);
      continue;
    }
    onDie(x, y, path);
    const tile = tileIdOf(hardware, id, x, y);
    const to = neighbouringTile(hardware, tile, direction);
    const got = `${direction} of tile (${x}, ${y})${ofDie(hardware, id)}`;
    if (to < 0) refuse('HARDWARE_BAD_DEFECT', path, 'a link of the full grid', got, leadsNowhere(hardware, tile, direction));
    once(`link ${tile * 4 + d}`, path, got);
    if (bothWays) once(`link ${to * 4 + (d ^ 1)}`, path, got);
  }
  if (presentTiles(hardware) === 0) refuse('HARDWARE_BAD_DEFECT', 'defects', 'fewer: at least one tile must be left', `all ${tiles(hardware)} tiles absent`, 'Nothing would run there.');
}

function leadsNowhere(hardware: Hardware, tile: number, direction: (typeof directions)[number]): string {
  const beyond = neighbouringDie(hardware, dieOfTile(hardware, tile), direction);
  if (beyond < 0) return 'It leads off the wafer.';
  return 'The dies of this wafer are joined by their routers, not edge to edge; leave out x and y for the link between those.';
}

function ofDie(hardware: Hardware, dieId: number): string {
  if (dies(hardware) === 1) return '';
  const { x, y } = dieXY(hardware, dieId);
  return ` of die (${x}, ${y})`;
}
