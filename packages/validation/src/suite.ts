import type { RowFidelity, RowList } from './ledger-row.ts';
import type { CaseFile, CommandLine, CommandStep, PlannedCase, PlannedRow } from './planned-case.ts';
import type { ReferenceFileName, References } from './reference/references.ts';

/** What an adapter says of a case; the suite adds the rest. */
export interface CaseDraft {
  readonly name: string;
  readonly source: string;
  /** One of the fidelities that the suite declares. */
  readonly fidelity: RowFidelity;
  /** `ours` if absent. */
  readonly list?: RowList;
  readonly steps: readonly CommandStep[];
  readonly files?: readonly CaseFile[];
  readonly rows: readonly PlannedRow[];
  readonly costSeconds: number;
  /** What is missing, if so: the rows then need data. */
  readonly missing?: string;
  /** What Kerf cannot do that the rows need, if so. */
  readonly notModelled?: string;
}

/** Cases that come out of one part of one reference file. */
export interface CaseSource {
  readonly file: ReferenceFileName;
  /** Which part, for a person: a key of the file, or the kinds of its rows. */
  readonly part: string;
  /** Checks that part of the file and makes cases of it; none when the file does not have the part. */
  readonly cases: (references: References) => readonly CaseDraft[];
}

/** A group of comparisons with one purpose: data, and adapters that turn rows of reference files into cases. */
export interface Suite {
  readonly name: string;
  /** What is compared, in a few words. */
  readonly title: string;
  /** A suite that is not built yet lists its rows and runs none of them. */
  readonly built: boolean;
  readonly fidelities: readonly RowFidelity[];
  /** The tolerances of its rows, in words. */
  readonly tolerances: string;
  /** Largest median of the rows' absolute deviations, relative; each list must keep it. Absent: the rows alone decide. */
  readonly medianTolerance?: number;
  /** Arguments that every command of the list `reference-options` carries. */
  readonly referenceOptions?: CommandLine;
  /** Cases out of reference files. */
  readonly sources: readonly CaseSource[];
  /** Cases out of formulas; they need no file and are left out when cases of another folder are run. */
  readonly formulas?: (references: References) => readonly CaseDraft[];
}

/** @throws Error when a draft contradicts its suite, which is a bug of the suite */
export function completeCase(suite: Suite, draft: CaseDraft): PlannedCase {
  const { name, source, fidelity, list = 'ours', rows, costSeconds, files } = draft;
  if (!suite.fidelities.includes(fidelity)) throw new Error(`Suite ${suite.name} does not declare the fidelity ${fidelity} of its case ${name}.`);
  const extra = suite.referenceOptions ?? [];
  if (list === 'reference-options' && extra.length === 0 && suite.built) throw new Error(`Suite ${suite.name} names no options of a reference for its case ${name}.`);
  const options = list === 'reference-options' ? extra : [];
  const steps = draft.steps.map((step): CommandStep => (typeof step === 'function' ? (earlier) => [...step(earlier), ...options] : [...step, ...options]));
  const complete = { suite: suite.name, name, source, fidelity, list, options: options.join(' '), steps, rows, costSeconds, ...(files === undefined ? {} : { files }) };
  if (!suite.built) return { ...complete, unrun: { verdict: 'not-modelled', reason: 'Kerf does not model this yet.' } };
  if (draft.notModelled !== undefined) return { ...complete, unrun: { verdict: 'not-modelled', reason: draft.notModelled } };
  return draft.missing === undefined ? complete : { ...complete, unrun: { verdict: 'needs-data', reason: draft.missing } };
}
