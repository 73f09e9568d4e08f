/** Number formats of tensors and buffers: IEEE 754 binary32 and binary16, bfloat16, and OCP FP8 as E4M3 and E5M2. */
export const elementTypes = ['fp32', 'fp16', 'bf16', 'fp8e4m3', 'fp8e5m2'] as const;
export type NumberFormat = (typeof elementTypes)[number];

/** Bytes of one element. */
export const elementBytes: Readonly<Record<NumberFormat, number>> = { fp32: 4, fp16: 2, bf16: 2, fp8e4m3: 1, fp8e5m2: 1 };

interface Format {
  /** Significant bits, the hidden one included. */
  readonly precision: number;
  /** Exponent of the smallest normal number. */
  readonly leastExponent: number;
  readonly largest: number;
  /** What lies beyond the largest: infinity, or the largest itself. */
  readonly saturates: boolean;
}

const formats: Readonly<Record<Exclude<NumberFormat, 'fp32'>, Format>> = {
  fp16: { precision: 11, leastExponent: -14, largest: 65_504, saturates: false },
  bf16: { precision: 8, leastExponent: -126, largest: (2 - 2 ** -7) * 2 ** 127, saturates: false },
  fp8e4m3: { precision: 4, leastExponent: -6, largest: 448, saturates: true },
  fp8e5m2: { precision: 3, leastExponent: -14, largest: 57_344, saturates: true },
};

/**
 * The nearest number of a format, ties to even, subnormal numbers kept. Past the largest, FP16 and BF16 become infinite
 * as in IEEE 754; FP8 saturates, the `satfinite` mode of machines that convert to it.
 *
 * @see OCP 8-bit Floating Point Specification (OFP8) 1.0, 2023
 */
export function roundTo(type: NumberFormat, value: number): number {
  if (type === 'fp32') return Math.fround(value);
  const { precision, leastExponent, largest, saturates } = formats[type];
  if (value === 0 || Number.isNaN(value)) return value;
  if (Number.isFinite(value)) {
    // Adding 1.5 · 2^52 units of the last place leaves no room for anything smaller than that unit: the sum is rounded.
    const unit = 2 ** (Math.max(exponentOf(value), leastExponent) - precision + 1);
    const magic = unit * 6_755_399_441_055_744;
    const rounded = value + magic - magic;
    if (Math.abs(rounded) <= largest) return rounded === 0 && value < 0 ? -0 : rounded;
  }
  const beyond = saturates ? largest : Infinity;
  return value < 0 ? -beyond : beyond;
}

const bits = new DataView(new ArrayBuffer(8));

/** Exponent of the leading bit of a normal number other than 0; −1023 for one below all formats here. */
function exponentOf(value: number): number {
  bits.setFloat64(0, value);
  return ((bits.getUint16(0) >> 4) & 0x7ff) - 1023;
}
