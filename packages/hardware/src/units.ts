import { HardwareError } from './errors.ts';
import { reduced, type Rational } from './rational.ts';

/**
 * Whole cycles that cover a time, rounded up: no event may come before the real one could. Exact: the number is taken
 * as the decimal it prints as, so 256 ns at 1930 MHz is 494.08 and hence 495 cycles.
 *
 * @param nanoseconds ≥ 0
 * @param clockMegahertz > 0
 * @throws HardwareError `HARDWARE_BAD_QUANTITY`
 */
export function cyclesFromNanoseconds(nanoseconds: number, clockMegahertz: number): number {
  const time = decimal('A time in nanoseconds', nanoseconds, 0);
  const clock = decimal('A clock in megahertz', clockMegahertz, Number.MIN_VALUE);
  const numerator = time.digits * clock.digits;
  const denominator = 1000n * time.scale * clock.scale;
  return safe('A time in cycles', (numerator + denominator - 1n) / denominator);
}

/** Nanoseconds that a number of cycles take, to the nearest double: for people to read, not to compute on. */
export function nanosecondsFromCycles(cycles: number, clockMegahertz: number): number {
  return (cycles * 1000) / clockMegahertz;
}

/**
 * The bytes per cycle of a bandwidth, as an exact fraction: 160 GB/s at 1930 MHz is 16000/193. Prefixes are decimal,
 * 1 GB/s = 10^9 bytes per second.
 *
 * @param gigabytesPerSecond > 0
 * @param clockMegahertz > 0
 * @throws HardwareError `HARDWARE_BAD_QUANTITY`, also when the fraction has parts beyond 2^53 − 1
 */
export function bytesPerCycleFromGigabytesPerSecond(gigabytesPerSecond: number, clockMegahertz: number): Rational {
  const bandwidth = decimal('A bandwidth in gigabytes per second', gigabytesPerSecond, Number.MIN_VALUE);
  const clock = decimal('A clock in megahertz', clockMegahertz, Number.MIN_VALUE);
  let numerator = 1000n * bandwidth.digits * clock.scale;
  let denominator = bandwidth.scale * clock.digits;
  const divisor = greatestCommonDivisor(numerator, denominator);
  numerator /= divisor;
  denominator /= divisor;
  return reduced(safe('A rate', numerator), safe('A rate', denominator));
}

/** digits / scale, with scale a power of ten: the number as it prints. */
function decimal(what: string, value: number, minimum: number): { digits: bigint; scale: bigint } {
  if (!Number.isFinite(value) || value < minimum) {
    const message = `${what} is a number ${minimum === 0 ? '≥' : '>'} 0, got ${value}.`;
    throw new HardwareError('HARDWARE_BAD_QUANTITY', message, { got: value });
  }
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  return power >= 0 ? { digits: digits * 10n ** BigInt(power), scale: 1n } : { digits, scale: 10n ** BigInt(-power) };
}

function safe(what: string, value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new HardwareError('HARDWARE_BAD_QUANTITY', `${what} must stay below 2^53, got ${value}.`, { got: String(value) });
  }
  return Number(value);
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}
