import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ledgerTable } from './ledger-table.ts';

const types: Record<string, string> = { u8: 'uint8', f64: 'float64', name: 'dictionary of text' };

test('docs/validation.md has exactly the columns of the ledger, with their types, units and meanings, in order', () => {
  const page = readFileSync(new URL('../../../docs/validation.md', import.meta.url), 'utf8');
  const rows = page.split('## For programs')[1]!.split('\n## ')[0]!.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(ledgerTable([]).columns.map((column) => `| \`${column.name}\` | ${types[column.type]} | ${column.unit} | ${column.description} |`));
});
