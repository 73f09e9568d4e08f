import { expect, test } from 'vitest';
import { tiles } from './coordinates.ts';
import { parseHardware } from './parse.ts';
import { presetHardware, presetList, presets } from './presets.ts';
import { rationalOf } from './rational.ts';
import { memoryOf } from './settings.ts';

test.each(presetList.map(({ hardware }) => [hardware.name, hardware] as const))('%s passes its own checks, also after a trip through JSON', (name, hardware) => {
  expect(parseHardware(hardware, name)).toBe(hardware);
  expect(parseHardware(JSON.parse(JSON.stringify(hardware)), name)).toEqual(hardware);
  expect(presetHardware(name)).toBe(hardware);
});

test.each(presetList.map((preset) => [preset.hardware.name, preset] as const))('%s names a source for each of its numbers, and no source is left over', (_name, { hardware, sources }) => {
  const numbers = pathsOfNumbers(hardware).filter((path) => path !== 'formatVersion');
  const covers = (source: string, path: string) => path === source || path.startsWith(`${source}.`);
  expect(numbers.filter((path) => !Object.keys(sources).some((source) => covers(source, path)))).toEqual([]);
  expect(Object.keys(sources).filter((source) => !numbers.some((path) => covers(source, path)))).toEqual([]);
});

test('nobody can change a preset for somebody else', () => {
  const wafer = presets['flat-wafer-8']!;
  expect(() => Object.assign(wafer.tile.vector, { flopsPerCycle: 1 })).toThrow(TypeError);
  expect(() => Object.assign(presets, { mine: wafer })).toThrow(TypeError);
});

test('an unknown preset is refused with the nearest name', () => {
  expect(() => presetHardware('flat-waver-8')).toThrow(expect.objectContaining({ code: 'HARDWARE_UNKNOWN_PRESET', message: expect.stringContaining('Did you mean "flat-wafer-8"?') }));
  expect(() => presetHardware('toString')).toThrow(expect.objectContaining({ code: 'HARDWARE_UNKNOWN_PRESET' }));
});

/** The figures that the papers print for a whole die, computed from the preset. Decimal prefixes; tolerances as printed. */
test.each([
  // name, element type, TFLOPS, TB/s of memory, GiB of memory, source
  ['flat-32x32', 'fp16', 1048.6, 2.048, 64, 'arXiv 2505.18824, Table I (printed as 1024 TFLOPS with a prefix of 1.024e12, and 2 TB/s)'],
  ['flat-16x16', 'fp16', 1048.6, 2.048, 64, 'arXiv 2505.18824, Table II: constant peak'],
  ['flat-8x8', 'fp16', 1048.6, 2.048, 64, 'arXiv 2505.18824, Table II: constant peak'],
  ['flat-32x32-4t', 'fp16', 988 * 1.024, 4.096, 128, 'arXiv 2604.02110, Table I: 988 TFLOPS (same prefix); Fig. 12: 4 TB/s'],
  ['flat-wafer-64', 'fp8', 1976 * 1.024, 4.096, 128, 'arXiv 2604.02110, section V-C (same prefix; 4 TB/s)'],
  ['flat-wafer-64-160g', 'fp8', 1976 * 1.024, 4.096, 128, 'arXiv 2604.02110, section V-C (same prefix; 4 TB/s)'],
] as const)('%s has the peak, memory bandwidth and capacity of its paper', (name, elements, teraflops, terabytesPerSecond, gibibytes, _source) => {
  const machine = presetHardware(name);
  const { clockMegahertz, die, tile } = machine;
  const memory = memoryOf(machine, 'This test');
  const hertz = clockMegahertz * 1e6;
  const { numerator, denominator } = rationalOf(memory.bytesPerCyclePerChannel);
  expect((die.tilesX * die.tilesY * tile.matrix.flopsPerCycle[elements] * hertz) / 1e12 / teraflops).toBeCloseTo(1, 3);
  expect((memory.channels * numerator * hertz) / denominator / 1e12).toBeCloseTo(terabytesPerSecond, 6);
  expect(memory.capacityBytes / 2 ** 30).toBe(gibibytes);
});

test('flat-wafer-64 joins 65,536 tiles by 1 TB/s and 256 ns through 16 gateways on the north edge', () => {
  const { d2d, ...rest } = presetHardware('flat-wafer-64');
  expect(tiles(rest)).toBe(65_536);
  expect(d2d).toMatchObject({ shape: 'hub', link: { bytesPerCycle: [100_000, 193], cycles: 495 }, gatewayLink: { bytesPerCycle: 128, cycles: 1 } });
  expect(d2d?.shape === 'hub' && d2d.gateways.length === 16 && d2d.gateways.every(({ y }) => y === 0)).toBe(true);
});

test.each([['flat-wafer-64', 1000], ['flat-wafer-64-160g', 160], ['c2c-256g', 256]])('%s carries %i GB/s from die to die', (name, gigabytesPerSecond) => {
  const { d2d, clockMegahertz } = presetHardware(name);
  const { numerator, denominator } = rationalOf(d2d!.link.bytesPerCycle);
  expect((numerator * clockMegahertz * 1e6) / denominator / 1e9).toBeCloseTo(gigabytesPerSecond, 9);
});

test('constant peak: the tiles of flat-16x16 and flat-8x8 add up to those of flat-32x32', () => {
  const [large, ...others] = ['flat-32x32', 'flat-16x16', 'flat-8x8'].map(presetHardware);
  for (const small of others) {
    for (const [a, b] of [
      [small.tile.matrix.flopsPerCycle.fp16, large!.tile.matrix.flopsPerCycle.fp16],
      [small.tile.matrix.rows * small.tile.matrix.columns, large!.tile.matrix.rows * large!.tile.matrix.columns],
      [small.tile.vector.flopsPerCycle, large!.tile.vector.flopsPerCycle],
      [small.tile.l1Bytes, large!.tile.l1Bytes],
      [small.tile.l1BytesPerCycle, large!.tile.l1BytesPerCycle],
    ] as const) expect(a * tiles(small)).toBe(b * tiles(large!));
  }
});

test('wse2 has the cores, SRAM and bandwidths of its data sheet within 2 %, but for its clock', () => {
  const machine = presetHardware('wse2');
  const cores = tiles(machine);
  expect(cores / 850_000).toBeCloseTo(1, 2);
  expect((cores * machine.tile.l1Bytes) / 40e9).toBeCloseTo(1.05, 2); // 40 GB printed; 48 KiB each
  const peakClock = 1.1e9;
  expect((cores * machine.tile.matrix.flopsPerCycle.fp16 * peakClock) / 7.5e15).toBeCloseTo(1, 2); // 7.5 PFLOPS FP16
  expect(machine.d2d).toEqual({ shape: 'edge', link: { bytesPerCycle: machine.link.bytesPerCycle, cycles: machine.link.cycles, picojoulesPerByteHop: machine.link.picojoulesPerByteHop } });
});

/** Zero-load latency of the packet kernel: injection + hops + ejection + flits − 1. */
test.each([[4, 1], [4, 4], [2, 2], [1, 4]])('floonoc-4x4: a multicast of L flits to %i x %i clusters takes 30 + L + (c - 1) + (r - 1) cycles', (c, r) => {
  const { link, localLink, ejectionLink } = presetHardware('floonoc-4x4');
  for (const flits of [16, 64, 512]) {
    expect(localLink.cycles + (c - 1 + r - 1) * link.cycles + ejectionLink!.cycles + flits - 1).toBe(30 + flits + (c - 1) + (r - 1));
  }
});

/** [KiB, cycles measured at register level, cycles of the authors' simulator]: SoftHier slides of August and November 2025. */
test.each([[2, 86, 61], [8, 189, 161], [16, 331, 289], [32, 613, 545]])('floonoc-4x4: a row reduction of %i KiB takes %i cycles, and %i in ideal bursts', (kibibytes, rtl, ideal) => {
  const { link, localLink, ejectionLink, reduction } = presetHardware('floonoc-4x4');
  const flits = (kibibytes * 1024) / link.bytesPerCycle;
  const way = localLink.cycles + 3 * link.cycles + ejectionLink!.cycles + flits - 1;
  const pages = Math.ceil((kibibytes * 1024) / reduction!.pageBytes!);
  expect((way + reduction!.startCycles! + (pages - 1) * reduction!.pageGapCycles!) / rtl).toBeCloseTo(1, 2);
  // The simulator writes its last burst once it is complete: 4 cycles fewer for half a page.
  expect(way - ideal).toBe(kibibytes === 2 ? 4 : 0);
});

test('floonoc-4x4: up and down the tree costs 1.3 cycles per cluster', () => {
  const { syncLink } = presetHardware('floonoc-4x4');
  const points = [[2, 1], [4, 3], [8, 4], [16, 6]].map(([clusters, hops]) => [clusters!, 2 * hops! * syncLink!.cycles] as const);
  const mean = (of: (point: readonly [number, number]) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [clusters, cycles] = [mean(([x]) => x), mean(([, y]) => y)];
  expect(mean(([x, y]) => (x - clusters) * (y - cycles)) / mean(([x]) => (x - clusters) ** 2)).toBeCloseTo(1.3, 1);
});

function pathsOfNumbers(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  // A fraction counts as one number.
  if (Array.isArray(value) && value.every((part) => typeof part === 'number')) return [path];
  return Object.entries(value).flatMap(([key, part]) => pathsOfNumbers(part, path === '' ? key : `${path}.${key}`));
}
