import { suggestion } from '@kerf/checks';
import type { RoutingCalibration } from './calibration.ts';
import { TraceError } from './errors.ts';
import { gptOss20b } from './gpt-oss-20b.ts';
import { drawBelow, keyOf, streams } from './random-streams.ts';
import type { RoutingTrace } from './routing-trace.ts';
import { drawRouting } from './synthesize-routing.ts';

/** An order for a synthetic trace: what `kerf trace synthesize` takes. */
export interface SynthesisOptions {
  /** Name of a model that the generator is calibrated for, or a calibration. */
  readonly model: string | RoutingCalibration;
  /** Requests, 1 to 2^20. */
  readonly requests: number;
  /** Tokens of each request, all decode, 1 to 2^20. */
  readonly tokens: number;
  /** Whole number from 0 to 2^53 - 1. The same seed gives the same trace, on every machine. */
  readonly seed: number;
}

/** Version of the generator: another one may draw another trace from the same options. */
export const GENERATOR_VERSION = '1';

const calibrations: Readonly<Record<string, RoutingCalibration>> = { [gptOss20b.model]: gptOss20b };
/** Models that routing can be synthesised for. */
export const calibratedModels: readonly string[] = Object.keys(calibrations);

/** 1.6 GB in memory. */
const MOST_CHOICES = 2 ** 28;
/** Prompts are not generated; their lengths are spread evenly over what the recording has in its middle half and somewhat beyond. */
const SHORTEST_PROMPT = 64;
const PROMPT_SPREAD = 256;

/**
 * A synthetic routing trace with the measured properties of a recorded one: load skew per layer, reuse from token to token,
 * correlation of layers, falling weights. How it is drawn: {@link drawRouting}. Request r is the same however many others there
 * are, and its first tokens however many follow.
 *
 * @throws TraceError `TRACE_UNKNOWN_MODEL`, `TRACE_OPTION`
 */
export function synthesizeRouting(options: SynthesisOptions): RoutingTrace {
  const { requests, tokens, seed } = options;
  const calibration = typeof options.model === 'string' ? calibrationOf(options.model) : options.model;
  checkWhole('requests', requests, 1, 2 ** 20);
  checkWhole('tokens', tokens, 1, 2 ** 20);
  checkWhole('seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const { model, layers, experts, topK } = calibration;
  const choices = requests * tokens * layers.length * topK;
  if (choices > MOST_CHOICES) {
    throw new TraceError('TRACE_OPTION', `Option requests × tokens: expected at most ${Math.floor(MOST_CHOICES / (layers.length * topK))} tokens of ${model} in all, got ${requests * tokens}.`, { option: 'tokens', got: requests * tokens });
  }
  const promptKey = keyOf(seed, streams.prompt);
  return {
    name: `synthetic ${model}`, model, layers: layers.length, experts, topK, tokens: requests * tokens,
    ...drawRouting(calibration, { requests, tokens, seed }),
    requests: Array.from({ length: requests }, (_, request) => ({
      request, firstRow: request * tokens, tokens, firstPosition: SHORTEST_PROMPT + drawBelow(PROMPT_SPREAD, promptKey, request, 0, 0, 0),
    })),
    origin: 'synthetic',
    provenance: {
      note: 'Synthetic: drawn by the routing generator of Kerf, calibrated on measured properties; not recorded from a model.',
      generator: '@kerf/traces synthesizeRouting',
      generatorVersion: GENERATOR_VERSION,
      requests: String(requests),
      tokensPerRequest: String(tokens),
      seed: String(seed),
      licence: 'Apache-2.0',
    },
  };
}

function calibrationOf(model: string): RoutingCalibration {
  if (Object.hasOwn(calibrations, model)) return calibrations[model]!;
  throw new TraceError('TRACE_UNKNOWN_MODEL', `The routing generator has no calibration for "${model}".${suggestion(model, calibratedModels)} Known: ${calibratedModels.join(', ')}.`, { model });
}

function checkWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new TraceError('TRACE_OPTION', `Option ${option}: expected a whole number from ${least} to ${most}, got ${value}.`, { option, expected: `${least} to ${most}`, got: value });
}
