import type { Static, TSchema } from '@sinclair/typebox';
import { asObject, checkRow, fileObject, listIn, nameOf, rowName, sourceText, type References } from './references.ts';

const FILE = 'flatattention.json';

/** One part of `flatattention.json`: a published table or chart. */
export interface FlatattentionPart<Row> {
  readonly source: string;
  readonly rows: readonly Row[];
}

/**
 * The part `key`, with every row checked; undefined when the file or the part is not there.
 *
 * @throws ValidationError, SchemaError that name file, row and field
 */
export function readFlatattention<T extends TSchema>(references: References, key: string, schema: T): FlatattentionPart<Static<T>> | undefined {
  const part = fileObject(references, FILE)?.[key];
  if (part === undefined) return undefined;
  const name = `${nameOf(references, FILE)}, ${key}`;
  const object = asObject(part, name, 'a part');
  return { source: sourceText(object, name), rows: listIn(object, 'rows', name).map((row, index) => checkRow(schema, row, rowName(name, 'rows', index))) };
}

/** Keys of the file that no suite reads; a misspelt one would otherwise go unseen. */
export function unknownParts(references: References, known: readonly string[]): readonly string[] {
  return Object.keys(fileObject(references, FILE) ?? {}).filter((key) => !known.includes(key));
}
