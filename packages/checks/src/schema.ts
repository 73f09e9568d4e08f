import type { Static, TSchema } from '@sinclair/typebox';
import { Ajv, type ErrorObject } from 'ajv';
import { KerfError } from './errors.ts';
import { suggestion } from './nearest.ts';

export type SchemaErrorCode = 'SCHEMA_UNKNOWN_KEY' | 'SCHEMA_MISSING_KEY' | 'SCHEMA_WRONG_TYPE' | 'SCHEMA_OUT_OF_RANGE';

/** A value that does not have the shape its schema asks for. The message names file, path, expected and got. */
export class SchemaError extends KerfError<SchemaErrorCode> {
  override readonly name = 'SchemaError';
}

const ajv = new Ajv({ allErrors: true, strict: true, verbose: true, allowUnionTypes: true });
const compiled = new WeakMap<TSchema, ReturnType<typeof ajv.compile>>();

/**
 * Checks a value that came from outside against a schema and returns it with its type. Nothing is coerced and nothing
 * is filled in; unknown keys are errors when the schema says `additionalProperties: false`.
 *
 * @param source what a person calls the value: a file name, `--set`, a preset
 * @throws SchemaError for the most telling of the violations, and how many others there are
 */
export function checkSchema<T extends TSchema>(schema: T, value: unknown, source: string): Static<T> {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return value;
  const errors = [...(validate.errors ?? [])].sort((a, b) => rank(a) - rank(b));
  const first = errors[0]!;
  const others = new Set(errors.filter((error) => rank(error) < 9).map((error) => error.instancePath + error.message)).size - 1;
  throw explain(first, source, others);
}

/** Typing mistakes come first, since they explain the rest; wrappers such as `anyOf` say least. */
function rank(error: ErrorObject): number {
  if (error.keyword === 'additionalProperties') return 0;
  if (error.keyword === 'required') return 1;
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf' || error.keyword === 'if') return 9;
  return error.schemaPath.includes('/anyOf/') ? 3 : 2;
}

function explain(error: ErrorObject, source: string, others: number): SchemaError {
  const path = error.instancePath.replaceAll('/', '.').replace(/^\./, '');
  const at = path === '' ? 'the top level' : path;
  const more = others > 0 ? ` (${others} more ${others === 1 ? 'problem' : 'problems'} in this file)` : '';
  const params = error.params as Record<string, unknown>;
  const context = { source, path };
  if (error.keyword === 'additionalProperties') {
    const key = String(params['additionalProperty']);
    const known = Object.keys((error.parentSchema?.['properties'] as object | undefined) ?? {});
    const where = path === '' ? key : `${path}.${key}`;
    const message = `${source}: unknown key ${where}.${suggestion(key, known)} Known keys here: ${known.join(', ')}.${more}`;
    return new SchemaError('SCHEMA_UNKNOWN_KEY', message, { ...context, path: where, key });
  }
  if (error.keyword === 'required') {
    const key = String(params['missingProperty']);
    const field = (error.parentSchema?.['properties'] as Record<string, unknown> | undefined)?.[key];
    return new SchemaError('SCHEMA_MISSING_KEY', `${source}: ${at} lacks the key ${key}.${meaning(field)}${more}`, { ...context, key });
  }
  const got = show(error.data);
  const message = `${source}: ${at} ${expectation(error)}, got ${got}.${meaning(error.parentSchema)}${more}`;
  return new SchemaError(error.keyword === 'type' ? 'SCHEMA_WRONG_TYPE' : 'SCHEMA_OUT_OF_RANGE', message, { ...context, got });
}

function expectation(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'type') return `must be of type ${either(params['type'])}`;
  if (error.keyword === 'const') return `must be ${JSON.stringify(params['allowedValue'])}`;
  if (error.keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`;
  if (error.keyword === 'anyOf' || error.keyword === 'oneOf') {
    const choices = (error.schema as { const?: unknown; type?: unknown }[]).map((s) => (s.const === undefined ? either(s.type ?? 'object') : JSON.stringify(s.const)));
    return `must be one of ${choices.join(', ')}`;
  }
  return error.message ?? 'is not valid';
}

/** One type, or several joined as a person would. */
function either(type: unknown): string {
  return Array.isArray(type) ? type.join(' or ') : String(type);
}

/** What the schema says of a field, as a sentence with a leading space, or nothing. */
function meaning(schema: unknown): string {
  const description = (schema as { description?: unknown } | null | undefined)?.description;
  if (typeof description !== 'string' || description === '') return '';
  return ` ${description}${/[.!?]$/.test(description) ? '' : '.'}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
