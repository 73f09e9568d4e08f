import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemory, quietCycle, requestMemory, requestSpread, restoreMemory, saveMemory, settleMemory, type Memory } from './memory-channel.ts';
import { channelPeakBytesPerCycle, checkMemoryTiming, hbm2eTiming, refreshCeiling } from './memory-timing.ts';
import { physicalOptions, referenceOptions, type CostOptions } from './options.ts';

const peak = channelPeakBytesPerCycle(hbm2eTiming, 1000);
const memoryOf = (options: CostOptions = physicalOptions): Memory => createMemory(2, hbm2eTiming, 1000, options);

/** Bytes per cycle of `count` requests that come faster than the channel can serve them. */
function bandwidth(count: number, bytes: number, addressOf: (i: number) => number, isWrite: (i: number) => boolean, options = physicalOptions): number {
  const memory = memoryOf(options);
  for (let i = 0; i < count; i++) requestMemory(memory, 0, addressOf(i), bytes, isWrite(i), Math.floor((i * bytes) / peak));
  return (count * bytes) / quietCycle(memory);
}

test('a channel of 64 GB/s peaks at 64 B per cycle of 1 GHz', () => expect(peak).toBe(64));

test('a first read takes 12 + 35 + 2 clocks and the way to the controller and back, an open row saves the 12', () => {
  const memory = memoryOf();
  expect(requestMemory(memory, 0, 0, 64, false, 10)).toBe(10 + Math.ceil((12 + 35 + 2) / 2) + 2);
  expect(requestMemory(memory, 0, 512, 64, false, 100)).toBe(100 + Math.ceil((35 + 2) / 2) + 2);
});

test('a row that is in the way costs closing and opening', () => {
  const memory = memoryOf();
  requestMemory(memory, 0, 0, 32, false, 0);
  expect(requestMemory(memory, 0, 1 << 14, 32, false, 100)).toBe(100 + Math.ceil((12 + 12 + 35 + 2) / 2) + 2);
  expect([...memory.columns.rowConflicts]).toEqual([1, 0]);
});

test('a long sequential read ends near 1 − tRFC / tREFI of peak, inside the measured 80 to 92 %', () => {
  const share = bandwidth(8192, 4096, (i) => i * 4096, () => false) / peak;
  expect(share).toBeLessThanOrEqual(refreshCeiling(hbm2eTiming) + 0.002);
  expect(share).toBeGreaterThan(refreshCeiling(hbm2eTiming) - 0.01);
  expect(share).toBeGreaterThan(0.8);
  expect(share).toBeLessThan(0.92);
});

test('mixed and scattered patterns are slower; collected writes keep fine mixtures from turning the bus round each time', () => {
  const sequential = bandwidth(2048, 4096, (i) => i * 4096, () => false);
  const alternating = bandwidth(2048, 4096, (i) => i * 4096, (i) => i % 2 === 1);
  const finely = bandwidth(16_384, 64, (i) => i * 64, (i) => i % 2 === 1);
  const scattered = bandwidth(16_384, 64, (i) => ((i * 2654435761) % 2 ** 24) * 64, () => false);
  expect(alternating).toBeLessThan(sequential);
  expect(finely).toBeLessThan(sequential);
  expect(finely).toBeGreaterThan(0.75 * sequential);
  const turning = bandwidth(16_384, 64, (i) => i * 64, (i) => i % 2 === 1, { ...physicalOptions, memoryWriteBatch: 1 });
  expect(turning).toBeLessThan(finely / 2);
  expect(scattered).toBeLessThan(0.9 * sequential);
});

test('the reference takes writes at 85 B per cycle whatever DRAM does; with a finite buffer DRAM decides', () => {
  const accepted = (options: CostOptions) => {
    const memory = memoryOf(options);
    return 262_144 / requestMemory(memory, 0, 0, 262_144, true, 0);
  };
  expect(accepted(referenceOptions)).toBeCloseTo(85.3, 0);
  expect(accepted(physicalOptions)).toBeLessThan(peak * 1.05);
  expect(accepted(physicalOptions)).toBeGreaterThan(peak * 0.8);
});

test('an idle channel refreshes ahead; a request waits for the one in progress', () => {
  const memory = memoryOf(referenceOptions);
  const end = requestMemory(memory, 0, 0, 64, false, 1501);
  expect(end).toBeGreaterThan(1501 + 27 + 60);
  expect(end).toBeLessThanOrEqual(1501 + 27 + 130);
  const much = memoryOf(referenceOptions);
  requestMemory(much, 0, 0, 64, false, 1_000_000);
  // 128 ahead, and one per interval of 1500 cycles on each of the two pseudo-channels.
  expect(much.columns.refreshes[0]).toBeGreaterThan(2 * (128 + 600));
  expect(much.columns.refreshes[0]).toBeLessThan(2 * (128 + 700));
});

const requests = fc.array(fc.record({ gap: fc.nat(300), address: fc.nat(2 ** 22), bytes: fc.integer({ min: 1, max: 5000 }), isWrite: fc.boolean() }), { maxLength: 60 });

function run(memory: Memory, list: readonly { gap: number; address: number; bytes: number; isWrite: boolean }[], start: number): number[] {
  let cycle = start;
  return list.map(({ gap, address, bytes, isWrite }) => {
    cycle += gap;
    const end = requestSpread(memory, { channels: 2, firstChannel: 0, interleaveBytes: 128, scramble: true }, address, bytes, isWrite, cycle, 1);
    expect(end).toBeGreaterThanOrEqual(cycle);
    return end;
  });
}

test('saved anywhere and restored elsewhere, the rest ends the same; no bus gives more than its peak', () => {
  fc.assert(fc.property(requests, requests, fc.constantFrom(physicalOptions, referenceOptions), (before, after, options) => {
    const memory = memoryOf(options);
    run(memory, before, 0);
    const other = memoryOf(options);
    restoreMemory(other, saveMemory(memory));
    expect(run(other, after, 20_000)).toEqual(run(memory, after, 20_000));
    const bytes = [...before, ...after].reduce((sum, request) => sum + request.bytes, 0);
    expect(quietCycle(memory)).toBeGreaterThanOrEqual(bytes / (2 * peak));
  }));
});

test('from canonical state a kernel takes the same wherever it starts, also when clocks do not divide', () => {
  fc.assert(fc.property(requests, requests, fc.integer({ min: 0, max: 10 ** 9 }), fc.constantFrom(1000, 965, 1930), (before, kernel, start, megahertz) => {
    const fresh = createMemory(2, hbm2eTiming, megahertz);
    const used = createMemory(2, hbm2eTiming, megahertz);
    run(used, before, 0);
    settleMemory(used, 10 ** 6 + start);
    expect(run(used, kernel, 10 ** 6 + start).map((end) => end - 10 ** 6 - start)).toEqual(run(fresh, kernel, 0));
  }));
});

test('timings that cannot be worked with are refused', () => {
  expect(() => checkMemoryTiming({ ...hbm2eTiming, refreshClocks: 3000 })).toThrow(/refresh/);
  expect(() => checkMemoryTiming({ ...hbm2eTiming, addressBits: { ...hbm2eTiming.addressBits, bank: [5] } })).toThrow(/different numbers/);
  expect(() => checkMemoryTiming({ ...hbm2eTiming, burstClocks: 1.5 })).toThrow(/whole number/);
});
