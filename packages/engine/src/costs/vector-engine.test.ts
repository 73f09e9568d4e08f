import fc from 'fast-check';
import { expect, test } from 'vitest';
import { physicalOptions, referenceOptions } from './options.ts';
import { rowsPerUnit, unitCycles, vectorCycles, vectorInstructionCycles, vectorRecipes, type VectorEngineSpec, type VectorKind } from './vector-engine.ts';

const spec: VectorEngineSpec = { units: 4, laneBits: 256, loadBytesPerCycle: 32, rowBatch: 16, batchInstructions: 5, callCycles: 30, loopCycles: 10 };
const kinds = Object.keys(vectorRecipes) as VectorKind[];

test.each([['load', 128, 2, 8], ['element', 128, 2, 8], ['element', 128, 1, 4], ['reduce', 128, 2, 10], ['reduce', 16, 2, 3], ['load', 1, 2, 1], ['scalar', 128, 2, 1]] as const)('a %s of %i elements of %i B takes %i cycles', (unit, elements, bytes, cycles) => {
  expect(vectorInstructionCycles(unit, elements, bytes, spec)).toBe(cycles);
});

// Cycles per row of a long loop, n = 128, 64, 32, 16 elements. With long rows: load + store + arithmetic; with short ones the instructions of a pass.
test.each([['rowMax', [27, 15, 9, 6]], ['exp', [32, 16, 10, 7]], ['rowSum', [18, 10, 6, 4]], ['scale', [24, 12, 8, 6]]] as const)('a row of %s takes %j cycles', (kind, perRow) => {
  const without = { ...spec, batchInstructions: 0 };
  expect([128, 64, 32, 16].map((n) => (unitCycles(vectorRecipes[kind], 1, 1600, n, 2, without) - unitCycles(vectorRecipes[kind], 1, 800, n, 2, without)) / 800)).toEqual(perRow);
});

test('more rows or longer rows never take less; each unit more helps; the passes in between are extrapolated exactly', () => {
  fc.assert(fc.property(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 300 }), (kind, rows, columns) => {
    const cycles = vectorCycles(kind, rows, columns, 2, spec);
    expect(vectorCycles(kind, rows + 1, columns, 2, spec)).toBeGreaterThanOrEqual(cycles);
    expect(vectorCycles(kind, rows, columns + 1, 2, spec)).toBeGreaterThanOrEqual(cycles);
    expect(vectorCycles(kind, rows, columns, 2, { ...spec, units: 5 })).toBeLessThanOrEqual(cycles);
    const batch = (n: number) => unitCycles(vectorRecipes[kind], 1, n * 16, columns, 2, spec);
    expect(batch(9) - batch(8)).toBe(batch(4) - batch(3));
  }));
});

test('rows that fill no batch are skipped by the reference only', () => {
  expect([63, 64, 127, 128].map((rows) => rowsPerUnit(rows, spec, referenceOptions))).toEqual([0, 16, 16, 32]);
  expect([1, 63, 64, 65].map((rows) => rowsPerUnit(rows, spec, physicalOptions))).toEqual([1, 16, 16, 17]);
});
