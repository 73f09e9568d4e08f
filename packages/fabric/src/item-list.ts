import { BOUNDARY_STRIDE } from './kernel-state.ts';

/** Rows of {@link BOUNDARY_STRIDE} int32 that cross from one die to the next. Grows by doubling, is emptied and used again. */
export class ItemList {
  data: Int32Array;
  rows = 0;

  constructor(data: Int32Array = new Int32Array(BOUNDARY_STRIDE * 16), rows = 0) {
    this.data = data;
    this.rows = rows;
  }

  push(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i = 0): void {
    let at = this.rows * BOUNDARY_STRIDE;
    if (at === this.data.length) {
      const larger = new Int32Array(at * 2);
      larger.set(this.data);
      this.data = larger;
    }
    const { data } = this;
    data[at++] = a;
    data[at++] = b;
    data[at++] = c;
    data[at++] = d;
    data[at++] = e;
    data[at++] = f;
    data[at++] = g;
    data[at++] = h;
    data[at] = i;
    this.rows++;
  }

  clear(): void {
    this.rows = 0;
  }
}
