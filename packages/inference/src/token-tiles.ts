import type { PresentTiles } from './present-tiles.ts';

/**
 * The tile of every slot. Slot s is the i-th token, i = s mod tokensPerDie, of the ⌊s / tokensPerDie⌋-th die that is there,
 * and sits on tile ⌊(i mod tiles) × tiles / min(tokensPerDie, tiles)⌋ of those that the die has: few tokens are spread over
 * the die, many go round it.
 *
 * @param tilesPerDie tiles of a full die, for their numbers on the wafer
 * @returns [dies that are there × tokensPerDie] wafer-wide tile ids
 */
export function slotTiles({ dies, tilesOfDie }: PresentTiles, tilesPerDie: number, tokensPerDie: number): Uint32Array {
  const tile = new Uint32Array(dies.length * tokensPerDie);
  for (let slot = 0; slot < tile.length; slot++) {
    const dieId = dies[Math.floor(slot / tokensPerDie)]!;
    const there = tilesOfDie[dieId]!;
    const place = Math.floor((((slot % tokensPerDie) % there.length) * there.length) / Math.min(tokensPerDie, there.length));
    tile[slot] = dieId * tilesPerDie + there[place]!;
  }
  return tile;
}
