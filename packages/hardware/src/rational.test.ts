import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rateOf, rationalOf } from './rational.ts';

const part = fc.integer({ min: 1, max: 2 ** 24 });

test('a fraction keeps its value in lowest terms', () => {
  fc.assert(fc.property(part, part, (numerator, denominator) => {
    const reduced = rationalOf([numerator, denominator]);
    expect(reduced.numerator * denominator).toBe(reduced.denominator * numerator);
    for (let divisor = 2; divisor < 50; divisor++) expect(reduced.numerator % divisor === 0 && reduced.denominator % divisor === 0).toBe(false);
  }));
});

test('equal fractions are the same, however they are written', () => {
  fc.assert(fc.property(part, part, fc.integer({ min: 1, max: 1000 }), (numerator, denominator, factor) => {
    expect(rationalOf([numerator * factor, denominator * factor])).toEqual(rationalOf([numerator, denominator]));
  }));
});

test('a rate written out and read back is the same fraction', () => {
  fc.assert(fc.property(part, part, (numerator, denominator) => {
    const rational = rationalOf([numerator, denominator]);
    expect(rationalOf(rateOf(rational))).toEqual(rational);
  }));
  expect(rateOf({ numerator: 128, denominator: 1 })).toBe(128);
});

test.each([[0], [-1], [1.5], [NaN], [2 ** 53]])('%s is no part of a fraction', (bad) => {
  expect(() => rationalOf([bad, 1])).toThrow(expect.objectContaining({ code: 'HARDWARE_BAD_QUANTITY' }));
  expect(() => rationalOf([1, bad])).toThrow(expect.objectContaining({ code: 'HARDWARE_BAD_QUANTITY' }));
});
