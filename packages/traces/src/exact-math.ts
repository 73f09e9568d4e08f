/**
 * Logarithm and exponential from additions, multiplications and divisions only. `Math.log` and `Math.exp` may differ in
 * the last bit between JavaScript engines and their versions; these do not, so a synthetic trace is the same everywhere.
 */

const LN2 = 0.6931471805599453;
const SQRT_HALF = 0.7071067811865476;
const bits = new DataView(new ArrayBuffer(8));

/** 1/3, 1/5, … 1/23: the series of atanh, of which |s| ≤ 0.172 needs these for a double. */
const ATANH_TERMS = Float64Array.from({ length: 11 }, (_, i) => 1 / (2 * i + 3));

/** Natural logarithm of a normal number > 0, within 4 units of the last place of max(1, |result|). */
export function exactLog(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = (high >>> 20) - 1022;
  bits.setUint32(0, (high & 0x000fffff) | 0x3fe00000);
  let mantissa = bits.getFloat64(0); // [1/2, 1)
  if (mantissa < SQRT_HALF) {
    mantissa *= 2;
    exponent--;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let i = ATANH_TERMS.length - 1; i >= 0; i--) series = (series + ATANH_TERMS[i]!) * square;
  return exponent * LN2 + 2 * s * (1 + series);
}

/** Exponential of a number in [-700, 700], relative error below 1e-13. */
export function exactExp(x: number): number {
  const exponent = Math.round(x / LN2);
  const rest = x - exponent * LN2;
  let series = 1;
  for (let i = 14; i > 0; i--) series = 1 + (series * rest) / i;
  bits.setUint32(0, (exponent + 1023) << 20);
  bits.setUint32(4, 0);
  return series * bits.getFloat64(0);
}
