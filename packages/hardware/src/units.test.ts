import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesPerCycleFromGigabytesPerSecond, cyclesFromNanoseconds, nanosecondsFromCycles } from './units.ts';

const clock = fc.integer({ min: 1, max: 100_000 });

test('a time becomes the fewest cycles that cover it', () => {
  // In thousandths of a nanosecond, so that the law itself can be checked in whole numbers.
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), clock, (picoseconds, clockMegahertz) => {
    const cycles = BigInt(cyclesFromNanoseconds(picoseconds / 1000, clockMegahertz));
    const work = BigInt(picoseconds) * BigInt(clockMegahertz); // cycles × 10^6
    expect(cycles * 1_000_000n >= work).toBe(true);
    expect((cycles - 1n) * 1_000_000n < work).toBe(true);
  }));
});

test('a whole number of cycles survives the way to nanoseconds and back', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), fc.constantFrom(1, 250, 500, 1000, 2000), (cycles, clockMegahertz) => {
    expect(cyclesFromNanoseconds(nanosecondsFromCycles(cycles, clockMegahertz), clockMegahertz)).toBe(cycles);
  }));
});

test.each([
  [256, 1930, 495], // 494.08
  [256, 1000, 256],
  [0, 1930, 0],
  [0.1, 1000, 1],
  [1e-7, 1000, 1], // prints with an exponent
  [0.3, 10_000, 3], // 0.3 × 10 is 3.0000000000000004 in some orders of multiplication
  [1e21, 0.001, 1e15],
])('%s ns at %s MHz are %s cycles', (nanoseconds, clockMegahertz, cycles) => {
  expect(cyclesFromNanoseconds(nanoseconds, clockMegahertz)).toBe(cycles);
});

test('a bandwidth is an exact fraction: bytes per cycle × clock = bytes per second', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100_000_000 }), clock, (megabytesPerSecond, clockMegahertz) => {
    const { numerator, denominator } = bytesPerCycleFromGigabytesPerSecond(megabytesPerSecond / 1000, clockMegahertz);
    expect(BigInt(numerator) * BigInt(clockMegahertz)).toBe(BigInt(denominator) * BigInt(megabytesPerSecond));
  }));
});

test.each([
  [160, 1930, 16_000, 193], // 82.9 bytes per cycle
  [1000, 1930, 100_000, 193],
  [64, 1000, 64, 1],
  [0.5, 1000, 1, 2],
])('%s GB/s at %s MHz are %s/%s bytes per cycle', (gigabytesPerSecond, clockMegahertz, numerator, denominator) => {
  expect(bytesPerCycleFromGigabytesPerSecond(gigabytesPerSecond, clockMegahertz)).toEqual({ numerator, denominator });
});

test.each([[-1], [NaN], [Infinity]])('%s is neither a time nor a bandwidth', (bad) => {
  expect(() => cyclesFromNanoseconds(bad, 1000)).toThrow(expect.objectContaining({ code: 'HARDWARE_BAD_QUANTITY' }));
  expect(() => bytesPerCycleFromGigabytesPerSecond(bad, 1000)).toThrow(expect.objectContaining({ code: 'HARDWARE_BAD_QUANTITY' }));
});

test('a link without bandwidth, a stopped clock and a time beyond 2^53 cycles are refused', () => {
  expect(() => bytesPerCycleFromGigabytesPerSecond(0, 1000)).toThrow('> 0, got 0');
  expect(() => cyclesFromNanoseconds(1, 0)).toThrow('> 0, got 0');
  expect(() => cyclesFromNanoseconds(1e16, 1000)).toThrow('below 2^53');
});
