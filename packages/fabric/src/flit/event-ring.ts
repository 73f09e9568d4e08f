const EMPTY = new Int32Array(0);

/**
 * Events of the next cycles, as rows of int32: one row per cycle and strip of routers. Cycles share rows modulo `slots`, a power
 * of two above the longest delay. Row slot × strips + strip is emptied and used again, so a ring allocates only while it grows.
 */
export class EventRing {
  readonly rows: Int32Array[];
  /** [slots × strips] int32 in use of each row. */
  readonly used: Int32Array;

  constructor(slots: number, strips: number) {
    this.rows = Array.from({ length: slots * strips }, () => EMPTY);
    this.used = new Int32Array(slots * strips);
  }

  /** The row, with room for `more` int32 behind those in use. */
  reserve(at: number, more: number): Int32Array {
    let row = this.rows[at]!;
    const needed = this.used[at]! + more;
    if (needed > row.length) {
      const larger = new Int32Array(Math.max(32, needed, row.length * 2));
      larger.set(row);
      row = larger;
      this.rows[at] = larger;
    }
    return row;
  }

  push1(at: number, a: number): void {
    const end = this.used[at]!;
    let row = this.rows[at]!;
    if (end >= row.length) row = this.reserve(at, 1);
    row[end] = a;
    this.used[at] = end + 1;
  }

  push2(at: number, a: number, b: number): void {
    const end = this.used[at]!;
    let row = this.rows[at]!;
    if (end + 2 > row.length) row = this.reserve(at, 2);
    row[end] = a;
    row[end + 1] = b;
    this.used[at] = end + 2;
  }

  push4(at: number, a: number, b: number, c: number, d: number): void {
    const end = this.used[at]!;
    let row = this.rows[at]!;
    if (end + 4 > row.length) row = this.reserve(at, 4);
    row[end] = a;
    row[end + 1] = b;
    row[end + 2] = c;
    row[end + 3] = d;
    this.used[at] = end + 4;
  }

  save(): Int32Array[] {
    return this.rows.map((row, at) => row.slice(0, this.used[at]));
  }

  restore(rows: readonly Int32Array[]): void {
    rows.forEach((row, at) => {
      this.used[at] = 0;
      this.reserve(at, row.length).set(row);
      this.used[at] = row.length;
    });
  }
}
