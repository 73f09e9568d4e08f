import { ArrowTableError } from './errors.ts';

/**
 * What one value of a column is. `name` is a word out of a list that is known before the first row
 * (`Dictionary<Utf8, Int32>` in Arrow) and is written as its index in that list. `u64` holds whole numbers up to 2^53 − 1,
 * which is where a JavaScript number stops being exact.
 */
export type ColumnType = 'u8' | 'u16' | 'u32' | 'u64' | 'i32' | 'f32' | 'f64' | 'name';

export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Unit of the values, such as `cycles` or `bytes`; an empty string for ids and names. */
  readonly unit: string;
  readonly description: string;
  /** The words of a `name` column in the order of their indices; absent for every other type. */
  readonly names?: readonly string[];
}

/** One table: its columns in order, and what its schema says about the whole. Nothing about a run's processes or time. */
export interface TableSpec {
  readonly name: string;
  readonly columns: readonly ColumnSpec[];
  /** Written into the schema, in the order of the keys, beside `name`. `formatVersion` is filled in with `1` if absent. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Bytes of one value of each type. */
export const BYTES_PER_VALUE: Readonly<Record<ColumnType, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, i32: 4, f32: 4, f64: 8, name: 4 };

/** Bytes of one row. */
export function rowBytes(spec: TableSpec): number {
  return spec.columns.reduce((sum, column) => sum + BYTES_PER_VALUE[column.type], 0);
}

/** Metadata of the schema as written: sorted, so that the bytes do not depend on the order in which a caller listed it. */
export function schemaMetadata(spec: TableSpec): Map<string, string> {
  const entries = Object.entries({ formatVersion: '1', ...spec.metadata });
  return new Map([['name', spec.name], ...entries.sort(([a], [b]) => (a < b ? -1 : 1))]);
}

/** Throws ArrowTableError `ARROW_BAD_SPEC` unless every column has a name of its own, a known type and, as `name`, its words. */
export function checkTableSpec(spec: TableSpec): void {
  const fail = (problem: string): never => {
    throw new ArrowTableError('ARROW_BAD_SPEC', `Table ${spec.name}: ${problem}.`, { table: spec.name });
  };
  if (spec.columns.length === 0) fail('a table has at least one column');
  if ('name' in spec.metadata) fail('the metadata key "name" is taken by the name of the table');
  if (new Set(spec.columns.map((column) => column.name)).size !== spec.columns.length) fail('two columns have the same name');
  for (const { name, type, names } of spec.columns) {
    if (name === '') fail('a column has no name');
    if (!Object.hasOwn(BYTES_PER_VALUE, type)) fail(`column ${name} has the unknown type ${type}`);
    if ((type === 'name') !== (names !== undefined)) fail(`column ${name} of type ${type} has ${names === undefined ? 'no' : 'a'} list of names`);
    if (names !== undefined && (names.length === 0 || new Set(names).size !== names.length)) fail(`the names of column ${name} are empty or repeat`);
  }
}
