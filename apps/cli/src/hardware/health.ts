import { checkDeadlockFreedom, checkReachable, cutOffTiles, requireDeadlockFreedom, type DeadlockReport } from '@kerf/fabric';
import { dieOfTile, dies, dieXY, tileXYOnDie, type Hardware } from '@kerf/hardware';

/** What the routes of the fabric say of a machine. */
export interface Health {
  /** Tiles that the rest cannot reach, wafer-wide ids. */
  readonly cutOff: readonly number[];
  readonly deadlock: DeadlockReport;
}

export function healthOf(hardware: Hardware): Health {
  return { cutOff: cutOffTiles(hardware), deadlock: checkDeadlockFreedom(hardware) };
}

/**
 * Refuses a machine that packets cannot use.
 *
 * @throws FabricError `FABRIC_UNREACHABLE`, `FABRIC_CYCLIC_ROUTES`
 */
export function assertSound(hardware: Hardware, { cutOff, deadlock }: Health): void {
  if (cutOff.length > 0) checkReachable(hardware);
  if (!deadlock.acyclic) requireDeadlockFreedom(hardware);
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
