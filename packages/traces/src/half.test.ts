import { expect, test } from 'vitest';
import { halfToNumber } from './half.ts';

test.each([
  [0x0000, 0], [0x0001, 2 ** -24], [0x03ff, 1023 * 2 ** -24], [0x0400, 2 ** -14], [0x3555, 0.333251953125], [0x3c00, 1], [0x3c01, 1 + 2 ** -10],
  [0xc000, -2], [0x7bff, 65504], [0x7c00, Infinity], [0xfc00, -Infinity], [0x7e00, NaN],
])('bits %i are %f (IEEE 754 binary16)', (bits, value) => {
  expect(halfToNumber(bits)).toBe(value);
});

test('values rise with their bits, and the sign bit negates', () => {
  const wrong = Array.from({ length: 0x7c00 }, (_, bits) => bits).filter((bits) => !(halfToNumber(bits + 1) > halfToNumber(bits)) || halfToNumber(bits | 0x8000) !== -halfToNumber(bits));
  expect(wrong).toEqual([]);
});
