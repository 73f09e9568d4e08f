import type { Hardware } from '@kerf/hardware';
import { GemmError } from './errors.ts';
import { estimateGemm, type GemmEstimate } from './estimate.ts';
import { checkShape, type GemmMapping, type GemmShape, type GemmTypes } from './mapping.ts';
import { cornersOf } from './programs.ts';

export interface GemmCandidate {
  readonly mapping: GemmMapping;
  readonly estimate: GemmEstimate;
}

/** What is fixed; the rest is chosen. */
export type GemmWishes = { readonly [K in keyof GemmMapping]?: GemmMapping[K] | undefined };

/** Steps of a group that a program may have before it is too long to unroll. */
const MAX_STEPS = 12_000;

/**
 * Mappings that fit the machine, best estimate first; of two that are equally fast, the one that reads less, then the one that splits less. Tried are
 * groups of powers of two and as wide or high as the product and the die allow, pieces of a quarter to four times the matrix engine's favourite
 * (four times its rows), every split that has room.
 *
 * @throws GemmError `GEMM_BAD_SHAPE`, `GEMM_DOES_NOT_FIT`
 */
export function gemmCandidates(shape: GemmShape, types: GemmTypes, hardware: Hardware, wishes: GemmWishes = {}): GemmCandidate[] {
  checkShape(shape);
  const favourite = 4 * hardware.tile.matrix.rows;
  const { tilesX, tilesY } = hardware.die;
  const one = <T>(wish: T | undefined, options: () => readonly T[]): readonly T[] => (wish === undefined ? options() : [wish]);
  const sizes = (length: number, factors: readonly number[]): number[] => [...new Set(factors.map((factor) => Math.max(1, Math.min(length, factor * favourite))))];
  const schedule = wishes.schedule ?? 'continuous';
  const loaders = wishes.loaders ?? 'diagonal';
  const found: GemmCandidate[] = [];
  const corners = new Map<string, number>();
  const room = (width: number, height: number): number => {
    const key = `${width} ${height}`;
    let count = corners.get(key);
    if (count === undefined) corners.set(key, (count = cornersOf(hardware, { width, height }).length));
    return count;
  };
  for (const groupWidth of one(wishes.groupWidth, () => extents(Math.min(tilesX, shape.n)))) {
    for (const groupHeight of one(wishes.groupHeight, () => extents(Math.min(tilesY, shape.m)))) {
      for (const splitK of one(wishes.splitK, () => extents(Math.min(Math.floor(tilesY / groupHeight), Math.ceil(shape.k / 16))))) {
        const groups = room(groupWidth, groupHeight * splitK);
        if (groups === 0) continue;
        for (const tileM of one(wishes.tileM, () => sizes(shape.m, [0.25, 0.5, 1, 2, 4]))) {
          for (const tileN of one(wishes.tileN, () => sizes(shape.n, [0.25, 0.5, 1, 2]))) {
            for (const [splitM, splitN] of splits(shape, { groupWidth, groupHeight, tileM, tileN }, groups, wishes)) {
              for (const tileK of one(wishes.tileK, () => sizes(shape.k, [0.5, 1, 2, 4]))) {
                for (const stages of one(wishes.stages, () => (schedule === 'blockwise' ? [2] : [2, 3, 4]))) {
                  const mapping: GemmMapping = { groupWidth, groupHeight, tileM, tileN, tileK, splitK, splitM, splitN, stages, schedule, loaders };
                  const estimate = estimateGemm(shape, mapping, types, hardware);
                  const { blocksM, blocksN, steps, l1Bytes } = estimate.layout;
                  if (l1Bytes <= hardware.tile.l1Bytes && blocksM * blocksN * steps <= MAX_STEPS) found.push({ mapping, estimate });
                }
              }
            }
          }
        }
      }
    }
  }
  if (found.length === 0) {
    throw new GemmError('GEMM_DOES_NOT_FIT', `No layout of ${shape.m} × ${shape.n} × ${shape.k} fits ${hardware.name} with what is asked for: pieces must fit L1 (${hardware.tile.l1Bytes} bytes), groups the die (${tilesX} × ${tilesY} tiles), and at most ${MAX_STEPS} steps one program.`, {});
  }
  const order = ({ estimate, mapping }: GemmCandidate): number[] => [estimate.cycles, estimate.memoryBytes, mapping.splitK, mapping.stages, -mapping.tileK, mapping.splitM * mapping.splitN];
  return found.sort((a, b) => compare(order(a), order(b)));
}

/** The mapping with the best estimate. Throws as {@link gemmCandidates}. */
export function chooseGemm(shape: GemmShape, types: GemmTypes, hardware: Hardware, wishes: GemmWishes = {}): GemmCandidate {
  return gemmCandidates(shape, types, hardware, wishes)[0]!;
}

/** Powers of two up to a limit, and the limit. */
function extents(most: number): number[] {
  const result = [];
  for (let extent = 1; extent < most; extent *= 2) result.push(extent);
  return [...result, Math.max(1, most)];
}

/** Left-over groups take columns of Z first, or rows first; never more than there are blocks for. */
function splits({ m, n }: GemmShape, { groupWidth, groupHeight, tileM, tileN }: Pick<GemmMapping, 'groupWidth' | 'groupHeight' | 'tileM' | 'tileN'>, groups: number, wishes: GemmWishes): (readonly [number, number])[] {
  const [down, across] = [Math.ceil(m / (groupHeight * tileM)), Math.ceil(n / (groupWidth * tileN))];
  const fits = ([splitM, splitN]: readonly [number, number]): boolean => splitM * splitN <= groups && splitM * groupHeight <= m && splitN * groupWidth <= n;
  if (wishes.splitM !== undefined || wishes.splitN !== undefined) {
    const splitM = wishes.splitM ?? Math.max(1, Math.min(down, Math.floor(groups / wishes.splitN!)));
    return [[splitM, wishes.splitN ?? Math.max(1, Math.min(across, Math.floor(groups / splitM)))] as const].filter(fits);
  }
  const columnsFirst = Math.min(groups, across);
  const rowsFirst = Math.min(groups, down);
  const both = [[Math.min(down, Math.floor(groups / columnsFirst)), columnsFirst], [rowsFirst, Math.min(across, Math.floor(groups / rowsFirst))]] as const;
  return (both[0][0] === both[1][0] && both[0][1] === both[1][1] ? both.slice(0, 1) : both).filter(fits);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}

/**
 * The mappings that the FlatAttention authors' script would try, without their simulator's choice between them: pieces of four times the
 * rows of the matrix engine, or so that a power of two of them makes the product; left-over groups for the inner dimension where it divides evenly, or for the columns where
 * they need several passes. Their parts of the inner dimension lie anywhere, ours below each other: those that have no room there are left out.
 *
 * @see gvsoc/gvsoc soft_hier_je, implementation/scripts/kernels/auto_config/gemm_auto.py
 */
export function publishedMappings(shape: GemmShape, { tile, die }: Hardware): GemmMapping[] {
  checkShape(shape);
  const T = 4 * tile.matrix.rows;
  const side = (length: number, mesh: number): { tile: number; tiles: number } => {
    let piece = Math.min(T, length);
    let tiles = Math.ceil(length / piece);
    const rounded = 2 ** Math.ceil(Math.log2(tiles));
    if (rounded !== tiles || length % piece !== 0) [tiles, piece] = [rounded, Math.ceil(length / rounded)];
    return { tile: piece, tiles: Math.min(tiles, mesh) };
  };
  const [m, n] = [side(shape.m, die.tilesY), side(shape.n, die.tilesX)];
  const groups = Math.floor((die.tilesX * die.tilesY) / (m.tiles * n.tiles));
  const plain = { groupWidth: n.tiles, groupHeight: m.tiles, tileM: m.tile, tileN: n.tile, splitM: 1, stages: 2, schedule: 'blockwise', loaders: 'diagonal' } as const;
  let parts = 1;
  while (parts * 2 <= groups && shape.k % (parts * 2) === 0) parts *= 2;
  parts = Math.min(parts, Math.floor(die.tilesY / m.tiles));
  const passes = Math.floor(shape.n / (n.tiles * n.tile));
  return [
    { ...plain, splitK: parts, splitN: 1, tileK: innerPiece(shape.k / parts, T) },
    ...(groups > 1 && passes > 1 ? [{ ...plain, splitK: 1, splitN: Math.min(groups, passes), tileK: Math.min(shape.k, T) }] : []),
  ];
}

function innerPiece(part: number, T: number): number {
  if (part <= T || Math.floor(part / T) >= 4) return Math.min(part, T);
  let divisor = T;
  while (part % divisor !== 0) divisor--;
  return Math.max(divisor, Math.floor((3 * T) / 4));
}
