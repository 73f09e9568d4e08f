import { expect, test } from 'vitest';
import { philox } from './philox.ts';

// Known answers of Philox-4x32-10: kat_vectors of Random123, the reference code of the paper.
test.each([
  { counter: [0, 0, 0, 0], key: [0, 0], words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8] },
  { counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd] },
  { counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], key: [0xa4093822, 0x299f31d0], words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1] },
] as const)('counter $counter under key $key gives the published words', ({ counter, key, words }) => {
  const block = new Uint32Array(4);
  const [c0, c1, c2, c3] = counter;
  philox(block, c0, c1, c2, c3, key[0], key[1]);
  expect([...block]).toEqual(words);
});
