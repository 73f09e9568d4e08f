import { dieOfTile, dies, dieXY, tileXYOnDie, type Hardware } from '@kerf/hardware';

/** A tile in messages: its place on its die, and the die where there are several. */
export function tileName(hardware: Hardware, tileId: number): string {
  const { x, y } = tileXYOnDie(hardware, tileId);
  return dies(hardware) === 1 ? `(${x}, ${y})` : `(${x}, ${y}) of ${dieName(hardware, dieOfTile(hardware, tileId))}`;
}

/** A die in messages. */
export function dieName(hardware: Hardware, dieId: number): string {
  const { x, y } = dieXY(hardware, dieId);
  return `die (${x}, ${y})`;
}
