import { TraceError } from './errors.ts';
import type { RoutingTrace } from './routing-trace.ts';

/** What a model must have in common with a trace that is replayed on it. */
export interface ModelShape {
  readonly name: string;
  readonly moeLayers: number;
  readonly experts: number;
  readonly topK: number;
}

/**
 * Refuses to replay a trace on a model with other MoE layers, experts or choices per token. Names are not compared: recorders write
 * `openai/gpt-oss-20b` where a card says `gpt-oss-20b`, and a derived model routes as its parent does.
 *
 * @throws TraceError `TRACE_MODEL_MISMATCH`
 */
export function checkTraceAgainstModel(trace: Pick<RoutingTrace, 'name' | 'model' | 'layers' | 'experts' | 'topK'>, model: ModelShape): void {
  const facts = [
    ['MoE layers', model.moeLayers, trace.layers],
    ['experts per layer', model.experts, trace.experts],
    ['experts per token', model.topK, trace.topK],
  ] as const;
  const differences = facts.filter(([, expected, got]) => expected !== got);
  const first = differences[0];
  if (first === undefined) return;
  const list = differences.map(([fact, expected, got]) => `the model has ${expected} ${fact}, the trace ${got}`).join('; ');
  throw new TraceError('TRACE_MODEL_MISMATCH', `Trace ${trace.name} was recorded from ${trace.model} and does not fit model ${model.name}: ${list}.`, {
    trace: trace.name, recordedModel: trace.model, model: model.name, fact: first[0], expected: first[1], got: first[2],
  });
}
