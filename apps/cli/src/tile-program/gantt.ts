import type { RecordedOperation, TileRun } from '@kerf/engine';
import { localTileOf, tilesPerDie, type Hardware } from '@kerf/hardware';
import { NONE, placeInGroup, tileEngines, TileOperation, tileOfPlace, tileOperationKinds, type ProgramInstances } from '@kerf/program';
import { CliError } from '../errors.ts';
import { place, whole } from '../traffic/numbers.ts';
import type { BarKind, Gantt, GanttBar } from './gantt-svg.ts';
import { operationText } from './operation-text.ts';

/** Tiles that are drawn unless others are asked for. */
const USUAL_TILES = 4;
const MOST_TILES = 64;

const kindOf: Readonly<Record<number, BarKind>> = {
  [TileOperation.LOAD]: 'memory', [TileOperation.STORE]: 'memory', [TileOperation.SEND]: 'multicast', [TileOperation.RECEIVE]: 'multicast', [TileOperation.MULTICAST]: 'multicast',
  [TileOperation.REDUCE]: 'reduce', [TileOperation.MATMUL]: 'matrix', [TileOperation.VECTOR]: 'vector', [TileOperation.TRANSPOSE]: 'L1', [TileOperation.CLEAR]: 'L1', [TileOperation.COPY]: 'L1',
  [TileOperation.BARRIER]: 'barrier', [TileOperation.WAIT]: 'barrier',
};

/** Local tiles to draw: those asked for as x,y on the die, or the first of each role until there are enough. */
export function tilesToDraw(placed: readonly ProgramInstances[], hardware: Hardware, asked: readonly string[]): number[] {
  if (asked.length > MOST_TILES) throw new CliError('CLI_USAGE', `--tile draws at most ${MOST_TILES} tiles, got ${asked.length}.`, { flag: '--tile' });
  if (asked.length > 0) {
    return asked.map((text) => {
      const { x, y } = place('--tile', text);
      const { tilesX, tilesY } = hardware.die;
      if (x >= tilesX || y >= tilesY) throw new CliError('CLI_USAGE', `--tile ${text} is not on a die of ${tilesX} × ${tilesY} tiles.`, { flag: '--tile', got: text });
      const tile = y * tilesX + x;
      if (!placed.some(({ instanceOfTile }) => instanceOfTile[tile]! >= 0)) throw new CliError('CLI_USAGE', `--tile ${text} runs nothing.`, { flag: '--tile', got: text });
      return tile;
    });
  }
  const found: number[] = [];
  for (const one of placed) {
    const { roles, roleOf } = one.compiled.program;
    for (let role = 0; role < roles.length && found.length < USUAL_TILES; role++) {
      const at = roleOf.indexOf(role);
      if (at >= 0) found.push(localTileOf(hardware, tileOfPlace(one, 0, at)));
    }
  }
  return found.sort((a, b) => a - b);
}

/** `100:2000` as a window of cycles. */
export function windowOf(text: string | undefined, cycles: number): { fromCycle: number; toCycle: number } {
  if (text === undefined) return { fromCycle: 0, toCycle: cycles };
  const parts = text.split(':');
  if (parts.length !== 2) throw new CliError('CLI_USAGE', `--cycles takes two cycles such as 0:5000, got "${text}".`, { flag: '--cycles', got: text });
  const [fromCycle, toCycle] = parts.map((part) => whole('--cycles', part, 0, Number.MAX_SAFE_INTEGER)) as [number, number];
  if (toCycle <= fromCycle) throw new CliError('CLI_USAGE', `--cycles ends before it begins: "${text}".`, { flag: '--cycles', got: text });
  return { fromCycle, toCycle };
}

/** What the recorded tiles did, lane by lane. */
export function ganttOf(title: string, note: string, placed: readonly ProgramInstances[], hardware: Hardware, { dies }: TileRun, tiles: readonly number[], window: { fromCycle: number; toCycle: number }): Gantt {
  const recorded = dies[0]?.recorded ?? [];
  return {
    title, note, ...window,
    tiles: tiles.map((tile) => {
      const owner = placed.find(({ instanceOfTile }) => instanceOfTile[tile]! >= 0)!;
      const { program } = owner.compiled;
      const at = placeInGroup(owner, tile);
      const role = program.roleOf[at]!;
      const own = recorded.filter((operation) => operation.tile % tilesPerDie(hardware) === tile);
      return {
        name: `Tile ${tile % hardware.die.tilesX}, ${Math.floor(tile / hardware.die.tilesX)}: ${program.roles[role]!.name}`,
        lanes: tileEngines.flatMap((engine, id) => {
          const bars = own.filter((operation) => operation.engine === id).sort((a, b) => a.startCycle - b.startCycle).map((operation) => barOf(owner, role, operation));
          return bars.length === 0 ? [] : [{ engine, bars }];
        }),
      };
    }),
  };
}

function barOf({ compiled }: ProgramInstances, role: number, { row, kind, startCycle, endCycle }: RecordedOperation): GanttBar {
  const { program } = compiled;
  const { table } = program.roles[role]!;
  const receives = kind === TileOperation.RECEIVE || (kind === TileOperation.MULTICAST && table.a[row] === NONE);
  const waits = receives || kind === TileOperation.BARRIER || kind === TileOperation.WAIT;
  const text = operationText(program, role, row);
  return { startCycle, endCycle, kind: kindOf[kind]!, waits, label: labelOf(program.phases[table.phase[row]!]!, kind), text: `${text} (row ${row}, ${program.phases[table.phase[row]!]}): cycles ${startCycle} to ${endCycle}` };
}

function labelOf(phase: string, kind: number): string {
  const name = tileOperationKinds[kind]!;
  return phase === 'all' ? name : kind === TileOperation.MATMUL || kind === TileOperation.VECTOR ? phase : name;
}
