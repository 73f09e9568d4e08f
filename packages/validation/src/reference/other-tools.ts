import { Type, type Static } from '@sinclair/typebox';
import { asObject, checkRow, fileObject, listIn, nameOf, rowName, toolOf, type References } from './references.ts';

const astraSchema = Type.Object({
  backend: Type.String({ minLength: 1, description: 'Network model, such as "congestion_aware".' }),
  collective: Type.String({ minLength: 1, description: 'Collective, such as "all_reduce".' }),
  size_MB: Type.Number({ exclusiveMinimum: 0, description: 'Bytes per NPU, in 2^20 bytes.' }),
  topology: Type.String({ minLength: 1, description: 'Topology, such as "Ring".' }),
  npus: Type.Integer({ minimum: 2, description: 'NPUs, 2 or more.' }),
  algorithm: Type.String({ minLength: 1, description: 'Algorithm, such as "ring".' }),
  status: Type.Union([Type.Literal('ok'), Type.Literal('timeout')], { description: 'How the run ended.' }),
  simulated_ns: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'Simulated time, ns.' })),
});
export type AstraRow = Static<typeof astraSchema>;

/** `astra-sim.json`, checked; undefined when it is not there. */
export function readAstra(references: References): { readonly tool: string; readonly rows: readonly AstraRow[] } | undefined {
  const file = fileObject(references, 'astra-sim.json');
  if (file === undefined) return undefined;
  const name = nameOf(references, 'astra-sim.json');
  return { tool: toolOf(file, name), rows: listIn(file, 'rows', name).map((row, index) => checkRow(astraSchema, row, rowName(name, 'rows', index))) };
}

const eplbSchema = Type.Object({
  name: Type.String({ minLength: 1, description: 'Name of the case.' }),
  num_replicas: Type.Integer({ minimum: 1, description: 'Physical experts.' }),
  num_groups: Type.Integer({ minimum: 1, description: 'Expert groups.' }),
  num_nodes: Type.Integer({ minimum: 1, description: 'Nodes.' }),
  num_gpus: Type.Integer({ minimum: 1, description: 'GPUs.' }),
  weight: Type.Optional(Type.Array(Type.Array(Type.Number({ minimum: 0 })), { description: '[layers, experts] load.' })),
  weight_ref: Type.Optional(Type.Object({
    file: Type.String({ minLength: 1, description: 'Recording that holds the load, relative to the folder above.' }),
    key: Type.String({ minLength: 1, description: 'Key in the recording.' }),
    layers: Type.Array(Type.Integer({ minimum: 0 }), { description: 'Rows of the recording.' }),
  })),
});
export type EplbCase = Static<typeof eplbSchema>;

/** `eplb.json`, checked; undefined when it is not there. */
export function readEplb(references: References): { readonly source: string; readonly cases: readonly EplbCase[] } | undefined {
  const file = fileObject(references, 'eplb.json');
  if (file === undefined) return undefined;
  const name = nameOf(references, 'eplb.json');
  const source = typeof file['source'] === 'string' ? file['source'] : '';
  return {
    source: source.split(/[.\s]*(?:\n|\(MIT\))/)[0] ?? source,
    cases: listIn(file, 'cases', name).map((row, index) => checkRow(eplbSchema, asObject(row, rowName(name, 'cases', index), 'a case'), rowName(name, 'cases', index, (row as { name?: unknown }).name))),
  };
}
