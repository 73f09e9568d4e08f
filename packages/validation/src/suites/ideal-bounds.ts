/**
 * Load, in flits per node and cycle, at which the busiest link of an X-then-Y mesh of side k is always busy.
 *
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), section 3.3.1: channel load
 */
export const idealBounds = {
  uniform: (k: number) => 4 / k,
  transpose: (k: number) => 1 / (k - 1),
  bitcomp: (k: number) => 2 / k,
  tornado: (k: number) => 1 / (Math.ceil(k / 2) - 1),
  neighbor: (_: number) => 1,
  hotspot: (k: number) => 4 / (k * k),
} as const;
