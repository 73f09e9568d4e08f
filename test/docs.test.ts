import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { manifestSchema, runTables } from '@kerf/results';
import { describe, expect, test } from 'vitest';
import { shade } from '../tools/draw-run.mjs';
import { root } from './support/kerf.ts';

// The pages for readers say what the code does.

const page = (path: string) => readFileSync(join(root, path), 'utf8');
const units = { u8: 'uint8', u16: 'uint16', u32: 'uint32', u64: 'uint64', i32: 'int32', f32: 'float32', f64: 'float64', name: 'dictionary of text' };

describe('docs/results.md', () => {
  const sections = new Map(page('docs/results.md').split(/^## /m).slice(1).map((section) => [section.slice(0, section.indexOf('\n')), section] as const));

  test.each(Object.values(runTables({ clockMegahertz: 1, binCycles: 1 })))('has exactly the columns of $name, with their types, units and meanings, in order', ({ name, columns }) => {
    const rows = (sections.get(name) ?? '').split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toEqual(columns.map((column) => `| \`${column.name}\` | ${units[column.type]} | ${column.unit} | ${column.description} |`));
  });

  test('has every key of the manifest', () => {
    const words = new Set([...(sections.get('manifest.json') ?? '').matchAll(/`(\w+)`/g)].map(([, word]) => word));
    const keys = Object.keys((manifestSchema as unknown as { properties: object }).properties);
    expect(keys.length).toBeGreaterThan(10);
    expect(keys.filter((key) => !words.has(key))).toEqual([]);
  });
});

test('every relative link of the pages leads to a file', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
  const missing = pages.flatMap((path) => [...page(path).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
    .map((target) => `${path}: ${target}`));
  expect(missing).toEqual([]);
});

test('the colours of the picture run from the first to the last of a scale', () => {
  const scale = ['#000000', '#808080', '#ffffff'];
  expect([-1, 0, 0.25, 0.5, 1, 2].map((share) => shade(share, scale))).toEqual(['#000000', '#000000', '#404040', '#808080', '#ffffff', '#ffffff']);
});
