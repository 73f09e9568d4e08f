import { presetHardware, tileXYOnDie, tilesPerDie, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatAttention, summa } from '../testing/dataflows.ts';
import { checkSideBySide, instantiate, placeInGroup, tileOfPlace, type Placement } from './instances.ts';
import { programTables } from './tables.ts';

const one = presetHardware('mesh-8x8');
const wafer = presetHardware('flat-wafer-8');
const attention = (heads: number) => flatAttention({ width: 2, height: 3 }, heads, { queries: 6, sliceRows: 2, keys: 4, sliceKeys: 2, width: 2 });

test('a tiling fills the rectangle of every die with whole groups, and each tile knows its group and place', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.nat(3), fc.nat(3), fc.constant(5), fc.constant(5), (width, height, x, y, regionWidth, regionHeight) => {
    const program = summa({ width, height }, [height, width, 1], [1, 1, 1]);
    const placed = instantiate(program, wafer, { tiling: { dies: [1, 3], region: { x, y, width: regionWidth, height: regionHeight } } });
    const [across, down] = [Math.floor(regionWidth / width), Math.floor(regionHeight / height)];
    expect(placed.instances).toBe(2 * across * down);
    let busy = 0;
    placed.instanceOfTile.forEach((instance, tile) => {
      const place = placeInGroup(placed, tile);
      expect(place < 0).toBe(instance < 0);
      if (instance < 0) return;
      busy++;
      expect(tileOfPlace(placed, instance, place)).toBe(tile);
      const at = tileXYOnDie(wafer, tile);
      expect([Math.floor(tile / tilesPerDie(wafer)), Math.floor((at.x - x) / width), Math.floor((at.y - y) / height)]).toEqual([[1, 3][Math.floor(instance / (across * down))], instance % across, Math.floor(instance / across) % down]);
    });
    expect(busy).toBe(placed.instances * width * height);
  }), { numRuns: 10 });
});

test('parameters follow the rule: base + step · (floor(i / every) mod modulo)', () => {
  const placed = instantiate(attention(3), one, { tiling: { groups: 8, parameters: { head: { base: 0, step: 1, every: 2, modulo: 3 } } } });
  expect([...placed.parameters]).toEqual([0, 0, 1, 1, 2, 2, 0, 0]);
});

const at = (x: number, y: number, head = 0) => ({ die: 0, x, y, parameters: { head } });
test.each<[string, Placement, string, string]>([
  ['a group over the rim', { groups: [at(7, 0)] }, 'PROGRAM_GROUP_DOES_NOT_FIT', 'Group 0 of program flat attention, 2 × 3 tiles at (7, 0) of die 0, reaches out of 1 dies of 8 × 8 tiles.'],
  ['a die that there is not', { groups: [{ ...at(0, 0), die: 1 }] }, 'PROGRAM_GROUP_DOES_NOT_FIT', 'of die 1, reaches out of 1 dies'],
  ['half a tile', { groups: [at(0.5, 0)] }, 'PROGRAM_GROUP_DOES_NOT_FIT', 'Group 0 of program flat attention has x 0.5; a whole number ≥ 0 is needed.'],
  ['groups that overlap', { groups: [at(0, 0), at(1, 2)] }, 'PROGRAM_GROUPS_OVERLAP', 'Groups 0 and 1 of program flat attention both have tile (1, 2) of die 0.'],
  ['a missing parameter', { groups: [{ die: 0, x: 0, y: 0 }] }, 'PROGRAM_BAD_PARAMETERS', 'is not given its parameter head'],
  ['a mistyped parameter', { tiling: { parameters: { haed: 0 } } }, 'PROGRAM_BAD_PARAMETERS', 'has no parameter haed. Did you mean "head"?'],
  ['half a head', { groups: [at(0, 0, 0.5)] }, 'PROGRAM_BAD_PARAMETERS', 'parameter head must be a whole number, got 0.5'],
  ['more groups than fit', { tiling: { groups: 9, parameters: { head: 0 } } }, 'PROGRAM_GROUP_DOES_NOT_FIT', '9 groups of 2 × 3 tiles do not fit: 1 dies with 8 × 8 tiles hold 8.'],
  ['a region that is too small', { tiling: { region: { x: 0, y: 0, width: 1, height: 8 }, parameters: { head: 0 } } }, 'PROGRAM_GROUP_DOES_NOT_FIT', 'hold 0'],
  ['a head that the tensors lack', { groups: [at(0, 0), at(2, 0, 2)] }, 'PROGRAM_BAD_SLICE', 'tile (0, 0) with head 2 takes rows 12 to 13'],
])('%s is refused', (_, placement, code, message) => {
  expect(() => instantiate(attention(2), one, placement)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

test('on a wafer with defects a tiling leaves out the groups that would have an absent tile, and a list with one is refused', () => {
  const broken: Hardware = { ...one, defects: { tiles: [{ x: 2, y: 1 }] } };
  const placed = instantiate(attention(1), broken, { tiling: { parameters: { head: 0 } } });
  expect([placed.instances, placed.x[0], placed.x[1]]).toEqual([7, 0, 4]);
  expect(() => instantiate(attention(1), broken, { tiling: { groups: 8, parameters: { head: 0 } } })).toThrow(expect.objectContaining({ code: 'PROGRAM_GROUP_DOES_NOT_FIT', message: expect.stringContaining('hold 7 without an absent tile') }));
  expect(() => instantiate(attention(1), broken, { groups: [at(2, 0)] })).toThrow(expect.objectContaining({ code: 'PROGRAM_TILE_ABSENT' }));
});

test('two programs side by side share no tile', () => {
  const left = instantiate(attention(1), one, { groups: [at(0, 0)] });
  checkSideBySide([left, instantiate(attention(1), one, { groups: [at(2, 0)] })]);
  expect(() => checkSideBySide([left, instantiate(attention(1), one, { groups: [at(1, 0)] })])).toThrow(expect.objectContaining({ code: 'PROGRAM_GROUPS_OVERLAP', context: { tile: 1 } }));
});

test('65,536 tiles take a fraction of a second and of a megabyte each', () => {
  const large = presetHardware('flat-wafer-64');
  const program = summa({ width: 32, height: 32 }, [4096, 4096, 2048], [128, 128, 128]);
  const before = process.memoryUsage();
  const start = performance.now();
  const placed = instantiate(program, large, { tiling: {} });
  expect(performance.now() - start).toBeLessThan(2000);
  const after = process.memoryUsage();
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(500 * 2 ** 20);
  expect([placed.instances, placed.instanceOfTile.includes(-1)]).toEqual([64, false]);
});

test('the tables of a program have a row per operation and per dependency, and words for every name', () => {
  const program = attention(1);
  const operations = program.roles.reduce((sum, { table }) => sum + table.operations, 0);
  const [rows, dependencies] = programTables(program);
  expect([rows.rows, dependencies.rows]).toEqual([operations, program.roles.reduce((sum, { table }) => sum + table.dependsOn.length, 0)]);
  for (const { rows: length, columns } of [rows, dependencies]) {
    expect(new Set(columns.map(({ name }) => name)).size).toBe(columns.length);
    for (const { type, names, values } of columns) {
      expect(values).toHaveLength(length);
      expect(names !== undefined).toBe(type === 'name');
      if (names !== undefined) {
        expect(new Set(names).size).toBe(names.length);
        expect(values.every((value: number) => value < names.length)).toBe(true);
      }
    }
  }
  const column = (name: string) => rows.columns.find((one) => one.name === name)!;
  expect(column('kind').names![column('kind').values[0]!]).toBe('clear');
  expect(column('out').names![column('out').values[0]!]).toBe('o');
  expect([column('out_rows').values[0], column('out_columns').values[0]]).toEqual([2, 2]);
});
