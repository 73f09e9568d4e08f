import { checkWhole } from './errors.ts';

/** A transposer beside L1: it reads rows of a square tile and writes its columns, one L1 row per cycle. */
export interface TransposeEngineSpec {
  /** Bytes of one edge of the square that it holds. */
  readonly edgeBytes: number;
}

/**
 * Cycles to transpose a [rows, columns] matrix inside L1. Matrices larger than the square go through it part by part; each part
 * takes one cycle per row read and one per row written. Not counted: starting it and noticing its end.
 *
 * @throws CostError `COST_BAD_ARGUMENT`
 * @see gvsoc/gvsoc soft_hier_release, flex_cluster/transpose_engine.cpp
 */
export function transposeCycles(rows: number, columns: number, elementBytes: number, spec: TransposeEngineSpec): number {
  checkWhole('rows to transpose', rows, 1);
  checkWhole('columns to transpose', columns, 1);
  checkWhole('bytes per element', elementBytes, 1);
  const edge = Math.max(1, Math.floor(spec.edgeBytes / elementBytes));
  // Every part of a column of parts reads the same rows: rows × parts across, and columns × parts down are written.
  return rows * Math.ceil(columns / edge) + columns * Math.ceil(rows / edge);
}
