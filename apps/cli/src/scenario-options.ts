import { dirname, resolve } from 'node:path';
import { suggestion } from '@kerf/checks';
import { parseHardware, presetHardware, presets, type Hardware } from '@kerf/hardware';
import { modelCard, modelCardNames } from '@kerf/inference';
import { applySettings, defaultScenario, parseModelCard, parseScenario, type ModelCard, type Scenario } from '@kerf/scenario';
import { CliError } from './errors.ts';
import { isFile, readJson } from './files.ts';

/** What a person wrote behind `kerf run`: text, as it stands. */
export interface ScenarioOptions {
  readonly scenarioFile?: string;
  readonly trace?: string;
  readonly hardware?: string;
  readonly model?: string;
  readonly steps?: string;
  readonly tokensPerDie?: string;
  readonly nodes?: string;
  readonly transport?: string;
  readonly fidelity?: string;
  readonly seed?: string;
  readonly binCycles?: string;
  readonly out?: string;
  /** `key.path=value`, in the order in which they came. */
  readonly set?: readonly string[];
}

type Execution = NonNullable<Scenario['execution']>;
/** A scenario with nothing left open: paths are absolute, and how it is carried out is written down. */
export type CompleteScenario = Scenario & { readonly execution: Execution };

/**
 * The scenario that a command line means: the file, or else the defaults, then the flags, then the settings. Paths in a
 * scenario file are relative to that file, all others to `folder`; the result has absolute ones, so that it means the same
 * wherever it is read again. Feeding it back gives it again.
 *
 * @throws KerfError for whatever a person got wrong
 */
export function buildScenario(options: ScenarioOptions, folder: string): CompleteScenario {
  const { scenarioFile } = options;
  const base = scenarioFile === undefined ? defaultScenario() : readScenario(resolve(folder, scenarioFile), scenarioFile);
  const source = scenarioFile === undefined ? 'command line' : `${scenarioFile} with flags`;
  const flagged = absolute(complete(parseScenario(withFlags(base, options), source)), folder);
  const settings = options.set ?? [];
  if (settings.length === 0) return flagged;
  const resolvers = {
    hardware: (name: string) => hardwareOf(absoluteName(name, presets, folder)),
    model: (name: string) => modelOf(absoluteModelName(name, folder)),
  };
  return absolute(complete(applySettings(flagged, settings, resolvers)), folder);
}

/** The machine of a scenario. Throws HardwareError `HARDWARE_UNKNOWN_PRESET` with the nearest name, and what reading a file throws. */
export function hardwareOf(hardware: Scenario['hardware']): Hardware {
  if (typeof hardware !== 'string') return parseHardware(hardware, 'hardware');
  if (Object.hasOwn(presets, hardware) || !looksLikeFile(hardware)) return presetHardware(hardware);
  return parseHardware(readJson(hardware), hardware);
}

/** The model of a scenario. Throws InferenceError `INFERENCE_UNKNOWN_MODEL` with the nearest name, and what reading a file throws. */
export function modelOf(model: Scenario['workload']['model']): ModelCard {
  if (typeof model !== 'string') return model;
  if (modelCardNames.includes(model) || !looksLikeFile(model)) return modelCard(model);
  return parseModelCard(readJson(model), model);
}

function readScenario(path: string, name: string): Scenario {
  return absolute(parseScenario(readJson(path), name), dirname(path));
}

function withFlags(base: Scenario, options: ScenarioOptions): Scenario {
  const { trace, hardware, model, fidelity, out } = options;
  const steps = wholeNumber('--steps', options.steps);
  const tokensPerDie = wholeNumber('--tokens-per-die', options.tokensPerDie);
  const seed = wholeNumber('--seed', options.seed);
  const binCycles = wholeNumber('--bin-cycles', options.binCycles);
  const nodes = options.nodes === 'auto' ? options.nodes : wholeNumber('--nodes', options.nodes, ' or auto');
  const transport = choice('--transport', options.transport, ['websocket', 'memory', 'auto']);
  return {
    ...base,
    ...given({ hardware, seed, fidelity: choice('--fidelity', fidelity, ['packet']) }),
    workload: { ...base.workload, ...given({ trace, model, steps, tokensPerDie }) },
    output: { ...base.output, ...given({ directory: out, binCycles }) },
    execution: { ...executionOf(base), ...given({ nodes, transport }) },
  };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Only the entries that were given. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** Ranges are the schema's business; that it is a number at all is ours, since a flag is text. */
function wholeNumber(flag: string, text: string | undefined, alternative = ''): number | undefined {
  if (text === undefined) return undefined;
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  throw new CliError('CLI_USAGE', `${flag} takes a whole number${alternative}, got "${text}".`, { flag, got: text });
}

function choice<T extends string>(flag: string, text: string | undefined, known: readonly T[]): T | undefined {
  const found = known.find((word) => word === text);
  if (text === undefined || found !== undefined) return found;
  throw new CliError('CLI_USAGE', `${flag} takes ${known.join(', ')}, got "${text}".${suggestion(text, known)}`, { flag, got: text });
}

function executionOf(scenario: Scenario): Execution {
  return scenario.execution ?? defaultScenario().execution!;
}

function complete(scenario: Scenario): CompleteScenario {
  return { ...scenario, execution: executionOf(scenario) };
}

/** The same scenario with paths that do not depend on where one stands. */
function absolute<S extends Scenario>(scenario: S, folder: string): S {
  const { hardware, workload, output } = scenario;
  return {
    ...scenario,
    hardware: typeof hardware === 'string' ? absoluteName(hardware, presets, folder) : hardware,
    workload: {
      ...workload,
      trace: resolve(folder, workload.trace),
      model: typeof workload.model === 'string' ? absoluteModelName(workload.model, folder) : workload.model,
    },
    output: output.directory === undefined ? output : { ...output, directory: resolve(folder, output.directory) },
  };
}

function absoluteModelName(name: string, folder: string): string {
  return absoluteName(name, Object.fromEntries(modelCardNames.map((known) => [known, true])), folder);
}

/** A known name stays a name; of the rest, what is a file or can only be meant as one becomes its path. */
function absoluteName(name: string, known: Readonly<Record<string, unknown>>, folder: string): string {
  if (Object.hasOwn(known, name)) return name;
  return looksLikeFile(name) || isFile(resolve(folder, name)) ? resolve(folder, name) : name;
}

function looksLikeFile(name: string): boolean {
  return /[/\\]|\.json$/.test(name);
}
