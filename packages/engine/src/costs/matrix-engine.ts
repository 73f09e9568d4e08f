import { checkWhole, CostError } from './errors.ts';
import { physicalOptions, type CostOptions } from './options.ts';

/** A matrix engine: `rows` × `columns` compute elements beside L1. */
export interface MatrixEngineSpec {
  readonly rows: number;
  readonly columns: number;
  /** Pipeline registers inside one compute element. */
  readonly pipelineStages: number;
  /** One access to L1 moves up to so many bytes; one access per cycle. */
  readonly l1BytesPerCycle: number;
}

/** Z[rows, columns] = X[rows, inner] W[inner, columns] + Y. */
export interface MatrixShape {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
}

/** A stretch of a job: the engine's array and its L1 port work side by side, the longer one decides. */
export interface MatrixPhase {
  /** Cycles in which the port is used. */
  readonly accessCycles: number;
  /** Cycles in which the array computes, or in which the phase cannot end for another reason. */
  readonly arrayCycles: number;
  /** So many of these in a row. */
  readonly repeats: number;
}

/**
 * What a job is made of: preload of X and Y, one step per (block of rows, block of columns, part of the inner dimension), drain.
 *
 * With H = rows of the array, W = columns × (pipelineStages + 1), N = elements per L1 access: a step computes H × W results over
 * up to N of the inner dimension. Beside it the port fetches the W rows of the step, the X rows of the next, with the last part
 * of the inner dimension the Y rows of the next block, and writes the results of the block before.
 *
 * @param elementBytes size of one element, 1 or more
 * @throws CostError `COST_BAD_ARGUMENT`
 * @see RedMulE, Tortorella et al. (2023), arXiv 2301.03904; gvsoc/gvsoc soft_hier_release, flex_cluster/light_redmule.cpp
 */
export function matrixPhases(shape: MatrixShape, elementBytes: number, spec: MatrixEngineSpec, options: CostOptions = physicalOptions): MatrixPhase[] {
  checkWhole('rows of a matrix product', shape.rows, 1);
  checkWhole('inner dimension of a matrix product', shape.inner, 1);
  checkWhole('columns of a matrix product', shape.columns, 1);
  checkWhole('bytes per element', elementBytes, 1);
  const height = spec.rows;
  const width = spec.columns * (spec.pipelineStages + 1);
  const slice = Math.max(1, Math.floor(spec.l1BytesPerCycle / elementBytes));
  const blocksDown = Math.ceil(shape.rows / height);
  const blocksAcross = Math.ceil(shape.columns / width);
  const parts = Math.ceil(shape.inner / slice);
  const rowsOf = (block: number) => Math.min(height, shape.rows - block * height);

  const phases: MatrixPhase[] = [];
  const add = (accessCycles: number, arrayCycles: number) => {
    const last = phases.at(-1);
    if (last !== undefined && last.accessCycles === accessCycles && last.arrayCycles === arrayCycles) phases[phases.length - 1] = { ...last, repeats: last.repeats + 1 };
    else phases.push({ accessCycles, arrayCycles, repeats: 1 });
  };
  add(2 * rowsOf(0) + 1, 0);
  let resultRows = 0;
  for (let i = 0; i < blocksDown; i++) {
    for (let j = 0; j < blocksAcross; j++) {
      const lastBlock = i === blocksDown - 1 && j === blocksAcross - 1;
      for (let k = 0; k < parts; k++) {
        const inner = k < parts - 1 ? slice : shape.inner - k * slice;
        const lastPart = k === parts - 1;
        const next = lastPart && j === blocksAcross - 1 ? i + 1 : i;
        const nextRows = lastBlock && lastPart ? 0 : rowsOf(next);
        const results = k === 0 && options.matrixWritesResults ? resultRows : 0;
        add(inner + nextRows + (lastPart ? nextRows : 0) + results, Math.ceil((inner * (spec.pipelineStages + 1)) / width) * width);
      }
      resultRows = rowsOf(i);
    }
  }
  add(options.matrixWritesResults ? width + resultRows + 1 : 0, width);
  return phases;
}

/**
 * Cycles from the start of a job to its end when nobody else uses L1. Not counted: the instructions that start it and notice its end.
 * Throws as {@link matrixPhases}.
 */
export function matrixCycles(shape: MatrixShape, elementBytes: number, spec: MatrixEngineSpec, options: CostOptions = physicalOptions): number {
  let cycles = 0;
  for (const phase of matrixPhases(shape, elementBytes, spec, options)) cycles += phase.repeats * Math.max(phase.accessCycles, phase.arrayCycles);
  return cycles;
}

/** Share of the array's multiply-accumulate slots that do work of the job, between 0 and 1. */
export function matrixUtilisation(shape: MatrixShape, cycles: number, spec: MatrixEngineSpec): number {
  return (shape.rows * shape.inner * shape.columns) / (spec.rows * spec.columns) / cycles;
}

/**
 * Bookings by others of the busiest L1 bank in the cycles `fromCycle` ≤ c < `untilCycle`; never less for a longer period. May be a
 * fraction: a stream of a quarter of the L1 width books each bank every fourth cycle.
 */
export type ForeignBookings = (fromCycle: number, untilCycle: number) => number;

/**
 * When a job that starts in `startCycle` ends, while DMA, fabric and vector units use L1 too. An access of the engine takes all
 * banks, so every booking F of the busiest bank holds it up by a cycle; in a step that is noticed once accesses + F exceed what the
 * array computes. A phase that is held up meets the bookings of the cycles it is longer.
 *
 * Left out: others never wait for the engine (so in the reference; hardware arbitrates), and an access waits whole cycles.
 *
 * @throws CostError `COST_L1_SATURATED` if the others leave the engine no cycle
 * @see gvsoc/gvsoc soft_hier_release, flex_cluster/hwpe_interleaver.cpp
 */
export function contendedMatrixEnd(phases: readonly MatrixPhase[], startCycle: number, foreign: ForeignBookings): number {
  let cycle = startCycle;
  for (const { accessCycles, arrayCycles, repeats } of phases) {
    for (let step = 0; step < repeats; step++) {
      let length = Math.max(accessCycles, arrayCycles);
      if (accessCycles > 0) {
        for (let rounds = 0; ; rounds++) {
          const needed = Math.max(arrayCycles, accessCycles + Math.floor(foreign(cycle, cycle + length)));
          if (needed <= length) break;
          if (rounds === 100_000) {
            const message = `From cycle ${cycle} on, L1 is booked by others in every cycle: the matrix engine never gets its ${accessCycles} accesses.`;
            throw new CostError('COST_L1_SATURATED', message, { cycle, accessCycles });
          }
          length = needed;
        }
      }
      cycle += length;
    }
  }
  return cycle;
}
