import { nearestName } from '@kerf/checks';

/** The part of a JSON schema that a path is looked up in. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode | readonly SchemaNode[];
  readonly [keyword: string]: unknown;
}

/** The types that a schema takes, as JSON names them; none when it says nothing about types. */
export function typesOf({ type }: SchemaNode): readonly string[] {
  return type === undefined ? [] : typeof type === 'string' ? [type] : type;
}

/** The schema of an entry of a list, by its number. */
export function entryOf({ items }: SchemaNode, index: number): SchemaNode | undefined {
  return isTuple(items) ? items[index] : items;
}

/** Every dotted path of a schema down to its objects' keys; entries of lists have no name and are left out. */
export function pathsOf(schema: SchemaNode, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [here, ...pathsOf(inner, here)];
  });
}

/**
 * The path that a mistyped one most likely meant, or undefined. Where a path ends in the very same key, it is one of
 * those (`steps` means `workload.steps`, `workload.nodes` means `execution.nodes`), the nearest or else the shortest.
 * Where none does, it is the nearest as a whole or else the one with the nearest last key (`step`).
 */
export function nearestPath(schema: SchemaNode, typed: string): string | undefined {
  const paths = pathsOf(schema).sort((a, b) => a.split('.').length - b.split('.').length);
  const typedKey = lastKey(typed);
  const sameKey = paths.filter((path) => lastKey(path) === typedKey);
  if (sameKey.length > 0) return sameKey.find((path) => path.endsWith(`.${typed}`)) ?? nearestName(typed, sameKey) ?? sameKey[0];
  const nearestKey = nearestName(typedKey, paths.map(lastKey));
  const byKey = paths.find((path) => lastKey(path) === nearestKey);
  return typed === typedKey ? byKey : (nearestName(typed, paths) ?? byKey);
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function isTuple(items: SchemaNode['items']): items is readonly SchemaNode[] {
  return Array.isArray(items);
}
