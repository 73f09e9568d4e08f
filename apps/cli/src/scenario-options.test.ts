import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { presetHardware, presets } from '@kerf/hardware';
import { modelCard, modelCardNames } from '@kerf/inference';
import { defaultScenario } from '@kerf/scenario';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildScenario, hardwareOf, modelOf, type ScenarioOptions } from './scenario-options.ts';

let folder: string;
const write = (name: string, value: unknown) => writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-'));
  mkdirSync(join(folder, 'elsewhere'));
  write('mine.json', { ...presetHardware('flat-wafer-8'), name: 'mine' });
  write('card.json', { ...modelCard('gpt-oss-20b'), name: 'mine' });
  write('elsewhere/scenario.json', { ...defaultScenario(), hardware: '../mine.json', workload: { ...defaultScenario().workload, trace: 'trace', model: '../card.json' }, output: { binCycles: 5, directory: 'out' } });
});
afterAll(() => rmSync(folder, { recursive: true }));

const count = (min: number, max: number) => fc.integer({ min, max }).map(String);
const options: fc.Arbitrary<ScenarioOptions> = fc.record(
  {
    scenarioFile: fc.constant('elsewhere/scenario.json'),
    trace: fc.constantFrom('trace', './a/b', '/abs/trace', '../t'),
    hardware: fc.constantFrom(...Object.keys(presets), 'mine.json', './mine.json'),
    model: fc.constantFrom(...modelCardNames, 'card.json'),
    steps: count(1, 1000), tokensPerDie: count(1, 1000), seed: count(0, 1_000_000), binCycles: count(1, 5000),
    nodes: fc.oneof(fc.constant('auto'), count(1, 64)),
    transport: fc.constantFrom('websocket', 'memory', 'auto'),
    fidelity: fc.constant('packet'),
    out: fc.constantFrom('run', '/abs/run'),
    set: fc.subarray(['workload.steps=3', 'hardware.link.cycles=2', 'workload.model.topK=2', 'execution.nodes=auto', 'output.directory=x', 'workload.trace=y', 'hardware.name="a b"']),
  },
  { requiredKeys: [] },
);

test('a printed scenario, fed back from anywhere, is the same scenario', () => {
  fc.assert(fc.property(options, (typed) => {
    const scenario = buildScenario(typed, folder);
    write('printed.json', scenario);
    expect(buildScenario({ scenarioFile: join(folder, 'printed.json') }, tmpdir())).toEqual(scenario);
  }));
});

test('flags win over the file, and settings over flags', () => {
  const typed = { scenarioFile: 'elsewhere/scenario.json', steps: '7', tokensPerDie: '9', set: ['workload.steps=8'] };
  expect(buildScenario(typed, folder).workload).toEqual({ ...defaultScenario().workload, trace: join(folder, 'elsewhere/trace'), model: join(folder, 'card.json'), steps: 8, tokensPerDie: 9 });
});

test('paths in a file are relative to the file, those of flags and settings to where one stands', () => {
  const fromFile = buildScenario({ scenarioFile: 'elsewhere/scenario.json' }, folder);
  expect([fromFile.hardware, fromFile.workload.trace, fromFile.output.directory]).toEqual(['mine.json', 'elsewhere/trace', 'elsewhere/out'].map((path) => join(folder, path)));
  const fromFlags = buildScenario({ scenarioFile: 'elsewhere/scenario.json', trace: 't', set: ['output.directory=o', 'hardware=mine.json'] }, folder);
  expect([fromFlags.workload.trace, fromFlags.output.directory, fromFlags.hardware]).toEqual(['t', 'o', 'mine.json'].map((path) => join(folder, path)));
});

test('nothing that was left out stays hidden', () => {
  const { execution, output, ...rest } = buildScenario({}, folder);
  expect(execution).toEqual({ nodes: 'auto', transport: 'auto' });
  expect(output).toEqual({ binCycles: defaultScenario().output.binCycles });
  expect(Object.keys(rest)).toEqual(['formatVersion', 'hardware', 'workload', 'mapping', 'fidelity', 'seed']);
});

test('a setting reaches into a preset, a hardware file and a card', () => {
  const typed = { hardware: 'mine.json', model: 'card.json', set: ['hardware.link.cycles=3', 'workload.model.topK=2'] };
  const scenario = buildScenario(typed, folder);
  expect(hardwareOf(scenario.hardware)).toMatchObject({ name: 'mine', link: { cycles: 3 } });
  expect(modelOf(scenario.workload.model)).toMatchObject({ name: 'mine', topK: 2 });
  expect(hardwareOf(buildScenario({ hardware: 'flat-wafer-8', set: ['hardware.link.cycles=3'] }, folder).hardware).link.cycles).toBe(3);
});

/** Everything up to the machine and the model: what a run does before it reads its trace. */
function load(typed: ScenarioOptions): void {
  const scenario = buildScenario(typed, folder);
  hardwareOf(scenario.hardware);
  modelOf(scenario.workload.model);
}

const scenario = defaultScenario();
test.each<[string, string | object | undefined, ScenarioOptions, string, RegExp]>([
  ['a file that is not there', undefined, { scenarioFile: 'none.json' }, 'FILE_NOT_FOUND', /no file .*none\.json/],
  ['a folder as a scenario', undefined, { scenarioFile: 'elsewhere' }, 'FILE_UNREADABLE', /folder/],
  ['JSON with a comma too many', '{\n "formatVersion": 1,\n}', { scenarioFile: 'bad.json' }, 'JSON_SYNTAX', /bad\.json, line 3, column 1: .*key in double quotes/],
  ['an unknown key', { ...scenario, hardwear: 'x' }, { scenarioFile: 'bad.json' }, 'SCHEMA_UNKNOWN_KEY', /bad\.json: unknown key hardwear\. Did you mean "hardware"/],
  ['a missing key', { ...scenario, seed: undefined }, { scenarioFile: 'bad.json' }, 'SCHEMA_MISSING_KEY', /seed/],
  ['a wrong type', { ...scenario, seed: 'one' }, { scenarioFile: 'bad.json' }, 'SCHEMA_WRONG_TYPE', /seed .*integer.*"one"/],
  ['another format version', { ...scenario, formatVersion: 2 }, { scenarioFile: 'bad.json' }, 'SCENARIO_FORMAT_VERSION', /formatVersion is 2/],
  ['a file that holds no object', '[1]', { scenarioFile: 'bad.json' }, 'SCHEMA_WRONG_TYPE', /object/],
  ['an unknown preset', undefined, { hardware: 'flat-waffer-8' }, 'HARDWARE_UNKNOWN_PRESET', /Did you mean "flat-wafer-8"/],
  ['an unknown card', undefined, { model: 'gpt-os-20b' }, 'INFERENCE_UNKNOWN_MODEL', /Did you mean "gpt-oss-20b"/],
  ['a hardware file that is not there', undefined, { hardware: './none.json' }, 'FILE_NOT_FOUND', /none\.json/],
  ['a hardware file that is broken', '{"name" "x"}', { hardware: 'bad.json' }, 'JSON_SYNTAX', /bad\.json, line 1, column 9: .*colon/],
  ['a hardware file that is a scenario', scenario, { hardware: 'bad.json' }, 'SCHEMA_UNKNOWN_KEY', /bad\.json/],
  ['a model file with too many choices', { ...modelCard('gpt-oss-20b'), topK: 33 }, { model: 'bad.json' }, 'MODEL_TOO_MANY_CHOICES', /topK/],
  ['words for a number', undefined, { steps: 'ten' }, 'CLI_USAGE', /--steps takes a whole number, got "ten"/],
  ['a fraction', undefined, { tokensPerDie: '1.5' }, 'CLI_USAGE', /--tokens-per-die takes a whole number/],
  ['no steps', undefined, { steps: '0' }, 'SCHEMA_OUT_OF_RANGE', /workload\.steps .*>= 1, got 0/],
  ['no nodes', undefined, { nodes: '0' }, 'SCHEMA_OUT_OF_RANGE', /execution\.nodes/],
  ['a word for nodes', undefined, { nodes: 'many' }, 'CLI_USAGE', /--nodes takes a whole number or auto/],
  ['an unknown transport', undefined, { transport: 'websockets' }, 'CLI_USAGE', /Did you mean "websocket"/],
  ['an unknown fidelity', undefined, { fidelity: 'flit' }, 'CLI_USAGE', /--fidelity takes packet/],
  ['a negative seed', undefined, { seed: '-1' }, 'SCHEMA_OUT_OF_RANGE', /seed/],
  ['a setting that is none', undefined, { set: ['workload.steps'] }, 'SCENARIO_BAD_SETTING', /key\.path=value/],
  ['a setting without a place', undefined, { set: ['workload.step=1'] }, 'SCENARIO_UNKNOWN_SETTING', /Did you mean "workload\.steps"/],
  ['a setting out of range', undefined, { set: ['workload.steps=-4'] }, 'SCHEMA_OUT_OF_RANGE', /--set workload\.steps=-4/],
  ['a setting into the prototype', undefined, { set: ['__proto__.x=1'] }, 'SCENARIO_UNKNOWN_SETTING', /no such key/],
  ['a setting into an unknown preset', undefined, { hardware: 'flat', set: ['hardware.link.cycles=1'] }, 'HARDWARE_UNKNOWN_PRESET', /flat/],
])('%s is refused', (_, bad, typed, code, message) => {
  if (bad !== undefined) write('bad.json', bad);
  expect(() => load(typed)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) as string }));
});
