import { presetHardware } from '@kerf/hardware';
import { bench } from 'vitest';
import { indexBatch, type TokenBatch } from './batch-index.ts';
import { expertTiles } from './expert-tiles.ts';
import { moeLayerProgram } from './layer-program.ts';
import { linearPlacement } from './placement.ts';

const hardware = presetHardware('flat-wafer-64');
const dies = hardware.wafer.diesX * hardware.wafer.diesY;
const tiles = hardware.die.tilesX * hardware.die.tilesY;
const shape = { hiddenWidth: 2880, activationBytes: 2, combineBytes: 2, expertMatrices: 3, expertIntermediateWidth: 2880, weightBits: 4.25 };
const layout = expertTiles(linearPlacement(32, dies), hardware);
const tokens = dies * 256;
const rows = Uint32Array.from({ length: tokens }, (_, token) => token);
const batch: TokenBatch = {
  tokens, topK: 4, slot: rows,
  tile: rows.map((token) => Math.floor(token / 256) * tiles + (token % 256) * 4),
  expertIds: Uint16Array.from({ length: tokens * 4 }, (_, copy) => (Math.imul(copy >> 2, 0x9e3779b1) + (copy & 3) * 7) & 31),
};

let operations = 0;
for (let dieId = 0, index = indexBatch(layout, batch); dieId < dies; dieId++) operations += moeLayerProgram(layout, index, shape, dieId).operations;
if (operations < tokens * 8) throw new Error(`${operations} operations are fewer than the sends alone`);

bench(`decode, 16,384 tokens, 4 of 32 experts, 64 dies: the programs of one layer (${operations} operations)`, () => {
  const index = indexBatch(layout, batch);
  for (let dieId = 0; dieId < dies; dieId++) moeLayerProgram(layout, index, shape, dieId);
});
