import fc from 'fast-check';
import { presetHardware, type Hardware } from '@kerf/hardware';
import { checkProgram, checkTraffic, COMPUTE, RECEIVE, SEND, WAIT, type ProgramTable } from '@kerf/program';
import { expect, test } from 'vitest';
import { expertTileOf, indexBatch, type TokenBatch } from './batch-index.ts';
import { combineCopyBytes, copyFlops, dispatchCopyBytes, expertWeightBytes, type ExpertShape } from './expert-shape.ts';
import { expertTiles } from './expert-tiles.ts';
import { COMBINE, DISPATCH, moeLayerProgram } from './layer-program.ts';
import { linearPlacement } from './placement.ts';

const shape: ExpertShape = { hiddenWidth: 45, activationBytes: 1, combineBytes: 2, expertMatrices: 3, expertIntermediateWidth: 7, weightBits: 4.25 };

interface Case { hardware: Hardware; experts: number; batch: TokenBatch }

/** Small wafers with any number of experts, and batches whose tokens sit anywhere. */
const cases: fc.Arbitrary<Case> = fc.record({
  diesX: fc.integer({ min: 1, max: 3 }), diesY: fc.integer({ min: 1, max: 2 }),
  tilesX: fc.integer({ min: 1, max: 4 }), tilesY: fc.integer({ min: 1, max: 3 }),
  experts: fc.integer({ min: 1, max: 30 }), tokens: fc.integer({ min: 0, max: 40 }), topK: fc.integer({ min: 1, max: 4 }),
}).chain(({ diesX, diesY, tilesX, tilesY, experts, tokens, topK }) => {
  const hardware: Hardware = { ...presetHardware('flat-wafer-8'), wafer: { diesX, diesY }, die: { tilesX, tilesY } };
  const chosen = Math.min(topK, experts);
  return fc.record({
    slot: fc.array(fc.nat(1000), { minLength: tokens, maxLength: tokens }),
    tile: fc.array(fc.nat(diesX * diesY * tilesX * tilesY - 1), { minLength: tokens, maxLength: tokens }),
    choices: fc.array(fc.uniqueArray(fc.nat(experts - 1), { minLength: chosen, maxLength: chosen }), { minLength: tokens, maxLength: tokens }),
  }).map(({ slot, tile, choices }) => ({
    hardware, experts,
    batch: { tokens, topK: chosen, slot: Uint32Array.from(slot), tile: Uint32Array.from(tile), expertIds: Uint16Array.from(choices.flat()) },
  }));
});

function programsOf({ hardware, experts, batch }: Case): { programs: ProgramTable[]; layout: ReturnType<typeof expertTiles> } {
  const dies = hardware.wafer.diesX * hardware.wafer.diesY;
  const layout = expertTiles(linearPlacement(experts, dies), hardware);
  const index = indexBatch(layout, batch);
  return { layout, programs: Array.from({ length: dies }, (_, dieId) => moeLayerProgram(layout, index, shape, dieId)) };
}

/** Sum of `value` over the rows of one kind, of one channel where one is named. */
function sum(programs: readonly ProgramTable[], kind: number, channel: number | undefined, value: (program: ProgramTable, row: number) => number): number {
  let total = 0;
  for (const program of programs) {
    for (let row = 0; row < program.operations; row++) {
      if (program.kind[row] === kind && (channel === undefined || program.channel[row] === channel)) total += value(program, row);
    }
  }
  return total;
}

test('every generated set of programs is accepted by the checks of programs and of traffic', () => {
  fc.assert(fc.property(cases, (one) => {
    const { programs } = programsOf(one);
    for (const program of programs) checkProgram(program, one.hardware);
    checkTraffic(programs, one.hardware);
  }));
});

test('tokens × top-k copies are dispatched, computed and combined, and their bytes and operations match', () => {
  fc.assert(fc.property(cases, (one) => {
    const { programs } = programsOf(one);
    const copies = one.batch.tokens * one.batch.topK;
    for (const [channel, bytes] of [[DISPATCH, dispatchCopyBytes(shape)], [COMBINE, combineCopyBytes(shape)]] as const) {
      expect(sum(programs, SEND, channel, (p, row) => p.label[row]!)).toBe(copies);
      expect(sum(programs, SEND, channel, (p, row) => p.bytes[row]!)).toBe(copies * bytes);
      expect(sum(programs, RECEIVE, channel, (p, row) => p.bytes[row]!)).toBe(copies * bytes);
    }
    expect(sum(programs, COMPUTE, undefined, (p, row) => p.rows[row]!)).toBe(copies);
    expect(sum(programs, COMPUTE, undefined, (p, row) => p.flops[row]!)).toBe(copies * copyFlops(shape));
  }));
});

test('an expert with tokens reads its weights exactly once, in shares that differ by at most a byte', () => {
  fc.assert(fc.property(cases, (one) => {
    const { programs, layout } = programsOf(one);
    const shares = new Map<number, number[]>();
    for (const program of programs) {
      for (let row = 0; row < program.operations; row++) {
        if (program.kind[row] !== COMPUTE) continue;
        const expert = program.label[row]!;
        expect(layout.dieOfExpert[expert]).toBe(program.dieId);
        shares.set(expert, [...(shares.get(expert) ?? []), program.bytes[row]!]);
      }
    }
    expect(new Set(shares.keys())).toEqual(new Set(one.batch.expertIds));
    for (const bytes of shares.values()) {
      expect(bytes.reduce((a, b) => a + b)).toBe(expertWeightBytes(shape));
      expect(Math.max(...bytes) - Math.min(...bytes)).toBeLessThanOrEqual(1);
    }
  }));
});

test('a die sends its copies in token order, then rank order, each to its seat among the tiles of the expert', () => {
  fc.assert(fc.property(cases, (one) => {
    const { programs, layout } = programsOf(one);
    const { tokens, topK, slot, tile, expertIds } = one.batch;
    for (const program of programs) {
      const expected: number[][] = [];
      for (let token = 0; token < tokens; token++) {
        if (Math.floor(tile[token]! / layout.tilesPerDie) !== program.dieId) continue;
        for (let rank = 0; rank < topK; rank++) {
          const expert = expertIds[token * topK + rank]!;
          expected.push([tile[token]! % layout.tilesPerDie, expertTileOf(layout, expert, slot[token]!)]);
        }
      }
      const sent: number[][] = [];
      for (let row = 0; row < program.operations; row++) {
        if (program.kind[row] === SEND && program.channel[row] === DISPATCH) sent.push([program.localTile[row]!, program.peerTile[row]!]);
      }
      expect(sent).toEqual(expected);
    }
  }));
});

test('every result waits until its expert is done, and every expert for its copies', () => {
  fc.assert(fc.property(cases, (one) => {
    for (const program of programsOf(one).programs) {
      let results = 0;
      for (let row = 0; row < program.operations; row++) {
        const waitsFor = [...program.dependsOn.subarray(program.dependsOnStart[row], program.dependsOnStart[row + 1])];
        const isResult = program.kind[row] === SEND && program.channel[row] === COMBINE;
        if (program.kind[row] === COMPUTE || isResult) {
          expect(waitsFor).toHaveLength(1);
          expect(program.kind[waitsFor[0]!]).toBe(WAIT);
          if (isResult) results++;
        } else if (program.kind[row] === WAIT) {
          const kinds = new Set(waitsFor.map((earlier) => program.kind[earlier]));
          expect([[RECEIVE], [COMPUTE]]).toContainEqual([...kinds]);
        } else {
          expect(waitsFor).toEqual([]);
        }
      }
      expect(results).toBe(sum([program], COMPUTE, undefined, (p, row) => p.rows[row]!));
    }
  }));
});

test('a batch that names an expert or a tile that does not exist is refused', () => {
  const layout = expertTiles(linearPlacement(4, 2), { wafer: { diesX: 2, diesY: 1 }, die: { tilesX: 2, tilesY: 2 } });
  const batch: TokenBatch = { tokens: 1, topK: 2, slot: Uint32Array.of(0), tile: Uint32Array.of(7), expertIds: Uint16Array.of(3, 0) };
  expect(indexBatch(layout, batch).dieTokenStart[2]).toBe(1);
  expect(() => indexBatch(layout, { ...batch, expertIds: Uint16Array.of(3, 4) })).toThrow('Token 0 chose expert 4 of 4.');
  expect(() => indexBatch(layout, { ...batch, tile: Uint32Array.of(8) })).toThrow('Token 0 sits on tile 8 of a wafer with 8 tiles.');
  expect(() => indexBatch(layout, { ...batch, tokens: 2 })).toThrow('A batch of 2 tokens');
});
