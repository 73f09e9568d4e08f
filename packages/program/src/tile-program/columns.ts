type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array;

/** A column that is written value by value and cut to size at the end. */
export class GrowingColumn<C extends Column> {
  #values: C;
  #length = 0;
  readonly #make: new (length: number) => C;

  constructor(make: new (length: number) => C) {
    this.#make = make;
    this.#values = new make(16);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new this.#make(this.#length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  finish(): C {
    return this.#values.slice(0, this.#length) as C;
  }
}
