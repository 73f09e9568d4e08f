import type { ColumnSpec, TableSpec } from '@kerf/arrow';
import type { RoutingTrace } from './routing-trace.ts';

/** Name of the table, and what tells a routing trace from other Arrow tables. */
export const TRACE_TABLE = 'routing';
export const TRACE_FORMAT_VERSION = '1';
/** Provenance is kept in the table's metadata under names of its own. */
export const PROVENANCE = 'provenance.';
export const phases = ['prefill', 'decode'] as const;

/** Columns of a trace: one row per token and layer, tokens in the order of their requests, layers rising. */
export function traceColumns(topK: number, withWeights: boolean, withRanks: boolean): ColumnSpec[] {
  const slots = Array.from({ length: topK }, (_, slot) => slot);
  return [
    { name: 'request', type: 'u32', unit: '', description: 'number of the request' },
    { name: 'position', type: 'u32', unit: 'tokens', description: 'position of the token in its sequence, prompt included' },
    { name: 'forwardPass', type: 'u32', unit: '', description: 'forward pass that computed the token; of requests that ran alone, the row within the request' },
    { name: 'phase', type: 'name', unit: '', description: 'prefill: a token of the prompt; decode: a generated one', names: phases },
    { name: 'layer', type: 'u16', unit: '', description: 'MoE layer, dense layers not counted' },
    ...(withRanks ? [{ name: 'sourceRank', type: 'u16', unit: '', description: 'rank whose batch held the token' } as const] : []),
    ...slots.map((slot) => ({ name: `expert${slot}`, type: 'u16', unit: '', description: `logical expert with the ${ordinal(slot)} weight` }) as const),
    ...(withWeights ? slots.map((slot) => ({ name: `weight${slot}`, type: 'f32', unit: '1', description: `routing weight of expert${slot}; a token's weights sum to 1` }) as const) : []),
  ];
}

/** The table that holds a trace. */
export function traceTable(trace: RoutingTrace): TableSpec {
  return {
    name: TRACE_TABLE,
    columns: traceColumns(trace.topK, trace.weights !== undefined, trace.sourceRanks !== undefined),
    metadata: {
      formatVersion: TRACE_FORMAT_VERSION,
      model: trace.model,
      layers: String(trace.layers),
      experts: String(trace.experts),
      topK: String(trace.topK),
      tokens: String(trace.tokens),
      origin: trace.origin,
      ...Object.fromEntries(Object.entries(trace.provenance).map(([key, value]) => [PROVENANCE + key, value])),
    },
  };
}

function ordinal(slot: number): string {
  return ['largest', 'second', 'third'][slot] ?? `${slot + 1}th`;
}
