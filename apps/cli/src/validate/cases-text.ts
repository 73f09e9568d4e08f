import { duration } from '../progress.ts';
import type { CasesProgress } from './run-cases.ts';

/**
 * How far the ledger is, in a line. Time left is the stated cost of what is to come at the pace so far: unknown until something
 * with a cost is done.
 *
 * @param current the case that was begun last
 */
export function casesText({ done, cases, doneCost, cost, failed }: CasesProgress, current: string, wallSeconds: number): string {
  const left = doneCost > 0 ? ` · about ${duration((wallSeconds / doneCost) * (cost - doneCost))} left` : '';
  return `case ${done}/${cases}${failed === 0 ? '' : ` · ${failed} failed`}${left} · ${current}`;
}
