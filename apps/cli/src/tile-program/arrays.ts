import { CliError } from '../errors.ts';
import { readJson } from '../files.ts';
import type { TileProgram } from '@kerf/program';

/** `X=file.json` → the numbers of each file, by tensor. */
export function readArrays(flag: string, settings: readonly string[], program: TileProgram): Record<string, Float64Array> {
  return Object.fromEntries(settings.map((text) => {
    const at = text.indexOf('=');
    const name = text.slice(0, at);
    if (at <= 0 || at === text.length - 1) throw new CliError('CLI_USAGE', `${flag} takes a tensor and a file such as X=x.json, got "${text}".`, { flag, got: text });
    const tensor = program.tensors.find((one) => one.name === name);
    if (tensor === undefined) throw new CliError('CLI_USAGE', `${flag}: program ${program.name} has no tensor ${name}; it has ${program.tensors.map((one) => one.name).join(', ')}.`, { flag, got: name });
    return [name, numbersOf(readJson(text.slice(at + 1)), text.slice(at + 1), tensor)];
  }));
}

/** Rows of numbers, or all numbers in one row. */
function numbersOf(value: unknown, path: string, { name, rows, columns }: { name: string; rows: number; columns: number }): Float64Array {
  const bad = (what: string): CliError => new CliError('CLI_USAGE', `${path}: ${what}; tensor ${name} is ${rows} rows of ${columns} numbers, as [[…], …] or in one array.`, { path, tensor: name });
  if (!Array.isArray(value)) throw bad('no array');
  const flat: unknown[] = value.length > 0 && Array.isArray(value[0]) ? (value as unknown[][]).flat() : value;
  if (Array.isArray(value[0]) && (value.length !== rows || (value as unknown[][]).some((row) => !Array.isArray(row) || row.length !== columns))) throw bad(`${value.length} rows, not all as needed`);
  if (flat.length !== rows * columns) throw bad(`${flat.length} numbers`);
  const wrong = flat.findIndex((one) => typeof one !== 'number');
  if (wrong >= 0) throw bad(`element ${wrong} is ${JSON.stringify(flat[wrong])}`);
  return Float64Array.from(flat as number[]);
}

/** Numbers in [−1, 1) that depend on seed, tensor and index alone. */
export function randomArray(length: number, seed: number, stream: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => {
    let h = (Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
    h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1;
  });
}
