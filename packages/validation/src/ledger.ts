import { ROW_LISTS, VERDICTS, type LedgerRow, type Outcome, type RowList, type Verdict } from './ledger-row.ts';
import type { Suite } from './suite.ts';
import { isWithin, median } from './verdict.ts';

export type Totals = Readonly<Record<Verdict, number>>;

/** How one suite did. */
export interface SuiteSummary {
  readonly suite: string;
  readonly totals: Totals;
  readonly reported: number;
  /** Over judged rows; NaN without any. Of absolute deviations, relative. */
  readonly medianDeviation: number;
  readonly worstDeviation: number;
  /** `pass` when something was judged and nothing failed. */
  readonly verdict: Verdict | 'empty';
}

export function totalsOf(rows: readonly LedgerRow[]): Totals {
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  return Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(verdict)])) as unknown as Totals;
}

/** The totals of each list. */
export function totalsByList(rows: readonly LedgerRow[]): Readonly<Record<RowList, Totals>> {
  return Object.fromEntries(ROW_LISTS.map((list) => [list, totalsOf(rows.filter((row) => row.list === list))])) as Record<RowList, Totals>;
}

/** Rows that were judged or could not be: those with a verdict. */
export function verdictRows(rows: readonly LedgerRow[]): LedgerRow[] {
  return rows.filter(({ verdict }) => verdict !== 'reported');
}

/**
 * The rows on the median of a suite, one for each list that has judged rows, so that it counts as one row does: the median of the
 * absolute deviations against its own tolerance. None for a suite that states no such tolerance.
 */
export function medianRows(suite: Suite, rows: readonly LedgerRow[]): LedgerRow[] {
  const { medianTolerance } = suite;
  if (medianTolerance === undefined) return [];
  return ROW_LISTS.flatMap((list) => {
    const judged = judgedRows(rows).filter((row) => row.list === list);
    if (judged.length === 0) return [];
    // A failed row without a deviation is off by any measure.
    const ours = median(judged.map(({ deviation }) => (deviation === null ? Infinity : Math.abs(deviation))));
    const finite = Number.isFinite(ours);
    const verdict: Outcome = isWithin(1 + ours, 1, medianTolerance) ? 'pass' : 'fail';
    return [{
      suite: suite.name, case: `median of ${judged.length} absolute deviations`, source: `the rows of ${suite.name}`, expected: 0, unit: 'relative', tolerance: medianTolerance,
      ours: finite ? ours : null, deviation: finite ? ours : null, options: '', verdict, list, fidelity: judged[0]!.fidelity, command: '', costSeconds: 0,
      note: finite ? '' : 'More than half of the rows could not be compared.',
    }];
  });
}

/** How each suite did, in the order of the suites. */
export function summaries(suites: readonly Suite[], rows: readonly LedgerRow[]): SuiteSummary[] {
  return suites.map(({ name }) => {
    const own = rows.filter(({ suite }) => suite === name);
    const totals = totalsOf(own);
    const deviations = judgedRows(own).flatMap(({ deviation, command }) => (deviation === null || command === '' ? [] : [Math.abs(deviation)]));
    return {
      suite: name, totals, reported: own.length - verdictRows(own).length, medianDeviation: median(deviations), worstDeviation: deviations.length === 0 ? NaN : Math.max(...deviations), verdict: verdictOf(totals),
    };
  });
}

function judgedRows(rows: readonly LedgerRow[]): LedgerRow[] {
  return rows.filter(({ verdict }) => verdict === 'pass' || verdict === 'fail');
}

function verdictOf(totals: Totals): SuiteSummary['verdict'] {
  if (totals.fail > 0) return 'fail';
  if (totals.pass > 0) return 'pass';
  if (totals['needs-data'] > 0) return 'needs-data';
  return totals['not-modelled'] > 0 ? 'not-modelled' : 'empty';
}
