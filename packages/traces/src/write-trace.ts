import { TableWriter, type ByteSink } from '@kerf/arrow';
import type { RoutingTrace } from './routing-trace.ts';
import { phases, traceTable } from './trace-table.ts';

/**
 * Writes a trace as an Arrow IPC file, one row per token and layer; {@link readRoutingTrace} gives the same trace back. The bytes
 * depend on the trace alone (its name is not written).
 */
export function writeRoutingTrace(trace: RoutingTrace, sink: ByteSink): void {
  const { layers, topK, expertIds, weights, forwardPasses, sourceRanks } = trace;
  const spec = traceTable(trace);
  const writer = new TableWriter(spec, sink, { format: 'file' });
  const column = Object.fromEntries(spec.columns.map(({ name }, index) => [name, index]));
  const rank = column['sourceRank'];
  const expert = column['expert0']!;
  const weight = column['weight0'];
  for (const { request, firstRow, tokens, firstPosition, prefillTokens = 0 } of trace.requests) {
    for (let token = 0; token < tokens; token++) {
      const row = firstRow + token;
      const phase = phases.indexOf(token < prefillTokens ? 'prefill' : 'decode');
      for (let layer = 0; layer < layers; layer++) {
        writer.set(column['request']!, request);
        writer.set(column['position']!, firstPosition + token);
        writer.set(column['forwardPass']!, forwardPasses?.[row] ?? token);
        writer.set(column['phase']!, phase);
        writer.set(column['layer']!, layer);
        if (rank !== undefined) writer.set(rank, sourceRanks![row]!);
        const at = (row * layers + layer) * topK;
        for (let slot = 0; slot < topK; slot++) {
          writer.set(expert + slot, expertIds[at + slot]!);
          if (weight !== undefined) writer.set(weight + slot, weights![at + slot]!);
        }
        writer.endRow();
      }
    }
  }
  writer.finish();
}
