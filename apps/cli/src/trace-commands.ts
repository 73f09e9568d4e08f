import { join, resolve } from 'node:path';
import { checkTraceAgainstModel, synthesizeRouting, traceWarnings, writeRoutingTrace } from '@kerf/traces';
import { FileSink, FileSource, hashOf, writeError } from '@kerf/node';
import type { Output } from './errors.ts';
import { loadTrace } from './load-trace.ts';
import { makeFolder } from './make-folder.ts';
import { buildScenario, modelOf } from './scenario-options.ts';

export interface SynthesisFlags {
  readonly model: string;
  readonly requests: number;
  readonly tokens: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

/** The one file of a synthetic trace, in its folder. */
const TRACE_FILE = 'trace.arrow';

/** `kerf trace synthesize`: writes a new folder with a synthetic trace. The same options write the same bytes. */
export function traceSynthesize({ model, requests, tokens, seed, out, json }: SynthesisFlags, output: Output): void {
  const trace = synthesizeRouting({ model, requests, tokens, seed });
  const path = join(resolve(out), TRACE_FILE);
  try {
    makeFolder(resolve(out));
  } catch (error) {
    throw writeError(error, out);
  }
  const sink = new FileSink(path);
  writeRoutingTrace(trace, sink);
  sink.close();
  const source = new FileSource(path);
  const sha256 = hashOf(source);
  source.close();
  if (json === true) output.out(`${JSON.stringify({ status: 'complete', path, tokens: trace.tokens, bytes: source.byteLength, sha256 })}\n`);
  else output.out(`${join(out, TRACE_FILE)}: ${trace.tokens} tokens of ${requests} requests, ${trace.layers} layers, ${source.byteLength} bytes\nsha256 ${sha256}\n`);
}

/** `kerf trace info` and `kerf trace check`: reads a trace, which checks it, and says what it holds. */
export function traceInfo(path: string, { model, json }: { readonly model?: string; readonly json?: boolean }, output: Output): void {
  const { trace, sha256 } = loadTrace(resolve(path));
  if (model !== undefined) checkTraceAgainstModel(trace, modelOf(buildScenario({ model }, process.cwd()).workload.model));
  const { name, model: recordedFrom, layers, experts, topK, tokens, requests, origin, provenance } = trace;
  const warnings = traceWarnings(trace);
  if (json === true) {
    output.out(`${JSON.stringify({ status: 'complete', name, model: recordedFrom, layers, experts, topK, tokens, requests: requests.length, origin, provenance, sha256, warnings })}\n`);
    return;
  }
  const lines = [
    ['Trace', `${name} (${origin})`],
    ['Model', `${recordedFrom}: ${layers} MoE layers, ${experts} experts, top-${topK}`],
    ['Tokens', `${tokens} of ${requests.length} requests`],
    ['SHA-256', sha256],
    ...Object.entries(provenance),
    ...warnings.map((warning) => ['Warning', warning]),
  ];
  for (const [label = '', text = ''] of lines) output.out(`${label.padEnd(18)}${text}\n`);
}
