import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { checkRow, fileObject, listIn, nameOf, rowName, toolOf, type References } from './references.ts';

export type SofthierFile = 'softhier-runs.json' | 'softhier-components.json';

const rowSchema = Type.Object({
  id: Type.String({ minLength: 1, description: 'Name of the row.' }),
  kind: Type.String({ minLength: 1, description: 'What was measured.' }),
  machine: Type.String({ minLength: 1, description: 'Key of machine.variants.' }),
  cycles: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Null()], { description: 'Measured cycles, or null where the region was not timed.' })),
  repetition: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Which repeat of the region.' })),
  program: Type.Optional(Type.String({ description: 'The run that the region belongs to.' })),
});

export type SofthierRow = Static<typeof rowSchema>;

/**
 * The rows of those kinds, checked; undefined when the file is not there.
 *
 * @throws ValidationError, SchemaError that name file, row and field
 */
export function readSofthier(references: References, file: SofthierFile, kinds: readonly string[]): { readonly tool: string; readonly rows: readonly SofthierRow[] } | undefined {
  const all = readAll(references, file);
  return all && { tool: all.tool, rows: all.rows.filter(({ kind }) => kinds.includes(kind)) };
}

/**
 * The rows of those kinds with all that a suite reads of them, checked; undefined when the file is not there.
 *
 * @throws ValidationError, SchemaError that name file, row and field
 */
export function readSofthierAs<T extends TSchema>(references: References, file: SofthierFile, kinds: readonly string[], schema: T): { readonly tool: string; readonly rows: readonly (SofthierRow & Static<T>)[] } | undefined {
  const all = readAll(references, file);
  if (all === undefined) return undefined;
  const name = nameOf(references, file);
  const rows = all.rows.flatMap((row, index) => (kinds.includes(row.kind) ? [checkRow(schema, row, rowName(name, 'rows', index, row.id)) as SofthierRow & Static<T>] : []));
  return { tool: all.tool, rows };
}

/**
 * What two barriers and the start and stop of a measurement take, around nothing: the last `empty` region of the same run, else the
 * mean of those of the machine that ship.
 */
export function emptyRegionCycles(references: References, file: SofthierFile, { machine, program }: Pick<SofthierRow, 'machine' | 'program'>): number {
  const empty = readAll(references, file)?.rows.filter((row) => row.kind === 'empty' && row.machine === machine && row.program === program && typeof row.cycles === 'number');
  return empty?.at(-1)?.cycles ?? (machine.startsWith('8x8') ? 219 : 195);
}

/** Kinds of rows that no suite reads. */
export function unknownKinds(references: References, file: SofthierFile, known: readonly string[]): readonly string[] {
  return [...new Set(readAll(references, file)?.rows.map(({ kind }) => kind))].filter((kind) => !known.includes(kind));
}

const cache = new WeakMap<References, Map<SofthierFile, { readonly tool: string; readonly rows: readonly SofthierRow[] }>>();

/** Several suites read the same file, which is checked once. */
function readAll(references: References, file: SofthierFile): { readonly tool: string; readonly rows: readonly SofthierRow[] } | undefined {
  const object = fileObject(references, file);
  if (object === undefined) return undefined;
  const files = cache.get(references) ?? new Map<SofthierFile, { readonly tool: string; readonly rows: readonly SofthierRow[] }>();
  cache.set(references, files);
  const known = files.get(file);
  if (known !== undefined) return known;
  const name = nameOf(references, file);
  const rows = listIn(object, 'rows', name).map((row, index) => checkRow(rowSchema, row, rowName(name, 'rows', index, (row as { id?: unknown } | null)?.id)));
  const read = { tool: toolOf(object, name), rows };
  files.set(file, read);
  return read;
}
