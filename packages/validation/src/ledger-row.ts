/**
 * `pass` and `fail` were run and judged. `not-modelled`: Kerf cannot do it yet, which is never a pass. `needs-data`: a file or
 * recording is missing.
 */
export const VERDICTS = ['pass', 'fail', 'not-modelled', 'needs-data'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A comparison without a tolerance is `reported`: shown with its deviation, counted in no total, in no verdict. */
export const OUTCOMES = [...VERDICTS, 'reported'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** `reference-options`: the row runs with named options that copy a choice of the reference simulator, the same for all such rows of a suite. */
export const ROW_LISTS = ['ours', 'reference-options'] as const;
export type RowList = (typeof ROW_LISTS)[number];

/** How closely the fabric was simulated; `none` where nothing is simulated. */
export const ROW_FIDELITIES = ['flit', 'packet', 'analytic', 'none'] as const;
export type RowFidelity = (typeof ROW_FIDELITIES)[number];

/** One comparison with a published or measured figure, or with a closed form. */
export interface LedgerRow {
  readonly suite: string;
  /** Which case, and which quantity of it. */
  readonly case: string;
  /** Where the expected value is from. */
  readonly source: string;
  /** Null where the reference gives no single number, or none is known before the run and the run failed. */
  readonly expected: number | null;
  /** Unit of `expected` and `ours`. */
  readonly unit: string;
  /** Largest relative deviation that passes, 0 for exact; null where nothing is judged. */
  readonly tolerance: number | null;
  readonly ours: number | null;
  /** ours / expected − 1; null without both, or where 0 was expected and something else came. */
  readonly deviation: number | null;
  /** Named options of the reference that the commands carry; empty in the list `ours`. */
  readonly options: string;
  readonly verdict: Outcome;
  /** Assigned before the first run. */
  readonly list: RowList;
  readonly fidelity: RowFidelity;
  /** The public command lines that produced it, joined by ` && `; empty where nothing was run. */
  readonly command: string;
  /** CPU seconds that the commands of the whole case are stated to take, roughly; the rows of a case share them. */
  readonly costSeconds: number;
  /** A reason, or what else the row should say; often empty. */
  readonly note: string;
}
