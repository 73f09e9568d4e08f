/** Rounding of sums of up to a million 64-bit numbers; what is exact may differ by this much, relative. */
export const ROUNDING = 1e-9;

/**
 * How far ours is off, relative to the expected value: ours / expected − 1. 0 when both are the same, also when both are 0;
 * infinite, with the sign of ours, when 0 was expected and something else came.
 */
export function deviationOf(ours: number, expected: number): number {
  if (ours === expected) return 0;
  return expected === 0 ? Math.sign(ours) * Infinity : (ours - expected) / Math.abs(expected);
}

/** Whether a value lies within the tolerance, which is relative and belongs to it; tolerance 0 means equal up to {@link ROUNDING}. */
export function isWithin(ours: number, expected: number, tolerance: number): boolean {
  return Math.abs(deviationOf(ours, expected)) <= tolerance + ROUNDING;
}

/** Middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
