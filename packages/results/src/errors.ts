import { KerfError } from '@kerf/checks';

export type ResultsErrorCode = 'MANIFEST_INCONSISTENT' | 'DIGEST_BAD_INPUT' | 'TOTALS_MISMATCH' | 'RESULTS_BAD_STATE';

/**
 * A manifest whose parts contradict each other, as a hand-edited or half-copied run folder has; or, with the other codes,
 * parts of one run that do not belong together, which is a bug of the caller.
 */
export class ResultsError extends KerfError<ResultsErrorCode> {
  override readonly name = 'ResultsError';
}
