import { memoryOf, presetHardware } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeCycles, computeRates } from './costs.ts';

const rates = { flopsPerCycle: 1000, memoryBytesPerCycle: 400, tileBytesPerCycle: 100 };

test.each([
  // flops, bytes, sharing tiles, cycles: which limit holds
  [10_000, 999, 1, 10, 'computing'],
  [10_000, 1000, 1, 10, 'both alike'],
  [10_000, 1001, 1, 11, 'the link of the tile'],
  [10_001, 1000, 1, 11, 'computing'],
  [10_000, 1000, 4, 10, 'the link of the tile, memory being just enough'],
  [10_000, 1000, 5, 13, 'the share of memory'],
  [0, 0, 1, 1, 'at least one cycle'],
  [1, 0, 1, 1, 'one cycle begun'],
])('%i operations on %i bytes, %i tiles sharing the memory: %i cycles (%s)', (flops, bytes, sharing, cycles) => {
  expect(computeCycles(flops, bytes, rates, sharing)).toBe(cycles);
});

test('it never beats the roofline, and is less than a cycle above it', () => {
  fc.assert(fc.property(fc.nat(1e9), fc.nat(1e9), fc.integer({ min: 1, max: 1024 }), (flops, bytes, sharing) => {
    const ideal = Math.max(flops / rates.flopsPerCycle, bytes / Math.min(rates.tileBytesPerCycle, rates.memoryBytesPerCycle / sharing));
    const cycles = computeCycles(flops, bytes, rates, sharing);
    expect(cycles).toBeGreaterThanOrEqual(ideal);
    expect(cycles).toBeLessThan(Math.max(1, ideal + 1));
    expect(cycles).toBeLessThanOrEqual(computeCycles(flops, bytes, rates, sharing + 1));
  }));
});

test('rates come from the hardware, per element type', () => {
  const hardware = presetHardware('mesh-8x8');
  for (const type of ['fp16', 'fp8'] as const) expect(computeRates(hardware, type).flopsPerCycle).toBe(hardware.tile.matrix.flopsPerCycle[type]);
  const fraction = { ...hardware, memory: { ...memoryOf(hardware, 'This test'), channels: 6, bytesPerCyclePerChannel: [10, 4] as [number, number] } };
  expect(computeRates(fraction, 'fp16').memoryBytesPerCycle).toBe(15);
});

test('without memory channels tiles compute, but cannot read operands from memory', () => {
  const scratchpads = computeRates({ ...presetHardware('mesh-8x8'), memory: null }, 'fp16');
  expect(scratchpads.memoryBytesPerCycle).toBe(0);
  expect(computeCycles(4096, 0, scratchpads, 64)).toBe(4);
  expect(() => computeCycles(4096, 1, scratchpads, 64)).toThrow(expect.objectContaining({ code: 'HARDWARE_NO_MEMORY' }));
});
