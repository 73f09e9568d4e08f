import { dieIdOf, dies, type Hardware, type Rectangle } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import { dieName } from './names.ts';

/**
 * The tiles whose column agrees with `x` and whose row agrees with `y` in all bits that the masks leave out: a mask bit
 * that is set frees that bit of the coordinate. Aligned groups of a power of two tiles, and every 2^k-th row or column,
 * are such sets; the set is cut at the edges of the die.
 */
export interface MaskedTiles {
  readonly x: number;
  readonly y: number;
  /** Bits of the column that are free. */
  readonly columnMask: number;
  /** Bits of the row that are free. */
  readonly rowMask: number;
}

/** Tiles of one die: a rectangle in coordinates of the die, a masked set, or a list of local tiles. */
export type TileSet = Rectangle | MaskedTiles | readonly number[];

/**
 * The local tiles of a set, in rising order, absent ones included.
 *
 * @throws FabricError `FABRIC_EMPTY_SET`, `FABRIC_TILE_OFF_DIE`
 */
export function localTilesOf(hardware: Hardware, set: TileSet): number[] {
  const { tilesX, tilesY } = hardware.die;
  const tiles: number[] = [];
  if (isList(set)) {
    for (const tile of new Set(set)) {
      if (!Number.isInteger(tile) || tile < 0 || tile >= tilesX * tilesY) throw offDie(hardware, `tile ${tile}`, `Tiles of a die are 0 to ${tilesX * tilesY - 1}.`);
      tiles.push(tile);
    }
    tiles.sort((a, b) => a - b);
  } else if ('width' in set) {
    const { x, y, width, height } = set;
    if (![x, y, width, height].every(Number.isInteger)) throw offDie(hardware, setName(set), 'Coordinates are whole numbers.');
    if (width > 0 && height > 0 && (x < 0 || y < 0 || x + width > tilesX || y + height > tilesY)) {
      throw offDie(hardware, setName(set), `A die has the columns 0 to ${tilesX - 1} and the rows 0 to ${tilesY - 1}, and a tree stays on one die.`);
    }
    for (let row = y; row < y + height; row++) for (let column = x; column < x + width; column++) tiles.push(row * tilesX + column);
  } else {
    const { x, y, columnMask, rowMask } = set;
    if (![x, y, columnMask, rowMask].every((value) => Number.isInteger(value) && value >= 0 && value <= 65_535) || x >= tilesX || y >= tilesY) {
      throw offDie(hardware, setName(set), `x is 0 to ${tilesX - 1}, y is 0 to ${tilesY - 1}, and a mask has 16 bits.`);
    }
    for (let row = 0; row < tilesY; row++) {
      if (((row ^ y) & ~rowMask) !== 0) continue;
      for (let column = 0; column < tilesX; column++) if (((column ^ x) & ~columnMask) === 0) tiles.push(row * tilesX + column);
    }
  }
  if (tiles.length === 0) throw new FabricError('FABRIC_EMPTY_SET', `The set ${setName(set)} has no tile; a collective needs at least one.`);
  return tiles;
}

/** A set in messages. */
export function setName(set: TileSet): string {
  if (isList(set)) return set.length <= 6 ? `of the tiles ${set.join(', ')}` : `of ${set.length} tiles from tile ${set[0]} on`;
  if ('width' in set) return `of ${set.width} x ${set.height} tiles at (${set.x}, ${set.y})`;
  return `around (${set.x}, ${set.y}) with column mask ${set.columnMask} and row mask ${set.rowMask}`;
}

/**
 * A rectangle of the wafer as one of a die.
 *
 * @throws FabricError `FABRIC_CROSSES_DIES` when it lies on several: trees inside the network end at the edge of a die
 */
export function onOneDie(hardware: Hardware, rectangle: Rectangle): { dieId: number; rectangle: Rectangle } {
  const { tilesX, tilesY } = hardware.die;
  const { x, y, width, height } = rectangle;
  const [dieX, dieY] = [Math.floor(x / tilesX), Math.floor(y / tilesY)];
  const { diesX, diesY } = hardware.wafer;
  if (dieX < 0 || dieY < 0 || dieX >= diesX || dieY >= diesY) {
    throw offDie(hardware, setName(rectangle), `The wafer has ${diesX * tilesX} x ${diesY * tilesY} tiles.`);
  }
  const [lastX, lastY] = [Math.floor((x + width - 1) / tilesX), Math.floor((y + height - 1) / tilesY)];
  if (lastX !== dieX || lastY !== dieY) {
    const message = `The set ${setName(rectangle)} of the wafer lies on several dies, from ${dieName(hardware, dieIdOf(hardware, dieX, dieY))} to die (${lastX}, ${lastY}). Trees inside the network end at the edge of a die: use one collective for each die, and join them by messages.`;
    throw new FabricError('FABRIC_CROSSES_DIES', message, { x, y, width, height });
  }
  return { dieId: dieIdOf(hardware, dieX, dieY), rectangle: { x: x - dieX * tilesX, y: y - dieY * tilesY, width, height } };
}

function isList(set: TileSet): set is readonly number[] {
  return Array.isArray(set);
}

function offDie(hardware: Hardware, what: string, why: string): FabricError {
  const crosses = dies(hardware) > 1 && what.startsWith('of ') ? ' Tiles of several dies need one collective for each die.' : '';
  return new FabricError('FABRIC_TILE_OFF_DIE', `The set ${what} is not on the die. ${why}${crosses}`, { tilesX: hardware.die.tilesX, tilesY: hardware.die.tilesY });
}
