import { exactLog } from './exact-math.ts';
import { philox } from './philox.ts';

/** What a draw is for. Streams of one seed are independent; a number, once used, keeps its meaning. */
export const streams = { popularity: 1, directions: 2, requestState: 3, tokenState: 4, choice: 5, prompt: 6, batch: 7 } as const;
export type Stream = (typeof streams)[keyof typeof streams];

/** Seeds are whole numbers from 0 to 2^53 - 1; the upper bits of the key's second word hold the stream. */
export type Key = readonly [low: number, high: number];

export function keyOf(seed: number, stream: Stream): Key {
  return [seed >>> 0, (Math.floor(seed / 2 ** 32) | (stream << 24)) >>> 0];
}

const block = new Uint32Array(4);

/** A whole number in [0, count), count ≤ 2^21; the bias of at most count / 2^32 is left in. */
export function drawBelow(count: number, key: Key, c0: number, c1: number, c2: number, c3: number): number {
  philox(block, c0, c1, c2, c3, key[0], key[1]);
  return Math.floor((block[0]! * count) / 2 ** 32);
}

/** A permutation of 0 … count - 1 (Fisher–Yates, one counter per exchange). */
export function drawPermutation(count: number, key: Key, c1: number, c2: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = drawBelow(i + 1, key, i, c1, c2, 0);
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}

/** √(4 · (256² - 1) / 12), the deviation of the sum of four bytes. */
const FOUR_BYTES_DEVIATION = 147.80166891254142;

/** A 32-bit word to a nearly normal number: mean 0, deviation 1, never beyond ±3.46 (the sum of its four bytes). */
export function nearlyNormal(word: number): number {
  return ((word & 0xff) + ((word >>> 8) & 0xff) + ((word >>> 16) & 0xff) + (word >>> 24) - 510) / FOUR_BYTES_DEVIATION;
}

/** A 32-bit word to a standard Gumbel number, so that the largest k of (score + Gumbel) are k draws from softmax(score). */
export function gumbel(word: number): number {
  return -exactLog(-exactLog((word + 0.5) / 2 ** 32));
}
