import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roundTo, type NumberFormat } from './element-types.ts';

/** All finite numbers ≥ 0 of a small format, from its bits: exponent bits, mantissa bits, and how many codes at the top are none. */
function numbersOf(exponentBits: number, mantissaBits: number, special: number): number[] {
  const bias = 2 ** (exponentBits - 1) - 1;
  const scale = 2 ** mantissaBits;
  return Array.from({ length: 2 ** (exponentBits + mantissaBits) - special }, (_, code) => {
    const exponent = Math.floor(code / scale);
    const fraction = (code % scale) / scale;
    return exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
  });
}

const formats: readonly [NumberFormat, number[]][] = [
  ['fp16', numbersOf(5, 10, 1024)], ['bf16', numbersOf(8, 7, 128)], ['fp8e4m3', numbersOf(4, 3, 1)], ['fp8e5m2', numbersOf(5, 2, 4)],
];

test.each(formats)('%s: every number of the format stays, and between two neighbours the nearer is taken, the even one in the middle', (type, numbers) => {
  const expected: number[] = [];
  const given: number[] = [];
  numbers.slice(0, -1).forEach((number, code) => {
    const next = numbers[code + 1]!;
    const middle = (number + next) / 2;
    const near = (next - number) / 1024;
    given.push(number, -number, middle - near, middle, middle + near);
    expected.push(number, -number, number, code % 2 === 0 ? number : next, next);
  });
  expect(given.map((value) => roundTo(type, value))).toEqual(expected);
}, 60_000);

test.each<[NumberFormat, number, number, number]>([['fp16', 65_504, 65_520, Infinity], ['bf16', (2 - 2 ** -7) * 2 ** 127, (2 - 2 ** -8) * 2 ** 127, Infinity], ['fp8e4m3', 448, 464, 448], ['fp8e5m2', 57_344, 61_440, 57_344]])(
  '%s ends at %d: from %d on it is %d', (type, largest, first, beyond) => {
    expect(roundTo(type, first * (1 - 1e-9))).toBe(largest);
    for (const value of [first, first * 2, 1e300, Infinity]) expect([roundTo(type, value), roundTo(type, -value)]).toEqual([beyond, -beyond]);
    expect(roundTo(type, NaN)).toBeNaN();
  });

test('rounding twice is rounding once, keeps order, and is odd', () => {
  fc.assert(fc.property(fc.constantFrom<NumberFormat>('fp32', 'fp16', 'bf16', 'fp8e4m3', 'fp8e5m2'), fc.double({ noNaN: true }), fc.double({ noNaN: true }), (type, a, b) => {
    const rounded = roundTo(type, a);
    expect(roundTo(type, rounded)).toBe(rounded);
    expect(roundTo(type, -a)).toBe(-rounded);
    expect(Math.sign(a - b) * (rounded - roundTo(type, b)) >= 0 || a === b || Number.isNaN(a - b) || Number.isNaN(rounded - roundTo(type, b))).toBe(true);
  }));
});
