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
  ['flat-wafer-64', 'fp8', 1976 * 1.024, 4.096, 128, 'arXiv 2604.02110, section V-C (same prefix; 4 TB/s)'],
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

function pathsOfNumbers(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  // A fraction counts as one number.
  if (Array.isArray(value) && value.every((part) => typeof part === 'number')) return [path];
  return Object.entries(value).flatMap(([key, part]) => pathsOfNumbers(part, path === '' ? key : `${path}.${key}`));
}
