import { loadByLayer } from './measure.ts';
import type { RoutingTrace } from './routing-trace.ts';

/** A trace of fewer tokens says nothing about how experts are shared. */
const ENOUGH_TOKENS = 64;
const DEGENERATE_SHARE = 0.9;

/**
 * What is suspicious about a trace though nothing in it is wrong, as sentences: layers where nearly every token chose the same
 * expert (a sign of a dump that was never filled, or of a warm-up with dummy tokens), and outputs that loop.
 */
export function traceWarnings(trace: RoutingTrace): readonly string[] {
  const warnings: string[] = [];
  const load = loadByLayer(trace);
  if (trace.tokens >= ENOUGH_TOKENS && trace.topK < trace.experts) {
    const degenerate = Array.from({ length: trace.layers }, (_, layer) => layer).filter((layer) =>
      load.subarray(layer * trace.experts, (layer + 1) * trace.experts).some((tokens) => tokens > DEGENERATE_SHARE * trace.tokens));
    if (degenerate.length > 0) {
      warnings.push(`In ${degenerate.length} of ${trace.layers} layers (${degenerate.slice(0, 8).join(', ')}${degenerate.length > 8 ? ', …' : ''}) one expert is chosen by more than 90 % of the tokens: was the recording filled, and without warm-up?`);
    }
  }
  const looping = Number(trace.provenance['loopingRequests'] ?? 0);
  if (looping > 0) warnings.push(`The recorder marked ${looping} of ${trace.requests.length} requests as looping: they repeat the same experts more than others.`);
  return warnings;
}
