/**
 * What an operation does. The vocabulary is what a dispatch and a combine need:
 * - `send`: bytes from this tile to another; done at once, when the network interface of the tile, which queues, has them;
 * - `receive`: done when the given bytes have arrived on one channel of this tile;
 * - `wait`: done when its dependencies are, and nothing else;
 * - `compute`: matrix work on this tile, in floating-point operations and bytes of memory read, never in time: time is
 *   the engine's.
 */
export const operationKinds = ['send', 'receive', 'wait', 'compute'] as const;
export type OperationKind = (typeof operationKinds)[number];

/** Column `kind` holds these. */
export const SEND = 0;
export const RECEIVE = 1;
export const WAIT = 2;
export const COMPUTE = 3;

/**
 * The operations of one die in one kernel, as columns: one row per operation, in the order in which a tile issues those
 * that are ready in the same cycle. The program of a wafer is one table per die.
 */
export interface ProgramTable {
  /** The die whose tiles run this. */
  readonly dieId: number;
  /** Names of the message channels; a packet's channel is also the phase under which links count it. */
  readonly channels: readonly string[];
  /** Rows. */
  readonly operations: number;
  /** [operations] {@link SEND}, {@link RECEIVE}, {@link WAIT} or {@link COMPUTE}. */
  readonly kind: Uint8Array;
  /** [operations] tile of this die that runs the operation: y × tilesX + x. */
  readonly localTile: Uint32Array;
  /** [operations] `send`: destination, wafer-wide tile id. Otherwise 0. */
  readonly peerTile: Uint32Array;
  /** [operations] `send`, `receive`: index into `channels`. Otherwise 0. */
  readonly channel: Uint8Array;
  /** [operations] `send`: payload; `receive`: payload expected in all, both in bytes; `compute`: bytes read from the die's memory. */
  readonly bytes: Float64Array;
  /** [operations] `compute`: floating-point operations. Otherwise 0. */
  readonly flops: Float64Array;
  /** [operations] what the operation is about, for reports: `send` a count of messages folded into it, `compute` the expert id. */
  readonly label: Uint32Array;
  /** [operations] `compute`: rows of the activation matrix (token copies). Otherwise 0. */
  readonly rows: Uint32Array;
  /** [operations + 1] where the dependencies of an operation begin in `dependsOn`. */
  readonly dependsOnStart: Uint32Array;
  /** [dependencies] operations (rows of this table) that must be done first. */
  readonly dependsOn: Uint32Array;
}
