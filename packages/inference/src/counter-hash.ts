/**
 * A random-looking 32-bit number for (seed, counter): the same in every process and in any order of asking.
 *
 * @param seed a whole number ≥ 0 below 2^53
 * @param counter a whole number ≥ 0 below 2^32
 * @see Appleby, MurmurHash3 (2011): its 32-bit finaliser mixes each word in
 */
export function counterHash(seed: number, counter: number): number {
  const low = mix((seed >>> 0) ^ 0x9e3779b9);
  const high = mix(low ^ Math.floor(seed / 2 ** 32));
  return mix(high ^ Math.imul(counter, 0x9e3779b1)) >>> 0;
}

function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return word ^ (word >>> 16);
}
