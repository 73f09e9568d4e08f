import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KerfError } from './errors.ts';
import { checkSchema, SchemaError } from './schema.ts';

const rate = Type.Unsafe<number | [number, number]>({ type: ['integer', 'array'], description: 'Bytes that cross the link per cycle', minimum: 1, items: { type: 'integer' }, minItems: 2, maxItems: 2 });
const schema = Type.Object({
  steps: Type.Integer({ minimum: 1, maximum: 100, description: 'Decode steps.' }),
  name: Type.Optional(Type.String({ minLength: 1 })),
  kind: Type.Optional(Type.Union([Type.Literal('edge'), Type.Literal('hub')], { description: 'How dies are joined.' })),
  link: Type.Optional(Type.Object({ rate, cycles: Type.Optional(Type.Integer({ minimum: 1 })) }, { additionalProperties: false, description: 'A directed link.' })),
}, { additionalProperties: false, description: 'The whole.' });

/** Code and message of the refusal. */
function refused(value: unknown): SchemaError {
  try {
    checkSchema(schema, value, 'run.json');
  } catch (error) {
    expect(error).toBeInstanceOf(SchemaError);
    expect(error).toBeInstanceOf(KerfError);
    return error as SchemaError;
  }
  throw new Error('accepted');
}

test('what fits is returned as it came: nothing is coerced, filled in or copied', () => {
  const value = { steps: 3, link: { rate: [829, 10] as [number, number] } };
  expect(checkSchema(schema, value, 'run.json')).toBe(value);
  expect(value).toEqual({ steps: 3, link: { rate: [829, 10] } });
});

test.each<[string, unknown, string, string]>([
  ['an unknown key, with the nearest and all that are known', { step: 3, steps: 3 }, 'SCHEMA_UNKNOWN_KEY', 'run.json: unknown key step. Did you mean "steps"? Known keys here: steps, name, kind, link.'],
  ['an unknown key far from all', { steps: 3, verbose: 1 }, 'SCHEMA_UNKNOWN_KEY', 'run.json: unknown key verbose. Known keys here: steps, name, kind, link.'],
  ['an unknown key deep inside, with its path', { steps: 3, link: { rate: 1, cycels: 2 } }, 'SCHEMA_UNKNOWN_KEY', 'run.json: unknown key link.cycels. Did you mean "cycles"? Known keys here: rate, cycles.'],
  ['a missing key, with what it means', {}, 'SCHEMA_MISSING_KEY', 'run.json: the top level lacks the key steps. Decode steps.'],
  ['a missing key deep inside', { steps: 3, link: {} }, 'SCHEMA_MISSING_KEY', 'run.json: link lacks the key rate. Bytes that cross the link per cycle.'],
  ['a wrong type, with what the field means', { steps: '3' }, 'SCHEMA_WRONG_TYPE', 'run.json: steps must be of type integer, got "3". Decode steps.'],
  ['a wrong type where nothing is described', { steps: 3, name: 4 }, 'SCHEMA_WRONG_TYPE', 'run.json: name must be of type string, got 4.'],
  ['a type that is none of several', { steps: 3, link: { rate: 'fast' } }, 'SCHEMA_WRONG_TYPE', 'run.json: link.rate must be of type integer or array, got "fast". Bytes that cross the link per cycle.'],
  ['a number below its range', { steps: 0 }, 'SCHEMA_OUT_OF_RANGE', 'run.json: steps must be >= 1, got 0. Decode steps.'],
  ['a number above its range', { steps: 101 }, 'SCHEMA_OUT_OF_RANGE', 'run.json: steps must be <= 100, got 101. Decode steps.'],
  ['something that is no object', [], 'SCHEMA_WRONG_TYPE', 'run.json: the top level must be of type object, got []. The whole.'],
])('%s', (_, value, code, message) => {
  expect(refused(value)).toMatchObject({ code, message });
});

test('a word that is none of a choice names the choices', () => {
  const { code, message } = refused({ steps: 3, kind: 'ring' });
  expect(code).toBe('SCHEMA_OUT_OF_RANGE');
  expect(message).toMatch(/kind must be .*"edge"/);
});

test('the most telling of several problems comes first, and the others are counted', () => {
  expect(refused({ stepz: 3, name: 4 }).message).toBe('run.json: unknown key stepz. Did you mean "steps"? Known keys here: steps, name, kind, link. (2 more problems in this file)');
  expect(refused({ name: 4 }).message).toBe('run.json: the top level lacks the key steps. Decode steps. (1 more problem in this file)');
});

test('context says where, for programs', () => {
  expect(refused({ steps: 3, link: { rate: 1, cycles: 0 } }).context).toEqual({ source: 'run.json', path: 'link.cycles', got: '0' });
});

test('long values are shortened in the message', () => {
  expect(refused({ steps: 'x'.repeat(500) }).message.length).toBeLessThan(180);
});

test('any value is either returned or refused with a SchemaError that names the file', () => {
  fc.assert(fc.property(fc.anything(), (value) => {
    try {
      expect(checkSchema(schema, value, 'run.json')).toBe(value);
    } catch (error) {
      expect(error).toBeInstanceOf(SchemaError);
      expect((error as SchemaError).message).toMatch(/^run\.json: .*[.)]$/s);
    }
  }), { numRuns: 500 });
});

test('an error keeps its cause, its code and its values', () => {
  const cause = new Error('below');
  const error = new KerfError('X_Y', 'A sentence.', { got: 1 }, cause);
  expect(error).toMatchObject({ name: 'KerfError', code: 'X_Y', message: 'A sentence.', context: { got: 1 }, cause });
  expect('cause' in new KerfError('X_Y', 'A sentence.')).toBe(false);
});
