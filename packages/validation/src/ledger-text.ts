import type { LedgerRow } from './ledger-row.ts';
import { ROW_LISTS, VERDICTS } from './ledger-row.ts';
import { summaries, totalsByList, type Totals } from './ledger.ts';
import type { Suite } from './suite.ts';

/**
 * The ledger for a person: a line per suite, below it its failures in full (with `all` every row), then the totals of both lists.
 */
export function ledgerText(suites: readonly Suite[], rows: readonly LedgerRow[], all: boolean): string {
  const lines: string[] = [];
  const widest = Math.max(5, ...suites.map(({ name }) => name.length));
  lines.push(`${'suite'.padEnd(widest)}  verdict        pass  fail  not-modelled  needs-data  reported  median    worst`);
  for (const summary of summaries(suites, rows)) {
    const { suite, totals, reported, verdict, medianDeviation, worstDeviation } = summary;
    if (verdict === 'empty' && reported === 0) continue;
    lines.push([
      suite.padEnd(widest), verdict.padEnd(12), count(totals.pass, 6), count(totals.fail, 4), count(totals['not-modelled'], 12), count(totals['needs-data'], 10), count(reported, 8),
      share(medianDeviation).padEnd(8), share(worstDeviation),
    ].join('  ').trimEnd());
    for (const row of rows.filter((candidate) => candidate.suite === suite && (all || candidate.verdict === 'fail'))) lines.push(...rowLines(row));
  }
  lines.push('');
  const byList = totalsByList(rows);
  for (const list of ROW_LISTS) lines.push(`${list.padEnd(17)}  ${totalsText(byList[list])}`);
  return `${lines.join('\n')}\n`;
}

/** `12 pass, 0 fail, 3 not-modelled, 0 needs-data`. */
export function totalsText(totals: Totals): string {
  return VERDICTS.map((verdict) => `${totals[verdict]} ${verdict}`).join(', ');
}

function rowLines(row: LedgerRow): string[] {
  const { verdict, case: name, expected, ours, unit, deviation, tolerance, note, command, source, list, options } = row;
  const compared = ours === null ? (expected === null ? '' : `expected ${figure(expected)} ${unit}`)
    : `ours ${figure(ours)}, expected ${expected === null ? 'nothing' : figure(expected)} ${unit}, off by ${deviation === null ? 'any measure' : signed(deviation)}`;
  const limit = tolerance === null ? '' : tolerance === 0 ? ' (exact)' : ` (tolerance ${share(tolerance)})`;
  return [
    `  ${verdict}: ${name}${list === 'ours' ? '' : ` [${list}: ${options}]`}`,
    ...(compared === '' ? [] : [`    ${compared}${limit}`]),
    ...(note === '' ? [] : [`    ${note}`]),
    ...(verdict === 'fail' ? [`    source: ${source}`] : []),
    ...(command === '' ? [] : [`    ${command.replaceAll(' && ', '\n    ')}`]),
  ];
}

function count(value: number, width: number): string {
  return String(value).padStart(width);
}

/** Up to six digits that matter. */
function figure(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function share(relative: number): string {
  return Number.isNaN(relative) ? '' : `${Number((100 * relative).toPrecision(3))} %`;
}

function signed(relative: number): string {
  return `${relative < 0 ? '−' : '+'}${share(Math.abs(relative))}`;
}
