import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deviationOf, isWithin, median } from './verdict.ts';

const figure = fc.double({ min: 1e-6, max: 1e12, noNaN: true });

test('what is off by less than the tolerance passes, what is off by more does not, on both sides', () => {
  fc.assert(fc.property(figure, fc.double({ min: 1e-4, max: 0.5, noNaN: true }), fc.constantFrom(1, -1), (expected, tolerance, side) => {
    expect(isWithin(expected * (1 + side * tolerance * 0.999), expected, tolerance)).toBe(true);
    expect(isWithin(expected * (1 + side * tolerance * 1.001), expected, tolerance)).toBe(false);
  }));
});

test('exact means equal up to rounding', () => {
  fc.assert(fc.property(figure, (expected) => {
    expect(isWithin(expected * (1 + 1e-12), expected, 0)).toBe(true);
    expect(isWithin(expected * (1 + 1e-8), expected, 0)).toBe(false);
    expect(isWithin(expected * (1 - 1e-8), expected, 0)).toBe(false);
  }));
});

test.each([[0, 0, 0], [1, 0, Infinity], [-1, 0, -Infinity], [110, 100, 0.1], [90, 100, -0.1], [-90, -100, 0.1]])('the deviation of %d from %d is %d', (ours, expected, deviation) => {
  expect(deviationOf(ours, expected)).toBeCloseTo(deviation, 12);
});

test('where 0 is expected only 0 passes', () => {
  expect(isWithin(0, 0, 0)).toBe(true);
  expect(isWithin(1e-12, 0, 0.5)).toBe(false);
});

test('as many values lie below the median as above', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1 }), (values) => {
    const middle = median(values);
    expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2);
    expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2);
  }));
  expect(median([])).toBeNaN();
  expect(median([4, 1, 3, 2])).toBe(2.5);
});
