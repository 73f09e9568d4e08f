import { checkWhole } from './errors.ts';
import { physicalOptions, type CostOptions } from './options.ts';

/** Vector units of a tile. Each issues in order, and has one arithmetic unit and one load/store unit. */
export interface VectorEngineSpec {
  readonly units: number;
  /** Bits per cycle that the lanes of one unit work on: 256 are 16 elements of 16 bit. */
  readonly laneBits: number;
  /** Load/store bandwidth of one unit, bytes per cycle. */
  readonly loadBytesPerCycle: number;
  /** Rows that one pass of a kernel's row loop works on before it branches. */
  readonly rowBatch: number;
  /** Scalar instructions of that branch. */
  readonly batchInstructions: number;
  /** Cycles from calling a step to its first vector instruction, and from its last to the return. */
  readonly callCycles: number;
  /** The same for the set-up of a loop over rows, on top. */
  readonly loopCycles: number;
}

export type VectorUnit = 'scalar' | 'load' | 'store' | 'element' | 'reduce';

/** One instruction of a recipe; registers are small numbers. */
export interface VectorInstruction {
  readonly unit: VectorUnit;
  readonly writes?: number;
  readonly reads?: readonly number[];
}

/** A step of a kernel on each unit: some instructions on vectors of one element per row, some per row, some on vectors again. */
export interface VectorRecipe {
  readonly before: readonly VectorInstruction[];
  readonly perRow: readonly VectorInstruction[];
  readonly after: readonly VectorInstruction[];
}

const scalar: VectorInstruction = { unit: 'scalar' };
const load = (writes: number): VectorInstruction => ({ unit: 'load', writes });
const store = (register: number): VectorInstruction => ({ unit: 'store', reads: [register] });
const element = (writes: number, ...reads: number[]): VectorInstruction => ({ unit: 'element', writes, reads });
const reduce = (writes: number, ...reads: number[]): VectorInstruction => ({ unit: 'reduce', writes, reads });
const none: readonly VectorInstruction[] = [];

/**
 * The steps of a softmax over [rows, columns], and element-wise work, as the reference's kernels do them. Scalar instructions are a
 * load of the row's value and two additions to pointers.
 *
 * @see gvsoc/gvsoc soft_hier_release, FlatAttention/include/FlatAttentionUtil.h
 */
export const vectorRecipes = {
  /** m = max(m, max of the row, scaled), storing the scaled row. */
  rowMax: { before: [load(0)], perRow: [load(1), element(1, 1), store(1), reduce(0, 0, 1), scalar, scalar], after: [store(0)] },
  /** row = exp(row − m of the row). */
  exp: { before: none, perRow: [scalar, load(1), element(1, 1), element(1, 1), store(1), scalar, scalar], after: none },
  /** l = sum of the row. */
  rowSum: { before: [element(0)], perRow: [load(1), reduce(0, 0, 1), scalar, scalar], after: [store(0)] },
  /** row = row × (or ÷) the row's value. */
  scale: { before: none, perRow: [scalar, load(1), element(1, 1), store(1), scalar, scalar], after: none },
  /** e = exp(a − b), one element per row. */
  expDifference: { before: [load(0), load(1), element(0, 0, 1), element(0, 0), store(0)], perRow: none, after: none },
  /** l = e × a + b, one element per row. */
  multiplyAdd: { before: [load(0), load(1), element(0, 0, 1), load(2), element(0, 0, 2), store(0)], perRow: none, after: none },
  /** a = a + b, row by row. */
  add: { before: none, perRow: [load(0), load(1), element(0, 0, 1), store(0), scalar, scalar], after: none },
  /** a = a, row by row: what moving data through the unit costs. */
  copy: { before: none, perRow: [load(0), store(0), scalar, scalar], after: none },
} as const satisfies Record<string, VectorRecipe>;

export type VectorKind = keyof typeof vectorRecipes;

/** Cycles that one instruction keeps its unit busy on `elements` elements. Division and exp cost what an addition costs. */
export function vectorInstructionCycles(unit: VectorUnit, elements: number, elementBytes: number, spec: VectorEngineSpec): number {
  const lanes = Math.max(1, Math.floor(spec.laneBits / 8 / elementBytes));
  const passes = Math.max(1, Math.ceil(elements / lanes));
  switch (unit) {
    case 'scalar': return 1;
    case 'load':
    case 'store': return Math.max(1, Math.ceil((elements * elementBytes) / spec.loadBytesPerCycle));
    case 'element': return passes;
    case 'reduce': return Math.max(1, passes - 1 + Math.ceil(Math.log2(lanes)) - 1);
  }
}

/** Rows that one unit works on. With `vectorSkipsPartialBatches` the rest after whole batches on every unit is not worked on at all. */
export function rowsPerUnit(rows: number, spec: VectorEngineSpec, options: CostOptions = physicalOptions): number {
  return options.vectorSkipsPartialBatches ? Math.floor(rows / (spec.units * spec.rowBatch)) * spec.rowBatch : Math.ceil(rows / spec.units);
}

/**
 * Cycles of one step on a tile: rows are dealt out to the units, which work side by side on L1 without getting into each other's
 * way. Each unit issues one instruction per cycle in order; an instruction starts when its unit is free, its operands are written
 * and what it overwrites is read; the next one issues after it has started. So long rows cost what their unit needs and short rows
 * the six or seven instructions of a pass.
 *
 * @param rows rows on the whole tile, ≥ 1
 * @param columns elements of one row, ≥ 1
 * @throws CostError `COST_BAD_ARGUMENT`
 * @see Spatz, Perotti et al. (2023), arXiv 2309.10137; gvsoc-core cpu/iss/src/spatz.cpp, isa/rv32v.hpp
 */
export function vectorCycles(kind: VectorKind, rows: number, columns: number, elementBytes: number, spec: VectorEngineSpec, options: CostOptions = physicalOptions): number {
  checkWhole('rows of vector work', rows, 1);
  checkWhole('columns of vector work', columns, 1);
  checkWhole('bytes per element', elementBytes, 1);
  const recipe = vectorRecipes[kind];
  const perUnit = Math.ceil(rows / spec.units);
  return spec.callCycles + (recipe.perRow.length > 0 ? spec.loopCycles : 0) + unitCycles(recipe, perUnit, rowsPerUnit(rows, spec, options), columns, elementBytes, spec);
}

/** Cycles of a recipe on one unit, without the call: vectors of `vectorElements`, then `rows` rows of `columns` elements. */
export function unitCycles(recipe: VectorRecipe, vectorElements: number, rows: number, columns: number, elementBytes: number, spec: VectorEngineSpec): number {
  const batch = spec.rowBatch;
  const settled = 3 * batch;
  const simulate = (n: number) => scoreboardCycles(recipe, vectorElements, n, columns, elementBytes, spec);
  if (rows <= settled + batch) return simulate(rows);
  // Passes repeat after the first ones: the whole batches in between cost what the third did.
  const between = Math.floor((rows - settled) / batch);
  const period = simulate(settled) - simulate(settled - batch);
  return simulate(rows - between * batch) + between * period;
}

function scoreboardCycles(recipe: VectorRecipe, vectorElements: number, rows: number, columns: number, elementBytes: number, spec: VectorEngineSpec): number {
  let issueCycle = 0;
  let memoryFree = 0;
  let arithmeticFree = 0;
  let endCycle = 0;
  const written = new Float64Array(4);
  const read = new Float64Array(4);
  const run = (instructions: readonly VectorInstruction[], elements: number) => {
    for (const { unit, writes, reads } of instructions) {
      let start = issueCycle;
      if (unit !== 'scalar') {
        const memory = unit === 'load' || unit === 'store';
        start = Math.max(start, memory ? memoryFree : arithmeticFree);
        for (const register of reads ?? []) start = Math.max(start, written[register]!);
        if (writes !== undefined) start = Math.max(start, read[writes]!, written[writes]!);
        const end = start + vectorInstructionCycles(unit, elements, elementBytes, spec);
        if (memory) memoryFree = end;
        else arithmeticFree = end;
        for (const register of reads ?? []) read[register] = Math.max(read[register]!, end);
        if (writes !== undefined) written[writes] = end;
        endCycle = Math.max(endCycle, end);
      }
      issueCycle = start + 1;
    }
  };
  run(recipe.before, vectorElements);
  for (let row = 0; row < rows; row++) {
    run(recipe.perRow, columns);
    if ((row + 1) % spec.rowBatch === 0 && recipe.perRow.length > 0) issueCycle += spec.batchInstructions;
  }
  run(recipe.after, vectorElements);
  return Math.max(endCycle, issueCycle);
}
