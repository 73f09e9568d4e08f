import { COMPUTE, RECEIVE, SEND, WAIT, type ProgramTable } from './program.ts';

/** An operation of the program being built: its row. */
export type OperationId = number;

/** Writes the operations of one die row by row; columns grow by doubling and are cut to size by {@link ProgramBuilder.finish}. */
export class ProgramBuilder {
  readonly #dieId: number;
  readonly #channels: readonly string[];
  #operations = 0;
  #kind = new Uint8Array(64);
  #localTile = new Uint32Array(64);
  #peerTile = new Uint32Array(64);
  #channel = new Uint8Array(64);
  #bytes = new Float64Array(64);
  #flops = new Float64Array(64);
  #label = new Uint32Array(64);
  #rows = new Uint32Array(64);
  #dependsOnStart = new Uint32Array(65);
  #dependencies = 0;
  #dependsOn = new Uint32Array(64);

  constructor(dieId: number, channels: readonly string[]) {
    this.#dieId = dieId;
    this.#channels = channels;
  }

  /** Sends `bytes` ≥ 0 to a tile of the wafer. `messages` says how many token copies travel in it. */
  send(localTile: number, peerTile: number, channel: number, bytes: number, messages: number, after: readonly OperationId[] = []): OperationId {
    const row = this.#add(SEND, localTile, after);
    this.#peerTile[row] = peerTile;
    this.#channel[row] = channel;
    this.#bytes[row] = bytes;
    this.#label[row] = messages;
    return row;
  }

  /** Waits until `bytes` in all have arrived on `channel` of this tile. One receive per tile and channel. */
  receive(localTile: number, channel: number, bytes: number, after: readonly OperationId[] = []): OperationId {
    const row = this.#add(RECEIVE, localTile, after);
    this.#channel[row] = channel;
    this.#bytes[row] = bytes;
    return row;
  }

  /** Joins several operations into one. */
  wait(localTile: number, after: readonly OperationId[]): OperationId {
    return this.#add(WAIT, localTile, after);
  }

  /** Matrix work: `rows` activations of expert `label`, `flops` in all, `memoryBytes` of weights read from the die's memory. */
  compute(localTile: number, work: { label: number; rows: number; flops: number; memoryBytes: number }, after: readonly OperationId[]): OperationId {
    const row = this.#add(COMPUTE, localTile, after);
    this.#label[row] = work.label;
    this.#rows[row] = work.rows;
    this.#flops[row] = work.flops;
    this.#bytes[row] = work.memoryBytes;
    return row;
  }

  /** The table, columns cut to size. The builder is spent. */
  finish(): ProgramTable {
    const n = this.#operations;
    return {
      dieId: this.#dieId,
      channels: this.#channels,
      operations: n,
      kind: this.#kind.slice(0, n),
      localTile: this.#localTile.slice(0, n),
      peerTile: this.#peerTile.slice(0, n),
      channel: this.#channel.slice(0, n),
      bytes: this.#bytes.slice(0, n),
      flops: this.#flops.slice(0, n),
      label: this.#label.slice(0, n),
      rows: this.#rows.slice(0, n),
      dependsOnStart: this.#dependsOnStart.slice(0, n + 1),
      dependsOn: this.#dependsOn.slice(0, this.#dependencies),
    };
  }

  #add(kind: number, localTile: number, after: readonly OperationId[]): OperationId {
    const row = this.#operations++;
    if (row === this.#kind.length) this.#grow();
    this.#kind[row] = kind;
    this.#localTile[row] = localTile;
    for (const dependency of after) {
      if (this.#dependencies === this.#dependsOn.length) this.#dependsOn = doubled(this.#dependsOn, Uint32Array);
      this.#dependsOn[this.#dependencies++] = dependency;
    }
    this.#dependsOnStart[row + 1] = this.#dependencies;
    return row;
  }

  #grow(): void {
    this.#kind = doubled(this.#kind, Uint8Array);
    this.#localTile = doubled(this.#localTile, Uint32Array);
    this.#peerTile = doubled(this.#peerTile, Uint32Array);
    this.#channel = doubled(this.#channel, Uint8Array);
    this.#bytes = doubled(this.#bytes, Float64Array);
    this.#flops = doubled(this.#flops, Float64Array);
    this.#label = doubled(this.#label, Uint32Array);
    this.#rows = doubled(this.#rows, Uint32Array);
    const starts = new Uint32Array(this.#kind.length + 1);
    starts.set(this.#dependsOnStart);
    this.#dependsOnStart = starts;
  }
}

function doubled<A extends { readonly length: number; set(from: A): void }>(column: A, make: new (length: number) => A): A {
  const larger = new make(column.length * 2);
  larger.set(column);
  return larger;
}
