/**
 * Counter-based randomness: the same 32 bits for the same three numbers, whatever was drawn before. Nothing depends on the
 * order in which tiles are visited, or on how a wafer was cut.
 */
export function hash32(seed: number, a: number, b: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(a ^ 0xc2b2ae35, 0x27d4eb2f) ^ Math.imul(b ^ 0x165667b1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** A whole number from 0 to `below` − 1 from 32 random bits. */
export function below(bits: number, below: number): number {
  return Math.floor((bits * below) / 4294967296);
}

/**
 * Cycles from one packet of a Bernoulli source to its next, ≥ 1: geometric with mean 1 / p.
 *
 * @param bits 32 random bits
 * @param perLog 1 / ln(1 − p); −0 for p = 1
 */
export function geometricGap(bits: number, perLog: number): number {
  return 1 + Math.floor(Math.log((bits + 1) / 4294967297) * perLog);
}
