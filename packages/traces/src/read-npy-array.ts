import type { ByteSource } from '@kerf/arrow';
import { TraceError } from './errors.ts';
import { readChoiceShape, readExpertIds } from './read-npy-choices.ts';
import type { RoutingTrace } from './routing-trace.ts';

/** What an array of routed experts does not say about itself. */
export interface RecordedModel {
  readonly model: string;
  readonly experts: number;
  /** How many of the first rows are of the prompt; 0 if absent. */
  readonly promptTokens?: number;
}

/**
 * A bare array of routed experts [tokens, layers, topK], as inference engines hand out for one request: all its rows are one
 * request from position 0 on. Recorders differ in what the layer axis counts; here it is MoE layers.
 *
 * @throws TraceError `TRACE_MODEL_FACTS` without the model's facts; as {@link readChoiceShape} and {@link readExpertIds}
 */
export function readNpyArrayTrace(name: string, source: ByteSource, facts: RecordedModel | undefined): RoutingTrace {
  const shape = readChoiceShape(source, 'ids');
  if (facts === undefined) {
    throw new TraceError('TRACE_MODEL_FACTS', `${source.name}: an array of routed experts does not say of which model; expected a model to be named, got none.`, { file: source.name });
  }
  const { model, experts, promptTokens = 0 } = facts;
  if (!(experts >= shape.topK)) {
    throw new TraceError('TRACE_MODEL_FACTS', `${source.name}: expected at most ${experts} choices per token, the experts of ${model}, got ${shape.topK}.`, { file: source.name, expected: experts, got: shape.topK });
  }
  if (!(promptTokens >= 0 && promptTokens <= shape.rows)) {
    throw new TraceError('TRACE_MODEL_FACTS', `${source.name}: expected a prompt of 0 to ${shape.rows} tokens, got ${promptTokens}.`, { file: source.name, expected: shape.rows, got: promptTokens });
  }
  return {
    name, model, experts, layers: shape.layers, topK: shape.topK, tokens: shape.rows,
    expertIds: readExpertIds(source, shape, experts),
    weights: undefined,
    requests: [{ request: 0, firstRow: 0, tokens: shape.rows, firstPosition: 0, ...(promptTokens > 0 ? { prefillTokens: promptTokens } : {}) }],
    origin: 'recorded',
    provenance: { format: 'npy array' },
  };
}
