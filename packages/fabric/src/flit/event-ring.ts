/**
 * Events of the next cycles: one growing row of int32 per cycle, in a ring whose length is a power of two above the
 * longest delay. A row is emptied and used again, so a ring allocates only while it grows.
 */
export class EventRing {
  /** [slots] the rows. */
  readonly rows: Int32Array[];
  /** [slots] int32 in use of each row. */
  readonly used: Int32Array;

  constructor(slots: number) {
    this.rows = Array.from({ length: slots }, () => new Int32Array(64));
    this.used = new Int32Array(slots);
  }

  /** The row of a slot, with room for `more` int32 behind those in use. */
  reserve(slot: number, more: number): Int32Array {
    let row = this.rows[slot]!;
    const needed = this.used[slot]! + more;
    if (needed > row.length) {
      const larger = new Int32Array(Math.max(needed, row.length * 2));
      larger.set(row);
      row = larger;
      this.rows[slot] = larger;
    }
    return row;
  }

  push1(slot: number, a: number): void {
    const at = this.used[slot]!;
    let row = this.rows[slot]!;
    if (at >= row.length) row = this.reserve(slot, 1);
    row[at] = a;
    this.used[slot] = at + 1;
  }

  push2(slot: number, a: number, b: number): void {
    const at = this.used[slot]!;
    let row = this.rows[slot]!;
    if (at + 2 > row.length) row = this.reserve(slot, 2);
    row[at] = a;
    row[at + 1] = b;
    this.used[slot] = at + 2;
  }

  push4(slot: number, a: number, b: number, c: number, d: number): void {
    const at = this.used[slot]!;
    let row = this.rows[slot]!;
    if (at + 4 > row.length) row = this.reserve(slot, 4);
    row[at] = a;
    row[at + 1] = b;
    row[at + 2] = c;
    row[at + 3] = d;
    this.used[slot] = at + 4;
  }

  save(): Int32Array[] {
    return this.rows.map((row, slot) => row.slice(0, this.used[slot]));
  }

  restore(rows: readonly Int32Array[]): void {
    rows.forEach((row, slot) => {
      this.used[slot] = 0;
      this.reserve(slot, row.length).set(row);
      this.used[slot] = row.length;
    });
  }
}
