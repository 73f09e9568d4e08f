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
 * 2. tile by tile: `receive` on dispatch of all copies that come here; then expert by expert, if it has copies: a `wait`
 *    for all of them, one `compute` on each of its tiles, a `wait` for all of those;
 * 3. `send` on combine: every copy back to its token's tile, tile by tile, expert by expert, in token order, each waiting
 *    until its expert is done;
 * 4. `receive` on combine: one per tile of this die that holds tokens, for the copies of all of them.
 *
 * The tiles of an expert work as one: each computes an equal share of the products and reads an equal share of the weights
 * from the die's memory (whole numbers, the earlier tiles one more). How activations and partial results move between them
 * is not simulated.
 */
export function moeLayerProgram(layout: ExpertTiles, index: BatchIndex, shape: ExpertShape, dieId: number): ProgramTable {
  const { tilesPerDie, seatTile, dieOfExpert, count, firstSeat } = layout;
  const { seatCopyStart, seatTokens, dieTokens, batch } = index;
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

  // What arrives on a tile: one receive, for all experts that the tile serves.
  const receiveOfTile = new Int32Array(tilesPerDie).fill(-1);
  for (let seat = seatsFrom; seat < seatsTo;) {
    const local = seatTile[seat]!;
    let nextTile = seat + 1;
    while (nextTile < seatsTo && seatTile[nextTile] === local) nextTile++;
    const copies = seatCopyStart[nextTile]! - seatCopyStart[seat]!;
    if (copies > 0) receiveOfTile[local] = builder.receive(local, DISPATCH, copies * dispatchBytes, NOTHING);
    seat = nextTile;
  }

  // The same arrays and object serve every row: the builder copies what it is given.
  const arrived: OperationId[] = [];
  const computed: OperationId[] = [];
  const after: OperationId[] = [0];
  const work = { label: 0, rows: 0, flops: 0, memoryBytes: 0 };
  const resultOfSeat = new Int32Array(seatsTo - seatsFrom).fill(-1);
  for (let expert = 0; expert < dieOfExpert.length; expert++) {
    if (dieOfExpert[expert] !== dieId) continue;
    const seats = count[expert]!;
    const first = firstSeat[expert]!;
    const copies = seatCopyStart[first + seats]! - seatCopyStart[first]!;
    if (copies === 0) continue;
    arrived.length = 0;
    computed.length = 0;
    for (let seat = first; seat < first + seats; seat++) {
      if (seatCopyStart[seat + 1]! > seatCopyStart[seat]!) arrived.push(receiveOfTile[seatTile[seat]!]!);
    }
    after[0] = builder.wait(seatTile[first]!, arrived);
    work.label = expert;
    for (let part = 0; part < seats; part++) {
      work.rows = seatCopyStart[first + part + 1]! - seatCopyStart[first + part]!;
      work.flops = share(copies * flops, seats, part);
      work.memoryBytes = share(weightBytes, seats, part);
      computed.push(builder.compute(seatTile[first + part]!, work, after));
    }
    resultOfSeat.fill(builder.wait(seatTile[first]!, computed), first - seatsFrom, first - seatsFrom + seats);
  }

  for (let seat = seatsFrom; seat < seatsTo; seat++) {
    after[0] = resultOfSeat[seat - seatsFrom]!;
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
