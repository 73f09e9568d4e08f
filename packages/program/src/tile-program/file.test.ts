import { KerfError } from '@kerf/checks';
import { presetHardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatAttention, ringAllReduce, summa, treeBroadcast } from '../testing/dataflows.ts';
import { TileProgramBuilder } from './builder.ts';
import { formatTileProgram, parseTileProgram, readTileProgram, tileProgramFile, type TileProgramFile } from './file.ts';
import { instantiate } from './instances.ts';
import { execute } from './interpreter.ts';
import type { TileProgram } from './tile-program.ts';

const hardware = presetHardware('mesh-8x8');

/** Groups hand a row on to the next one, by the id of its tile on the wafer. */
function acrossGroups(): TileProgram {
  const p = new TileProgramBuilder('hand on', { width: 2, height: 1 }, ['next']);
  const A = p.tensor('A', 2, 4, 'fp16', 'input');
  const B = p.tensor('B', 2, 4, 'fp16', 'output');
  const row = p.buffer('row', 1, 4, 'fp16');
  const got = p.buffer('got', 1, 4, 'fp16');
  const message = p.message();
  const tile = p.affine(p.parameter('next').plus(p.x));
  p.role('all', () => true, (r) => {
    const loaded = r.load(row, A.at(p.x, 0, 1, 4));
    r.send(message, row, { kind: 'tile', tile }, [loaded]);
    r.store(B.at(p.x, 0, 1, 4), got, [r.receive(message, got)]);
  });
  return p.finish();
}

const programs: readonly TileProgram[] = [
  summa({ width: 3, height: 2 }, [7, 8, 9], [4, 3, 4]),
  flatAttention({ width: 2, height: 2 }, 3, { queries: 4, sliceRows: 2, keys: 8, sliceKeys: 2, width: 4, type: 'fp8e4m3', sumType: 'fp32' }),
  ringAllReduce(3, 2), treeBroadcast(5, 2), acrossGroups(),
];

test.each(programs)('$name: what is written is read as the same program', (program) => {
  const file = tileProgramFile(program);
  const again = parseTileProgram(structuredClone(file), 'p.json');
  expect(tileProgramFile(again)).toEqual(file);
  expect(readTileProgram(formatTileProgram(program), 'p.json')).toEqual(again);
  // The tables are the same, too; only what is never used has no place in a file.
  expect(again.roles.map(({ table }) => table.kind)).toEqual(program.roles.map(({ table }) => table.kind));
  expect(again.roleOf).toEqual(program.roleOf);
});

const file = (): TileProgramFile => structuredClone(tileProgramFile(programs[0]!));

test.each<[string, () => unknown, string, string]>([
  ['no JSON', () => readTileProgram('{', 'p.json'), 'PROGRAM_BAD_FILE', 'p.json is no JSON'],
  ['another version', () => parseTileProgram({ ...file(), formatVersion: 2 }, 'p.json'), 'PROGRAM_FORMAT_VERSION', 'p.json: formatVersion is 2, which this version of Kerf cannot read. It reads programs of formatVersion 1.'],
  ['an unknown key', () => parseTileProgram({ ...file(), groups: 1 }, 'p.json'), 'SCHEMA_UNKNOWN_KEY', 'p.json: unknown key groups. Did you mean "group"?'],
  ['a kind that there is not', () => parseTileProgram({ ...file(), roles: [{ name: 'a', operations: [{ kind: 'lod', engine: 'dma', phase: 'p', after: [] }] }] }, 'p.json'), 'SCHEMA_OUT_OF_RANGE', 'roles.0.operations.0.kind must be one of "load"'],
  ['a mistyped name', () => {
    const given = file();
    given.roles[0]!.operations[0]!.slice!.tensor = 'x';
    return parseTileProgram(given, 'p.json');
  }, 'PROGRAM_UNKNOWN_NAME', 'p.json: there is no tensor x. Did you mean "X"?'],
  ['roles that do not cover the group', () => parseTileProgram({ ...file(), roleOf: [[0, 1, 2]] }, 'p.json'), 'PROGRAM_BAD_GROUP', 'p.json: roleOf must have 2 rows of 3 tiles'],
  ['a row that waits for a later one', () => {
    const given = file();
    given.roles[0]!.operations[1]!.after = [1];
    return parseTileProgram(given, 'p.json');
  }, 'PROGRAM_BAD_DEPENDENCY', 'waits for row 1; a row can wait only for rows above it'],
])('%s is refused', (_, run, code, message) => {
  expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

/** Every place in a value that can be changed: [holder, key]. */
function places(value: unknown, found: [Record<string, unknown>, string][] = []): [Record<string, unknown>, string][] {
  if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      found.push([value as Record<string, unknown>, key]);
      places((value as Record<string, unknown>)[key], found);
    }
  }
  return found;
}

const strange = fc.oneof(
  fc.integer({ min: -2, max: 12 }), fc.integer(), fc.double(), fc.constantFrom<unknown>(null, true, '', 'x', 'row', 'group', 'vector', '__proto__', 'constructor', [], {}, [0], 2 ** 31, 2 ** 20, -1, 0.5, { x: 1, y: 1 }, { base: 1, x: 3 }), fc.anything(),
);

describe('a program that was spoiled', () => {
  test('is refused with a code, or runs to its end', () => {
    let refused = 0;
    let ran = 0;
    const change = fc.record({ at: fc.nat(), how: fc.constantFrom('replace', 'delete', 'swap', 'repeat', 'nudge'), by: fc.nat(), value: strange });
    fc.assert(fc.property(fc.constantFrom(...programs), fc.array(change, { minLength: 1, maxLength: 3 }), (program, changes) => {
      const spoiled: unknown = structuredClone(tileProgramFile(program));
      for (const { at, how, by, value } of changes) {
        const all = places(spoiled);
        const [holder, key] = all[at % all.length]!;
        const [other, otherKey] = all[by % all.length]!;
        if (how === 'replace') holder[key] = value;
        else if (how === 'delete') delete holder[key];
        else if (how === 'swap') [holder[key], other[otherKey]] = [structuredClone(other[otherKey]), structuredClone(holder[key])];
        else if (how === 'repeat' && Array.isArray(holder)) holder.push(structuredClone(holder[key]));
        else if (typeof holder[key] === 'number') holder[key] += (by % 5) - 2;
      }
      try {
        const read = parseTileProgram(spoiled, 'p.json');
        instantiate(read, hardware, { groups: [{ die: 0, x: 0, y: 0, parameters: Object.fromEntries(read.parameters.map((name) => [name, 0])) }] });
        const inputs = Object.fromEntries(read.tensors.map(({ name, rows, columns }) => [name, new Float64Array(Math.min(rows * columns, 4096))]));
        execute(read, inputs, { parameters: [Object.fromEntries(read.parameters.map((name) => [name, 0]))], maxMultiplyAdds: 1e6 });
        ran++;
      } catch (error) {
        if (!(error instanceof KerfError)) throw error;
        expect(error.code).toMatch(/^(PROGRAM|SCHEMA)_/);
        refused++;
      }
    }), { numRuns: 1000 });
    expect(Math.min(ran, refused)).toBeGreaterThan(20);
  }, 120_000);

  test('as any value at all is refused with a code', () => {
    fc.assert(fc.property(fc.anything(), (value) => {
      expect(() => parseTileProgram(value, 'p.json')).toThrow(KerfError);
    }));
  });
});
