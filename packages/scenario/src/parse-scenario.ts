import { checkSchema } from '@kerf/checks';
import { crossCheckHardware, firstLook } from '@kerf/hardware';
import { checkFormatVersion } from './format-version.ts';
import { modelCardFormat } from './model-card.ts';
import { crossCheckModelCard } from './parse-model-card.ts';
import { scenarioFormat, scenarioSchema, type Scenario } from './scenario.ts';

/**
 * Takes the contents of a scenario file for a run, or says what is wrong with it. Nothing is filled in. A machine or
 * model that is written out is checked as in a file of its own; one that is named is left to whoever looks it up.
 *
 * @param value parsed JSON
 * @param source what a person calls it: a file name, `--set …`
 * @throws SchemaError for a wrong shape: an unknown, missing or mistyped key, a number out of its range
 * @throws ScenarioError for another format version, or a model whose parts do not fit together
 * @throws HardwareError for a machine whose parts do not fit together
 */
export function parseScenario(value: unknown, source: string): Scenario {
  checkFormatVersion(scenarioFormat, value, source);
  const { hardware: machine, workload } = fieldsOf(value);
  firstLook(machine, source, 'hardware');
  checkFormatVersion(modelCardFormat, fieldsOf(workload)['model'], source, 'workload.model');

  const scenario: Scenario = checkSchema(scenarioSchema, value, source);
  const { hardware, workload: { model } } = scenario;
  if (typeof hardware !== 'string') crossCheckHardware(hardware, source, 'hardware');
  if (typeof model !== 'string') crossCheckModelCard(model, source, 'workload.model');
  return scenario;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
