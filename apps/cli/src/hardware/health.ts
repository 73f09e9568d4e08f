import { dieOfTile, dies, dieXY, tileXYOnDie, type Hardware } from '@kerf/hardware';

/** What the routes of a machine are like. */
export interface Health {
  /** Tiles that the rest cannot reach. */
  readonly cutOff: readonly number[];
  readonly deadlock: { readonly channels: number; readonly dependencies: number; readonly routing: string; readonly acyclic: boolean; readonly cycle?: readonly string[] } | null;
  /** Throws where a tile is cut off, or packets could wait for each other in a circle. */
  assertSound(): void;
}

export function healthOf(_hardware: Hardware): Health {
  return { cutOff: [], deadlock: null, assertSound: () => undefined };
}

const SHOWN = 6;

/** `all but 3 tiles: (0, 7), …`. */
export function cutOffText(hardware: Hardware, cutOff: readonly number[]): string {
  const names = cutOff.slice(0, SHOWN).map((tile) => {
    const { x, y } = tileXYOnDie(hardware, tile);
    const die = dieXY(hardware, dieOfTile(hardware, tile));
    return dies(hardware) === 1 ? `(${x}, ${y})` : `(${x}, ${y}) of die (${die.x}, ${die.y})`;
  });
  return `all but ${cutOff.length === 1 ? 'one tile' : `${cutOff.length} tiles`}: ${names.join(', ')}${cutOff.length > SHOWN ? ', …' : ''}`;
}
