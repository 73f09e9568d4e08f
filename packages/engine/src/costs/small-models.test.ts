import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  awaitedCycles, barrierHops, burstsOf, channelAddressOf, channelOf, checkMemoryMap, drainsFirst, groupBarrierCycles, l1TransferCycles, linesCycles, pullCycles, pushCycles, queuedCycles,
  referenceOptions, repeatedGroupBarrierCycles, rowThenColumnBarrierCycles, sharedL1Cycles, singleCounterBarrierCycles, transposeCycles, type DmaSpec,
} from './index.ts';

const dma: DmaSpec = { queuedTransfers: 64, outstandingBursts: 256, burstBytes: 4096, rowBytes: 512, startGapCycles: 3, firstBeatCycles: 6, issueCycles: 14, pollCycles: 2, issuePeriodCycles: 14 };

// machine.md, sections 4 and 5: closed forms of a simulation of interface, routers and DMA; 8 KiB over 31 hops is 292.
test.each([[4096, 1, 52], [4096, 6, 92], [4096, 31, 292], [8192, 31, 292], [16384, 7, 140], [65536, 1, 518]])('the reference pushes %i B over %i hops in %i cycles', (bytes, hops, cycles) => {
  expect(pushCycles(bytes, hops, 128, dma, referenceOptions)).toBe(cycles);
});
test.each([[4096, 6, 51], [512, 1, 11], [65536, 1, 526]])('the reference pulls %i B over %i hops in %i cycles', (bytes, hops, cycles) => {
  expect(pullCycles(bytes, hops, 128, dma, referenceOptions)).toBe(cycles);
});

test('the write window never helps, and answers on the way back cost their hops', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 1 << 17 }), fc.nat(62), (bytes, hops) => {
    const streamed = { ...referenceOptions, dmaWriteWindow: false };
    expect(pushCycles(bytes, hops, 128, dma, referenceOptions)).toBeGreaterThanOrEqual(pushCycles(bytes, hops, 128, dma, streamed));
    expect(pushCycles(bytes, hops, 128, dma)).toBe(pushCycles(bytes, hops, 128, dma, streamed) + hops);
    expect(pullCycles(bytes, hops, 128, dma)).toBe(pullCycles(bytes, hops, 128, dma, referenceOptions) + hops);
    expect(queuedCycles(1, 1, pullCycles(bytes, hops, 128, dma), dma)).toBe(awaitedCycles(pullCycles(bytes, hops, 128, dma), dma));
  }));
});

test('bursts end at pages, lines start a gap apart, sources of one kind overlap', () => {
  expect([burstsOf(0, 4096, dma), burstsOf(1, 4096, dma), burstsOf(4095, 1, dma), burstsOf(4095, 2, dma)]).toEqual([1, 2, 1, 2]);
  expect([linesCycles(64, 1, 8, dma), linesCycles(64, 4, 8, dma)]).toEqual([63 * 3 + 8, 63 * 4 + 8]);
  expect([drainsFirst('l1', 'l1'), drainsFirst('l1', 'elsewhere'), drainsFirst('elsewhere', 'elsewhere')]).toEqual([false, true, false]);
  expect([64, 4096, 32768].map((bytes) => awaitedCycles(l1TransferCycles(bytes, dma), dma))).toEqual([18, 26, 82]);
});

test('a transposition reads all rows and writes all columns, part by part', () => {
  expect(transposeCycles(128, 128, 2, { edgeBytes: 512 })).toBe(256);
  expect(transposeCycles(256, 512, 2, { edgeBytes: 512 })).toBe(2 * 512);
  fc.assert(fc.property(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 900 }), (rows, columns) => {
    expect(transposeCycles(rows, columns, 2, { edgeBytes: 512 })).toBe(transposeCycles(columns, rows, 2, { edgeBytes: 512 }));
  }));
});

test('engines get what they ask for until L1 is full', () => {
  expect([1, 4, 5, 8].map((streams) => sharedL1Cycles(1280, 128, streams, 512))).toEqual([10, 10, 13, 20]);
});

// schedules.md, section 3: hop terms 5, 9, 15, 35 in the mean of two corners.
test.each([[2, 2, 79], [4, 1, 83], [4, 4, 89], [8, 8, 109], [1, 1, 74]])('a %i x %i group that does nothing else needs %i cycles per barrier', (width, height, cycles) => {
  expect(repeatedGroupBarrierCycles(width, height, 74)).toBe(cycles);
});

test('the last arriver of 4 x 4 at the far corner: 4 + 8 + 6 for the loader at the near one', () => {
  const hops = barrierHops({ x: 8, y: 4, width: 4, height: 4 }, { x: 11, y: 7 }, { x: 8, y: 4 });
  expect(hops).toEqual({ toRowCounter: 2, toGroupCounter: 4, wake: 6 });
  expect(groupBarrierCycles(hops, 74)).toBe(92);
});

// SoftHier project slides, 8 July 2024.
test('software barriers go through the published points; counters per row win from about 5 x 5 tiles on', () => {
  expect([singleCounterBarrierCycles(4), singleCounterBarrierCycles(32), rowThenColumnBarrierCycles(4), rowThenColumnBarrierCycles(32)]).toEqual([118, 1072, 169, 248]);
  expect(singleCounterBarrierCycles(16)).toBeGreaterThan(rowThenColumnBarrierCycles(16));
});

test('an interleaved space reaches every byte of every channel once, scrambled or not', () => {
  for (const scramble of [false, true]) {
    const map = { channels: 8, firstChannel: 3, interleaveBytes: 128, scramble };
    const seen = new Set<string>();
    for (let line = 0; line < 4096; line++) seen.add(`${channelOf(map, line)} ${channelAddressOf(map, line, 0)}`);
    expect(seen.size).toBe(4096);
  }
  expect(() => checkMemoryMap({ channels: 6, firstChannel: 0, interleaveBytes: 128, scramble: true })).toThrow(/power of two/);
});
