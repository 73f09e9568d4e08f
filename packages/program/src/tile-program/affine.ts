import type { AffineTable } from './tile-program.ts';

/**
 * A whole number that depends on the place (x, y) of a tile in its group and on the parameters of its instance:
 * base + x·cx + y·cy + Σ parameter·c. A value; its methods make new ones.
 */
export class Affine {
  readonly base: number;
  readonly cx: number;
  readonly cy: number;
  /** Factor of each parameter, by its index. */
  readonly factors: readonly number[];

  constructor(base: number, cx = 0, cy = 0, factors: readonly number[] = []) {
    this.base = base;
    this.cx = cx;
    this.cy = cy;
    this.factors = factors;
  }

  static from(value: number | Affine): Affine {
    return typeof value === 'number' ? new Affine(value) : value;
  }

  plus(other: number | Affine): Affine {
    const o = Affine.from(other);
    const factors = Array.from({ length: Math.max(this.factors.length, o.factors.length) }, (_, i) => (this.factors[i] ?? 0) + (o.factors[i] ?? 0));
    return new Affine(this.base + o.base, this.cx + o.cx, this.cy + o.cy, factors);
  }

  times(factor: number): Affine {
    return new Affine(this.base * factor, this.cx * factor, this.cy * factor, this.factors.map((c) => c * factor));
  }
}

/** Value of one row of the table at (x, y), with the parameters that begin at `at` in `values`. */
export function affineValue(affines: AffineTable, row: number, parameters: number, x: number, y: number, values: ArrayLike<number>, at: number): number {
  let value = affines.base[row]! + affines.x[row]! * x + affines.y[row]! * y;
  for (let p = 0; p < parameters; p++) value += affines.parameters[row * parameters + p]! * values[at + p]!;
  return value;
}
