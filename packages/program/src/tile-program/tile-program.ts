import type { NumberFormat } from './element-types.ts';
import type { CollectiveKind, CollectiveScope, TensorUse } from './vocabulary.ts';

export const TILE_PROGRAM_FORMAT_VERSION = 1;

/** A 2-D array in memory. Batches, heads and the like are stacked along the rows. */
export interface Tensor {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly elementType: NumberFormat;
  readonly use: TensorUse;
}

/** A 2-D array in the L1 of every tile whose role names it in an operation. */
export interface Buffer {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly elementType: NumberFormat;
}

/**
 * The tile of a scope that sends or gets the result: a place in the group, or `diagonal`: x = y mod width in row y,
 * y = x mod height in column x. In a row only `x` counts, in a column only `y`. Barriers have none.
 */
export type RootRule = 'diagonal' | { readonly x: number; readonly y: number };

/** Something that the tiles of a row, column or group do together, once per instance. */
export interface Collective {
  readonly name: string;
  readonly kind: CollectiveKind;
  readonly scope: CollectiveScope;
  readonly root: RootRule | null;
}

/**
 * Where a send goes: to the tile (x + dx, y + dy) of the same group, wrapped round its rim or not, or to the tile of the
 * wafer whose id an affine expression gives (a row of {@link AffineTable}).
 */
export type Peer =
  | { readonly kind: 'relative' | 'wrapped'; readonly dx: number; readonly dy: number }
  | { readonly kind: 'tile'; readonly tile: number };

/** Whole numbers base + x·column + y·row + Σ parameter·value, where (x, y) is the place of the tile in its group. Within ±2^53. */
export interface AffineTable {
  /** [affines] */
  readonly base: Float64Array;
  /** [affines] times x of the tile in its group. */
  readonly x: Float64Array;
  /** [affines] times y of the tile in its group. */
  readonly y: Float64Array;
  /** [affines × parameters] times each parameter of the instance. */
  readonly parameters: Float64Array;
}

/** Rectangles of buffers, elements. */
export interface ViewTable {
  /** [views] index into `buffers`. */
  readonly buffer: Uint16Array;
  /** [views] first row and column. */
  readonly row: Uint32Array;
  readonly column: Uint32Array;
  /** [views] shape, ≥ 1. */
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/** Rectangles of tensors, elements; where they begin depends on tile and instance. */
export interface SliceTable {
  /** [slices] index into `tensors`. */
  readonly tensor: Uint16Array;
  /** [slices] rows of {@link AffineTable}: first row and column. */
  readonly row: Uint32Array;
  readonly column: Uint32Array;
  /** [slices] shape, ≥ 1. */
  readonly rows: Uint32Array;
  readonly columns: Uint32Array;
}

/**
 * What every tile of one role does: one row per operation, the rows of an engine in the order in which it takes them. A
 * row depends only on rows above it.
 */
export interface OperationTable {
  /** Rows. */
  readonly operations: number;
  /** [operations] a `TileOperation`. */
  readonly kind: Uint8Array;
  /** [operations] a `TileEngineId`. */
  readonly engine: Uint8Array;
  /** [operations] index into `phases`: what reports call this part of the work. */
  readonly phase: Uint16Array;
  /** [operations] what is written, and up to two operands that are read: rows of {@link ViewTable}, or `NONE`. */
  readonly out: Uint32Array;
  readonly a: Uint32Array;
  readonly b: Uint32Array;
  /** [operations] `load`, `store`: row of {@link SliceTable}. Otherwise `NONE`. */
  readonly slice: Uint32Array;
  /** [operations] `multicast`, `reduce`, `barrier`: index into `collectives`. Otherwise `NONE`. */
  readonly collective: Uint32Array;
  /** [operations] `send`, `receive`: number of the message, < `messages`. Otherwise `NONE`. */
  readonly message: Uint32Array;
  /** [operations] `send`: index into `peers`. Otherwise `NONE`. */
  readonly peer: Uint32Array;
  /** [operations] `vector`: a `Vector`. Otherwise 0. */
  readonly vector: Uint8Array;
  /** [operations] `vector`: factor; `clear`: value. Finite. Otherwise 1. */
  readonly scalar: Float64Array;
  /** [operations] sum of `ACCUMULATE` and `TRANSPOSE_B`. */
  readonly flags: Uint8Array;
  /** [operations + 1] where the dependencies of an operation begin in `dependsOn`. */
  readonly dependsOnStart: Uint32Array;
  /** [dependencies] rows above that must be done first. */
  readonly dependsOn: Uint32Array;
}

export interface Role {
  readonly name: string;
  readonly table: OperationTable;
}

/**
 * What the tiles of one group do, as data. All groups that run it share it: a tile's addresses follow from its place in
 * its group and the parameters of its instance.
 */
export interface TileProgram {
  readonly formatVersion: typeof TILE_PROGRAM_FORMAT_VERSION;
  readonly name: string;
  /** Tiles from west to east and from north to south. */
  readonly group: { readonly width: number; readonly height: number };
  /** Names of the whole numbers that each instance is given, such as `head`. */
  readonly parameters: readonly string[];
  readonly phases: readonly string[];
  readonly tensors: readonly Tensor[];
  readonly buffers: readonly Buffer[];
  readonly collectives: readonly Collective[];
  readonly peers: readonly Peer[];
  /** How many message numbers there are. Each is sent to a tile, and received there, at most once per instance. */
  readonly messages: number;
  readonly affines: AffineTable;
  readonly views: ViewTable;
  readonly slices: SliceTable;
  readonly roles: readonly Role[];
  /** [height × width] index into `roles`. */
  readonly roleOf: Uint8Array;
}
