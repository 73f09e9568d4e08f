// The public file form of a tile program, as far as suites need it. The ledger runs public commands on public files and knows no
// package that could write them.

/** Buffer, first row, first column, rows, columns. */
export type FileView = readonly [buffer: string, row: number, column: number, rows: number, columns: number];

/** A whole number that depends on the place of a tile. */
export type FileAffine = number | { readonly base?: number; readonly x?: number; readonly y?: number };

export interface FileSlice {
  readonly tensor: string;
  readonly row: FileAffine;
  readonly column: FileAffine;
  readonly rows: number;
  readonly columns: number;
}

type Engine = 'matrix' | 'vector' | 'dma' | 'fabric' | 'control';
type Operation = Readonly<Record<string, unknown>>;

/** Rows of a role that must be done first. */
export type After = readonly number[];

/** Elements are FP16 everywhere. */
export const ELEMENT_BYTES = 2;
const elementType = 'fp16';

/** What some tiles do. Every method returns the number of its operation. */
export class RoleFile {
  readonly operations: Operation[] = [];

  load(out: FileView, slice: FileSlice, after: After = []): number {
    return this.#add('load', 'dma', after, { out, slice });
  }

  store(slice: FileSlice, a: FileView, after: After = []): number {
    return this.#add('store', 'dma', after, { a, slice });
  }

  /** To the tile dx east and dy south. */
  send(message: number, a: FileView, dx: number, dy: number, after: After = []): number {
    return this.#add('send', 'fabric', after, { a, message, peer: { kind: 'relative', dx, dy } });
  }

  receive(message: number, out: FileView, after: After = []): number {
    return this.#add('receive', 'control', after, { out, message });
  }

  multicast(collective: string, view: FileView, isRoot: boolean, after: After = []): number {
    return this.#add('multicast', isRoot ? 'fabric' : 'control', after, { collective, ...(isRoot ? { a: view } : { out: view }) });
  }

  reduce(collective: string, view: FileView, isRoot: boolean, after: After = []): number {
    return this.#add('reduce', 'fabric', after, { collective, a: view, ...(isRoot ? { out: view } : {}) });
  }

  barrier(collective: string, after: After = []): number {
    return this.#add('barrier', 'control', after, { collective });
  }

  matmul(out: FileView, a: FileView, b: FileView, after: After = []): number {
    return this.#add('matmul', 'matrix', after, { out, a, b });
  }

  vector(vector: string, out: FileView, a: FileView, b: FileView | null, after: After = []): number {
    return this.#add('vector', 'vector', after, { vector, out, a, ...(b === null ? {} : { b }) });
  }

  transpose(out: FileView, a: FileView, after: After = []): number {
    return this.#add('transpose', 'dma', after, { out, a });
  }

  clear(out: FileView, after: After = []): number {
    return this.#add('clear', 'dma', after, { out, scalar: 0 });
  }

  copy(out: FileView, a: FileView, after: After = []): number {
    return this.#add('copy', 'dma', after, { out, a });
  }

  #add(kind: string, engine: Engine, after: After, fields: Operation): number {
    return this.operations.push({ kind, engine, phase: 'all', after, ...fields }) - 1;
  }
}

/** Writes the file of a tile program. */
export class ProgramFile {
  readonly #name: string;
  readonly #width: number;
  readonly #height: number;
  readonly #tensors: object[] = [];
  readonly #buffers: object[] = [];
  readonly #collectives: object[] = [];
  #messages = 0;

  constructor(name: string, width: number, height: number) {
    this.#name = name;
    this.#width = width;
    this.#height = height;
  }

  tensor(name: string, rows: number, columns: number, use: 'input' | 'output'): string {
    this.#tensors.push({ name, rows, columns, elementType, use });
    return name;
  }

  buffer(name: string, rows: number, columns: number): FileView {
    this.#buffers.push({ name, rows, columns, elementType });
    return [name, 0, 0, rows, columns];
  }

  /** Each is used once per group. */
  collective(name: string, kind: 'multicast' | 'reduceMax' | 'barrier', scope: 'row' | 'column' | 'group'): string {
    this.#collectives.push({ name, kind, scope, ...(kind === 'barrier' ? {} : { root: 'diagonal' }) });
    return name;
  }

  message(): number {
    return this.#messages++;
  }

  /**
   * The contents of the file. Tiles of the same kind share a role.
   *
   * @param kindOf a name for what a tile does
   */
  finish(kindOf: (x: number, y: number) => string, body: (role: RoleFile, kind: string) => void): unknown {
    const kinds: string[] = [];
    const roleOf = Array.from({ length: this.#height }, (_, y) => Array.from({ length: this.#width }, (__, x) => {
      const kind = kindOf(x, y);
      const known = kinds.indexOf(kind);
      return known >= 0 ? known : kinds.push(kind) - 1;
    }));
    const roles = kinds.map((kind) => {
      const role = new RoleFile();
      body(role, kind);
      return { name: kind, operations: role.operations };
    });
    return {
      formatVersion: 1, name: this.#name, group: { width: this.#width, height: this.#height }, parameters: [], tensors: this.#tensors, buffers: this.#buffers, collectives: this.#collectives, roles, roleOf,
    };
  }
}
