import { nearestName } from '@kerf/checks';
import { ProgramError } from '../errors.ts';
import { affineValue } from './affine.ts';
import { buffersOf, checkSlices, sendsAcrossGroups } from './check.ts';
import { elementTypes, roundTo, type NumberFormat } from './element-types.ts';
import { walk, type ExecutionVisitor } from './execution-order.ts';
import { rootPlace } from './group.ts';
import { memberOfPeer, type ProgramInstances } from './instances.ts';
import { compileProgram, type CompiledProgram } from './queues.ts';
import { membersIn, RaceDetector, type Region } from './races.ts';
import type { OperationTable, TileProgram } from './tile-program.ts';
import { ACCUMULATE, ENGINES, NONE, TileOperation, TRANSPOSE_B, Vector } from './vocabulary.ts';

/** Elements of all tensors and buffers of one execution, and entries of all vector clocks. */
const MAX_ELEMENTS = 2 ** 28;

export interface ExecuteOptions {
  /** Parameters of each instance, when the program is given without a placement. Absent: one instance without parameters. */
  readonly parameters?: readonly Readonly<Record<string, number>>[];
  /** Precision of every addition, multiplication and exponential. Default `float64`. */
  readonly arithmetic?: 'float32' | 'float64';
  /** Element types whose results are rounded when they are written: all, none (default), or these. */
  readonly round?: boolean | readonly NumberFormat[];
  /** Whether uses that nothing orders are errors. Default true; needs memory that grows with the square of the group. */
  readonly races?: boolean;
  /** Most multiply-adds of all matmuls together. Default 10^10, some minutes. */
  readonly maxMultiplyAdds?: number;
}

export interface Execution {
  /** Outputs and scratch tensors, row by row. Elements that nobody stored are NaN. */
  readonly tensors: Readonly<Record<string, Float64Array>>;
  /** Operations of all tiles. */
  readonly operations: number;
}

/**
 * Executes a checked program on real numbers, in an order that its dependencies allow. Reductions add their members from
 * west to east, then north to south; a matmul adds along k from 0. Buffers begin as NaN, so what is read without having
 * been written shows.
 *
 * @param inputs [rows × columns] of every input tensor, row by row, by name; scratch and outputs may be given, too
 * @throws ProgramError `PROGRAM_RACE` naming both operations, tile and array; `PROGRAM_BAD_ARRAY`, `PROGRAM_BAD_SLICE`,
 * `PROGRAM_BAD_PARAMETERS`, `PROGRAM_TOO_LARGE`
 */
export function execute(what: TileProgram | ProgramInstances, inputs: Readonly<Record<string, ArrayLike<number>>>, options: ExecuteOptions = {}): Execution {
  const placed = 'compiled' in what ? what : undefined;
  const compiled = 'compiled' in what ? what.compiled : compileProgram(what);
  const { program } = compiled;
  const { instances, parameters } = placed ?? without(program, options.parameters ?? [{}]);
  if (placed === undefined) checkSlices(program, parameters, instances);
  const state = new State(compiled, instances, parameters, inputs, options);
  if (sendsAcrossGroups(program)) {
    if (placed === undefined) throw new ProgramError('PROGRAM_UNMATCHED_SEND', `Program ${program.name} sends between groups: place it on a wafer first.`, {});
    state.run(0, instances, placed);
  } else {
    for (let i = 0; i < instances; i++) state.run(i, 1);
  }
  return { tensors: state.results(), operations: state.operations };
}

function without({ name, parameters }: TileProgram, given: readonly Readonly<Record<string, number>>[]): { instances: number; parameters: Float64Array } {
  const values = given.flatMap((instance) => parameters.map((parameter) => {
    const value = Object.hasOwn(instance, parameter) ? instance[parameter] : undefined;
    if (value === undefined || !Number.isSafeInteger(value)) throw new ProgramError('PROGRAM_BAD_PARAMETERS', `Program ${name}: parameter ${parameter} must be a whole number, got ${value}.`, { parameter });
    return value;
  }));
  return { instances: given.length, parameters: Float64Array.from(values) };
}

/** A rectangle of an array in row order. */
interface Window extends Region {
  readonly values: Float64Array;
  /** Columns of the whole array. */
  readonly pitch: number;
  readonly type: NumberFormat;
}

class State {
  operations = 0;
  readonly #compiled: CompiledProgram;
  readonly #parameters: Float64Array;
  readonly #tensors: Float64Array[];
  readonly #rounded: ReadonlySet<NumberFormat>;
  readonly #single: boolean;
  readonly #races: boolean;
  readonly #places: number;
  /** Who stored into or loaded from written tensors: [tensor][rectangles] with the instance, which share no order. */
  readonly #memory = new Map<number, { instance: number; write: boolean; region: Region }[]>();
  #buffers: (Float64Array | undefined)[] = [];
  #firstInstance = 0;

  constructor(compiled: CompiledProgram, instances: number, parameters: Float64Array, inputs: Readonly<Record<string, ArrayLike<number>>>, options: ExecuteOptions) {
    const { program } = compiled;
    this.#compiled = compiled;
    this.#parameters = parameters;
    this.#places = program.group.width * program.group.height;
    const round = options.round ?? false;
    this.#rounded = new Set(round === true ? elementTypes : round === false ? [] : round);
    this.#single = options.arithmetic === 'float32';
    this.#races = options.races ?? true;
    const l1 = program.roles.map((_, role) => buffersOf(program, role).reduce((sum, id) => sum + program.buffers[id]!.rows * program.buffers[id]!.columns, 0));
    let elements = program.tensors.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
    for (const role of program.roleOf) elements += l1[role]! * (sendsAcrossGroups(program) ? instances : 1);
    if (elements > MAX_ELEMENTS) throw new ProgramError('PROGRAM_TOO_LARGE', `Executing program ${program.name} needs ${elements} elements at once; ${MAX_ELEMENTS} is the limit.`, { elements });
    this.#limitWork(instances, options.maxMultiplyAdds ?? 1e10);
    const names = program.tensors.map(({ name }) => name);
    for (const name of Object.keys(inputs)) {
      if (!names.includes(name)) throw new ProgramError('PROGRAM_BAD_ARRAY', `Program ${program.name} has no tensor ${name}${nearestName(name, names) === undefined ? '' : `; did you mean ${nearestName(name, names)}`}.`, { name });
    }
    this.#tensors = program.tensors.map(({ name, rows, columns, use, elementType }) => {
      const given = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
      if (given === undefined && use !== 'input') return new Float64Array(rows * columns).fill(NaN);
      if (given?.length !== rows * columns) throw new ProgramError('PROGRAM_BAD_ARRAY', `Tensor ${name} [${rows}, ${columns}] takes ${rows * columns} numbers, got ${given?.length ?? 'none'}.`, { name });
      const values = Float64Array.from(given);
      if (this.#rounded.has(elementType)) for (let i = 0; i < values.length; i++) values[i] = roundTo(elementType, values[i]!);
      return values;
    });
  }

  run(firstInstance: number, instances: number, placed?: ProgramInstances): void {
    const compiled = this.#compiled;
    const { program, roles } = compiled;
    this.#firstInstance = firstInstance;
    this.#buffers = new Array<Float64Array | undefined>(this.#places * instances * program.buffers.length);
    const races = this.#races ? new RaceDetector(compiled, instances, firstInstance) : undefined;
    const view = (member: number, id: number): Window => this.#view(member, id);
    const tableOf = (member: number): OperationTable => roles[program.roleOf[member % this.#places]!]!.table;
    /** Buffers are told apart by member and number, tensors by number alone. */
    const use = (member: number, row: number, id: number, write: boolean): void => {
      if (id !== NONE) races?.local(this.#bufferKey(member, id), member, row, view(member, id), write, () => this.#bufferName(member, id));
    };
    const visitor: ExecutionVisitor = {
      started: (member, row) => {
        this.operations++;
        races?.started(member, row);
        const table = tableOf(member);
        const kind = table.kind[row]!;
        // What is received is written by the sender; see `delivered`.
        const receives = kind === TileOperation.RECEIVE || (kind === TileOperation.MULTICAST && table.a[row] === NONE);
        use(member, row, table.a[row]!, false);
        use(member, row, table.b[row]!, false);
        if (!receives) use(member, row, table.out[row]!, true);
        if (kind === TileOperation.LOAD || kind === TileOperation.STORE) this.#move(member, row, table, races, placed === undefined);
        else this.#compute(member, row, table);
      },
      delivered: (sender, sendRow, receiver, receiveRow) => {
        races?.delivered(sender, sendRow, receiver, receiveRow);
        const to = tableOf(receiver).out[receiveRow]!;
        races?.remote(this.#bufferKey(receiver, to), sender, sendRow, receiver, receiveRow, view(receiver, to), () => this.#bufferName(receiver, to));
        this.#copy(view(receiver, to), view(sender, tableOf(sender).a[sendRow]!));
      },
      joined: (id, scopeIndex, base) => this.#reduce(id, scopeIndex, base),
      done: (member, row) => races?.done(member, row),
    };
    walk({ compiled, instances, ...(placed === undefined ? {} : { wafer: (member: number, row: number) => memberOfPeer(placed, member, row) }) }, visitor);
  }

  #limitWork(instances: number, maxMultiplyAdds: number): void {
    const { program } = this.#compiled;
    const { name, views, roles, roleOf } = program;
    const work = roles.map(({ table }) => {
      let sum = 0;
      for (let row = 0; row < table.operations; row++) {
        if (table.kind[row] === TileOperation.MATMUL) sum += views.rows[table.out[row]!]! * views.columns[table.out[row]!]! * views.columns[table.a[row]!]!;
      }
      return sum;
    });
    const multiplyAdds = instances * roleOf.reduce((sum, role) => sum + work[role]!, 0);
    if (multiplyAdds > maxMultiplyAdds) throw new ProgramError('PROGRAM_TOO_LARGE', `Executing program ${name} needs ${multiplyAdds} multiply-adds; ${maxMultiplyAdds} is the limit.`, { multiplyAdds });
    const together = sendsAcrossGroups(program) ? instances : 1;
    const operations = together * roleOf.reduce((sum, role) => sum + roles[role]!.table.operations, 0);
    const clocks = 2 * operations * together * this.#places * ENGINES;
    if (this.#races && clocks > MAX_ELEMENTS) throw new ProgramError('PROGRAM_TOO_LARGE', `Looking for races in program ${name} needs ${clocks} clock entries; ${MAX_ELEMENTS} is the limit. It can be executed without.`, { clocks });
  }

  results(): Record<string, Float64Array> {
    return Object.fromEntries(this.#compiled.program.tensors.flatMap(({ name, use }, id) => (use === 'input' ? [] : [[name, this.#tensors[id]!]])));
  }

  #bufferKey(member: number, view: number): string {
    return `${member} ${this.#compiled.program.views.buffer[view]!}`;
  }

  #bufferName(member: number, view: number): string {
    const { buffers, views, group } = this.#compiled.program;
    const place = member % this.#places;
    return `buffer ${buffers[views.buffer[view]!]!.name} of tile (${place % group.width}, ${Math.floor(place / group.width)})`;
  }

  #view(member: number, id: number): Window {
    const { views, buffers } = this.#compiled.program;
    const buffer = views.buffer[id]!;
    const { rows, columns, elementType } = buffers[buffer]!;
    const values = (this.#buffers[member * buffers.length + buffer] ??= new Float64Array(rows * columns).fill(NaN));
    return { values, pitch: columns, type: elementType, row: views.row[id]!, column: views.column[id]!, rows: views.rows[id]!, columns: views.columns[id]! };
  }

  /** Writes one element, rounded to its format if that is wanted. */
  #put({ values, pitch, row, column, type }: Window, i: number, j: number, value: number): void {
    values[(row + i) * pitch + column + j] = this.#rounded.has(type) ? roundTo(type, value) : value;
  }

  #copy(out: Window, a: Window): void {
    for (let i = 0; i < out.rows; i++) for (let j = 0; j < out.columns; j++) this.#put(out, i, j, get(a, i, j));
  }

  #move(member: number, row: number, table: OperationTable, races: RaceDetector | undefined, alone: boolean): void {
    const { slices, affines, tensors, parameters, group } = this.#compiled.program;
    const slice = table.slice[row]!;
    const id = slices.tensor[slice]!;
    const { name, columns, elementType, use } = tensors[id]!;
    const place = member % this.#places;
    const instance = this.#firstInstance + Math.floor(member / this.#places);
    const at = (affine: number): number =>
      affineValue(affines, affine, parameters.length, place % group.width, Math.floor(place / group.width), this.#parameters, instance * parameters.length);
    const memory: Window = { values: this.#tensors[id]!, pitch: columns, type: elementType, row: at(slices.row[slice]!), column: at(slices.column[slice]!), rows: slices.rows[slice]!, columns: slices.columns[slice]! };
    const write = table.kind[row] === TileOperation.STORE;
    if (write) this.#copy(memory, this.#view(member, table.a[row]!));
    else this.#copy(this.#view(member, table.out[row]!), memory);
    if (races === undefined || use === 'input') return;
    races.local(`tensor ${id}`, member, row, memory, write, () => `tensor ${name}`);
    if (alone) this.#betweenInstances(id, instance, memory, write);
  }

  /** Instances that send each other nothing run in no order at all, so what one stores no other may touch. */
  #betweenInstances(id: number, instance: number, region: Region, write: boolean): void {
    const others = this.#memory.get(id) ?? [];
    this.#memory.set(id, others);
    for (const other of others) {
      if (other.instance === instance || !(write || other.write)) continue;
      const apart = other.region.row >= region.row + region.rows || region.row >= other.region.row + other.region.rows
        || other.region.column >= region.column + region.columns || region.column >= other.region.column + other.region.columns;
      if (apart) continue;
      const { name } = this.#compiled.program.tensors[id]!;
      const message = `Groups ${other.instance} and ${instance} both use rows ${Math.max(region.row, other.region.row)}… of tensor ${name}, columns ${Math.max(region.column, other.region.column)}…, and one stores there; nothing orders groups.`;
      throw new ProgramError('PROGRAM_RACE', message, { tensor: name, first: other.instance, second: instance });
    }
    const { row, column, rows, columns } = region;
    others.push({ instance, write, region: { row, column, rows, columns } });
  }

  #reduce(id: number, scopeIndex: number, base: number): void {
    const { program, collectiveRow } = this.#compiled;
    const { group, collectives, roleOf, roles } = program;
    const collective = collectives[id]!;
    if (collective.root === null) return;
    const operation = (member: number): { table: OperationTable; row: number } => {
      const role = roleOf[member % this.#places]!;
      return { table: roles[role]!.table, row: collectiveRow[role * collectives.length + id]! };
    };
    const contributions = membersIn(this.#compiled, id, scopeIndex, base).map((member) => {
      const { table, row } = operation(member);
      return this.#view(member, table.a[row]!);
    });
    const root = base + rootPlace(group, collective, scopeIndex);
    const { table, row } = operation(root);
    const out = this.#view(root, table.out[row]!);
    for (let i = 0; i < out.rows; i++) {
      for (let j = 0; j < out.columns; j++) {
        // Routers join in the format of the data, so every partial result is rounded to it.
        let value = get(contributions[0]!, i, j);
        for (let m = 1; m < contributions.length; m++) {
          const next = get(contributions[m]!, i, j);
          value = collective.kind === 'reduceMax' ? Math.max(value, next) : this.#narrow(value + next);
          if (this.#rounded.has(out.type)) value = roundTo(out.type, value);
        }
        this.#put(out, i, j, value);
      }
    }
  }

  #narrow(value: number): number {
    return this.#single ? Math.fround(value) : value;
  }

  #compute(member: number, row: number, table: OperationTable): void {
    const out = table.out[row] === NONE ? undefined : this.#view(member, table.out[row]!);
    const a = table.a[row] === NONE ? undefined : this.#view(member, table.a[row]!);
    if (out === undefined) return;
    switch (table.kind[row]) {
      case TileOperation.CLEAR:
        for (let i = 0; i < out.rows; i++) for (let j = 0; j < out.columns; j++) this.#put(out, i, j, table.scalar[row]!);
        break;
      case TileOperation.COPY:
        this.#copy(out, a!);
        break;
      case TileOperation.TRANSPOSE:
        for (let i = 0; i < out.rows; i++) for (let j = 0; j < out.columns; j++) this.#put(out, i, j, get(a!, j, i));
        break;
      case TileOperation.MATMUL:
        this.#matmul(out, a!, this.#view(member, table.b[row]!), table.flags[row]!);
        break;
      case TileOperation.VECTOR:
        this.#vector(table.vector[row]!, out, a!, table.b[row] === NONE ? undefined : this.#view(member, table.b[row]!), table.scalar[row]!, (table.flags[row]! & ACCUMULATE) !== 0);
        break;
      default:
        break;
    }
  }

  #matmul(out: Window, a: Window, b: Window, flags: number): void {
    const turned = (flags & TRANSPOSE_B) !== 0;
    for (let i = 0; i < out.rows; i++) {
      for (let j = 0; j < out.columns; j++) {
        let sum = (flags & ACCUMULATE) !== 0 ? get(out, i, j) : 0;
        for (let k = 0; k < a.columns; k++) sum = this.#narrow(sum + get(a, i, k) * (turned ? get(b, j, k) : get(b, k, j)));
        this.#put(out, i, j, sum);
      }
    }
  }

  #vector(kind: number, out: Window, a: Window, b: Window | undefined, scalar: number, accumulate: boolean): void {
    const n = (value: number): number => this.#narrow(value);
    for (let i = 0; i < a.rows; i++) {
      if (kind === Vector.ROW_MAX || kind === Vector.ROW_SUM) {
        let value = accumulate ? get(out, i, 0) : kind === Vector.ROW_MAX ? -Infinity : 0;
        for (let j = 0; j < a.columns; j++) {
          const next = n(scalar * get(a, i, j));
          value = kind === Vector.ROW_MAX ? Math.max(value, next) : n(value + next);
        }
        this.#put(out, i, 0, value);
        continue;
      }
      for (let j = 0; j < a.columns; j++) {
        const p = get(a, i, j);
        const q = b === undefined ? 0 : get(b, b.rows === 1 ? 0 : i, b.columns === 1 ? 0 : j);
        this.#put(out, i, j, elementWise(kind, p, q, scalar, accumulate ? get(out, i, j) : 0, n));
      }
    }
  }
}

function get({ values, pitch, row, column }: Window, i: number, j: number): number {
  return values[(row + i) * pitch + column + j]!;
}

function elementWise(kind: number, a: number, b: number, scalar: number, before: number, n: (value: number) => number): number {
  switch (kind) {
    case Vector.ADD: return n(a + b);
    case Vector.SUB: return n(a - b);
    case Vector.MUL: return n(n(a * b) + before);
    case Vector.DIV: return n(a / b);
    case Vector.MAX: return Math.max(a, b);
    case Vector.SCALE: return n(scalar * a);
    case Vector.EXP: return n(Math.exp(n(n(scalar * a) - b)));
    case Vector.SILU: return n(a / n(1 + n(Math.exp(-a))));
    default: return a;
  }
}
