/*
 * The words of a tile program. Each list is in the order of the numbers that stand in the columns of a role.
 */

/**
 * What an operation does, and when it is done:
 * - `load`: `out` ← slice of a tensor in memory; done when it is in L1.
 * - `store`: slice of a tensor ← `a`; done when memory has it.
 * - `send`: writes `a` into the buffer that the `receive` with the same message names on the peer, as soon as it is
 *   started and whether or not the receiver is ready; done when it has arrived.
 * - `receive`: done when the message has arrived in `out`.
 * - `multicast`: on the root as `send` to every other tile of the scope (`a` is set), there as `receive` (`out` is set).
 * - `reduce`: every tile of the scope contributes `a`; the root's `out` ← the combined values, after all have started.
 *   Done everywhere when the result is there, as a write is when its response is back.
 * - `matmul`: `out` [m, n] ← (`out` +) `a` [m, k] × `b` [k, n]; with `transposeB`, `b` is [n, k].
 * - `vector`: `out` ← kind of (`a`, `b`), see {@link vectorKinds}.
 * - `transpose`: `out` [n, m] ← `a` [m, n] turned.
 * - `clear`: `out` ← `scalar` everywhere.
 * - `copy`: `out` ← `a`, same shape and element type.
 * - `barrier`: done when every tile of the scope has started its own.
 * - `wait`: done when its dependencies are.
 */
export const tileOperationKinds = ['load', 'store', 'send', 'receive', 'multicast', 'reduce', 'matmul', 'vector', 'transpose', 'clear', 'copy', 'barrier', 'wait'] as const;
export type TileOperationKind = (typeof tileOperationKinds)[number];

/** Column `kind`: where each kind stands in {@link tileOperationKinds}. */
export const TileOperation = {
  LOAD: 0, STORE: 1, SEND: 2, RECEIVE: 3, MULTICAST: 4, REDUCE: 5, MATMUL: 6, VECTOR: 7, TRANSPOSE: 8, CLEAR: 9, COPY: 10, BARRIER: 11, WAIT: 12,
} as const;

/**
 * Engines of a tile. Each takes its rows in the order of the table, one at a time: the next starts when the one before
 * is done and its own dependencies are.
 */
export const tileEngines = ['matrix', 'vector', 'dma', 'fabric', 'control'] as const;
export type TileEngine = (typeof tileEngines)[number];
export const ENGINES = tileEngines.length;

/** Column `engine`: where each engine stands in {@link tileEngines}. */
export const TileEngineId = { MATRIX: 0, VECTOR: 1, DMA: 2, FABRIC: 3, CONTROL: 4 } as const;

/**
 * Engines that may do each kind, the usual one first. What only waits for others (a receive, the receiving side of a
 * multicast, a barrier) is usually the control engine's, so that it holds up no work; data leave through fabric or DMA.
 */
export const enginesOfKind: Readonly<Record<TileOperationKind, readonly TileEngine[]>> = {
  load: ['dma'],
  store: ['dma'],
  send: ['fabric', 'dma'],
  receive: ['control', 'fabric', 'dma'],
  multicast: ['fabric', 'dma', 'control'],
  reduce: ['fabric', 'dma'],
  matmul: ['matrix'],
  vector: ['vector'],
  transpose: ['dma', 'vector', 'matrix'],
  clear: ['dma', 'vector'],
  copy: ['dma', 'vector'],
  barrier: ['control', 'dma', 'fabric', 'vector', 'matrix'],
  wait: ['control', 'dma', 'fabric', 'vector', 'matrix'],
};

/**
 * Vector work on `out` and `a` [m, n]; s is `scalar`. `b` is [m, n], or a column [m, 1], a row [1, n] or one element
 * [1, 1], spread over `a`.
 * - `add`, `sub`, `mul`, `div`, `max`: element by element, `a` op `b`; `mul` with `accumulate` adds to `out`.
 * - `scale`: s·a. `exp`: e^(s·a − b), or e^(s·a) without `b`. `silu`: a / (1 + e^−a).
 * - `rowMax`, `rowSum`: of s·a, into `out` [m, 1]; with `accumulate` joined with what `out` holds.
 * - `convert`: a, in the element type of `out`.
 */
export const vectorKinds = ['add', 'sub', 'mul', 'div', 'max', 'scale', 'exp', 'silu', 'rowMax', 'rowSum', 'convert'] as const;
export type VectorKind = (typeof vectorKinds)[number];

/** Column `vector`: where each kind stands in {@link vectorKinds}. */
export const Vector = { ADD: 0, SUB: 1, MUL: 2, DIV: 3, MAX: 4, SCALE: 5, EXP: 6, SILU: 7, ROW_MAX: 8, ROW_SUM: 9, CONVERT: 10 } as const;

/** Column `flags`: a sum of these. */
export const ACCUMULATE = 1;
export const TRANSPOSE_B = 2;

/** In index columns: there is none. */
export const NONE = 0xffff_ffff;

export const collectiveKinds = ['multicast', 'reduceMax', 'reduceSum', 'barrier'] as const;
export type CollectiveKind = (typeof collectiveKinds)[number];

/** Who takes part: every row of the group does one of its own, or every column, or the whole group does one. */
export const collectiveScopes = ['row', 'column', 'group'] as const;
export type CollectiveScope = (typeof collectiveScopes)[number];

/** What a tensor in memory is for: `input` is only read, `output` and `scratch` are written. */
export const tensorUses = ['input', 'output', 'scratch'] as const;
export type TensorUse = (typeof tensorUses)[number];
