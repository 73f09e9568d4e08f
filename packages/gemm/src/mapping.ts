import type { NumberFormat } from '@kerf/program';
import { GemmError } from './errors.ts';

/** Z[m, n] = X[m, k] · W[k, n]. */
export interface GemmShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Number formats of X and W, of the sums in L1 and between tiles, and of Z in memory. */
export interface GemmTypes {
  readonly input: NumberFormat;
  readonly sum: NumberFormat;
  readonly output: NumberFormat;
}

/**
 * How a product is laid out on a die. A group of `groupWidth` × `groupHeight` tiles computes a block of Z, each tile one piece
 * of at most `tileM` × `tileN`, `tileK` of the inner dimension at a time, block after block.
 */
export interface GemmMapping {
  readonly groupWidth: number;
  readonly groupHeight: number;
  /** Largest piece of a tile, elements. */
  readonly tileM: number;
  readonly tileN: number;
  readonly tileK: number;
  /** Groups, one below the other, that share the inner dimension and add up what they have. */
  readonly splitK: number;
  /** Groups (or such stacks of groups) that share the rows, and the columns, of Z. */
  readonly splitM: number;
  readonly splitN: number;
  /** Pieces of X and W that a tile holds: one is multiplied while the others come. */
  readonly stages: number;
  /**
   * `continuous`: loads run ahead from one block of Z to the next. `blockwise`: as the published SUMMA kernel of FlatAttention does
   * it: X before W, a group barrier before each step, and the first step of each block in the open.
   */
  readonly schedule: 'continuous' | 'blockwise';
  /** Which tiles load: those on the diagonal both X and W, or the west edge X and the south edge W. */
  readonly loaders: 'diagonal' | 'edges';
}

/** FP8 sums in FP16: eight bits hold no sum of many products. Everything else in its own format. */
export function gemmTypes(input: NumberFormat): GemmTypes {
  const sum = input === 'fp8e4m3' || input === 'fp8e5m2' ? 'fp16' : input;
  return { input, sum, output: sum };
}

/** @throws GemmError `GEMM_BAD_SHAPE` */
export function checkShape(shape: GemmShape): void {
  for (const name of ['m', 'n', 'k'] as const) {
    const value = shape[name];
    if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 31) throw new GemmError('GEMM_BAD_SHAPE', `A matrix product has whole numbers from 1 to 2^31 as m, n and k; ${name} is ${value}.`, { field: name, value });
  }
}

const extents = ['groupWidth', 'groupHeight', 'tileM', 'tileN', 'tileK', 'splitK', 'splitM', 'splitN', 'stages'] as const;

/** @throws GemmError `GEMM_BAD_SHAPE`, `GEMM_BAD_MAPPING` */
export function checkMapping(shape: GemmShape, mapping: GemmMapping): void {
  checkShape(shape);
  const bad = (field: string, what: string): never => {
    throw new GemmError('GEMM_BAD_MAPPING', `${field} ${what}.`, { field });
  };
  for (const name of extents) {
    const value = mapping[name];
    if (!Number.isSafeInteger(value) || value < 1 || value > 2 ** 20) bad(name, `is ${value}; a whole number from 1 to 2^20 is needed`);
  }
  if (mapping.stages < 2) bad('stages', `is ${mapping.stages}; at least 2 are needed, one to work on and one to fill`);
  if (mapping.schedule === 'blockwise' && mapping.stages !== 2) bad('stages', `is ${mapping.stages}; the blockwise schedule has 2`);
  const { m, n, k } = shape;
  // No tile may be left with nothing to compute.
  if (mapping.groupHeight * mapping.splitM > m) bad('groupHeight', `× splitM is ${mapping.groupHeight * mapping.splitM}, more tiles than the ${m} rows of Z`);
  if (mapping.groupWidth * mapping.splitN > n) bad('groupWidth', `× splitN is ${mapping.groupWidth * mapping.splitN}, more tiles than the ${n} columns of Z`);
  if (mapping.splitK > k) bad('splitK', `is ${mapping.splitK}, more parts than the inner dimension of ${k}`);
}
