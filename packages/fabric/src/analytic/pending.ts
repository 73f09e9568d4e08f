/** Fields of something that is under way, int32 each. */
export const PENDING_TILE = 0; // local tile it reaches; ~port for what comes from a neighbouring die
export const PENDING_META = 1; // class << 8 | channel
export const PENDING_BYTES = 2;
export const PENDING_SOURCE = 3;
export const PENDING_SEQUENCE = 4;
export const PENDING_ENTERED = 5;
export const PENDING_FINAL = 6;
export const PENDING_TAIL = 7;
const STRIDE = 8;

export interface PendingSnapshot {
  readonly fields: Int32Array;
  readonly cycle: Int32Array;
  readonly order: Float64Array;
  readonly heap: Int32Array;
  readonly count: number;
}

/** What is under way, earliest first; among those of one cycle by a number that says who goes first. A binary heap over rows. */
export class Pending {
  fields = new Int32Array(64 * STRIDE);
  #cycle = new Int32Array(64);
  #order = new Float64Array(64);
  /** The heap, then the free rows. */
  #heap = Int32Array.from({ length: 64 }, (_, row) => row);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Cycle of the earliest; there must be one. */
  get firstCycle(): number {
    return this.#cycle[this.#heap[0]!]!;
  }

  /** @returns where the fields of the new row begin */
  push(cycle: number, order: number): number {
    if (this.#count === this.#heap.length) this.#grow();
    const row = this.#heap[this.#count]!;
    this.#cycle[row] = cycle;
    this.#order[row] = order;
    let at = this.#count++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent]!;
      if (!this.#before(row, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = row;
    return row * STRIDE;
  }

  /** Takes the earliest away; its fields stay as they are until the next push. */
  pop(): number {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap[--this.#count]!;
    heap[this.#count] = first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    if (this.#count > 0) heap[at] = last;
    return first * STRIDE;
  }

  save(): PendingSnapshot {
    return { fields: this.fields.slice(), cycle: this.#cycle.slice(), order: this.#order.slice(), heap: this.#heap.slice(), count: this.#count };
  }

  restore(snapshot: PendingSnapshot): void {
    this.fields = snapshot.fields.slice();
    this.#cycle = snapshot.cycle.slice();
    this.#order = snapshot.order.slice();
    this.#heap = snapshot.heap.slice();
    this.#count = snapshot.count;
  }

  #before(a: number, b: number): boolean {
    return this.#cycle[a]! < this.#cycle[b]! || (this.#cycle[a] === this.#cycle[b] && this.#order[a]! < this.#order[b]!);
  }

  #grow(): void {
    const rows = this.#heap.length;
    const larger = <T extends Int32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.fields = larger(new Int32Array(rows * 2 * STRIDE), this.fields);
    this.#cycle = larger(new Int32Array(rows * 2), this.#cycle);
    this.#order = larger(new Float64Array(rows * 2), this.#order);
    this.#heap = larger(Int32Array.from({ length: rows * 2 }, (_, row) => row), this.#heap);
  }
}
