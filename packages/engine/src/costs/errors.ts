import { KerfError } from '@kerf/checks';

export type CostErrorCode = 'COST_BAD_ARGUMENT' | 'COST_L1_SATURATED' | 'COST_BAD_TIMING';

/** Work or hardware figures for which a cost model has no answer. */
export class CostError extends KerfError<CostErrorCode> {
  override readonly name = 'CostError';
}

/** Throws unless `value` is a whole number of at least `minimum`. */
export function checkWhole(name: string, value: number, minimum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum) return;
  throw new CostError('COST_BAD_ARGUMENT', `${name} is a whole number of at least ${minimum}, got ${value}.`, { name, value, minimum });
}
