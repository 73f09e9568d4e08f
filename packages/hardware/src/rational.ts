import { HardwareError } from './errors.ts';

/** An exact positive fraction in lowest terms. */
export interface Rational {
  readonly numerator: number;
  readonly denominator: number;
}

/** A rate as it stands in a hardware file: a whole number, or an exact fraction. */
export type Rate = number | readonly [numerator: number, denominator: number];

/**
 * The fraction that a rate stands for, in lowest terms.
 *
 * @param rate whole numbers between 1 and 2^53 − 1, as {@link parseHardware} lets through
 * @throws HardwareError `HARDWARE_BAD_QUANTITY` when a part is not a whole number ≥ 1
 */
export function rationalOf(rate: Rate): Rational {
  const [numerator, denominator] = typeof rate === 'number' ? [rate, 1] : rate;
  return reduced(numerator, denominator);
}

/**
 * numerator / denominator in lowest terms.
 *
 * @throws HardwareError `HARDWARE_BAD_QUANTITY` when a part is not a whole number between 1 and 2^53 − 1
 */
export function reduced(numerator: number, denominator: number): Rational {
  for (const part of [numerator, denominator]) {
    if (!Number.isSafeInteger(part) || part < 1) {
      const message = `A fraction is made of two whole numbers between 1 and 2^53 − 1, got ${numerator}/${denominator}.`;
      throw new HardwareError('HARDWARE_BAD_QUANTITY', message, { numerator, denominator });
    }
  }
  const divisor = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

/** The rate of a hardware file that stands for a fraction: a plain number when it is whole. */
export function rateOf({ numerator, denominator }: Rational): Rate {
  return denominator === 1 ? numerator : [numerator, denominator];
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
