import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dies, tiles } from './coordinates.ts';
import { figuresOf, remarksOn } from './figures.ts';
import { parseHardware } from './parse.ts';
import { presetHardware, presets } from './presets.ts';
import type { Hardware } from './spec.ts';

test.each(Object.keys(presets))('%s: a wafer without defects is its dies together', (name) => {
  const machine = presets[name]!;
  const { die, wafer } = figuresOf(machine);
  const count = dies(machine);
  expect(wafer.tiles).toBe(tiles(machine));
  for (const [whole, part] of [
    [wafer.flops.fp16, die.flops.fp16], [wafer.flops.fp8, die.flops.fp8], [wafer.vectorFlops, die.vectorFlops], [wafer.l1Bytes, die.l1Bytes],
    [wafer.l1BytesPerSecond, die.l1BytesPerSecond], [wafer.memoryBytes, die.memoryBytes], [wafer.memoryBytesPerSecond, die.memoryBytesPerSecond],
  ] as const) expect(whole / (count * part || 1)).toBeCloseTo(part === 0 ? 0 : 1, 9);
});

/** Figures that the sources print, or that can be counted by hand. Decimal prefixes. */
test.each<[name: string, die: number, wafer: number, source: string]>([
  ['flat-32x32', 32 * 128e9, 32 * 128e9, '32 links of 1024 bit at 1 GHz'],
  ['flat-wafer-64', 32 * 128 * 1.93e9, 8 * 1e12, '8 links of 1 TB/s between hubs'],
  ['flat-wafer-64-160g', 32 * 128 * 1.93e9, 8 * 160e9, '8 links of 160 GB/s between hubs'],
  ['flat-wafer-8', 8 * 128e9, 16 * (256e9 / 3), '4 x 2 dies: 16 lanes of 256/3 B per cycle, fewer than the 32 of the other cut'],
  ['wse2', 66 * 4 * 0.85e9, 792 * 4 * 0.85e9, 'rows of 792 cores are shorter than columns of 1078'],
  ['c2c-256g', NaN, 256e9, 'one link'],
])('%s: bisection of die and wafer', (name, die, wafer) => {
  const figures = figuresOf(presetHardware(name));
  if (Number.isNaN(die)) expect(figures.die.bisectionBytesPerSecond).toBe(null);
  else expect(figures.die.bisectionBytesPerSecond).toBeCloseTo(die, 0);
  expect(figures.wafer.bisectionBytesPerSecond).toBeCloseTo(wafer, 0);
});

test.each<[name: string, cycles: number, source: string]>([
  ['mesh-8x8', 1 + 14 + 1, 'injection, 14 hops, ejection'],
  ['floonoc-4x4', 6 + 6 + 25, '30 + L + 3 + 3 with L = 1'],
  ['flat-wafer-8', 1 + 42 + 4 * (64 + 1) + 1, 'a flit takes 3/2 cycles on a lane between dies, and shows behind each'],
  ['flat-wafer-64-160g', 1 + 1 + 14 * 495 + 1 + 1 + (0 + 32) + 1, 'between hubs a flit takes 1.54 cycles, which shows behind the last'],
  ['flat-wafer-64', 1 + 1 + 14 * 495 + 1 + (0 + 32) + 1, 'the first tile is a gateway, the last is 32 hops from one'],
  ['wse2', 2 + 1868 + 2, 'two ramps and 791 + 1077 hops'],
  ['c2c-256g', 1 + 256 + 1, 'one link'],
])('%s: from corner to corner in %i cycles (%s)', (name, cycles) => {
  expect(figuresOf(presetHardware(name)).cornerToCorner.cycles).toBe(cycles);
});

test('what is absent takes its share of the peaks away, and never adds anything', () => {
  const machine = presetHardware('flat-wafer-8');
  const whole = figuresOf(machine).wafer;
  const tile = fc.record({ die: fc.record({ x: fc.nat(3), y: fc.nat(1) }), x: fc.nat(7), y: fc.nat(7) });
  const key = ({ die, x, y }: { die: { x: number; y: number }; x: number; y: number }) => [die.x, die.y, x, y].join();
  fc.assert(fc.property(fc.uniqueArray(tile, { maxLength: 40, selector: key }), (absent) => {
    const { wafer } = figuresOf(parseHardware({ ...machine, defects: { tiles: absent } }, 'my machine'));
    expect(wafer.tiles).toBe(whole.tiles - absent.length);
    expect(wafer.flops.fp16 / whole.flops.fp16).toBeCloseTo(wafer.tiles / whole.tiles, 12);
    expect(wafer.bisectionBytesPerSecond!).toBeLessThanOrEqual(whole.bisectionBytesPerSecond!);
    expect(wafer.memoryBytes).toBe(whole.memoryBytes);
  }), { numRuns: 50 });
});

test('the cut of a wafer loses the links that are absent there, and a dead die its memory', () => {
  const hub = presetHardware('flat-wafer-64');
  const { wafer } = figuresOf(parseHardware({ ...hub, defects: { dies: [{ x: 0, y: 0 }], links: [{ die: { x: 3, y: 1 }, direction: 'east' }] } }, 'my machine'));
  expect(wafer.bisectionBytesPerSecond).toBeCloseTo(7e12, 0);
  expect(wafer.memoryBytes).toBe(63 * 2 ** 37);
});

test.each<[credits: number, creditCycles: number | undefined, share: number]>([
  [192, undefined, 1], // 128 cycles of round trip at 2/3 flit per cycle are 85.3 flits
  [86, undefined, 1],
  [64, undefined, 0.75],
  [64, 192, 0.375],
])('a window of %i flits over 64 cycles, credits back in %s, leaves a share of %f', (credits, creditCycles, share) => {
  const base = presetHardware('flat-wafer-8');
  const link = { ...base.d2d!.link, credits, ...(creditCycles === undefined ? {} : { creditCycles }) };
  const machine: Hardware = parseHardware({ ...base, d2d: { shape: 'edge', link } }, 'my machine');
  const figures = figuresOf(machine).links.find(({ path }) => path === 'd2d.link')!;
  expect(figures.share).toBeCloseTo(share, 12);
  expect(remarksOn(machine)).toHaveLength(share < 1 ? 1 : 0);
  if (share < 1) expect(remarksOn(machine)[0]).toContain(`at most ${(share * 100).toFixed(1)} % of its bandwidth`);
});

test('a memory node at an absent tile is remarked upon', () => {
  const base = presetHardware('flat-8x8');
  const machine = parseHardware({ ...base, defects: { tiles: [{ x: 0, y: 3 }, { x: 4, y: 4 }] } }, 'my machine');
  expect(remarksOn(machine)).toEqual(['memory.edgeNodes: a memory node stands at an absent tile: west of tile (0, 3).']);
});
