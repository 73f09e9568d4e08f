import { KerfError } from '@kerf/checks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dies, type Grid } from './coordinates.ts';
import { parseHardware } from './parse.ts';
import { presetHardware, presetList } from './presets.ts';

type Json = Record<string, unknown>;

const machines = fc.constantFrom(...presetList.map(({ hardware }) => hardware)).map((hardware) => copy(hardware) as unknown as Json);

/** A machine, one of the places in it, and the object that holds that place. */
const machineAndPlace = machines.chain((machine) => fc.record({ machine: fc.constant(machine), place: fc.constantFrom(...placesIn(machine)) }));

test('a typo in any key is an error that names the place of the typo', () => {
  fc.assert(fc.property(machineAndPlace, fc.constantFrom('s', '_', 'x2'), ({ machine, place }, letters) => {
    fc.pre(!Array.isArray(place.holder));
    const typo = `${place.key}${letters}`;
    fc.pre(!Object.hasOwn(place.holder, typo));
    place.holder[typo] = place.holder[place.key];
    delete place.holder[place.key];
    expectError(machine, join(place.path, typo), 'SCHEMA_UNKNOWN_KEY');
  }));
});

/** Keys whose absence means something. */
const optional = ['credits', 'creditCycles', 'virtualChannels', 'ejectionLink', 'syncLink', 'router', 'reduction', 'startCycles', 'pageBytes', 'pageGapCycles', 'landingBytesPerCycle', 'edgeNodes', 'aliasing', 'interleaveBytes', 'scramble', 'units', 'loadBytesPerCycle', 'transpose', 'defects'];

test('any key left out is an error that names the key, unless its absence means something', () => {
  fc.assert(fc.property(machineAndPlace, ({ machine, place }) => {
    fc.pre(!Array.isArray(place.holder));
    if (optional.includes(place.key)) {
      fc.pre(place.key !== 'edgeNodes' || place.holder['aliasing'] === undefined);
      delete place.holder[place.key];
      expect(parseHardware(machine, 'wafer.json')).toBe(machine);
      return;
    }
    delete place.holder[place.key];
    const { message } = expectError(machine, place.path, 'SCHEMA_MISSING_KEY');
    expect(message).toContain(place.key);
  }));
});

test('a value of the wrong type anywhere is an error that names its path', () => {
  const wrong = fc.constantFrom<unknown>('12', true, {}, [], [1], null);
  fc.assert(fc.property(machineAndPlace, wrong, ({ machine, place }, value) => {
    const was = place.holder[place.key];
    fc.pre(typeof value !== typeof was || Array.isArray(value) !== Array.isArray(was) || (value === null) !== (was === null));
    fc.pre(place.key !== 'memory' || value !== null); // a machine of scratchpads alone
    fc.pre(place.key !== 'd2d' || value !== null || dies(machine as unknown as Grid) > 1);
    place.holder[place.key] = value;
    expectError(machine, join(place.path, place.key));
  }));
});

test('a number out of its range anywhere is an error that names its path', () => {
  fc.assert(fc.property(machineAndPlace, fc.constantFrom(-1, 1e300, NaN, Infinity, -0.5), ({ machine, place }, value) => {
    fc.pre(typeof place.holder[place.key] === 'number');
    place.holder[place.key] = value;
    expectError(machine, join(place.path, place.key));
  }));
});

test('no value at all passes, or crashes the check', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    expect(() => parseHardware(value, 'random')).toThrow(KerfError);
  }));
});

const badMachines: [what: string, preset: string, change: Json, code: string, message: string][] = [
  ['another format version', 'mesh-8x8', { formatVersion: 2 }, 'HARDWARE_FORMAT_VERSION', 'It reads hardware of formatVersion 1.'],
  ['a decimal rate', 'flat-wafer-8', { 'd2d.link.bytesPerCycle': 82.9 }, 'HARDWARE_BAD_RATE', 'd2d.link.bytesPerCycle must be a whole number or an exact fraction [numerator, denominator], got 82.9. A link carries its remainder exactly: write [829, 10]'],
  ['a flit that is no whole number', 'mesh-8x8', { 'link.bytesPerCycle': [257, 2] }, 'HARDWARE_BAD_RATE', 'link.bytesPerCycle must be a whole number, got [257,2]. It is the flit of the network.'],
  ['a rate of nothing', 'flat-wafer-8', { 'd2d.link.bytesPerCycle': [0, 1] }, 'SCHEMA_OUT_OF_RANGE', 'd2d.link.bytesPerCycle.0 must be >= 1, got 0'],
  ['many dies and nothing between them', 'flat-wafer-8', { d2d: null }, 'HARDWARE_BAD_D2D', 'd2d must be an object { "shape": "edge" | "hub", … } with 8 dies, got null'],
  ['a hub without gateways', 'flat-wafer-8', { 'd2d.shape': 'hub' }, 'SCHEMA_MISSING_KEY', 'd2d lacks the key gatewayLink'],
  ['gateways at an edge', 'flat-wafer-64', { 'd2d.shape': 'edge' }, 'HARDWARE_BAD_D2D', 'd2d.gatewayLink must be absent'],
  ['a gateway off the die', 'flat-wafer-64', { 'd2d.gateways.3.x': 32 }, 'HARDWARE_BAD_GATEWAY', 'd2d.gateways.3 must be a tile of the die, x from 0 to 31'],
  ['two gateways on one tile', 'flat-wafer-64', { 'd2d.gateways.3.x': 0 }, 'HARDWARE_BAD_GATEWAY', 'd2d.gateways.0 is the same tile'],
  ['a packet smaller than a flit', 'mesh-8x8', { 'link.maxPacketBytes': 64 }, 'HARDWARE_BAD_PACKET', 'link.maxPacketBytes must be a multiple of 128, got 64'],
  ['a packet of broken flits', 'mesh-8x8', { 'link.maxPacketBytes': 200 }, 'HARDWARE_BAD_PACKET', 'link.maxPacketBytes must be a multiple of 128, got 200'],
  ['a buffer smaller than a packet', 'mesh-8x8', { 'link.credits': 31 }, 'HARDWARE_BAD_CREDITS', 'link.credits must be at least 32 flits, got 31'],
  ['a small buffer between dies', 'flat-wafer-64', { 'd2d.gatewayLink.credits': 31 }, 'HARDWARE_BAD_CREDITS', 'd2d.gatewayLink.credits must be at least 32 flits, got 31'],
  ['seventeen virtual channels', 'mesh-8x8', { 'link.virtualChannels': 17 }, 'SCHEMA_OUT_OF_RANGE', 'link.virtualChannels must be <= 16, got 17'],
  ['a small buffer of ejection', 'floonoc-4x4', { 'ejectionLink.credits': 63 }, 'HARDWARE_BAD_CREDITS', 'ejectionLink.credits must be at least 64 flits, got 63'],
  ['a small buffer of the narrow network', 'floonoc-4x4', { 'syncLink.maxPacketBytes': 64, 'syncLink.credits': 7 }, 'HARDWARE_BAD_CREDITS', 'syncLink.credits must be at least 8 flits, got 7'],
  ['a broken packet on the narrow network', 'mesh-8x8', { 'syncLink.maxPacketBytes': 6 }, 'HARDWARE_BAD_PACKET', 'syncLink.maxPacketBytes must be a multiple of 4, got 6'],
  ['a decimal rate of ejection', 'floonoc-4x4', { 'ejectionLink.bytesPerCycle': 1.5 }, 'HARDWARE_BAD_RATE', 'ejectionLink.bytesPerCycle must be a whole number or an exact fraction'],
  ['a fraction on the narrow network', 'mesh-8x8', { 'syncLink.bytesPerCycle': [9, 2] }, 'HARDWARE_BAD_RATE', 'syncLink.bytesPerCycle must be a whole number, got [9,2]'],
  ['a reduction table of nothing', 'floonoc-4x4', { 'reduction.tableEntries': 0 }, 'SCHEMA_OUT_OF_RANGE', 'reduction.tableEntries must be >= 1, got 0. Reductions that can be open at one router at a time.'],
  ['a router that combines nothing', 'floonoc-4x4', { 'reduction.inputsPerCycle': 1 }, 'SCHEMA_OUT_OF_RANGE', 'reduction.inputsPerCycle must be >= 2, got 1'],
  ['a page of broken flits', 'floonoc-4x4', { 'reduction.pageBytes': 100 }, 'HARDWARE_BAD_REDUCTION', 'reduction.pageBytes must be a multiple of 64, got 100'],
  ['more nodes than an edge has tiles', 'flat-8x8', { 'memory.edgeNodes.west': 9 }, 'HARDWARE_BAD_MEMORY', 'memory.edgeNodes.west must be at most 8, got 9. The west edge of a die has 8 tiles'],
  ['edges without a node', 'flat-8x8', { 'memory.edgeNodes': { west: 0, north: 0, east: 0, south: 0 } }, 'HARDWARE_BAD_MEMORY', 'memory.edgeNodes must be at least one node, got 0'],
  ['an edge left out', 'flat-8x8', { 'memory.edgeNodes': { west: 8, north: 0, east: 0 } }, 'SCHEMA_MISSING_KEY', 'memory.edgeNodes lacks the key south'],
  ['channels that nodes cannot share', 'flat-8x8', { 'memory.channels': 24 }, 'HARDWARE_BAD_MEMORY', 'memory.channels must be a multiple of 16, the nodes of memory.edgeNodes together, got 24'],
  ['a column with two nodes', 'flat-8x8', { 'memory.aliasing': 'column' }, 'HARDWARE_BAD_MEMORY', 'A tile would have a node on each of west and south.'],
  ['aliasing without a place', 'mesh-8x8', { 'memory.aliasing': 'column' }, 'HARDWARE_BAD_MEMORY', 'memory.aliasing must be "none" without memory.edgeNodes'],
  ['an unknown aliasing', 'flat-8x8', { 'memory.aliasing': 'row' }, 'SCHEMA_OUT_OF_RANGE', 'memory.aliasing must be one of "none", "column", "edge", got "row"'],
  ['more tiles than ids', 'mesh-8x8', { 'die.tilesX': 4097, 'die.tilesY': 4096 }, 'HARDWARE_TOO_LARGE', 'die must be at most 16777216 tiles with 1 die, got 4097 x 4096'],
  ['a coordinate beyond 65535', 'flat-wafer-8', { 'die.tilesX': 16_385 }, 'HARDWARE_TOO_LARGE', 'die.tilesX must be at most 16384 with 4 dies side by side, got 16385'],
];

test.each(badMachines)('%s is refused', (_what, preset, change, code, message) => {
  const machine = copy(presetHardware(preset)) as unknown as Json;
  for (const [path, value] of Object.entries(change)) put(machine, path, value);
  expect(() => parseHardware(machine, 'wafer.json')).toThrow(expect.objectContaining({ code }));
  expect(() => parseHardware(machine, 'wafer.json')).toThrow(message);
});

test.each<[string, string, Json]>([
  ['a buffer of exactly one packet', 'mesh-8x8', { 'link.credits': 32 }],
  ['a packet of one flit', 'mesh-8x8', { 'link.maxPacketBytes': 128 }],
  ['2^24 tiles', 'mesh-8x8', { 'die.tilesX': 4096, 'die.tilesY': 4096 }],
  ['coordinates up to 65535', 'flat-wafer-8', { 'die.tilesX': 16_384 }],
  ['sixteen virtual channels', 'mesh-8x8', { 'link.virtualChannels': 16 }],
  ['one reduction at a time', 'floonoc-4x4', { 'reduction.tableEntries': 1 }],
  ['a credit that comes back at once', 'mesh-8x8', { 'link.creditCycles': 1, 'localLink.creditCycles': 1 }],
  ['a memory node for each tile of an edge', 'flat-8x8', { 'memory.edgeNodes.west': 8, 'memory.edgeNodes.south': 0, 'memory.aliasing': 'column' }],
  ['a machine of scratchpads', 'flat-wafer-64', { memory: null }],
  ['a pause between packets', 'mesh-8x8', { router: { setupCycles: 3 } }],
  ['joints on a wafer of one die', 'flat-wafer-8', { 'wafer.diesX': 1, 'wafer.diesY': 1 }],
])('%s is allowed', (_what, preset, change) => {
  const machine = copy(presetHardware(preset)) as unknown as Json;
  for (const [path, value] of Object.entries(change)) put(machine, path, value);
  expect(parseHardware(machine, 'wafer.json')).toBe(machine);
});

function expectError(machine: unknown, path: string, code?: string): KerfError {
  let error: unknown;
  try {
    parseHardware(machine, 'wafer.json');
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(KerfError);
  const { message } = error as KerfError;
  expect(message.startsWith('wafer.json: ')).toBe(true);
  expect(message).toContain(path === '' ? 'the top level' : path);
  if (code !== undefined) expect((error as KerfError).code).toBe(code);
  return error as KerfError;
}

/** Every key of every object and array inside, parts of fractions left out. */
function placesIn(value: Json, path = ''): { holder: Json; key: string; path: string }[] {
  return Object.entries(value).flatMap(([key, part]) => {
    const here = { holder: value, key, path };
    const inner = typeof part === 'object' && part !== null && !key.startsWith('bytesPerCycle') ? placesIn(part as Json, join(path, key)) : [];
    return [here, ...inner];
  });
}

function put(machine: Json, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop()!;
  const holder = keys.reduce<Json>((here, key) => here[key] as Json, machine);
  holder[last] = value;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
