import { presetHardware, presets } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultScenario } from './default-scenario.ts';
import { pathsOf } from './known-keys.ts';
import type { ModelCard } from './model-card.ts';
import { scenarioSchema } from './scenario.ts';
import { applySetting, applySettings } from './settings.ts';

const card: ModelCard = {
  formatVersion: 1, name: 'tiny', source: 'made up', hiddenWidth: 64, layers: 2, firstMoeLayer: 0, moeLayers: 2, experts: 4, topK: 2,
  expertIntermediateWidth: 64, expertMatrices: 3, sharedExperts: 0, activationBytes: 2, combineBytes: 2, weightBits: 4.25, computeType: 'fp16',
};
const inline = { ...defaultScenario(), hardware: presetHardware('flat-wafer-64'), workload: { ...defaultScenario().workload, model: card } };
const paths = pathsOf(scenarioSchema);

test('setting a value to what it is changes nothing, at every path that holds one', () => {
  fc.assert(fc.property(fc.constantFrom(...paths, 'hardware.d2d.gateways.3.x', 'hardware.d2d.link.bytesPerCycle.0'), (path) => {
    const value = valueAt(inline, path);
    fc.pre(value !== undefined);
    expect(applySetting(inline, `${path}=${JSON.stringify(value)}`)).toEqual(inline);
  }));
});

test('a letter left out at any level of any path is refused, and the path that was meant is named', () => {
  for (const path of paths.filter((known) => valueAt(inline, known) !== undefined)) {
    for (const [level, key] of path.split('.').entries()) {
      const typo = key.slice(0, 1) + key.slice(2);
      const typed = path.split('.').with(level, typo).join('.');
      // "est" is as near to west as to east.
      const meant = paths.filter((known) => known.length === typed.length + 1 && [...known].some((_, at) => known.slice(0, at) + known.slice(at + 1) === typed));
      const names = meant.map((known) => `"${known.replaceAll('.', '\\.')}"`).join('|');
      expect(meant).toContain(path);
      expect(() => applySetting(inline, `${typed}=1`), typed).toThrow(expect.objectContaining({ code: 'SCENARIO_UNKNOWN_SETTING', message: expect.stringMatching(`Did you mean (${names})\\?`) }));
    }
  }
});

test('the scenario that is given stays as it was', () => {
  const scenario = defaultScenario();
  applySettings(scenario, ['workload.steps=9', 'hardware.link.cycles=2']);
  expect(scenario).toEqual(defaultScenario());
});

test('settings apply one after the other, and only the result is checked', () => {
  const lane = { bytesPerCycle: [256, 3], cycles: 8, picojoulesPerByteHop: 1 };
  const { hardware } = applySettings({ ...defaultScenario(), hardware: 'mesh-8x8' }, ['hardware.wafer.diesX=2', `hardware.d2d={"shape":"edge","link":${JSON.stringify(lane)}}`, 'hardware.d2d.link.cycles=9']);
  expect(hardware).toMatchObject({ wafer: { diesX: 2 }, d2d: { link: { ...lane, cycles: 9 } } });
});

test('a path into a preset writes the machine out; the preset itself stays', () => {
  const { hardware } = applySetting(defaultScenario(), 'hardware.link.cycles=3');
  expect(hardware).toEqual({ ...presetHardware('flat-wafer-8'), link: { ...presetHardware('flat-wafer-8').link, cycles: 3 } });
  expect(presets['flat-wafer-8']!.link.cycles).toBe(1);
});

test('a path into a named model or file asks the resolver, and without one says what to do', () => {
  const resolvers = { model: (name: string) => (name === 'gpt-oss-20b' ? card : undefined), hardware: (name: string) => (name === 'my.json' ? presetHardware('mesh-8x8') : undefined) };
  expect(applySetting(defaultScenario(), 'workload.model.topK=1', resolvers).workload.model).toEqual({ ...card, topK: 1 });
  expect(applySetting({ ...defaultScenario(), hardware: 'my.json' }, 'hardware.link.cycles=2', resolvers).hardware).toMatchObject({ name: 'mesh-8x8', link: { cycles: 2 } });
  expect(() => applySetting(defaultScenario(), 'workload.model.topK=1')).toThrow('--set workload.model.topK: workload.model is only the name "gpt-oss-20b". Write the card out in the scenario, or name a card file');
  expect(() => applySetting({ ...defaultScenario(), hardware: 'my.json' }, 'hardware.link.cycles=2')).toThrow(expect.objectContaining({ code: 'SCENARIO_NEEDS_INLINE', message: expect.stringContaining('hardware is "my.json", which is no preset (mesh-8x8, ') }));
});

test.each<[string, string, unknown]>([
  ['workload.steps=8', 'workload.steps', 8],
  ['hardware=mesh-8x8', 'hardware', 'mesh-8x8'],
  ['hardware="mesh-8x8"', 'hardware', 'mesh-8x8'],
  ['workload.trace=2024', 'workload.trace', '2024'], // a name that looks like a number
  ['workload.trace=a=b', 'workload.trace', 'a=b'],
  ['output.directory=runs/007', 'output.directory', 'runs/007'], // a key that was absent
  ['execution.nodes=2', 'execution.nodes', 2],
  ['execution.nodes=auto', 'execution.nodes', 'auto'],
  ['hardware.d2d.link.bytesPerCycle=[829,10]', 'hardware.d2d.link.bytesPerCycle', [829, 10]],
  ['hardware.d2d.link.bytesPerCycle.1=7', 'hardware.d2d.link.bytesPerCycle', [256, 7]],
])('--set %s', (setting, path, value) => {
  expect(valueAt(applySetting(defaultScenario(), setting), path)).toEqual(value);
});

test.each<[string, string, string]>([
  ['workload.steps', 'SCENARIO_BAD_SETTING', '--set wants key.path=value, for example workload.steps=8, got "workload.steps".'],
  ['=3', 'SCENARIO_BAD_SETTING', 'got "=3"'],
  ['a..b=3', 'SCENARIO_BAD_SETTING', 'got "a..b=3"'],
  ['steps=8', 'SCENARIO_UNKNOWN_SETTING', 'Did you mean "workload.steps"?'],
  ['step=8', 'SCENARIO_UNKNOWN_SETTING', 'Did you mean "workload.steps"?'],
  ['workload.nodes=8', 'SCENARIO_UNKNOWN_SETTING', 'Did you mean "execution.nodes"?'],
  ['zzzzzz=8', 'SCENARIO_UNKNOWN_SETTING', '--set zzzzzz: there is no such key. What there is: a scenario has formatVersion, hardware,'],
  ['__proto__.polluted=1', 'SCENARIO_UNKNOWN_SETTING', 'there is no such key'],
  ['hardware.constructor=1', 'SCENARIO_UNKNOWN_SETTING', 'hardware has formatVersion, name,'],
  ['workload.steps.x=3', 'SCENARIO_UNKNOWN_SETTING', 'workload.steps is 4 and has no keys to set'],
  ['hardware.d2d.link.bytesPerCycle.2=1', 'SCENARIO_UNKNOWN_SETTING', 'hardware.d2d.link.bytesPerCycle has entries 0 to 1'],
  ['workload.steps=0', 'SCHEMA_OUT_OF_RANGE', '--set workload.steps=0: workload.steps must be >= 1, got 0'],
  ['workload.steps=many', 'SCHEMA_WRONG_TYPE', '--set workload.steps=many: workload.steps must be of type integer, got "many"'],
  ['hardware.d2d=null', 'HARDWARE_BAD_D2D', 'hardware.d2d must be an object'],
])('--set %s is refused', (setting, code, message) => {
  expect(() => applySetting(defaultScenario(), setting)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((here, key) => (here as Record<string, unknown> | undefined)?.[key], value);
}
