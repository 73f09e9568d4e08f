import { readFileSync } from 'node:fs';
import { checkSchema } from '@kerf/checks';
import { presetHardware } from '@kerf/hardware';
import type { TSchema } from '@sinclair/typebox';
import { expect, test } from 'vitest';
import { defaultScenario } from './default-scenario.ts';
import { modelCardSchemaFile } from './model-card.ts';
import { scenarioSchemaFile } from './scenario.ts';

test.each([
  ['scenario.schema.json', scenarioSchemaFile],
  ['model-card.schema.json', modelCardSchemaFile],
])('the published %s is the schema in the code; `npm run build` writes it', (name, schema) => {
  expect(published(name)).toBe(`${JSON.stringify(schema, null, 2)}\n`);
});

test('the published schema alone takes the default scenario, with its machine named or written out', () => {
  const schema = JSON.parse(published('scenario.schema.json')) as TSchema;
  const scenario = { ...defaultScenario(), hardware: presetHardware('flat-wafer-64') };
  expect(checkSchema(schema, defaultScenario(), 'default')).toEqual(defaultScenario());
  expect(checkSchema(schema, scenario, 'written out')).toBe(scenario);
  expect(() => checkSchema(schema, { ...scenario, hardware: { ...scenario.hardware, d2d: 3 } }, 'broken')).toThrow('broken: hardware.d2d');
});

test('every number of the schemas has a range, and every field a description', () => {
  const visit = (schema: Record<string, unknown>, path: string): void => {
    const types = [schema['type']].flat();
    if (path !== '') expect(schema['description'], path).toBeTypeOf('string');
    if ((types.includes('integer') || types.includes('number')) && schema['const'] === undefined) {
      expect(schema['minimum'], path).toBeTypeOf('number');
      expect(schema['maximum'], path).toBeTypeOf('number');
    }
    for (const [key, inner] of Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>)) visit(inner, `${path}.${key}`);
  };
  visit(scenarioSchemaFile, '');
  visit(modelCardSchemaFile, '');
});

function published(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
}
