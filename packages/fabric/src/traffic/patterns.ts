import { suggestion } from '@kerf/checks';
import { FabricError } from '../errors.ts';
import { below, hash32 } from './counter-random.ts';

export const patternNames = ['uniform', 'transpose', 'neighbor', 'tornado', 'bitcomp', 'hotspot', 'permutation'] as const;
export type PatternName = (typeof patternNames)[number];

/** The mesh that a pattern is laid over: all tiles of a wafer, dies joined edge to edge. */
export interface PatternGrid {
  readonly width: number;
  readonly height: number;
  /** Wafer-wide id of the tile at (x, y). */
  tileAt(x: number, y: number): number;
  /** [tiles] 1: the tile is missing, it neither sends nor receives. */
  readonly absent?: Uint8Array;
}

/** Where the packets of each tile go. */
export interface TrafficPattern {
  readonly name: PatternName;
  /** [tiles] the one destination of each tile, −1: it sends nothing. Null: every packet draws one of `among`. */
  readonly fixed: Int32Array | null;
  /** Destinations that are drawn with equal chance. Empty with `fixed`. */
  readonly among: Int32Array;
  /** [tiles] 1: the tile sends. */
  readonly sends: Uint8Array;
  readonly senders: number;
}

/** The name as a pattern. Throws FabricError `FABRIC_UNKNOWN_PATTERN` with the nearest name and all of them. */
export function patternName(text: string): PatternName {
  const found = patternNames.find((name) => name === text);
  if (found !== undefined) return found;
  const message = `No traffic pattern is called "${text}".${suggestion(text, patternNames)} Patterns: ${patternNames.join(', ')}.`;
  throw new FabricError('FABRIC_UNKNOWN_PATTERN', message, { got: text, expected: patternNames.join(', ') });
}

/**
 * The synthetic patterns of the interconnection literature, as BookSim 2 defines them, with k the side of the mesh:
 *
 * - `uniform`: any tile with equal chance, itself included
 * - `transpose`: (x, y) → (y, x); a square mesh
 * - `neighbor`: (x + 1 mod k, y + 1 mod k); the wrap is walked back across the mesh
 * - `tornado`: (x + ⌈k/2⌉ − 1 mod k, the same for y)
 * - `bitcomp`: (k − 1 − x, k − 1 − y), the complement of the bits of the address; sides that are powers of two
 * - `hotspot`: one of the four tiles at x, y ∈ {k/4, 3k/4} with equal chance; sides that are multiples of 4
 * - `permutation`: a random one, fixed by the seed
 *
 * On a mesh with missing tiles nothing goes to them; a tile whose only destination is missing sends nothing.
 *
 * @throws FabricError `FABRIC_BAD_PATTERN` when the mesh does not fit the pattern
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), section 3.2
 */
export function trafficPattern(name: PatternName, grid: PatternGrid, seed: number): TrafficPattern {
  const { width, height, absent } = grid;
  const tiles = width * height;
  const present = (tile: number): boolean => absent === undefined || absent[tile] === 0;
  const sends = new Uint8Array(tiles);
  let senders = 0;
  const enlist = (tile: number): void => {
    sends[tile] = 1;
    senders++;
  };

  if (name === 'uniform' || name === 'hotspot') {
    const among = (name === 'uniform' ? everywhere(tiles) : hotspots(grid)).filter(present);
    if (among.length === 0) throw new FabricError('FABRIC_BAD_PATTERN', `The pattern ${name} has no destination left: all of them are missing tiles.`, { pattern: name });
    for (let tile = 0; tile < tiles; tile++) if (present(tile)) enlist(tile);
    return { name, fixed: null, among, sends, senders };
  }

  const fixed = name === 'permutation' ? randomPermutation(everywhere(tiles).filter(present), tiles, seed) : new Int32Array(tiles);
  if (name !== 'permutation') {
    const move = fixedMove(name, width, height);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [toX, toY] = move(x, y);
        fixed[grid.tileAt(x, y)] = grid.tileAt(toX, toY);
      }
    }
  }
  for (let tile = 0; tile < tiles; tile++) {
    if (fixed[tile]! < 0 || !present(tile) || !present(fixed[tile]!)) fixed[tile] = -1;
    else enlist(tile);
  }
  if (senders === 0) throw new FabricError('FABRIC_BAD_PATTERN', `With the pattern ${name} no tile of this mesh sends: every pair lacks one of its tiles.`, { pattern: name });
  return { name, fixed, among: new Int32Array(0), sends, senders };
}

/** Where packet `packet` of `tile` goes; the tile must be one that sends. */
export function destinationOf({ fixed, among }: TrafficPattern, seed: number, tile: number, packet: number): number {
  if (fixed !== null) return fixed[tile]!;
  return among[below(hash32(seed ^ 0x5bd1e995, tile, packet), among.length)]!;
}

type Move = (x: number, y: number) => readonly [x: number, y: number];

function fixedMove(name: 'transpose' | 'neighbor' | 'tornado' | 'bitcomp', width: number, height: number): Move {
  switch (name) {
    case 'transpose':
      if (width !== height) refuse(name, 'a square mesh', width, height, `${Math.min(width, height)}x${Math.min(width, height)}`);
      return (x, y) => [y, x];
    case 'neighbor':
      return (x, y) => [(x + 1) % width, (y + 1) % height];
    case 'tornado':
      return (x, y) => [(x + Math.ceil(width / 2) - 1) % width, (y + Math.ceil(height / 2) - 1) % height];
    case 'bitcomp':
      if (!powerOfTwo(width) || !powerOfTwo(height)) refuse(name, 'a mesh whose sides are powers of two', width, height, `${powerBelow(width)}x${powerBelow(height)}`);
      return (x, y) => [width - 1 - x, height - 1 - y];
  }
}

function hotspots(grid: PatternGrid): Int32Array {
  const { width, height } = grid;
  if (width % 4 !== 0 || height % 4 !== 0) refuse('hotspot', 'a mesh whose sides are multiples of 4', width, height, `${4 * Math.max(1, Math.floor(width / 4))}x${4 * Math.max(1, Math.floor(height / 4))}`);
  return Int32Array.from([1, 3].flatMap((row) => [1, 3].map((column) => grid.tileAt((column * width) / 4, (row * height) / 4))));
}

function everywhere(tiles: number): Int32Array {
  return Int32Array.from({ length: tiles }, (_, tile) => tile);
}

/** Fisher and Yates's shuffle, drawn from (seed, position). */
function randomPermutation(from: Int32Array, tiles: number, seed: number): Int32Array {
  const to = from.slice();
  for (let i = to.length - 1; i > 0; i--) {
    const j = below(hash32(seed, 0x70657200, i), i + 1);
    [to[i], to[j]] = [to[j]!, to[i]!];
  }
  const fixed = new Int32Array(tiles).fill(-1);
  for (const [i, tile] of from.entries()) fixed[tile] = to[i]!;
  return fixed;
}

function powerOfTwo(side: number): boolean {
  return (side & (side - 1)) === 0;
}

function powerBelow(side: number): number {
  return 2 ** Math.floor(Math.log2(side));
}

function refuse(pattern: PatternName, needs: string, width: number, height: number, nearest: string): never {
  const message = `The pattern ${pattern} needs ${needs}, such as ${nearest}; this one has ${width}x${height} tiles.`;
  throw new FabricError('FABRIC_BAD_PATTERN', message, { pattern, width, height });
}
