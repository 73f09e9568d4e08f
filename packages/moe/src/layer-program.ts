import { ProgramBuilder, type OperationId, type ProgramTable } from '@kerf/program';
import { expertTileOf, type BatchIndex } from './batch-index.ts';
import { combineCopyBytes, copyFlops, dispatchCopyBytes, expertWeightBytes, type ExpertShape } from './expert-shape.ts';
import type { ExpertTiles } from './expert-tiles.ts';

/** Names of the channels of {@link moeLayerProgram}; {@link DISPATCH} and {@link COMBINE} index them. */
export const moeChannels = ['dispatch', 'combine'] as const;
export const DISPATCH = 0;
export const COMBINE = 1;

const NOTHING: readonly OperationId[] = [];

/**
 * What one die does in one MoE layer, in this order of rows:
 * 1. `send` on dispatch: one per token of this die and chosen expert, in token order, then in order of falling weight;
 * 2. tile by tile: `receive` on dispatch of all copies that come here, then one `compute` per expert that has copies on
 *    the tile, waiting for the receive;
 * 3. `send` on combine: every copy back to its token's tile, tile by tile, expert by expert, in token order, each waiting
 *    for its expert's compute on this tile;
 * 4. `receive` on combine: one per tile of this die that holds tokens, for the copies of all of them.
 *
 * An expert's weights are read from the die's memory once per layer; the tiles with copies read equal shares of them
 * (whole bytes, the earlier tiles one more), which add up to {@link expertWeightBytes}.
 * How a share reaches the expert's other tiles is not simulated.
 */
export function moeLayerProgram(layout: ExpertTiles, index: BatchIndex, shape: ExpertShape, dieId: number): ProgramTable {
  const { tilesPerDie, seatTile, seatExpert } = layout;
  const { seatCopyStart, seatTokens, activeTiles, dieTokens, batch } = index;
  const { topK, slot, tile, expertIds } = batch;
  const dispatchBytes = dispatchCopyBytes(shape);
  const combineBytes = combineCopyBytes(shape);
  const flops = copyFlops(shape);
  const weightBytes = expertWeightBytes(shape);
  const firstTile = dieId * tilesPerDie;
  const tokensFrom = index.dieTokenStart[dieId]!;
  const tokensTo = index.dieTokenStart[dieId + 1]!;
  const seatsFrom = layout.dieSeatStart[dieId]!;
  const seatsTo = layout.dieSeatStart[dieId + 1]!;
  const builder = new ProgramBuilder(dieId, moeChannels);

  for (let row = tokensFrom; row < tokensTo; row++) {
    const token = dieTokens[row]!;
    const from = tile[token]! - firstTile;
    for (let copy = token * topK; copy < (token + 1) * topK; copy++) {
      builder.send(from, expertTileOf(layout, expertIds[copy]!, slot[token]!), DISPATCH, dispatchBytes, 1, NOTHING);
    }
  }

  // The same small array and object serve every row: the builder copies what it is given.
  const after: OperationId[] = [0];
  const work = { label: 0, rows: 0, flops: 0, memoryBytes: 0 };
  const computeOfSeat = new Uint32Array(seatsTo - seatsFrom);
  let expert = -1;
  let part = 0; // of the weights of `expert`, whose seats are consecutive
  for (let seat = seatsFrom; seat < seatsTo;) {
    const local = seatTile[seat]!;
    let nextTile = seat + 1;
    while (nextTile < seatsTo && seatTile[nextTile] === local) nextTile++;
    const copies = seatCopyStart[nextTile]! - seatCopyStart[seat]!;
    if (copies > 0) {
      after[0] = builder.receive(local, DISPATCH, copies * dispatchBytes, NOTHING);
      for (let here = seat; here < nextTile; here++) {
        const rows = seatCopyStart[here + 1]! - seatCopyStart[here]!;
        if (rows === 0) continue;
        if (seatExpert[here] !== expert) {
          expert = seatExpert[here]!;
          part = 0;
        }
        work.label = expert;
        work.rows = rows;
        work.flops = rows * flops;
        work.memoryBytes = share(weightBytes, activeTiles[expert]!, part++);
        computeOfSeat[here - seatsFrom] = builder.compute(local, work, after);
      }
    }
    seat = nextTile;
  }

  for (let seat = seatsFrom; seat < seatsTo; seat++) {
    after[0] = computeOfSeat[seat - seatsFrom]!;
    for (let copy = seatCopyStart[seat]!; copy < seatCopyStart[seat + 1]!; copy++) {
      builder.send(seatTile[seat]!, tile[seatTokens[copy]!]!, COMBINE, combineBytes, 1, after);
    }
  }

  const tokensOfTile = new Uint32Array(tilesPerDie);
  for (let row = tokensFrom; row < tokensTo; row++) tokensOfTile[tile[dieTokens[row]!]! - firstTile]!++;
  for (let local = 0; local < tilesPerDie; local++) {
    const tokens = tokensOfTile[local]!;
    if (tokens > 0) builder.receive(local, COMBINE, tokens * topK * combineBytes, NOTHING);
  }
  return builder.finish();
}

/** Part `part` of a whole number cut into `parts` whole numbers that differ by at most one; the larger ones come first. */
function share(total: number, parts: number, part: number): number {
  return Math.floor(total / parts) + (part < total % parts ? 1 : 0);
}
