import { KerfError } from '@kerf/checks';
import { presets } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultScenario } from './default-scenario.ts';
import { parseScenario } from './parse-scenario.ts';

type Json = Record<string, unknown>;

const card = {
  formatVersion: 1, name: 'tiny', source: 'made up', hiddenWidth: 64, layers: 2, firstMoeLayer: 0, moeLayers: 2, experts: 4, topK: 2,
  expertIntermediateWidth: 64, expertMatrices: 3, sharedExperts: 0, activationBytes: 2, combineBytes: 2, weightBits: 4.25, computeType: 'fp16',
};

/** Scenarios with machine and model named, and written out. */
const scenarios = fc.record({ hardware: fc.constantFrom(undefined, ...Object.values(presets)), model: fc.constantFrom(undefined, card) }).map(({ hardware, model }) => {
  const scenario = copy(defaultScenario()) as unknown as Json;
  if (hardware !== undefined) scenario['hardware'] = copy(hardware);
  if (model !== undefined) (scenario['workload'] as Json)['model'] = copy(model);
  return scenario;
});

const scenarioAndPlace = scenarios.chain((scenario) => fc.record({ scenario: fc.constant(scenario), place: fc.constantFrom(...placesIn(scenario)) }));

test('a scenario passes unchanged, with machine and model named or written out', () => {
  fc.assert(fc.property(scenarios, (scenario) => {
    expect(parseScenario(scenario, 'run.json')).toBe(scenario);
  }));
});

test('the default scenario survives a trip through its file, and nobody shares it', () => {
  expect(parseScenario(copy(defaultScenario()), 'run.json')).toEqual(defaultScenario());
  expect(defaultScenario()).not.toBe(defaultScenario());
});

/** Keys of a machine whose absence means something; the hardware package tests what. */
const optionalOfMachines = new Set(['credits', 'creditCycles', 'virtualChannels', 'ejectionLink', 'syncLink', 'router', 'reduction', 'startCycles', 'pageBytes', 'pageGapCycles', 'edgeNodes', 'aliasing', 'interleaveBytes', 'scramble', 'units', 'loadBytesPerCycle', 'transpose', 'defects']);

test('execution and the run folder may be left out, anything else that a machine does not leave open may not', () => {
  fc.assert(fc.property(scenarioAndPlace, ({ scenario, place: { holder, key, path } }) => {
    fc.pre(!Array.isArray(holder) && !(path.startsWith('hardware') && optionalOfMachines.has(key)));
    delete holder[key];
    if (path === '' && key === 'execution') expect(parseScenario(scenario, 'run.json')).toBe(scenario);
    else expectError(scenario, `lacks the key ${key}`, 'SCHEMA_MISSING_KEY');
  }));
});

test('a typo in any key is an error that names the place of the typo', () => {
  fc.assert(fc.property(scenarioAndPlace, ({ scenario, place: { holder, key, path } }) => {
    fc.pre(!Array.isArray(holder));
    holder[`${key}x`] = holder[key];
    delete holder[key];
    expectError(scenario, join(path, `${key}x`), 'SCHEMA_UNKNOWN_KEY');
  }));
});

test('a value of the wrong type anywhere is an error that names its path', () => {
  fc.assert(fc.property(scenarioAndPlace, fc.constantFrom<unknown>(true, null, [1]), ({ scenario, place: { holder, key, path } }, value) => {
    fc.pre(!((key === 'd2d' || key === 'memory') && value === null) && !(key === 'scramble' && value === true) && !(Array.isArray(holder[key]) && Array.isArray(value)));
    holder[key] = value;
    expectError(scenario, join(path, key));
  }));
});

test('a number out of its range anywhere is an error that names its path', () => {
  fc.assert(fc.property(scenarioAndPlace, fc.constantFrom(-1, 1e300, NaN, -0.5), ({ scenario, place: { holder, key, path } }, value) => {
    fc.pre(typeof holder[key] === 'number' || key === 'nodes');
    holder[key] = value;
    expectError(scenario, join(path, key));
  }));
});

test('no value at all passes, or crashes the check', () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    expect(() => parseScenario(value, 'random')).toThrow(KerfError);
  }));
});

test.each<[string, (scenario: Json) => void, string, string]>([
  ['another format version', (s) => { s['formatVersion'] = 2; s['newKey'] = 1; }, 'SCENARIO_FORMAT_VERSION', 'run.json: formatVersion is 2, which this version of Kerf cannot read. It reads scenarios of formatVersion 1.'],
  ['no format version', (s) => { delete s['formatVersion']; }, 'SCHEMA_MISSING_KEY', 'the top level lacks the key formatVersion'],
  ['a machine of another version', (s) => { s['hardware'] = { formatVersion: 3 }; }, 'HARDWARE_FORMAT_VERSION', 'hardware.formatVersion is 3'],
  ['a machine that cannot be built', (s) => { s['hardware'] = { ...presets['flat-wafer-8'], d2d: null }; }, 'HARDWARE_BAD_D2D', 'hardware.d2d must be an object'],
  ['a machine with a decimal rate', (s) => { s['hardware'] = { ...presets['mesh-8x8'], localLink: { bytesPerCycle: 82.9 } }; }, 'HARDWARE_BAD_RATE', 'hardware.localLink.bytesPerCycle must be a whole number or an exact fraction'],
  ['a model of another version', (s) => { (s['workload'] as Json)['model'] = { ...card, formatVersion: 0 }; }, 'MODEL_FORMAT_VERSION', 'workload.model.formatVersion is 0'],
  ['a model whose parts do not fit', (s) => { (s['workload'] as Json)['model'] = { ...card, topK: 5 }; }, 'MODEL_TOO_MANY_CHOICES', 'workload.model.topK must be at most experts = 4, got 5'],
  ['a word for a number of processes', (s) => { s['execution'] = { nodes: 'many', transport: 'auto' }; }, 'SCHEMA_OUT_OF_RANGE', 'execution.nodes must be "auto", got "many"'],
  ['no process', (s) => { s['execution'] = { nodes: 0, transport: 'auto' }; }, 'SCHEMA_OUT_OF_RANGE', 'execution.nodes must be >= 1, got 0'],
  ['an unknown transport', (s) => { s['execution'] = { nodes: 1, transport: 'ws' }; }, 'SCHEMA_OUT_OF_RANGE', 'execution.transport must be one of "websocket", "memory", "auto", got "ws"'],
  ['a seed beyond 2^53', (s) => { s['seed'] = 2 ** 53; }, 'SCHEMA_OUT_OF_RANGE', 'seed must be <= 9007199254740991'],
  ['an empty name', (s) => { s['hardware'] = ''; }, 'SCHEMA_OUT_OF_RANGE', 'hardware must NOT have fewer than 1 characters'],
])('%s is refused', (_what, change, code, message) => {
  const scenario = copy(defaultScenario()) as unknown as Json;
  change(scenario);
  expectError(scenario, message, code);
});

function expectError(scenario: unknown, text: string, code?: string): void {
  let error: unknown;
  try {
    parseScenario(scenario, 'run.json');
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(KerfError);
  expect((error as KerfError).message).toMatch(/^run\.json: /);
  expect((error as KerfError).message).toContain(text);
  if (code !== undefined) expect((error as KerfError).code).toBe(code);
}

/** Every key of every object and array inside, parts of fractions left out. */
function placesIn(value: Json, path = ''): { holder: Json; key: string; path: string }[] {
  return Object.entries(value).flatMap(([key, part]) => {
    const inner = typeof part === 'object' && part !== null && !key.startsWith('bytesPerCycle') ? placesIn(part as Json, join(path, key)) : [];
    return [{ holder: value, key, path }, ...inner];
  });
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
