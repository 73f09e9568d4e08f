import { suggestion } from '@kerf/checks';
import { ValidationError } from './errors.ts';
import type { PlannedCase } from './planned-case.ts';
import { unknownParts } from './reference/flatattention.ts';
import { unknownKinds, type SofthierFile } from './reference/softhier.ts';
import { nameOf, REFERENCE_FILES, type References } from './reference/references.ts';
import { completeCase, type Suite } from './suite.ts';
import { softhierKindsWithoutSuite } from './suites/not-built.ts';

export interface LedgerPlan {
  readonly suites: readonly Suite[];
  /** In the order of the suites. */
  readonly cases: readonly PlannedCase[];
  /** What in the reference files nobody reads. */
  readonly warnings: readonly string[];
}

/**
 * The cases of the suites that were asked for, all if none is named. Everything in the reference files that these suites read
 * is checked here, before anything runs. With `references` of another folder formulas are left out and only the files that
 * are there count; a suite asked for by name says that it needs data when its file or its part of it is not there.
 *
 * @throws ValidationError, SchemaError
 */
export function planLedger(all: readonly Suite[], names: readonly string[], references: References): LedgerPlan {
  const suites = names.length === 0 ? all : [...new Set(names)].map((name) => suiteNamed(all, name));
  const foreign = references.folder !== '';
  if (foreign && references.files.size === 0) {
    throw new ValidationError('REFERENCE_EMPTY', `${references.folder} holds none of the reference files: ${REFERENCE_FILES.join(', ')}.`, { folder: references.folder });
  }
  const cases = suites.flatMap((suite) => {
    const formulas = foreign ? [] : (suite.formulas?.(references) ?? []);
    const parts = suite.sources.map((source) => ({ source, drafts: source.cases(references) }));
    const planned = [...formulas, ...parts.flatMap(({ drafts }) => drafts)].map((draft) => completeCase(suite, draft));
    const absent = names.length === 0 && foreign ? [] : parts.filter(({ drafts }) => drafts.length === 0).map(({ source }) => absentPart(suite, references, source));
    return [...planned, ...absent];
  });
  refuseTwins(cases);
  return { suites, cases, warnings: warningsOf(all, references) };
}

/** @throws ValidationError `VALIDATION_UNKNOWN_SUITE` with the nearest name and all of them */
export function suiteNamed(all: readonly Suite[], name: string): Suite {
  const found = all.find((suite) => suite.name === name);
  if (found !== undefined) return found;
  const names = all.map((suite) => suite.name);
  throw new ValidationError('VALIDATION_UNKNOWN_SUITE', `No suite is called "${name}".${suggestion(name, names)} Suites: ${names.join(', ')}.`, { got: name });
}

function absentPart(suite: Suite, references: References, { file, part }: Suite['sources'][number]): PlannedCase {
  const reason = references.files.has(file) ? `${nameOf(references, file)} has no rows for it (${part}).` : `${nameOf(references, file)} is not there.`;
  return {
    suite: suite.name, name: `${file}, ${part}`, source: file, fidelity: suite.fidelities[0]!, list: 'ours', options: '', steps: [], costSeconds: 0,
    rows: [{ what: '', unit: '', expected: null, tolerance: null, ours: null }], unrun: { verdict: 'needs-data', reason },
  };
}

/** Cases are told apart by their names: in tables, and by the seeded sample. */
function refuseTwins(cases: readonly PlannedCase[]): void {
  const seen = new Set<string>();
  for (const { suite, name, list } of cases) {
    const key = `${suite}, ${name}, ${list}`;
    if (seen.has(key)) throw new ValidationError('REFERENCE_ROW', `Suite ${suite}: two rows of the reference are the same case, ${name}.`, { suite, case: name });
    seen.add(key);
  }
}

function warningsOf(all: readonly Suite[], references: References): string[] {
  const partsOf = (file: string) => all.flatMap(({ sources }) => sources.filter((source) => source.file === file).map(({ part }) => part));
  const unread = (file: SofthierFile) => unknownKinds(references, file, [...partsOf(file).flatMap((part) => part.split(', ')), ...softhierKindsWithoutSuite[file]])
    .map((kind) => `${nameOf(references, file)}: no suite has rows of kind "${kind}".`);
  const known = partsOf('flatattention.json');
  return [
    ...unknownParts(references, known).map((key) => `${nameOf(references, 'flatattention.json')}: no suite reads "${key}".${suggestion(key, known)}`),
    ...unread('softhier-runs.json'),
    ...unread('softhier-components.json'),
  ];
}
