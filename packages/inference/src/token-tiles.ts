import { dies, tilesPerDie, type Grid } from '@kerf/hardware';

/**
 * The tile of every slot. Slot s is the i-th token, i = s mod tokensPerDie, of die ⌊s / tokensPerDie⌋ and sits on the
 * die's tile ⌊(i mod tiles) × tiles / min(tokensPerDie, tiles)⌋: few tokens are spread over the die, many go round it.
 *
 * @returns [dies × tokensPerDie] wafer-wide tile ids
 */
export function slotTiles(grid: Grid, tokensPerDie: number): Uint32Array {
  const tiles = tilesPerDie(grid);
  const slots = dies(grid) * tokensPerDie;
  const tile = new Uint32Array(slots);
  for (let slot = 0; slot < slots; slot++) {
    const local = Math.floor((((slot % tokensPerDie) % tiles) * tiles) / Math.min(tokensPerDie, tiles));
    tile[slot] = Math.floor(slot / tokensPerDie) * tiles + local;
  }
  return tile;
}
