import { checkSchema } from '@kerf/checks';
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { ValidationError } from '../errors.ts';

/** The files that reference figures come in. */
export const REFERENCE_FILES = ['booksim2-mesh.json', 'flatattention.json', 'softhier-runs.json', 'softhier-components.json', 'astra-sim.json', 'eplb.json'] as const;
export type ReferenceFileName = (typeof REFERENCE_FILES)[number];

/** Traces of events beside the figures: packets that never meet, and the links of a ring over a mesh. */
export const EVENT_TRACES = ['ring-4x4.csv', 'ring-8x8.csv', 'sparse-4x4.csv', 'sparse-8x8.csv', 'sparse-16x16.csv'] as const;
export type EventTraceName = (typeof EVENT_TRACES)[number];

/** Reference files that were read, as JSON values; nothing in them has been checked yet. */
export interface References {
  /** What a person calls the folder; errors and sources name it. Empty for the figures that ship with Kerf. */
  readonly folder: string;
  readonly files: ReadonlyMap<ReferenceFileName, unknown>;
  /** Path of a trace of events that ships with the figures, as a command line takes it. */
  readonly tracePath: (name: EventTraceName) => string;
  /** Path at which a tile program of that name will lie when commands run, as a command line takes it. */
  readonly programPath: (name: string) => string;
  /** Whether a recording that a file refers to could be found. */
  readonly hasRecording: (path: string) => boolean;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A whole reference file as an object, or undefined when it is not there.
 *
 * @throws ValidationError `REFERENCE_FORM`
 */
export function fileObject(references: References, file: ReferenceFileName): JsonObject | undefined {
  if (!references.files.has(file)) return undefined;
  return asObject(references.files.get(file), nameOf(references, file), 'the file');
}

/** What a file is called in messages: its path in the folder that was given. */
export function nameOf({ folder }: References, file: ReferenceFileName): string {
  return folder === '' ? file : `${folder}/${file}`;
}

/** @throws ValidationError `REFERENCE_FORM` */
export function asObject(value: unknown, source: string, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ValidationError('REFERENCE_FORM', `${source}: ${what} must be a JSON object, got ${kind(value)}.`, { source, what });
  }
  return value as JsonObject;
}

/**
 * The list `key` of an object.
 *
 * @throws ValidationError `REFERENCE_FORM`
 */
export function listIn(object: JsonObject, key: string, source: string): readonly unknown[] {
  const value = object[key];
  if (!Array.isArray(value)) {
    throw new ValidationError('REFERENCE_FORM', `${source}: "${key}" must be a list of rows, got ${value === undefined ? 'nothing' : kind(value)}.`, { source, key });
  }
  return value;
}

/** Where a row stands, for messages: `booksim2-mesh.json, rows[12]`. */
export function rowName(source: string, key: string, index: number, id?: unknown): string {
  return `${source}, ${key}[${index}]${typeof id === 'string' ? ` (${id})` : ''}`;
}

/**
 * A row that has all that its schema asks for. Keys that the schema does not know are left alone: reference files carry more
 * than one suite reads.
 *
 * @throws SchemaError that names file, row and field
 */
export function checkRow<T extends TSchema>(schema: T, row: unknown, name: string): Static<T> {
  return checkSchema(schema, row, name);
}

const sourceSchema = Type.Object({ source: Type.String({ minLength: 1, description: 'Where the figures are from.' }) });

/** The `source` of a part of `flatattention.json`, a text. */
export function sourceText(part: JsonObject, name: string): string {
  return checkSchema(sourceSchema, part, name).source;
}

const toolSchema = Type.Object({ source: Type.Object({ tool: Type.String({ minLength: 1, description: 'The simulator that was measured.' }) }) });

/** The tool that the figures of a file were measured with. */
export function toolOf(file: JsonObject, name: string): string {
  return checkSchema(toolSchema, file, name).source.tool;
}

function kind(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
