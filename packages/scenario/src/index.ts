export { defaultScenario } from './default-scenario.ts';
export { ScenarioError, type ScenarioErrorCode } from './errors.ts';
export { modelCardSchema, modelCardSchemaFile, type ModelCard } from './model-card.ts';
export { parseModelCard } from './parse-model-card.ts';
export { parseScenario } from './parse-scenario.ts';
export { scenarioSchema, scenarioSchemaFile, type Scenario } from './scenario.ts';
export { applySetting, applySettings, type SettingResolvers } from './settings.ts';
