import { presetHardware, presets, type Hardware } from '@kerf/hardware';
import { ScenarioError } from './errors.ts';
import { entryOf, nearestPath, typesOf, type SchemaNode } from './known-keys.ts';
import type { ModelCard } from './model-card.ts';
import { parseScenario } from './parse-scenario.ts';
import { scenarioSchema, type Scenario } from './scenario.ts';

/** How a name is looked up when a setting reaches into what it stands for; undefined where there is no such thing. */
export interface SettingResolvers {
  /** Without it, presets are known and files are not. */
  readonly hardware?: (name: string) => Hardware | undefined;
  /** Without it, no model is known by its name. */
  readonly model?: (name: string) => ModelCard | undefined;
}

/** {@link applySettings} for one of them. */
export function applySetting(scenario: Scenario, setting: string, resolvers?: SettingResolvers): Scenario {
  return applySettings(scenario, [setting], resolvers);
}

/**
 * The scenario with values replaced, as `--set` does it: `key.path=value`, one after the other, entries of lists by
 * their number. A value is JSON when it parses and fits, else the text as it stands. A path that reaches into a machine
 * or model that is only named puts the machine or model in its place first. The result is checked once, at the end, so
 * that settings may depend on each other; the scenario that is given stays as it was.
 *
 * @throws ScenarioError `SCENARIO_BAD_SETTING` for what is no `key.path=value`
 * @throws ScenarioError `SCENARIO_UNKNOWN_SETTING` for a path that no scenario has, with the nearest one
 * @throws ScenarioError `SCENARIO_NEEDS_INLINE` for a path into a name that cannot be looked up
 * @throws whatever {@link parseScenario} throws for the result
 */
export function applySettings(scenario: Scenario, settings: readonly string[], resolvers: SettingResolvers = {}): Scenario {
  const changed = JSON.parse(JSON.stringify(scenario)) as Container;
  for (const setting of settings) set(changed, setting, resolvers);
  return parseScenario(changed, settings.map((setting) => `--set ${setting}`).join(' '));
}

type Container = Record<string, unknown>;

function set(root: Container, setting: string, resolvers: SettingResolvers): void {
  const equals = setting.indexOf('=');
  const path = setting.slice(0, equals).trim();
  if (equals === -1 || path.split('.').includes('')) {
    const message = `--set wants key.path=value, for example workload.steps=8, got "${setting}".`;
    throw new ScenarioError('SCENARIO_BAD_SETTING', message, { source: '--set', expected: 'key.path=value', got: setting });
  }
  const keys = path.split('.');
  let holder = root;
  let schema: SchemaNode = scenarioSchema;
  for (const [depth, key] of keys.entries()) {
    const inner = innerSchema(schema, holder, key);
    if (inner === undefined) throw unknownKey(path, keys.slice(0, depth), schema, holder);
    if (depth === keys.length - 1) holder[key] = valueFor(inner, setting.slice(equals + 1));
    else holder = enter(inner, holder, key, keys.slice(0, depth + 1).join('.'), path, resolvers);
    schema = inner;
  }
}

/** The schema behind a key that the holder may have; of a list, only entries that are there. */
function innerSchema(schema: SchemaNode, holder: Container, key: string): SchemaNode | undefined {
  if (Array.isArray(holder)) return /^\d+$/.test(key) && Number(key) < holder.length ? entryOf(schema, Number(key)) : undefined;
  const { properties = {} } = schema;
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** What lies behind a key and has keys of its own; a name makes way for what it stands for, and what is absent begins empty. */
function enter(schema: SchemaNode, holder: Container, key: string, at: string, path: string, resolvers: SettingResolvers): Container {
  const here = holder[key];
  if (typeof here === 'object' && here !== null) return here as Container;
  if (here === undefined && typesOf(schema).includes('object')) return (holder[key] = {});
  const inline = typeof here === 'string' ? resolve(at, here, resolvers) : undefined;
  if (inline !== undefined) return (holder[key] = JSON.parse(JSON.stringify(inline)) as Container);
  throw cannotEnter(path, at, here);
}

function resolve(at: string, name: string, resolvers: SettingResolvers): Hardware | ModelCard | undefined {
  if (at === 'hardware') return resolvers.hardware?.(name) ?? (Object.hasOwn(presets, name) ? presetHardware(name) : undefined);
  if (at === 'workload.model') return resolvers.model?.(name);
  return undefined;
}

/** JSON when it parses and the schema takes its type; else the text, so that a name may look like a number. */
function valueFor(schema: SchemaNode, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  const types = typesOf(schema);
  return types.includes('string') && !types.some((type) => isOfType(value, type)) ? text : value;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  if (type === 'integer') return typeof value === 'number';
  return typeof value === type;
}

function unknownKey(path: string, above: readonly string[], schema: SchemaNode, holder: Container): ScenarioError {
  const at = above.length === 0 ? 'a scenario' : above.join('.');
  const keys = Object.keys(schema.properties ?? {});
  const entries = `${at} has entries 0 to ${Object.keys(holder).length - 1}`;
  const expected = Array.isArray(holder) ? entries : `${at} has ${keys.join(', ')}`;
  const nearest = nearestPath(scenarioSchema, path);
  const hint = nearest === undefined || nearest === path ? '' : ` Did you mean "${nearest}"?`;
  const message = `--set ${path}: there is no such key.${hint} What there is: ${expected}.`;
  return new ScenarioError('SCENARIO_UNKNOWN_SETTING', message, { source: '--set', path, expected, got: path });
}

function cannotEnter(path: string, at: string, here: unknown): ScenarioError {
  const got = JSON.stringify(here) ?? 'nothing';
  const context = { source: '--set', path, expected: `an object at ${at}`, got };
  if (typeof here === 'string' && at === 'hardware') {
    const message = `--set ${path}: hardware is ${got}, which is no preset (${Object.keys(presets).join(', ')}). Write the machine out in the scenario, or change the hardware file itself.`;
    return new ScenarioError('SCENARIO_NEEDS_INLINE', message, context);
  }
  if (typeof here === 'string' && at === 'workload.model') {
    const message = `--set ${path}: workload.model is only the name ${got}. Write the card out in the scenario, or name a card file with the value changed.`;
    return new ScenarioError('SCENARIO_NEEDS_INLINE', message, context);
  }
  const message = `--set ${path}: ${at} is ${got} and has no keys to set. Set ${at} as a whole, as JSON.`;
  return new ScenarioError('SCENARIO_UNKNOWN_SETTING', message, context);
}
