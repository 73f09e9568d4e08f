/** Consecutive ranges of one dimension that differ by at most one unit; the last may be cut short. */
export interface Partition {
  readonly length: number;
  readonly parts: number;
  /** Elements of a unit. */
  readonly unit: number;
}

/** One range: `size` elements from base + step · part. Ranges of the same kind share all three, so that one role can serve them all. */
export interface Range {
  readonly base: number;
  readonly step: number;
  readonly size: number;
}

/**
 * Cuts `length` elements into `parts` ranges in multiples of `unit`, and of 1 when there are fewer units than parts. None is empty.
 *
 * @param parts 1 to `length`
 */
export function partition(length: number, parts: number, unit = 1): Partition {
  return { length, parts, unit: Math.ceil(length / unit) < parts ? 1 : unit };
}

/** The range of one part, from 0. The first ones are a unit larger than the others, if they cannot all be the same. */
export function rangeOf({ length, parts, unit }: Partition, part: number): Range {
  const units = Math.ceil(length / unit);
  const small = Math.floor(units / parts) * unit;
  const large = units % parts;
  const [base, step] = part < large ? [0, small + unit] : [large * unit, small];
  return { base, step, size: Math.min(step, length - base - step * part) };
}

export function startOf(cut: Partition, part: number): number {
  const { base, step } = rangeOf(cut, part);
  return base + step * part;
}

/** Elements of the largest range. */
export function largestOf(cut: Partition): number {
  return rangeOf(cut, 0).size;
}
