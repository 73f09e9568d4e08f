import type { PlannedCase } from './planned-case.ts';

/** Cases below this cost are always part of a quick run, seconds. */
export const QUICK_SECONDS = 2;

/**
 * The cases of a quick run, in their order: all that cost less than {@link QUICK_SECONDS}, and `count` of the others, drawn by
 * `seed`. A case is drawn by its name, so that a new one does not change whether the others are compared with each other.
 *
 * @param count ≥ 0; more than there are takes all
 * @param seed a whole number, 0 to 2^32 − 1
 */
export function quickSample(cases: readonly PlannedCase[], count: number, seed: number): PlannedCase[] {
  const dear = cases.filter(({ costSeconds }) => costSeconds >= QUICK_SECONDS);
  const drawn = new Set(dear
    .map((planned) => ({ planned, lot: hash(`${seed}/${planned.suite}/${planned.name}/${planned.list}`) }))
    .sort((a, b) => a.lot - b.lot || (a.planned.name < b.planned.name ? -1 : 1))
    .slice(0, count)
    .map(({ planned }) => planned));
  return cases.filter((planned) => planned.costSeconds < QUICK_SECONDS || drawn.has(planned));
}

/** FNV-1a of the UTF-16 units, and a final mix so that texts that end alike do not stay close. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
