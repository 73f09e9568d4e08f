/** Operations that end at a known cycle, earliest first; among equals the lower operation. */
export class CompletionHeap {
  #cycles = new Float64Array(64);
  #operations = new Uint32Array(64);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Cycle of the earliest, or Infinity. */
  get nextCycle(): number {
    return this.#size === 0 ? Infinity : this.#cycles[0]!;
  }

  push(cycle: number, operation: number): void {
    if (this.#size === this.#cycles.length) this.#grow();
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#later(parent, cycle, operation)) break;
      this.#cycles[at] = this.#cycles[parent]!;
      this.#operations[at] = this.#operations[parent]!;
      at = parent;
    }
    this.#cycles[at] = cycle;
    this.#operations[at] = operation;
  }

  /** Removes and returns the earliest operation. The heap must not be empty. */
  pop(): number {
    const first = this.#operations[0]!;
    const size = --this.#size;
    const cycle = this.#cycles[size]!;
    const operation = this.#operations[size]!;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#later(child, this.#cycles[child + 1]!, this.#operations[child + 1]!)) child++;
      if (this.#later(child, cycle, operation)) break;
      this.#cycles[at] = this.#cycles[child]!;
      this.#operations[at] = this.#operations[child]!;
      at = child;
    }
    this.#cycles[at] = cycle;
    this.#operations[at] = operation;
    return first;
  }

  save(): { cycles: Float64Array; operations: Uint32Array } {
    return { cycles: this.#cycles.slice(0, this.#size), operations: this.#operations.slice(0, this.#size) };
  }

  restore(saved: { cycles: Float64Array; operations: Uint32Array }): void {
    this.#size = 0;
    for (let i = 0; i < saved.cycles.length; i++) this.push(saved.cycles[i]!, saved.operations[i]!);
  }

  /** Does the entry in the heap come after the given one? */
  #later(entry: number, cycle: number, operation: number): boolean {
    const other = this.#cycles[entry]!;
    return other > cycle || (other === cycle && this.#operations[entry]! > operation);
  }

  #grow(): void {
    const cycles = new Float64Array(this.#cycles.length * 2);
    cycles.set(this.#cycles);
    this.#cycles = cycles;
    const operations = new Uint32Array(cycles.length);
    operations.set(this.#operations);
    this.#operations = operations;
  }
}
