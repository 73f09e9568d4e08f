import { readTable, memorySource } from '@kerf/arrow';
import { describe, expect, test } from 'vitest';
import { ledgerArrow } from './ledger-table.ts';
import { planLedger } from './ledger-plan.ts';
import { runCase } from './run-case.ts';
import { completeCase, type Suite } from './suite.ts';
import { suites } from './suites.ts';
import { booksimFile, booksimRow, furtherFigures, shippedFigures } from './testing/references.ts';

const shipped = planLedger(suites, [], shippedFigures());
const rowsOf = (suite: string) => shipped.cases.filter((planned) => planned.suite === suite).flatMap(({ rows }) => rows);
const part = (rows: unknown, more: object = {}) => ({ source: 'slides', rows, ...more });
const never = () => Promise.reject(new Error('must not run'));

test('what ships is read whole: nothing in it is unknown, and nothing is missing', () => {
  expect(shipped.warnings).toEqual([]);
  expect(shipped.cases.filter(({ unrun }) => unrun?.verdict === 'needs-data')).toEqual([]);
});

test.each([
  ['collectives-astra', 32], ['eplb', 2], ['attention-prefill', 15], ['attention-group-scale', 16], ['attention-granularity', 16], ['attention-h100', 2], ['attention-variants', 4],
  ['attention-softhier', 19 + 4 + 2], ['collectives-softhier', 35 + 130], ['collectives-flat', 4], ['inference-wafer', 4],
])('%s is not built yet and lists %i rows, none of which can pass', async (suite, count) => {
  const cases = shipped.cases.filter((planned) => planned.suite === suite);
  const rows = (await Promise.all(cases.map((planned) => runCase(planned, never)))).flat();
  expect(rows).toHaveLength(count);
  expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['not-modelled']));
});

test.each([['noc-closed-forms'], ['noc-booksim'], ['noc-packet-flit'], ['noc-collectives'], ['d2d']])('%s runs', (suite) => {
  expect(rowsOf(suite).length).toBeGreaterThan(2);
  expect(shipped.cases.filter((planned) => planned.suite === suite && (planned.unrun !== undefined || planned.steps.length === 0))).toEqual([]);
});

test.each([
  // 52 rows of memory are two repeats of 26 regions; a published product has a row for each of two layouts.
  ['matrix-engine', 5 + 4 + 16], ['barrier', 4 + 4 + 55], ['memory', 26 + 86], ['gemm', 3 + 3 * 2], ['vector-engine', 2 + 1 + 52], ['unicast', 12 + 8], ['l1', 4], ['dma', 252],
])('%s has %i rows, and what it cannot run says why', (suite, count) => {
  expect(rowsOf(suite)).toHaveLength(count);
  for (const { suite: own, unrun, steps } of shipped.cases) if (own === suite) expect(unrun === undefined ? steps.length : unrun.reason.length).toBeGreaterThan(0);
});

test('every row has a source and a place in a list before anything runs, and every suite names its tolerance', () => {
  for (const { source, list, rows } of shipped.cases) {
    expect(source).not.toBe('');
    expect(['ours', 'reference-options']).toContain(list);
    expect(rows.length).toBeGreaterThan(0);
  }
  for (const { tolerances } of suites) expect(tolerances).not.toBe('');
});

test('options of a reference are the same for all rows of the second list, and no row of the first has them', () => {
  for (const suite of suites) {
    const own = shipped.cases.filter((planned) => planned.suite === suite.name);
    const second = new Set(own.filter(({ list }) => list === 'reference-options').map(({ options }) => options));
    expect(second.size).toBeLessThanOrEqual(1);
    for (const { list, options, steps } of own) {
      expect(options === '').toBe(list === 'ours');
      if (list === 'reference-options') for (const step of steps) expect(typeof step === 'function' ? options : step.join(' ')).toContain(options);
    }
  }
});

describe('a folder of further cases', () => {
  test('is all that runs: no formulas, no figures that ship', () => {
    const { cases } = planLedger(suites, [], furtherFigures({ 'flatattention.json': { d2d_link: part([{ latency: 200, throughput: 230 }]), barrier: part([{ N: 8, single_counter: 300 }]) } }));
    expect(cases.map(({ suite, name }) => [suite, name])).toEqual([['d2d', '256 GB/s, window of 512 packets of 256 B, 200 ns'], ['barrier', '8x8 tiles, one counter']]);
  });

  test('without a file that was asked for by its suite needs data, and says which', async () => {
    const { cases } = planLedger(suites, ['d2d', 'noc-booksim'], furtherFigures({ 'booksim2-mesh.json': booksimFile([booksimRow()]) }));
    const [row] = await runCase(cases[0]!, never);
    expect(row).toMatchObject({ suite: 'd2d', verdict: 'needs-data', note: 'further/flatattention.json is not there.' });
    expect(cases).toHaveLength(3);
  });

  test('without a single reference file is an error', () => {
    expect(() => planLedger(suites, [], furtherFigures({}))).toThrow(/further holds none of the reference files: booksim2-mesh\.json/);
  });

  test('with something that nobody reads says so', () => {
    const softhier = { source: { tool: 'SoftHier' }, rows: [{ id: 'a', kind: 'collective', machine: '4x4', cycles: 7 }, { id: 'b', kind: 'gemmm', machine: '4x4', cycles: 7 }] };
    const { warnings } = planLedger(suites, [], furtherFigures({ 'softhier-runs.json': softhier, 'flatattention.json': { d2d_lnk: part([]) } }));
    expect(warnings).toEqual(['further/flatattention.json: no suite reads "d2d_lnk". Did you mean "d2d_link"?', 'further/softhier-runs.json: no suite has rows of kind "gemmm".']);
  });

  test.each<[string, object, RegExp]>([
    ['a part that is a list', { 'flatattention.json': { d2d_link: [] } }, /further\/flatattention\.json, d2d_link: a part must be a JSON object, got a list/],
    ['a part without a source', { 'flatattention.json': { d2d_link: { rows: [] } } }, /d2d_link: the top level lacks the key source/],
    ['a row without its figure', { 'flatattention.json': { noc_reduction: part([{ KiB: 2, rtl: 1 }]) } }, /noc_reduction, rows\[0\]: the top level lacks the key model/],
    ['a figure that is a text', { 'flatattention.json': { h100: part([{ S: 1, flat: 'x' }]) } }, /h100, rows\[0\]: flat must be of type number/],
    ['a row without an id', { 'softhier-runs.json': { source: { tool: 'SoftHier' }, rows: [{ kind: 'gemm', machine: '4x4' }] } }, /softhier-runs\.json, rows\[0\]: the top level lacks the key id/],
    ['a row with a text for cycles', { 'softhier-components.json': { source: { tool: 'SoftHier' }, rows: [{ id: 'm4', kind: 'reduction', machine: '4x4', cycles: 'x' }] } }, /rows\[0\] \(m4\): cycles/],
    ['a status nobody knows', { 'astra-sim.json': { source: { tool: 'ASTRA' }, rows: [{ backend: 'b', collective: 'c', size_MB: 1, topology: 'Ring', npus: 16, algorithm: 'ring', status: 'fine' }] } }, /astra-sim\.json, rows\[0\]: status/],
    ['cases that are no list', { 'eplb.json': { source: 's', cases: {} } }, /eplb\.json: "cases" must be a list of rows, got an object/],
  ])('with %s is refused with file, row and field', (_, files, message) => {
    expect(() => planLedger(suites, [], furtherFigures(files))).toThrow(message);
  });
});

test('an unknown suite is refused with the nearest name', () => {
  expect(() => planLedger(suites, ['noc-boksim'], shippedFigures())).toThrow(/No suite is called "noc-boksim"\. Did you mean "noc-booksim"\?/);
});

test('a case that refers to a recording needs it, once its suite is built', async () => {
  const eplb: Suite = { ...suites.find(({ name }) => name === 'eplb')!, built: true };
  const file = { 'eplb.json': { source: 's', cases: [{ name: 'recorded', num_replicas: 2, num_groups: 1, num_nodes: 1, num_gpus: 1, weight_ref: { file: 'traces/a.json', key: 'k', layers: [1] } }] } };
  const [without] = planLedger([eplb], [], furtherFigures(file)).cases;
  expect(without!.unrun).toMatchObject({ verdict: 'needs-data', reason: expect.stringMatching(/traces\/a\.json/) as string });
  const [found] = planLedger([eplb], [], furtherFigures(file, ['traces/a.json'])).cases;
  expect(found!.unrun).toBeUndefined();
});

test('a suite cannot contradict itself', () => {
  const suite: Suite = { name: 's', title: '', built: true, fidelities: ['flit'], tolerances: 'x', sources: [] };
  const draft = { name: 'c', source: 's', steps: [], rows: [], costSeconds: 0 } as const;
  expect(() => completeCase(suite, { ...draft, fidelity: 'packet' })).toThrow(/does not declare the fidelity packet/);
  expect(() => completeCase(suite, { ...draft, fidelity: 'flit', list: 'reference-options' })).toThrow(/names no options/);
});

test('the Arrow table has every row, and says which numbers are there', async () => {
  const rows = (await Promise.all(shipped.cases.filter(({ unrun }) => unrun !== undefined).map((planned) => runCase(planned, never)))).flat();
  const table = readTable(memorySource('ledger.arrow', ledgerArrow(rows)));
  const [batch] = [...table.batches()];
  expect(batch!.names('case')).toEqual(rows.map((row) => row.case));
  expect(batch!.names('verdict')[0]).toBe('not-modelled');
  expect([...batch!.numbers('hasExpected')]).toEqual(rows.map(({ expected }) => (expected === null ? 0 : 1)));
  expect([...batch!.numbers('expected')]).toEqual(rows.map(({ expected }) => expected ?? 0));
  expect([...readTable(memorySource('empty.arrow', ledgerArrow([]))).batches()].length).toBeLessThanOrEqual(1);
});
