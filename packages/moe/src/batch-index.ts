import { MoeError } from './errors.ts';
import type { ExpertTiles } from './expert-tiles.ts';

/** The tokens that one MoE layer handles at once, wafer-wide, as columns; one row per token. */
export interface TokenBatch {
  readonly tokens: number;
  readonly topK: number;
  /** [tokens] the slot that a token sits in: it chooses the tile of the expert that gets the copy. */
  readonly slot: Uint32Array;
  /** [tokens] wafer-wide id of the tile that holds the token. */
  readonly tile: Uint32Array;
  /** [tokens, topK] expert ids in order of falling weight. */
  readonly expertIds: Uint16Array;
}

/** A batch sorted by where its tokens are and by where their copies go: what every die needs to know of all others. */
export interface BatchIndex {
  readonly batch: TokenBatch;
  /** [dies + 1] where the tokens of a die begin in `dieTokens`. */
  readonly dieTokenStart: Uint32Array;
  /** [tokens] rows of the batch, by die, in row order within a die. */
  readonly dieTokens: Uint32Array;
  /** [seats + 1] where the copies of a seat begin in `seatTokens`. */
  readonly seatCopyStart: Uint32Array;
  /** [tokens × topK] rows of the batch whose copies go to the seat, in row order within a seat. */
  readonly seatTokens: Uint32Array;
}

/**
 * Sorts a batch by source die and by destination (tile, expert), with two counting sorts: O(tokens × topK + seats).
 * The copy of slot s for expert e goes to the (s mod count(e))-th of the expert's tiles.
 *
 * @throws MoeError `MOE_BAD_BATCH` if a column is short, a tile is off the wafer or an expert does not exist
 */
export function indexBatch(layout: ExpertTiles, batch: TokenBatch): BatchIndex {
  const { tokens, topK, slot, tile, expertIds } = batch;
  const { experts, tilesPerDie, count, firstSeat, seatExpert } = layout;
  const dies = layout.dieSeatStart.length - 1;
  const seats = seatExpert.length;
  if (slot.length < tokens || tile.length < tokens || expertIds.length < tokens * topK) {
    throw new MoeError('MOE_BAD_BATCH', `A batch of ${tokens} tokens has columns of ${slot.length}, ${tile.length} and ${expertIds.length} values.`, { tokens, topK });
  }

  const dieTokenStart = new Uint32Array(dies + 1);
  const seatCopyStart = new Uint32Array(seats + 1);
  const seatOfCopy = new Uint32Array(tokens * topK);
  for (let token = 0; token < tokens; token++) {
    const dieId = Math.floor(tile[token]! / tilesPerDie);
    if (dieId >= dies) throw new MoeError('MOE_BAD_BATCH', `Token ${token} sits on tile ${tile[token]} of a wafer with ${dies * tilesPerDie} tiles.`, { token, tile: tile[token]! });
    dieTokenStart[dieId + 1]!++;
    for (let copy = token * topK; copy < (token + 1) * topK; copy++) {
      const expert = expertIds[copy]!;
      if (expert >= experts) throw new MoeError('MOE_BAD_BATCH', `Token ${token} chose expert ${expert} of ${experts}.`, { token, expert, experts });
      const seat = firstSeat[expert]! + (slot[token]! % count[expert]!);
      seatOfCopy[copy] = seat;
      seatCopyStart[seat + 1]!++;
    }
  }

  for (let seat = 0; seat < seats; seat++) {
    seatCopyStart[seat + 1]! += seatCopyStart[seat]!;
  }
  for (let dieId = 0; dieId < dies; dieId++) dieTokenStart[dieId + 1]! += dieTokenStart[dieId]!;

  const nextOfDie = dieTokenStart.slice();
  const nextOfSeat = seatCopyStart.slice();
  const dieTokens = new Uint32Array(tokens);
  const seatTokens = new Uint32Array(tokens * topK);
  for (let token = 0; token < tokens; token++) {
    dieTokens[nextOfDie[Math.floor(tile[token]! / tilesPerDie)]!++] = token;
    for (let copy = token * topK; copy < (token + 1) * topK; copy++) seatTokens[nextOfSeat[seatOfCopy[copy]!]!++] = token;
  }
  return { batch, dieTokenStart, dieTokens, seatCopyStart, seatTokens };
}

/** The tile, wafer-wide, that gets the copy of `slot` for `expert`. */
export function expertTileOf(layout: ExpertTiles, expert: number, slot: number): number {
  return layout.dieOfExpert[expert]! * layout.tilesPerDie + layout.seatTile[layout.firstSeat[expert]! + (slot % layout.count[expert]!)]!;
}
