import { expect, test } from 'vitest';
import type { LedgerRow } from './ledger-row.ts';
import { medianRows, summaries, totalsByList, totalsOf, verdictRows } from './ledger.ts';
import { ledgerText } from './ledger-text.ts';
import type { Suite } from './suite.ts';

const suite: Suite = { name: 's', title: 't', built: true, fidelities: ['packet'], tolerances: '', medianTolerance: 0.02, sources: [] };
const row = (changes: Partial<LedgerRow>): LedgerRow => ({
  suite: 's', case: 'c', source: 'a paper', expected: 1, unit: 'cycles', tolerance: 0.1, ours: 1, deviation: 0, options: '', verdict: 'pass', list: 'ours', fidelity: 'packet', command: 'kerf x', costSeconds: 1, note: '', ...changes,
});

test('every row but the reported ones counts once, in its list', () => {
  const rows = [row({}), row({ verdict: 'fail' }), row({ verdict: 'not-modelled' }), row({ verdict: 'needs-data', list: 'reference-options' }), row({ verdict: 'reported' }), row({ list: 'reference-options' })];
  expect(totalsOf(rows)).toEqual({ pass: 2, fail: 1, 'not-modelled': 1, 'needs-data': 1 });
  expect(totalsByList(rows)).toEqual({ ours: { pass: 1, fail: 1, 'not-modelled': 1, 'needs-data': 0 }, 'reference-options': { pass: 1, fail: 0, 'not-modelled': 0, 'needs-data': 1 } });
  expect(verdictRows(rows)).toHaveLength(5);
});

test.each([[0.019, 'pass'], [0.021, 'fail']])('a median of %d against 2 % is a %s, though every row passes', (off, verdict) => {
  const rows = [row({ deviation: 0 }), row({ deviation: -off }), row({ deviation: 0.09 })];
  expect(medianRows(suite, rows)).toMatchObject([{ verdict, ours: off, expected: 0, tolerance: 0.02, list: 'ours' }]);
});

test('each list keeps the median by itself; reported rows and empty lists have none', () => {
  const rows = [row({ deviation: 0.01 }), row({ deviation: 0.05, list: 'reference-options' }), row({ deviation: 0.9, verdict: 'reported' })];
  expect(medianRows(suite, rows).map(({ list, verdict }) => [list, verdict])).toEqual([['ours', 'pass'], ['reference-options', 'fail']]);
  expect(medianRows(suite, [])).toEqual([]);
  const { medianTolerance: _, ...without } = suite;
  expect(medianRows(without, rows)).toEqual([]);
});

test('rows that could not be compared count as far off in the median', () => {
  const broken = row({ verdict: 'fail', ours: null, deviation: null });
  expect(medianRows(suite, [row({}), broken, broken])).toMatchObject([{ verdict: 'fail', ours: null, deviation: null, note: expect.stringMatching(/half/) as string }]);
  expect(medianRows(suite, [row({}), row({}), broken])).toMatchObject([{ verdict: 'pass' }]);
});

test('a suite passes when something was judged and nothing failed', () => {
  const verdictOf = (rows: LedgerRow[]) => summaries([suite], rows)[0]!.verdict;
  expect(verdictOf([row({}), row({ verdict: 'not-modelled' })])).toBe('pass');
  expect(verdictOf([row({}), row({ verdict: 'fail' })])).toBe('fail');
  expect(verdictOf([row({ verdict: 'not-modelled' })])).toBe('not-modelled');
  expect(verdictOf([row({ verdict: 'not-modelled' }), row({ verdict: 'needs-data' })])).toBe('needs-data');
  expect(verdictOf([])).toBe('empty');
});

test('the table has failures in full, other rows only when asked, and the totals of both lists', () => {
  const rows = [row({ case: 'good one' }), row({ case: 'bad one', verdict: 'fail', ours: 1.3, deviation: 0.3, note: 'at 80 %', list: 'reference-options', options: '--copy' })];
  const text = ledgerText([suite], rows, false);
  expect(text).toMatch(/^s +fail +1 +1 +0 +0 +0 +15 % +30 %$/m);
  expect(text).toContain('fail: bad one [reference-options: --copy]\n    ours 1.3, expected 1 cycles, off by +30 % (tolerance 10 %)\n    at 80 %\n    source: a paper\n    kerf x\n');
  expect(text).not.toContain('good one');
  expect(text).toMatch(/^ours +1 pass, 0 fail, 0 not-modelled, 0 needs-data$/m);
  expect(text).toMatch(/^reference-options +0 pass, 1 fail,/m);
  expect(ledgerText([suite], rows, true)).toContain('pass: good one');
});
