import { Type, type TSchema } from '@sinclair/typebox';
import type { PlannedRow } from '../planned-case.ts';
import { readFlatattention } from '../reference/flatattention.ts';
import { readAstra, readEplb } from '../reference/other-tools.ts';
import { readSofthier, type SofthierFile } from '../reference/softhier.ts';
import type { References } from '../reference/references.ts';
import type { CaseDraft, CaseSource, Suite } from '../suite.ts';

// Suites whose models are still to come. Their rows are listed with what is expected, and none of them passes.

/** A published figure of a row: its key, what it is called and its unit. */
interface Figure {
  readonly key: string;
  readonly what: string;
  readonly unit: string;
}

/** Cases out of a part of `flatattention.json`: one per row, with a ledger row for each figure; the other keys tell which it is. */
function figures(key: string, of: readonly Figure[], names: readonly string[], wanted: (row: Record<string, unknown>) => boolean = () => true): CaseSource {
  const schema = Type.Object(Object.fromEntries(of.map((figure) => [figure.key, Type.Optional(Type.Number({ description: `${figure.what}, ${figure.unit}.` }))])));
  return {
    file: 'flatattention.json',
    part: key,
    cases: (references) => {
      const part = readFlatattention(references, key, schema as TSchema);
      if (part === undefined) return [];
      return part.rows.filter((row) => wanted(row as Record<string, unknown>)).map((value) => {
        const row = value as Record<string, unknown>;
        const rows = of.filter((figure) => row[figure.key] !== undefined).map((figure) => unrun(figure.what, figure.unit, row[figure.key] as number));
        const what = names.filter((name) => row[name] !== undefined).map((name) => `${name} ${String(row[name])}`).join(', ');
        return draft(`${key}, ${what}`, part.source, rows);
      });
    },
  };
}

/** Cases out of the SoftHier measurements: one ledger row, the cycles, for each row of those kinds. */
function softhier(file: SofthierFile, kinds: readonly string[]): CaseSource {
  return {
    file,
    part: kinds.join(', '),
    cases: (references) => {
      const read = readSofthier(references, file, kinds);
      return read?.rows.map(({ id, cycles }) => draft(id, read.tool, [unrun('', 'cycles', cycles ?? null)])) ?? [];
    },
  };
}

function unrun(what: string, unit: string, expected: number | null): PlannedRow {
  return { what, unit, expected, tolerance: null, ours: null };
}

function draft(name: string, source: string, rows: readonly PlannedRow[], missing?: string): CaseDraft {
  return { name, source, fidelity: 'packet', steps: [], rows, costSeconds: 0, ...(missing === undefined ? {} : { missing }) };
}

function suite(name: string, title: string, sources: readonly CaseSource[]): Suite {
  return { name, title, built: false, fidelities: ['packet'], tolerances: 'none yet', sources };
}

const RUNS = 'softhier-runs.json';
const COMPONENTS = 'softhier-components.json';

const milliseconds = (key: string, what: string): Figure => ({ key, what, unit: 'ms' });
const percent = (key: string, what: string): Figure => ({ key, what, unit: '%' });

export const suitesNotBuilt: readonly Suite[] = [
  suite('collectives-softhier', 'collectives of the reference machine', [softhier(RUNS, ['collective']), softhier(COMPONENTS, ['reduction'])]),
  suite('collectives-flat', 'collectives in the network against software', [
    figures('collectives_32x32', [{ key: 'over_tree', what: 'over a tree', unit: 'times' }, { key: 'over_sequential', what: 'over one after the other', unit: 'times' }], ['op']),
  ]),
  suite('collectives-astra', 'collectives of whole systems against ASTRA-sim', [{ file: 'astra-sim.json', part: 'rows', cases: astraCases }]),
  suite('attention-prefill', 'prefill of multi-head attention, five dataflows', [figures('mha_prefill', [
    milliseconds('fa2', 'FlashAttention-2'), milliseconds('fa3', 'FlashAttention-3'), milliseconds('flat_sw', 'FlatAttention, software collectives'),
    milliseconds('flat_coll', 'FlatAttention, collectives in the network'), milliseconds('flat_async', 'FlatAttention, asynchronous'),
  ], ['D', 'S'])]),
  suite('attention-group-scale', 'attention over tile groups of several sizes', [figures('group_scale', [{ key: 'runtime_us', what: 'runtime', unit: 'µs' }, percent('active_utilisation', 'utilisation while active')], ['S', 'group'])]),
  suite('attention-granularity', 'granularity of the fabric against memory channels', [figures('granularity', [percent('utilisation', 'utilisation')], ['S', 'fabric', 'channels'])]),
  suite('attention-h100', 'attention against FlashAttention-3 on an H100', [figures('h100', [{ key: 'flat', what: 'FlatAttention', unit: 'TFLOPS' }], ['S'])]),
  suite('attention-variants', 'variants of attention against a GH200', [figures('variants', [percent('mean_utilisation', 'mean utilisation'), percent('mean_hbm_utilisation', 'mean memory utilisation'), percent('max', 'highest')], ['bound'])]),
  suite('attention-softhier', 'attention kernels of the reference machine', [softhier(RUNS, ['attention_prefill', 'attention_decode', 'mla_decode'])]),
  suite('eplb', "placement of DeepSeek's expert-parallel load balancer", [{ file: 'eplb.json', part: 'cases', cases: eplbCases }]),
  suite('inference-wafer', 'decode of DeepSeek-v3 on a wafer', [
    figures('deepseek_wafer', [{ key: 'throughput', what: 'throughput', unit: 'tokens/s/chip' }, { key: 'tpot', what: 'time per output token', unit: 'ms' }], ['system', 'batch'], (row) => row['link'] !== undefined),
  ]),
];

/** Rows of these kinds explain others, or belong to the measurement itself: no suite has them. */
export const softhierKindsWithoutSuite: Readonly<Record<SofthierFile, readonly string[]>> = {
  [RUNS]: ['empty', 'simulator_cost'],
  [COMPONENTS]: ['empty', 'group_finish'],
};

function astraCases(references: References): CaseDraft[] {
  const read = readAstra(references);
  return read?.rows.filter(({ status }) => status === 'ok').map(({ backend, collective, size_MB, topology, npus, algorithm, simulated_ns }) =>
    draft(`${backend} ${collective} ${algorithm} ${topology} ${npus} NPUs ${size_MB} MB`, read.tool, [unrun('', 'ns', simulated_ns ?? null)])) ?? [];
}

function eplbCases(references: References): CaseDraft[] {
  const read = readEplb(references);
  return read?.cases.map(({ name, weight_ref: reference }) => {
    const missing = reference !== undefined && !references.hasRecording(reference.file) ? `The recording ${reference.file} was found neither beside the reference folder nor under KERF_REFERENCE.` : undefined;
    return draft(name, read.source, [unrun('replicas in their places', '%', 100)], missing);
  }) ?? [];
}
