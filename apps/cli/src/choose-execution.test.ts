import { presetHardware } from '@kerf/hardware';
import { modelCard } from '@kerf/inference';
import { defaultScenario, type Scenario } from '@kerf/scenario';
import { expect, test } from 'vitest';
import { chooseExecution, type ExecutionChoice } from './choose-execution.ts';

const model = modelCard('gpt-oss-20b');
function choose(preset: string, tokensPerDie: number, execution: Scenario['execution'], cores = 2): ExecutionChoice {
  const scenario = defaultScenario();
  return chooseExecution({ ...scenario, workload: { ...scenario.workload, tokensPerDie }, execution: execution! }, presetHardware(preset), model, cores);
}
const auto = { nodes: 'auto', transport: 'auto' } as const;

test('what was asked for is obeyed, also where it does not pay', () => {
  expect(choose('flat-wafer-8', 1, { nodes: 8, transport: 'memory' })).toEqual({ nodes: 8, transport: 'memory' });
  expect(choose('flat-wafer-8', 1, { nodes: 1, transport: 'websocket' })).toEqual({ nodes: 1, transport: 'websocket' });
});

test('auto cuts a wafer with much traffic over the cores, and leaves little traffic in one process', () => {
  expect(choose('flat-wafer-64', 256, auto)).toEqual({ nodes: 2, transport: 'websocket' });
  expect(choose('flat-wafer-64', 256, auto, 1)).toEqual({ nodes: 1, transport: 'memory' });
  expect(choose('flat-wafer-8', 1, auto, 8)).toEqual({ nodes: 1, transport: 'memory' });
});

test('one die is never cut', () => {
  expect(choose('mesh-8x8', 4096, auto, 8)).toEqual({ nodes: 1, transport: 'memory' });
});

test('as many processes as dies are taken, one more is refused', () => {
  expect(choose('flat-wafer-8', 1, { nodes: 8, transport: 'auto' }).nodes).toBe(8);
  expect(() => choose('flat-wafer-8', 1, { nodes: 9, transport: 'auto' })).toThrow(/9 node processes are more than the 8 dies of flat-wafer-8/);
});
