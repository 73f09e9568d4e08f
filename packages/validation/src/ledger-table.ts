import { MemorySink, TableWriter, type ColumnSpec, type TableSpec } from '@kerf/arrow';
import { OUTCOMES, ROW_FIDELITIES, ROW_LISTS, type LedgerRow } from './ledger-row.ts';

type TextColumn = 'suite' | 'case' | 'source' | 'unit' | 'options' | 'command' | 'note';

const DESCRIPTIONS: Readonly<Record<TextColumn, string>> = {
  suite: 'Suite of the row.',
  case: 'Which case, and which quantity of it.',
  source: 'Where the expected value is from.',
  unit: 'Unit of expected and ours.',
  options: 'Named options of the reference simulator that the commands carry; empty in the list ours.',
  command: 'The public command lines that produced the row, joined by &&; empty where nothing was run.',
  note: 'A reason, or what else the row should say.',
};

/** The ledger as a table: one row per comparison. Arrow tables of Kerf have no nulls, so what may be absent has a column that says whether it is there. */
export function ledgerTable(rows: readonly LedgerRow[]): TableSpec {
  return {
    name: 'ledger',
    metadata: { formatVersion: '1' },
    columns: [
      text('suite', rows), text('case', rows), text('source', rows),
      ...optional('expected', 'Published, measured or computed value, in unit.'),
      text('unit', rows),
      ...optional('tolerance', 'Largest relative deviation that passes, 0 for exact.'),
      ...optional('ours', 'What Kerf gave, in unit.'),
      ...optional('deviation', 'ours / expected − 1.'),
      text('options', rows),
      words('verdict', OUTCOMES, 'pass, fail, not-modelled (never a pass), needs-data, or reported: compared without a tolerance.'),
      words('list', ROW_LISTS, 'ours, or with named options of the reference simulator; assigned before the first run.'),
      words('fidelity', ROW_FIDELITIES, 'How closely the fabric was simulated.'),
      text('command', rows),
      { name: 'costSeconds', type: 'f64', unit: 's', description: 'CPU seconds that the commands of the case are stated to take, roughly.' },
      text('note', rows),
    ],
  };
}

/** The ledger as an Arrow IPC file. */
export function ledgerArrow(rows: readonly LedgerRow[]): Uint8Array {
  const spec = ledgerTable(rows);
  const sink = new MemorySink();
  const writer = new TableWriter(spec, sink, { format: 'file' });
  const indices = spec.columns.map(({ names }) => new Map(names?.map((name, index) => [name, index])));
  for (const row of rows) {
    for (const [column, { name }] of spec.columns.entries()) writer.set(column, valueOf(row, name, indices[column]!));
    writer.endRow();
  }
  writer.finish();
  return sink.bytes().slice();
}

function valueOf(row: LedgerRow, column: string, index: ReadonlyMap<string, number>): number {
  if (column.startsWith('has')) return row[`${column.charAt(3).toLowerCase()}${column.slice(4)}` as 'expected'] === null ? 0 : 1;
  const value = row[column as keyof LedgerRow];
  return typeof value === 'string' ? index.get(value)! : (value ?? 0);
}

function text(name: TextColumn, rows: readonly LedgerRow[]): ColumnSpec {
  return words(name, [...new Set(['', ...rows.map((row) => row[name])])], DESCRIPTIONS[name]);
}

function words(name: string, names: readonly string[], description: string): ColumnSpec {
  return { name, type: 'name', unit: '', description, names };
}

/** A number that may be absent: 0 then, and a column before it says so. */
function optional(name: 'expected' | 'tolerance' | 'ours' | 'deviation', description: string): ColumnSpec[] {
  const has = `has${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return [
    { name: has, type: 'u8', unit: '', description: `1: ${name} is there, 0: it is not.` },
    { name, type: 'f64', unit: '', description: `${description} 0 unless ${has}.` },
  ];
}
