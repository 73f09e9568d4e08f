import { readFileSync } from 'node:fs';
import { checkSchema } from '@kerf/checks';
import type { TSchema } from '@sinclair/typebox';
import { expect, test } from 'vitest';
import { presetList } from './presets.ts';
import { hardwareSchemaFile } from './spec.ts';

const text = readFileSync(new URL('../hardware.schema.json', import.meta.url), 'utf8');

test('the published schema is the one in the code; `npm run build` writes it', () => {
  expect(text).toBe(`${JSON.stringify(hardwareSchemaFile, null, 2)}\n`);
});

test('the published schema alone takes every preset', () => {
  const published = JSON.parse(text) as TSchema;
  for (const { hardware } of presetList) expect(checkSchema(published, hardware, hardware.name)).toBe(hardware);
});

test('every number of the schema has a range, and every field a description', () => {
  const visit = (schema: Record<string, unknown>, path: string): void => {
    const types = [schema['type']].flat();
    if (path !== '' && schema['const'] === undefined) expect(schema['description'], path).toBeTypeOf('string');
    if (types.includes('integer') || types.includes('number')) {
      expect(schema['minimum'], path).toBeTypeOf('number');
      if (schema['const'] === undefined) expect(schema['maximum'], path).toBeTypeOf('number');
    }
    for (const [key, inner] of Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>)) {
      if (inner['const'] === undefined) visit(inner, `${path}.${key}`);
    }
    for (const inner of [schema['items'] ?? []].flat() as Record<string, unknown>[]) visit(inner, `${path}[]`);
  };
  visit(hardwareSchemaFile, '');
});
