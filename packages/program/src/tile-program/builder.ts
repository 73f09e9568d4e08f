import { ProgramError } from '../errors.ts';
import { Affine } from './affine.ts';
import { GrowingColumn } from './columns.ts';
import type { NumberFormat } from './element-types.ts';
import { isRoot } from './group.ts';
import {
  TILE_PROGRAM_FORMAT_VERSION, type Buffer, type Collective, type OperationTable, type Peer, type Role, type RootRule, type Tensor, type TileProgram,
} from './tile-program.ts';
import {
  ACCUMULATE, enginesOfKind, NONE, tileEngines, tileOperationKinds, TileOperation, TRANSPOSE_B, vectorKinds,
  type CollectiveKind, type CollectiveScope, type TensorUse, type TileEngine, type VectorKind,
} from './vocabulary.ts';

/** An operation of the role being written: its row. */
export type RowId = number;

/** A rectangle of a buffer, ready to be an operand. */
export class View {
  readonly buffer: number;
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;

  constructor(buffer: number, row: number, column: number, rows: number, columns: number) {
    this.buffer = buffer;
    this.row = row;
    this.column = column;
    this.rows = rows;
    this.columns = columns;
  }

  /** A part of this view, counted from its corner. */
  part(row: number, column: number, rows: number, columns: number): View {
    return new View(this.buffer, this.row + row, this.column + column, rows, columns);
  }

  /** The first rows and columns of this view. */
  first(rows: number, columns: number): View {
    return this.part(0, 0, rows, columns);
  }
}

/** A rectangle of a tensor in memory. */
export interface Slice {
  readonly tensor: number;
  readonly row: Affine;
  readonly column: Affine;
  readonly rows: number;
  readonly columns: number;
}

/** A tensor, to cut slices from. */
export class TensorRef {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }

  at(row: number | Affine, column: number | Affine, rows: number, columns: number): Slice {
    return { tensor: this.id, row: Affine.from(row), column: Affine.from(column), rows, columns };
  }
}

/** What an operation may say besides its operands. */
export interface OperationOptions {
  /** Another engine than the usual one. */
  readonly on?: TileEngine;
}

/** The columns of one operation; what is absent is `NONE`, 0 or 1 as {@link OperationTable} says. */
export interface OperationFields {
  readonly kind: number;
  readonly engine: TileEngine;
  readonly out?: View | undefined;
  readonly a?: View | undefined;
  readonly b?: View | undefined;
  readonly slice?: Slice | undefined;
  readonly collective?: number | undefined;
  readonly message?: number | undefined;
  readonly peer?: Peer | undefined;
  readonly vector?: number;
  readonly scalar?: number;
  readonly flags?: number;
}

/** What the tables of a program are given by its roles: rows that are the same are stored once. */
interface Pools {
  view(view: View): number;
  slice(slice: Slice): number;
  peer(peer: Peer): number;
}

type IsRoot = (collective: number) => boolean | undefined;

/**
 * Writes the operations of one role. Every method returns its row; `after` lists the rows that must be done first, and an
 * engine takes its rows in the order in which they are written.
 */
export class RoleWriter {
  readonly name: string;
  readonly #pools: Pools;
  readonly #phases: string[];
  readonly #collectives: readonly Collective[];
  readonly #isRoot: IsRoot;
  #phase = 0;
  #operations = 0;
  readonly #kind = new GrowingColumn(Uint8Array);
  readonly #engine = new GrowingColumn(Uint8Array);
  readonly #phaseColumn = new GrowingColumn(Uint16Array);
  readonly #out = new GrowingColumn(Uint32Array);
  readonly #a = new GrowingColumn(Uint32Array);
  readonly #b = new GrowingColumn(Uint32Array);
  readonly #slice = new GrowingColumn(Uint32Array);
  readonly #collective = new GrowingColumn(Uint32Array);
  readonly #message = new GrowingColumn(Uint32Array);
  readonly #peer = new GrowingColumn(Uint32Array);
  readonly #vector = new GrowingColumn(Uint8Array);
  readonly #scalar = new GrowingColumn(Float64Array);
  readonly #flags = new GrowingColumn(Uint8Array);
  readonly #dependsOnStart = new GrowingColumn(Uint32Array);
  readonly #dependsOn = new GrowingColumn(Uint32Array);

  constructor(name: string, pools: Pools, phases: string[], collectives: readonly Collective[], root: IsRoot) {
    this.name = name;
    this.#pools = pools;
    this.#phases = phases;
    this.#collectives = collectives;
    this.#isRoot = root;
    this.#dependsOnStart.push(0);
  }

  /** Names the part of the work that the following operations belong to. */
  phase(name: string): void {
    this.#phase = this.#phases.indexOf(name);
    if (this.#phase < 0) this.#phase = this.#phases.push(name) - 1;
  }

  /** Whether the tiles of this role are the root of a collective. */
  isRootOf(collective: number): boolean {
    const root = this.#isRoot(collective);
    if (root === undefined) {
      const { name } = this.#collectives[collective]!;
      throw new ProgramError('PROGRAM_COLLECTIVE_ROOT', `Some tiles of role ${this.name} are roots of ${name} and some are not: make two roles.`, { role: this.name, collective: name });
    }
    return root;
  }

  load(out: View, slice: Slice, after: readonly RowId[] = []): RowId {
    return this.add({ kind: TileOperation.LOAD, engine: 'dma', out, slice }, after);
  }

  store(slice: Slice, a: View, after: readonly RowId[] = []): RowId {
    return this.add({ kind: TileOperation.STORE, engine: 'dma', a, slice }, after);
  }

  send(message: number, a: View, peer: Peer, after: readonly RowId[] = [], { on = 'fabric' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.SEND, engine: on, a, message, peer }, after);
  }

  receive(message: number, out: View, after: readonly RowId[] = [], { on = 'control' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.RECEIVE, engine: on, out, message }, after);
  }

  /** The root sends the view, every other tile of its scope receives into it. */
  multicast(collective: number, view: View, after: readonly RowId[] = [], options: OperationOptions = {}): RowId {
    const root = this.isRootOf(collective);
    const engine = options.on ?? (root ? 'fabric' : 'control');
    return this.add({ kind: TileOperation.MULTICAST, engine, collective, ...(root ? { a: view } : { out: view }) }, after);
  }

  /** Every tile contributes `a`; only the root writes `out`. */
  reduce(collective: number, a: View, out: View, after: readonly RowId[] = [], { on = 'fabric' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.REDUCE, engine: on, collective, a, ...(this.isRootOf(collective) ? { out } : {}) }, after);
  }

  barrier(collective: number, after: readonly RowId[] = [], { on = 'control' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.BARRIER, engine: on, collective }, after);
  }

  matmul(out: View, a: View, b: View, after: readonly RowId[] = [], { accumulate = false, transposeB = false }: { readonly accumulate?: boolean; readonly transposeB?: boolean } = {}): RowId {
    return this.add({ kind: TileOperation.MATMUL, engine: 'matrix', out, a, b, flags: (accumulate ? ACCUMULATE : 0) + (transposeB ? TRANSPOSE_B : 0) }, after);
  }

  vector(kind: VectorKind, out: View, a: View, b: View | null, after: readonly RowId[] = [], { scalar = 1, accumulate = false }: { readonly scalar?: number; readonly accumulate?: boolean } = {}): RowId {
    return this.add({ kind: TileOperation.VECTOR, engine: 'vector', out, a, b: b ?? undefined, vector: vectorKinds.indexOf(kind), scalar, flags: accumulate ? ACCUMULATE : 0 }, after);
  }

  transpose(out: View, a: View, after: readonly RowId[] = [], { on = 'dma' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.TRANSPOSE, engine: on, out, a }, after);
  }

  clear(out: View, after: readonly RowId[] = [], { on = 'dma', value = 0 }: OperationOptions & { readonly value?: number } = {}): RowId {
    return this.add({ kind: TileOperation.CLEAR, engine: on, out, scalar: value }, after);
  }

  copy(out: View, a: View, after: readonly RowId[] = [], { on = 'dma' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.COPY, engine: on, out, a }, after);
  }

  wait(after: readonly RowId[], { on = 'control' }: OperationOptions = {}): RowId {
    return this.add({ kind: TileOperation.WAIT, engine: on }, after);
  }

  /** The table, columns cut to size. */
  finish(): OperationTable {
    return {
      operations: this.#operations,
      kind: this.#kind.finish(),
      engine: this.#engine.finish(),
      phase: this.#phaseColumn.finish(),
      out: this.#out.finish(),
      a: this.#a.finish(),
      b: this.#b.finish(),
      slice: this.#slice.finish(),
      collective: this.#collective.finish(),
      message: this.#message.finish(),
      peer: this.#peer.finish(),
      vector: this.#vector.finish(),
      scalar: this.#scalar.finish(),
      flags: this.#flags.finish(),
      dependsOnStart: this.#dependsOnStart.finish(),
      dependsOn: this.#dependsOn.finish(),
    };
  }

  /** Any operation, as it stands: for readers of files. */
  add(row: OperationFields, after: readonly RowId[]): RowId {
    const id = this.#operations++;
    if (!enginesOfKind[tileOperationKinds[row.kind]!].includes(row.engine)) {
      throw new ProgramError('PROGRAM_BAD_OPERATION', `Role ${this.name}: the ${row.engine} engine does no ${tileOperationKinds[row.kind]}.`, { role: this.name, row: id, engine: row.engine });
    }
    if (this.#phases.length === 0) this.phase('all');
    const view = (operand: View | undefined): number => (operand === undefined ? NONE : this.#pools.view(operand));
    this.#kind.push(row.kind);
    this.#engine.push(tileEngines.indexOf(row.engine));
    this.#phaseColumn.push(this.#phase);
    this.#out.push(view(row.out));
    this.#a.push(view(row.a));
    this.#b.push(view(row.b));
    this.#slice.push(row.slice === undefined ? NONE : this.#pools.slice(row.slice));
    this.#collective.push(row.collective ?? NONE);
    this.#message.push(row.message ?? NONE);
    this.#peer.push(row.peer === undefined ? NONE : this.#pools.peer(row.peer));
    this.#vector.push(row.vector ?? 0);
    this.#scalar.push(row.scalar ?? 1);
    this.#flags.push(row.flags ?? 0);
    for (const earlier of after) this.#dependsOn.push(earlier);
    this.#dependsOnStart.push(this.#dependsOn.length);
    return id;
  }
}

/** Gives the same number to the same row. */
class Pool<T> {
  readonly rows: T[] = [];
  readonly #ids = new Map<string, number>();

  add(key: string, row: T): number {
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.rows.push(row) - 1;
      this.#ids.set(key, id);
    }
    return id;
  }
}

/** Writes a {@link TileProgram}: first what it works on, then each role once. */
export class TileProgramBuilder {
  /** Place of a tile in its group, for addresses. */
  readonly x = new Affine(0, 1, 0);
  readonly y = new Affine(0, 0, 1);
  readonly #name: string;
  readonly #group: { readonly width: number; readonly height: number };
  readonly #parameters: readonly string[];
  readonly #phases: string[] = [];
  readonly #tensors: Tensor[] = [];
  readonly #buffers: Buffer[] = [];
  readonly #collectives: Collective[] = [];
  readonly #roles: Role[] = [];
  readonly #roleOf: Int16Array;
  readonly #affines = new Pool<Affine>();
  readonly #views = new Pool<View>();
  readonly #slices = new Pool<{ tensor: number; row: number; column: number; rows: number; columns: number }>();
  readonly #peers = new Pool<Peer>();
  #messages = 0;

  constructor(name: string, group: { readonly width: number; readonly height: number }, parameters: readonly string[] = []) {
    this.#name = name;
    this.#group = group;
    this.#parameters = parameters;
    this.#roleOf = new Int16Array(group.width * group.height).fill(-1);
  }

  /** A parameter of the instance, for addresses. */
  parameter(name: string): Affine {
    const index = this.#parameters.indexOf(name);
    if (index < 0) throw new ProgramError('PROGRAM_UNKNOWN_NAME', `Program ${this.#name} has no parameter ${name}; it has ${this.#parameters.join(', ') || 'none'}.`, { name });
    return new Affine(0, 0, 0, this.#parameters.map((_, i) => (i === index ? 1 : 0)));
  }

  tensor(name: string, rows: number, columns: number, elementType: NumberFormat, use: TensorUse): TensorRef {
    return new TensorRef(this.#tensors.push({ name, rows, columns, elementType, use }) - 1);
  }

  /** The whole of a buffer in the L1 of every tile whose role uses it. */
  buffer(name: string, rows: number, columns: number, elementType: NumberFormat): View {
    return new View(this.#buffers.push({ name, rows, columns, elementType }) - 1, 0, 0, rows, columns);
  }

  /** Two buffers of a kind, to work in one while the other is filled. */
  doubleBuffer(name: string, rows: number, columns: number, elementType: NumberFormat): readonly [View, View] {
    return [this.buffer(`${name}[0]`, rows, columns, elementType), this.buffer(`${name}[1]`, rows, columns, elementType)];
  }

  /** One collective, to be used once per instance. Barriers have no root. */
  collective(name: string, kind: CollectiveKind, scope: CollectiveScope, root: RootRule | null = kind === 'barrier' ? null : 'diagonal'): number {
    return this.#collectives.push({ name, kind, scope, root }) - 1;
  }

  /** A number for a message from one tile to another. */
  message(): number {
    return this.#messages++;
  }

  /** As many numbers for messages. */
  messages(count: number): number[] {
    return Array.from({ length: count }, () => this.message());
  }

  /** What the tiles of `where` do; they must be in no other role. */
  role(name: string, where: (x: number, y: number) => boolean, body: (role: RoleWriter) => void): void {
    const { width, height } = this.#group;
    const places: number[] = [];
    for (let place = 0; place < width * height; place++) if (where(place % width, Math.floor(place / width))) places.push(place);
    this.#write(name, places, body);
  }

  /** One role for each kind of tile that `kindOf` tells apart: `body` is called once per kind. Kinds are plain data. */
  roles<K>(kindOf: (x: number, y: number) => K, body: (role: RoleWriter, kind: K) => void): void {
    const { width, height } = this.#group;
    const kinds = new Map<string, { kind: K; places: number[] }>();
    for (let place = 0; place < width * height; place++) {
      const kind = kindOf(place % width, Math.floor(place / width));
      const name = roleName(kind);
      const known = kinds.get(name);
      if (known === undefined) kinds.set(name, { kind, places: [place] });
      else known.places.push(place);
    }
    for (const [name, { kind, places }] of kinds) this.#write(name, places, (role) => body(role, kind));
  }

  /** What the tiles at these places, y × width + x, do; none is allowed. */
  roleAt(name: string, places: readonly number[], body: (role: RoleWriter) => void): void {
    this.#write(name, places, body, true);
  }

  /** The program, unchecked. The builder is spent. */
  finish(): TileProgram {
    const { width, height } = this.#group;
    const without = this.#roleOf.indexOf(-1);
    if (without >= 0) {
      const x = without % width;
      const y = Math.floor(without / width);
      throw new ProgramError('PROGRAM_BAD_GROUP', `Tile (${x}, ${y}) of group ${width} × ${height} has no role in program ${this.#name}.`, { x, y });
    }
    const affines = this.#affines.rows;
    const views = this.#views.rows;
    const slices = this.#slices.rows;
    return {
      formatVersion: TILE_PROGRAM_FORMAT_VERSION,
      name: this.#name,
      group: { width, height },
      parameters: this.#parameters,
      phases: this.#phases.length === 0 ? ['all'] : this.#phases,
      tensors: this.#tensors,
      buffers: this.#buffers,
      collectives: this.#collectives,
      peers: this.#peers.rows,
      messages: this.#messages,
      affines: {
        base: Float64Array.from(affines, ({ base }) => base),
        x: Float64Array.from(affines, ({ cx }) => cx),
        y: Float64Array.from(affines, ({ cy }) => cy),
        parameters: Float64Array.from(affines.flatMap(({ factors }) => this.#parameters.map((_, p) => factors[p] ?? 0))),
      },
      views: {
        buffer: Uint16Array.from(views, ({ buffer }) => buffer),
        row: Uint32Array.from(views, ({ row }) => row),
        column: Uint32Array.from(views, ({ column }) => column),
        rows: Uint32Array.from(views, ({ rows }) => rows),
        columns: Uint32Array.from(views, ({ columns }) => columns),
      },
      slices: {
        tensor: Uint16Array.from(slices, ({ tensor }) => tensor),
        row: Uint32Array.from(slices, ({ row }) => row),
        column: Uint32Array.from(slices, ({ column }) => column),
        rows: Uint32Array.from(slices, ({ rows }) => rows),
        columns: Uint32Array.from(slices, ({ columns }) => columns),
      },
      roles: this.#roles,
      roleOf: Uint8Array.from(this.#roleOf),
    };
  }

  /** A row of the table of affine expressions, for peers that are tiles of the wafer. */
  affine(value: number | Affine): number {
    const affine = Affine.from(value);
    const { base, cx, cy, factors } = affine;
    let used = factors.length;
    while (used > 0 && factors[used - 1] === 0) used--;
    return this.#affines.add([base, cx, cy, ...factors.slice(0, used)].join(' '), affine);
  }

  #write(name: string, places: readonly number[], body: (role: RoleWriter) => void, even = false): void {
    const { width } = this.#group;
    const id = this.#roles.length;
    if (places.length === 0 && !even) return;
    if (id > 254) throw new ProgramError('PROGRAM_BAD_GROUP', `Program ${this.#name} has more than 255 roles.`, {});
    for (const place of places) {
      if (this.#roleOf[place]! >= 0) {
        const message = `Tile (${place % width}, ${Math.floor(place / width)}) is in role ${name} and in role ${this.#roles[this.#roleOf[place]!]!.name}.`;
        throw new ProgramError('PROGRAM_BAD_GROUP', message, { role: name, x: place % width, y: Math.floor(place / width) });
      }
      this.#roleOf[place] = id;
    }
    const pools: Pools = {
      view: (view) => this.#views.add(`${view.buffer} ${view.row} ${view.column} ${view.rows} ${view.columns}`, view),
      slice: ({ tensor, row, column, rows, columns }) => {
        const from = { tensor, row: this.affine(row), column: this.affine(column), rows, columns };
        return this.#slices.add(Object.values(from).join(' '), from);
      },
      peer: (peer) => this.#peers.add(Object.values(peer).join(' '), peer),
    };
    const rootOf = new Map<string, boolean | undefined>();
    const root: IsRoot = (id) => {
      const collective = this.#collectives[id]!;
      const key = `${collective.scope} ${JSON.stringify(collective.root)}`;
      if (!rootOf.has(key)) {
        const roots = places.filter((place) => isRoot(this.#group, collective, place % width, Math.floor(place / width))).length;
        rootOf.set(key, roots === 0 ? false : roots === places.length ? true : undefined);
      }
      return rootOf.get(key);
    };
    const writer = new RoleWriter(name, pools, this.#phases, this.#collectives, root);
    body(writer);
    this.#roles.push({ name, table: writer.finish() });
  }
}

/** `{ loads: true, rows: 3 }` is called `loads rows=3`. */
function roleName(kind: unknown): string {
  if (typeof kind !== 'object' || kind === null) return String(kind);
  const words = Object.entries(kind).filter(([, value]) => value !== false).map(([key, value]) => (value === true ? key : `${key}=${JSON.stringify(value)}`));
  return words.join(' ') || 'other';
}
