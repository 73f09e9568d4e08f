import { Type, type Static } from '@sinclair/typebox';
import { ValidationError } from '../errors.ts';
import { asObject, checkRow, fileObject, listIn, nameOf, rowName, toolOf, type JsonObject, type References } from './references.ts';

const FILE = 'booksim2-mesh.json';

const rate = (what: string) => Type.Number({ exclusiveMinimum: 0, maximum: 16, description: `${what}, flits per node and cycle, above 0.` });

const rowSchema = Type.Object({
  size: Type.String({ pattern: '^[1-9][0-9]{0,3}x[1-9][0-9]{0,3}$', description: 'Mesh, columns x rows, such as "8x8".' }),
  pipeline: Type.String({ minLength: 1, description: 'Key of source.parameters.pipelines, such as "A".' }),
  num_vcs: Type.Integer({ minimum: 1, maximum: 16, description: 'Virtual channels per input port, 1 to 16.' }),
  packet_size: Type.Integer({ minimum: 1, maximum: 4096, description: 'Flits per packet, 1 or more.' }),
  pattern: Type.String({ minLength: 1, description: 'Traffic pattern, such as "uniform".' }),
  offered_flit_rate: rate('Offered load'),
  mode: Type.Union([Type.Literal('latency'), Type.Literal('throughput')], { description: 'What was measured.' }),
  status: Type.Union([Type.Literal('stable'), Type.Literal('saturated'), Type.Literal('throughput')], { description: 'How the run ended.' }),
  ideal_bound: rate('Load at which the busiest link is always busy'),
  sample_period: Type.Integer({ minimum: 1, maximum: 1e9, description: 'Cycles of a sample period.' }),
});
const stableSchema = Type.Object({
  packet_latency: Type.Number({ exclusiveMinimum: 0, description: 'Mean packet latency, cycles.' }),
  cycles: Type.Number({ exclusiveMinimum: 0, description: 'Simulated cycles in all.' }),
});
const saturatedSchema = Type.Object({ accepted_flit_rate_last_sample: rate('Accepted rate of the last sample') });
const throughputSchema = Type.Object({ accepted_flit_rate: rate('Accepted rate') });

type CommonRow = Static<typeof rowSchema>;

/** One run of BookSim: stable with its latency, or saturated (or meant to be) with its accepted rate. */
export interface BooksimRow {
  readonly columns: number;
  readonly rows: number;
  /** `A`, `B`, or the pipeline as JSON. */
  readonly pipeline: string;
  readonly pipelineName: string;
  readonly stages: BooksimPipeline;
  readonly virtualChannels: number;
  readonly bufferFlits: number;
  readonly packetFlits: number;
  readonly pattern: string;
  readonly offeredFlitRate: number;
  readonly idealBound: number;
  readonly samplePeriodCycles: number;
  readonly result:
    | { readonly status: 'stable'; readonly packetLatencyCycles: number; readonly cycles: number }
    | { readonly status: 'saturated' | 'throughput'; readonly acceptedFlitRate: number };
}

export interface BooksimFile {
  readonly tool: string;
  readonly rows: readonly BooksimRow[];
}

const parametersSchema = Type.Object({
  source: Type.Object({
    parameters: Type.Object({
      vc_buf_size: Type.Integer({ minimum: 1, maximum: 65_536, description: 'Flits of buffer per virtual channel.' }),
      pipelines: Type.Record(Type.String(), Type.Object({
        routing_delay: stage('Route computation'),
        vc_alloc_delay: stage('VC allocation'),
        sw_alloc_delay: stage('Switch allocation'),
        st_prepare_delay: stage('Preparation of the switch'),
        st_final_delay: stage('Traversal of the switch'),
        credit_delay: stage('Processing of a credit'),
        speculative: Type.Integer({ minimum: 0, maximum: 1, description: '1: switch and VC are allocated in the same cycle.' }),
      }), { description: 'Cycles per stage, by name of the pipeline.' }),
    }),
  }),
});

export type BooksimPipeline = Static<typeof parametersSchema>['source']['parameters']['pipelines'][string];

function stage(what: string) {
  return Type.Integer({ minimum: 0, maximum: 64, description: `${what}, cycles, 0 to 64.` });
}

/** The pipelines that Kerf knows by name: those of the shared measurements. */
export const KNOWN_PIPELINES: Readonly<Record<string, BooksimPipeline>> = {
  A: { routing_delay: 1, vc_alloc_delay: 1, sw_alloc_delay: 1, st_prepare_delay: 0, st_final_delay: 1, credit_delay: 1, speculative: 0 },
  B: { routing_delay: 0, vc_alloc_delay: 1, sw_alloc_delay: 1, st_prepare_delay: 0, st_final_delay: 1, credit_delay: 0, speculative: 1 },
};

/**
 * `booksim2-mesh.json`, checked; undefined when it is not there.
 *
 * @throws ValidationError, SchemaError that name file, row and field
 */
export function readBooksim(references: References): BooksimFile | undefined {
  const file = fileObject(references, FILE);
  if (file === undefined) return undefined;
  const name = nameOf(references, FILE);
  const { vc_buf_size: bufferFlits, pipelines } = checkRow(parametersSchema, file, name).source.parameters;
  const rows = listIn(file, 'rows', name).map((row, index) => readRow(row, rowName(name, 'rows', index), bufferFlits, pipelines));
  return { tool: toolOf(file, name), rows };
}

function readRow(value: unknown, name: string, bufferFlits: number, pipelines: Readonly<Record<string, BooksimPipeline>>): BooksimRow {
  const object = asObject(value, name, 'a row');
  const row = checkRow(rowSchema, object, name);
  const stages = Object.hasOwn(pipelines, row.pipeline) ? pipelines[row.pipeline]! : undefined;
  if (stages === undefined) {
    const known = Object.keys(pipelines).join(', ');
    throw new ValidationError('REFERENCE_ROW', `${name}: pipeline "${row.pipeline}" is not in source.parameters.pipelines (${known}).`, { source: name, field: 'pipeline', got: row.pipeline });
  }
  const [columns, rows] = row.size.split('x').map(Number) as [number, number];
  return {
    columns, rows, pipeline: pipelineOption(row.pipeline, stages), pipelineName: row.pipeline, stages, virtualChannels: row.num_vcs, bufferFlits, packetFlits: row.packet_size,
    pattern: row.pattern, offeredFlitRate: row.offered_flit_rate, idealBound: row.ideal_bound, samplePeriodCycles: row.sample_period, result: readResult(row, object, name),
  };
}

function readResult(row: CommonRow, object: JsonObject, name: string): BooksimRow['result'] {
  if ((row.mode === 'throughput') !== (row.status === 'throughput')) {
    throw new ValidationError('REFERENCE_ROW', `${name}: a row of mode "${row.mode}" cannot have the status "${row.status}".`, { source: name, field: 'status', got: row.status });
  }
  if (row.status === 'stable') {
    const { packet_latency: packetLatencyCycles, cycles } = checkRow(stableSchema, object, name);
    return { status: 'stable', packetLatencyCycles, cycles };
  }
  if (row.status === 'saturated') return { status: 'saturated', acceptedFlitRate: checkRow(saturatedSchema, object, name).accepted_flit_rate_last_sample };
  return { status: 'throughput', acceptedFlitRate: checkRow(throughputSchema, object, name).accepted_flit_rate };
}

/** A pipeline that Kerf knows goes by its name, any other as JSON with the keys of `kerf traffic --pipeline`. */
function pipelineOption(name: string, stages: BooksimPipeline): string {
  const known = KNOWN_PIPELINES[name];
  if (known !== undefined && Object.entries(known).every(([key, value]) => stages[key as keyof BooksimPipeline] === value)) return name;
  return JSON.stringify(pipelineJson(stages));
}

/** Cycles per stage in the words of `kerf traffic --pipeline`. */
export function pipelineJson(stages: BooksimPipeline): Readonly<Record<string, number | boolean>> {
  return {
    routing: stages.routing_delay,
    vcAllocation: stages.vc_alloc_delay,
    switchAllocation: stages.sw_alloc_delay,
    switchTraversal: stages.st_prepare_delay + stages.st_final_delay,
    creditDelay: stages.credit_delay,
    lookAhead: stages.routing_delay === 0,
    speculative: stages.speculative === 1,
  };
}

/** Cycles that a head flit spends in a router nobody else uses: RC + (speculative ? max(VA, SA) : VA + SA) + ST. */
export function routerCycles({ routing_delay: rc, vc_alloc_delay: va, sw_alloc_delay: sa, st_prepare_delay, st_final_delay, speculative }: BooksimPipeline): number {
  return rc + (speculative === 1 ? Math.max(va, sa) : va + sa) + st_prepare_delay + st_final_delay;
}
