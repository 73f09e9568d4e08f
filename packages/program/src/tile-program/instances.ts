import { suggestion } from '@kerf/checks';
import { dies, hasDefects, isAbsentTile, tileIdOf, tiles, tilesPerDie, tileXYOnDie, type Hardware } from '@kerf/hardware';
import { ProgramError } from '../errors.ts';
import { affineValue } from './affine.ts';
import { checkJoins, checkL1, checkMessageShape, checkSlices, MAX_WALKED_OPERATIONS, sendsAcrossGroups } from './check.ts';
import { walk } from './execution-order.ts';
import { compileProgram, type CompiledProgram } from './queues.ts';
import type { TileProgram } from './tile-program.ts';
import { NONE, TileOperation } from './vocabulary.ts';

/** One group of a program on a die: the tile of its north-west corner, and what its parameters are. */
export interface GroupPlace {
  readonly die: number;
  readonly x: number;
  readonly y: number;
  readonly parameters?: Readonly<Record<string, number>>;
}

/** The value of a parameter in group i of a tiling: base + step · (floor(i / every) mod modulo). A number is the same for all. */
export type ParameterRule = number | { readonly base?: number; readonly step: number; readonly every?: number; readonly modulo?: number };

/**
 * Where a program runs: a list of groups, or a tiling of the same rectangle of one die after another, row by row; what is
 * left over is idle, and so is a group with an absent tile.
 */
export type Placement =
  | { readonly groups: readonly GroupPlace[] }
  | {
    readonly tiling: {
      /** Absent: all dies. */
      readonly dies?: readonly number[];
      /** Rectangle on each die, tiles. Absent: the whole die. */
      readonly region?: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
      /** How many groups in all. Absent: as many as fit. */
      readonly groups?: number;
      readonly parameters?: Readonly<Record<string, ParameterRule>>;
    };
  };

/** A program on a wafer. Memory: 4 bytes per tile of the wafer and some per group; all tiles share the tables of the program. */
export interface ProgramInstances {
  readonly compiled: CompiledProgram;
  readonly hardware: Hardware;
  /** Groups. */
  readonly instances: number;
  /** [instances] the die, and the tile of the north-west corner on it. */
  readonly die: Uint32Array;
  readonly x: Uint32Array;
  readonly y: Uint32Array;
  /** [instances × parameters] */
  readonly parameters: Float64Array;
  /** [tiles of the wafer] the group that a tile belongs to; −1: idle. */
  readonly instanceOfTile: Int32Array;
}

/**
 * Places a checked program on a wafer.
 *
 * @throws ProgramError `PROGRAM_GROUP_DOES_NOT_FIT`, `PROGRAM_GROUPS_OVERLAP`, `PROGRAM_TILE_ABSENT`, `PROGRAM_TABLE_OVERFLOW`, `PROGRAM_BAD_PARAMETERS`, `PROGRAM_L1_OVERFLOW`,
 * `PROGRAM_BAD_SLICE`, and for sends between groups `PROGRAM_UNMATCHED_SEND`, `PROGRAM_UNMATCHED_RECEIVE`,
 * `PROGRAM_MESSAGE_TWICE`, `PROGRAM_CYCLE`
 */
export function instantiate(program: TileProgram, hardware: Hardware, placement: Placement): ProgramInstances {
  checkL1(program, hardware);
  checkJoins(program, hardware);
  const placed = 'groups' in placement ? placeList(program, placement.groups) : placeTiling(program, hardware, placement.tiling);
  const instanceOfTile = new Int32Array(tiles(hardware)).fill(-1);
  const result: ProgramInstances = { compiled: compileProgram(program), hardware, ...placed, instanceOfTile };
  for (let i = 0; i < result.instances; i++) occupy(result, i);
  checkSlices(program, result.parameters, result.instances);
  if (sendsAcrossGroups(program)) {
    const operations = result.instances * program.roleOf.reduce((sum, role) => sum + program.roles[role]!.table.operations, 0);
    if (operations > MAX_WALKED_OPERATIONS) throw new ProgramError('PROGRAM_TOO_LARGE', `Program ${program.name} sends between groups, which ${operations} operations are too many to check; ${MAX_WALKED_OPERATIONS} is the limit.`, { operations });
    checkMessagesAcross(result);
    walk({ compiled: result.compiled, instances: result.instances, wafer: (member, row) => memberOfPeer(result, member, row) }, {});
  }
  return result;
}

/**
 * Programs that run side by side must not share a tile.
 *
 * @throws ProgramError `PROGRAM_GROUPS_OVERLAP`
 */
export function checkSideBySide(placed: readonly ProgramInstances[]): void {
  placed.forEach((one, i) => {
    for (const other of placed.slice(0, i)) {
      const tile = one.instanceOfTile.findIndex((instance, id) => instance >= 0 && (other.instanceOfTile[id] ?? -1) >= 0);
      if (tile >= 0) throw new ProgramError('PROGRAM_GROUPS_OVERLAP', `Programs ${other.compiled.program.name} and ${one.compiled.program.name} both use tile ${tile}.`, { tile });
    }
  });
}

/** Place of a tile in its group, y × width + x; −1 for an idle tile. */
export function placeInGroup({ compiled, hardware, x, y, instanceOfTile }: ProgramInstances, tile: number): number {
  const instance = instanceOfTile[tile]!;
  if (instance < 0) return -1;
  const local = tile % tilesPerDie(hardware);
  const { tilesX } = hardware.die;
  return (Math.floor(local / tilesX) - y[instance]!) * compiled.program.group.width + (local % tilesX) - x[instance]!;
}

/** Wafer-wide id of the tile at a place of a group. */
export function tileOfPlace({ compiled, hardware, die, x, y }: ProgramInstances, instance: number, place: number): number {
  const { width } = compiled.program.group;
  return tileIdOf(hardware, die[instance]!, x[instance]! + (place % width), y[instance]! + Math.floor(place / width));
}

/** Member of the run of all instances that a send to a tile of the wafer reaches; −1 when it is idle or no tile. */
export function memberOfPeer(placed: ProgramInstances, member: number, row: number): number {
  const { program } = placed.compiled;
  const { width, height } = program.group;
  const place = member % (width * height);
  const instance = (member - place) / (width * height);
  const { table } = program.roles[program.roleOf[place]!]!;
  const peer = program.peers[table.peer[row]!]!;
  if (peer.kind !== 'tile') return -1;
  const tile = affineValue(program.affines, peer.tile, program.parameters.length, place % width, Math.floor(place / width), placed.parameters, instance * program.parameters.length);
  if (!Number.isInteger(tile) || tile < 0 || tile >= placed.instanceOfTile.length || placed.instanceOfTile[tile]! < 0) return -1;
  return placed.instanceOfTile[tile]! * width * height + placeInGroup(placed, tile);
}

type Placed = Pick<ProgramInstances, 'instances' | 'die' | 'x' | 'y' | 'parameters'>;

function placeList({ name, parameters }: TileProgram, groups: readonly GroupPlace[]): Placed {
  const values = new Float64Array(groups.length * parameters.length);
  groups.forEach((group, i) => {
    const given = group.parameters ?? {};
    checkNames(name, Object.keys(given), parameters);
    parameters.forEach((parameter, p) => void (values[i * parameters.length + p] = whole(name, parameter, given[parameter]!)));
    for (const key of ['die', 'x', 'y'] as const) {
      if (!Number.isInteger(group[key]) || group[key] < 0 || group[key] > 2 ** 24) throw new ProgramError('PROGRAM_GROUP_DOES_NOT_FIT', `Group ${i} of program ${name} has ${key} ${group[key]}; a whole number ≥ 0 is needed.`, { instance: i });
    }
  });
  return {
    instances: groups.length,
    die: Uint32Array.from(groups, (group) => group.die),
    x: Uint32Array.from(groups, (group) => group.x),
    y: Uint32Array.from(groups, (group) => group.y),
    parameters: values,
  };
}

function placeTiling({ name, group, parameters }: TileProgram, hardware: Hardware, tiling: Extract<Placement, { tiling: unknown }>['tiling']): Placed {
  const onDies = tiling.dies ?? Array.from({ length: dies(hardware) }, (_, die) => die);
  const region = tiling.region ?? { x: 0, y: 0, width: hardware.die.tilesX, height: hardware.die.tilesY };
  const across = Math.floor(region.width / group.width);
  const down = Math.floor(region.height / group.height);
  const perDie = across * down;
  const cornerOf = (cell: number) => ({ die: onDies[Math.floor(cell / perDie)]!, x: region.x + (cell % perDie % across) * group.width, y: region.y + Math.floor((cell % perDie) / across) * group.height });
  /** Cells of the tiling whose tiles all exist; all of them on a wafer without defects. */
  const present = hasDefects(hardware) ? Array.from({ length: onDies.length * perDie }, (_, cell) => cell).filter((cell) => !hasAbsentTile(hardware, group, cornerOf(cell))) : undefined;
  const fit = present?.length ?? onDies.length * perDie;
  const instances = tiling.groups ?? fit;
  if (!(Number.isInteger(instances) && instances >= 1 && instances <= fit)) {
    const message = `${instances} groups of ${group.width} × ${group.height} tiles do not fit: ${onDies.length} dies with ${region.width} × ${region.height} tiles hold ${fit}${present === undefined ? '' : ' without an absent tile'}.`;
    throw new ProgramError('PROGRAM_GROUP_DOES_NOT_FIT', message, { groups: instances, fit });
  }
  const rules = tiling.parameters ?? {};
  checkNames(name, Object.keys(rules), parameters);
  const values = new Float64Array(instances * parameters.length);
  parameters.forEach((parameter, p) => {
    const rule = rules[parameter]!;
    const { base = 0, step, every = 1, modulo = Infinity } = typeof rule === 'number' ? { base: rule, step: 0 } : rule;
    for (let i = 0; i < instances; i++) {
      const turn = Math.floor(i / every);
      values[i * parameters.length + p] = whole(name, parameter, base + step * (modulo === Infinity ? turn : turn % modulo));
    }
  });
  const x = new Uint32Array(instances);
  const y = new Uint32Array(instances);
  const die = new Uint32Array(instances);
  for (let i = 0; i < instances; i++) {
    const corner = cornerOf(present?.[i] ?? i);
    die[i] = corner.die;
    x[i] = corner.x;
    y[i] = corner.y;
  }
  return { instances, die, x, y, parameters: values };
}

function checkNames(program: string, given: readonly string[], parameters: readonly string[]): void {
  const unknown = given.find((name) => !parameters.includes(name));
  if (unknown !== undefined) throw new ProgramError('PROGRAM_BAD_PARAMETERS', `Program ${program} has no parameter ${unknown}.${suggestion(unknown, parameters)}`, { parameter: unknown });
  const missing = parameters.find((name) => !given.includes(name));
  if (missing !== undefined) throw new ProgramError('PROGRAM_BAD_PARAMETERS', `A group of program ${program} is not given its parameter ${missing}.`, { parameter: missing });
}

function whole(program: string, parameter: string, value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new ProgramError('PROGRAM_BAD_PARAMETERS', `Program ${program}: parameter ${parameter} must be a whole number, got ${value}.`, { parameter });
}

/** Whether a tile of a group is absent; one that is not on the wafer at all is not, here. */
function hasAbsentTile(hardware: Hardware, group: { readonly width: number; readonly height: number }, { die, x, y }: { readonly die: number; readonly x: number; readonly y: number }): boolean {
  const { tilesX, tilesY } = hardware.die;
  for (let dy = 0; dy < group.height && y + dy < tilesY; dy++) {
    for (let dx = 0; dx < group.width && x + dx < tilesX; dx++) if (isAbsentTile(hardware, tileIdOf(hardware, die, x + dx, y + dy))) return true;
  }
  return false;
}

/** Marks the tiles of one group. */
function occupy({ compiled, hardware, die, x, y, instanceOfTile }: ProgramInstances, instance: number): void {
  const { name, group } = compiled.program;
  const { tilesX, tilesY } = hardware.die;
  const [atX, atY] = [x[instance]!, y[instance]!];
  if (die[instance]! >= dies(hardware) || atX + group.width > tilesX || atY + group.height > tilesY) {
    const message = `Group ${instance} of program ${name}, ${group.width} × ${group.height} tiles at (${atX}, ${atY}) of die ${die[instance]}, reaches out of ${dies(hardware)} dies of ${tilesX} × ${tilesY} tiles.`;
    throw new ProgramError('PROGRAM_GROUP_DOES_NOT_FIT', message, { instance, die: die[instance]!, x: atX, y: atY });
  }
  if (hasDefects(hardware) && hasAbsentTile(hardware, group, { die: die[instance]!, x: atX, y: atY })) {
    throw new ProgramError('PROGRAM_TILE_ABSENT', `Group ${instance} of program ${name}, ${group.width} × ${group.height} tiles at (${atX}, ${atY}) of die ${die[instance]}, has a tile that is absent from this wafer.`, { instance, die: die[instance]! });
  }
  for (let dy = 0; dy < group.height; dy++) {
    const from = tileIdOf(hardware, die[instance]!, atX, atY + dy);
    for (let tile = from; tile < from + group.width; tile++) {
      if (instanceOfTile[tile]! >= 0) {
        const place = tileXYOnDie(hardware, tile);
        throw new ProgramError('PROGRAM_GROUPS_OVERLAP', `Groups ${instanceOfTile[tile]} and ${instance} of program ${name} both have tile (${place.x}, ${place.y}) of die ${die[instance]}.`, { tile, instance });
      }
      instanceOfTile[tile] = instance;
    }
  }
}

/** Messages to tiles of the wafer: every one is received, once, and every receive is met. */
function checkMessagesAcross(placed: ProgramInstances): void {
  const { compiled, instances } = placed;
  const { program, receiveRow } = compiled;
  const places = program.group.width * program.group.height;
  const across = new Set<number>();
  for (const { table } of program.roles) {
    for (let row = 0; row < table.operations; row++) {
      if (table.kind[row] === TileOperation.SEND && program.peers[table.peer[row]!]!.kind === 'tile') across.add(table.message[row]!);
    }
  }
  const met = new Set<number>();
  for (let member = 0; member < places * instances; member++) {
    const { table } = program.roles[program.roleOf[member % places]!]!;
    for (let row = 0; row < table.operations; row++) {
      const message = table.message[row]!;
      if (table.kind[row] !== TileOperation.SEND || !across.has(message)) continue;
      const from = tileOfPlace(placed, Math.floor(member / places), member % places);
      const to = memberOfPeer(placed, member, row);
      const receive = to < 0 ? NONE : receiveRow[program.roleOf[to % places]! * program.messages + message]!;
      if (receive === NONE) throw new ProgramError('PROGRAM_UNMATCHED_SEND', `Tile ${from} sends message ${message} to a tile that ${to < 0 ? 'runs nothing' : 'does not receive it'}.`, { message, tile: from });
      const key = to * program.messages + message;
      if (met.has(key)) throw new ProgramError('PROGRAM_MESSAGE_TWICE', `Tile ${tileOfPlace(placed, Math.floor(to / places), to % places)} is sent message ${message} by two tiles.`, { message });
      met.add(key);
      checkMessageShape(program, table.a[row]!, program.roles[program.roleOf[to % places]!]!.table.out[receive]!, message);
    }
  }
  for (let member = 0; member < places * instances; member++) {
    for (const message of across) {
      if (receiveRow[program.roleOf[member % places]! * program.messages + message] === NONE || met.has(member * program.messages + message)) continue;
      const tile = tileOfPlace(placed, Math.floor(member / places), member % places);
      throw new ProgramError('PROGRAM_UNMATCHED_RECEIVE', `Tile ${tile} waits for message ${message}, which nobody sends to it.`, { message, tile });
    }
  }
}
