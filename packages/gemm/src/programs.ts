import { isAbsentTile, tileIdOf, type Hardware } from '@kerf/hardware';
import { instantiate, type GroupPlace, type ProgramInstances, type TileProgram } from '@kerf/program';
import { GemmError } from './errors.ts';
import { grainOf } from './grain.ts';
import { checkMapping, type GemmMapping, type GemmShape, type GemmTypes } from './mapping.ts';
import { partition, rangeOf, startOf } from './partition.ts';
import { summaProgram } from './summa.ts';

/** A program and where its groups are. */
export interface GemmProgram {
  readonly program: TileProgram;
  readonly groups: readonly GroupPlace[];
}

/**
 * The programs of a product on one die: one for each size of block, since splitM and splitN need not divide evenly; two sizes
 * along a dimension at most, or three with a cut last one. Groups fill the die row by row and leave out places with absent tiles.
 *
 * @throws GemmError `GEMM_BAD_SHAPE`, `GEMM_BAD_MAPPING`, `GEMM_DOES_NOT_FIT`, `GEMM_TOO_LARGE`
 */
export function gemmPrograms(shape: GemmShape, mapping: GemmMapping, types: GemmTypes, hardware: Hardware, die = 0): GemmProgram[] {
  checkMapping(shape, mapping);
  const { splitM, splitN } = mapping;
  const group = { width: mapping.groupWidth, height: mapping.groupHeight * mapping.splitK };
  const corners = cornersOf(hardware, group, die);
  if (corners.length < splitM * splitN) {
    const message = `${splitM * splitN} groups of ${group.width} × ${group.height} tiles do not fit a die of ${hardware.die.tilesX} × ${hardware.die.tilesY} tiles: there is room for ${corners.length}.`;
    throw new GemmError('GEMM_DOES_NOT_FIT', message, { groups: splitM * splitN, fit: corners.length });
  }
  const grain = grainOf(types);
  const rows = partition(shape.m, splitM, grain.m);
  const columns = partition(shape.n, splitN, grain.n);
  const programs = new Map<string, { shape: GemmShape; groups: GroupPlace[] }>();
  for (let i = 0; i < splitM * splitN; i++) {
    const [row, column] = [Math.floor(i / splitN), i % splitN];
    const own = { m: rangeOf(rows, row).size, n: rangeOf(columns, column).size, k: shape.k };
    const key = `${own.m} ${own.n}`;
    let known = programs.get(key);
    if (known === undefined) programs.set(key, (known = { shape: own, groups: [] }));
    known.groups.push({ ...corners[i]!, parameters: { row: startOf(rows, row), column: startOf(columns, column) } });
  }
  return [...programs.values()].map(({ shape: own, groups }, i) => ({ program: summaProgram(own, mapping, { types, grain, whole: shape, name: i === 0 ? 'gemm' : `gemm ${i + 1}` }), groups }));
}

/** The programs placed, ready to be run or executed side by side. */
export function placeGemm(shape: GemmShape, mapping: GemmMapping, types: GemmTypes, hardware: Hardware, die = 0): ProgramInstances[] {
  return gemmPrograms(shape, mapping, types, hardware, die).map(({ program, groups }) => instantiate(program, hardware, { groups }));
}

/** North-west corners of the groups that fit a die, row by row. */
export function cornersOf(hardware: Hardware, { width, height }: { readonly width: number; readonly height: number }, die = 0): { die: number; x: number; y: number }[] {
  const { tilesX, tilesY } = hardware.die;
  const corners = [];
  for (let y = 0; y + height <= tilesY; y += height) {
    for (let x = 0; x + width <= tilesX; x += width) if (isWhole(hardware, { x, y, width, height }, die)) corners.push({ die, x, y });
  }
  return corners;
}

function isWhole(hardware: Hardware, { x, y, width, height }: { x: number; y: number; width: number; height: number }, die: number): boolean {
  for (let dy = 0; dy < height; dy++) for (let dx = 0; dx < width; dx++) if (isAbsentTile(hardware, tileIdOf(hardware, die, x + dx, y + dy))) return false;
  return true;
}
