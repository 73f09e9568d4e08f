const EXACT = 8192;
const PER_OCTAVE = 1024;
const OCTAVES = 18;

/**
 * Latencies in constant memory: exact below 8192 cycles, within 0.1 % above. Mean and greatest are exact.
 */
export class LatencyHistogram {
  readonly #bins = new Uint32Array(EXACT + OCTAVES * PER_OCTAVE);
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get sum(): number {
    return this.#sum;
  }

  add(cycles: number): void {
    this.#bins[cycles < EXACT ? cycles : binAbove(cycles)]!++;
    this.#count++;
    this.#sum += cycles;
    if (cycles > this.#max) this.#max = cycles;
  }

  /** Null when nothing was added. */
  get mean(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count;
  }

  get max(): number | null {
    return this.#count === 0 ? null : this.#max;
  }

  /** The least latency that at least this share of the packets does not pass; null when nothing was added. */
  percentile(share: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.ceil(share * this.#count);
    for (let bin = 0; bin < this.#bins.length; bin++) {
      left -= this.#bins[bin]!;
      if (left <= 0) return Math.min(bin < EXACT ? bin : lowestOf(bin), this.#max);
    }
    return this.#max;
  }
}

function binAbove(cycles: number): number {
  const octave = 31 - Math.clz32(cycles) - 13;
  return EXACT + octave * PER_OCTAVE + ((cycles >>> (octave + 3)) & (PER_OCTAVE - 1));
}

function lowestOf(bin: number): number {
  const octave = Math.floor((bin - EXACT) / PER_OCTAVE);
  return (PER_OCTAVE + ((bin - EXACT) % PER_OCTAVE)) * 2 ** (octave + 3);
}
