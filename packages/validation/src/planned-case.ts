import type { RowFidelity, RowList } from './ledger-row.ts';

/** Arguments of `kerf`, without the word itself. */
export type CommandLine = readonly string[];

/** What a command printed with `--json`. */
export type CommandOutput = Readonly<Record<string, unknown>>;

/** A command line, or how it follows from what the earlier ones of the case printed. */
export type CommandStep = CommandLine | ((earlier: readonly CommandOutput[]) => CommandLine);

type FromOutputs<T> = T | ((outputs: readonly CommandOutput[]) => T);

/** One row to be: what is compared, and how its numbers follow from what the commands printed. */
export interface PlannedRow {
  /** The quantity; empty when the case has only one. */
  readonly what: string;
  readonly unit: string;
  /** Null where the reference gives no single number. */
  readonly expected: FromOutputs<number | null>;
  /** Relative; 0 for exact, null for reported and not judged. */
  readonly tolerance: FromOutputs<number | null>;
  /** Null where Kerf cannot say. */
  readonly ours: ((outputs: readonly CommandOutput[]) => number) | null;
  readonly note?: FromOutputs<string>;
  /** Where this row alone has another source than its case. */
  readonly source?: string;
}

/** A file that commands of a case read: the form of a tile program, written before they run. */
export interface CaseFile {
  /** Path as it stands in the commands. */
  readonly path: string;
  /** A JSON value, made when it is needed. Files of the same path are the same. */
  readonly content: () => unknown;
}

/** Some commands that are run one after the other, and the rows that come out of them. */
export interface PlannedCase {
  readonly suite: string;
  readonly name: string;
  readonly source: string;
  readonly fidelity: RowFidelity;
  readonly list: RowList;
  /** Named options of the reference, already in the commands. */
  readonly options: string;
  readonly steps: readonly CommandStep[];
  /** Files that the commands read and that do not ship. */
  readonly files?: readonly CaseFile[];
  readonly rows: readonly PlannedRow[];
  /** CPU seconds of all steps, a rough statement. */
  readonly costSeconds: number;
  /** Why nothing is run, if so. */
  readonly unrun?: { readonly verdict: 'not-modelled' | 'needs-data'; readonly reason: string };
}
