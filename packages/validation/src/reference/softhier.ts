import { Type, type Static } from '@sinclair/typebox';
import { checkRow, fileObject, listIn, nameOf, rowName, toolOf, type References } from './references.ts';

export type SofthierFile = 'softhier-runs.json' | 'softhier-components.json';

const rowSchema = Type.Object({
  id: Type.String({ minLength: 1, description: 'Name of the row.' }),
  kind: Type.String({ minLength: 1, description: 'What was measured.' }),
  machine: Type.String({ minLength: 1, description: 'Key of machine.variants.' }),
  cycles: Type.Optional(Type.Union([Type.Number({ minimum: 0 }), Type.Null()], { description: 'Measured cycles, or null where the region was not timed.' })),
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
