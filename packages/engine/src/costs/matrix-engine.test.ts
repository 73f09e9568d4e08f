import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bookingsOf } from './l1.ts';
import { contendedMatrixEnd, matrixCycles, matrixPhases, matrixUtilisation, type MatrixEngineSpec } from './matrix-engine.ts';
import { physicalOptions, referenceOptions } from './options.ts';

const spec: MatrixEngineSpec = { rows: 32, columns: 16, pipelineStages: 1, l1BytesPerCycle: 512 };
const cube = { rows: 128, inner: 128, columns: 128 };

test('128 x 128 x 128 FP16 takes 4193 cycles without and 4226 with results written back', () => {
  expect(matrixCycles(cube, 2, spec, referenceOptions)).toBe(4193);
  expect(matrixCycles(cube, 2, spec)).toBe(4226);
});

// Both products of one attention step, D = 128. Source: FlatAttention, arXiv 2505.18824 Fig. 4 (98, 90, 63, 23) and arXiv 2604.02110 (with results).
test.each([[128, 97.7, 96.9], [64, 91.3, 81.9], [32, 63.8, 54.9], [16, 22.8, 20.4]])('slice %i is used %f %% without and %f %% with results written', (slice, without, with_) => {
  const scores = { rows: slice, inner: 128, columns: slice };
  const output = { rows: slice, inner: slice, columns: 128 };
  for (const [options, expected] of [[referenceOptions, without], [physicalOptions, with_]] as const) {
    const cycles = matrixCycles(scores, 2, spec, options) + matrixCycles(output, 2, spec, options);
    expect(100 * 2 * matrixUtilisation(scores, cycles, spec)).toBeCloseTo(expected, 1);
  }
});

// SoftHier project slides, 8 February 2024 (chart data): 12 x 4 compute elements, P = 3, 64 B per cycle, with results.
test.each([[48, 64, 48, 3152], [96, 64, 48, 6236], [48, 128, 48, 6224], [96, 64, 96, 12404], [192, 128, 48, 24692]])('RTL of the 12 x 4 array: %i-%i-%i takes %i cycles, within 1 %%', (rows, inner, columns, cycles) => {
  const array = { rows: 12, columns: 4, pipelineStages: 3, l1BytesPerCycle: 64 };
  expect(Math.abs(matrixCycles({ rows, inner, columns }, 2, array) / cycles - 1)).toBeLessThan(0.01);
});

const shapes = fc.record({ rows: fc.integer({ min: 1, max: 300 }), inner: fc.integer({ min: 1, max: 600 }), columns: fc.integer({ min: 1, max: 300 }) });

test('no job beats the array, writing results never helps, and more work never takes less', () => {
  fc.assert(fc.property(shapes, (shape) => {
    const cycles = matrixCycles(shape, 2, spec);
    expect(matrixUtilisation(shape, cycles, spec)).toBeLessThan(1);
    expect(cycles).toBeGreaterThan(matrixCycles(shape, 2, spec, referenceOptions));
    expect(matrixCycles({ ...shape, inner: shape.inner + 1 }, 2, spec)).toBeGreaterThanOrEqual(cycles);
  }));
});

test('with nobody else in L1 the end is start + cycles; with somebody it is never earlier', () => {
  fc.assert(fc.property(shapes, fc.nat(1000), fc.integer({ min: 0, max: 400 }), (shape, start, bytesPerCycle) => {
    const phases = matrixPhases(shape, 2, spec);
    const alone = start + matrixCycles(shape, 2, spec);
    expect(contendedMatrixEnd(phases, start, () => 0)).toBe(alone);
    const end = contendedMatrixEnd(phases, start, bookingsOf([{ fromCycle: 0, untilCycle: Infinity, bytesPerCycle }], 512));
    expect(end).toBeGreaterThanOrEqual(alone);
    expect(end).toBeLessThanOrEqual(start + (alone - start) * (512 / (512 - bytesPerCycle)) + 1);
  }));
});

// A toy simulation of banks; machine.md, section 6.
test.each([[0, 0, 4193], [128, Infinity, 4214], [512, 64, 4257]])('%i B per cycle of others until cycle %f: the job ends at %i', (bytesPerCycle, untilCycle, end) => {
  expect(contendedMatrixEnd(matrixPhases(cube, 2, spec, referenceOptions), 0, bookingsOf([{ fromCycle: 0, untilCycle, bytesPerCycle }], 512))).toBe(end);
});

test('half of L1 taken all the time makes it collapse to 6172, within 1 %; all of it is refused', () => {
  const phases = matrixPhases(cube, 2, spec, referenceOptions);
  const of = (bytesPerCycle: number) => contendedMatrixEnd(phases, 0, bookingsOf([{ fromCycle: 0, untilCycle: Infinity, bytesPerCycle }], 512));
  expect(Math.abs(of(256) / 6172 - 1)).toBeLessThan(0.01);
  expect(() => of(512)).toThrow(/never gets/);
});

test('shapes that are none are refused', () => {
  for (const bad of [0, -1, 1.5, NaN]) expect(() => matrixCycles({ ...cube, inner: bad }, 2, spec)).toThrow(/whole number/);
});
