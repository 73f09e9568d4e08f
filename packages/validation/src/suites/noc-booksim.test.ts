import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planLedger } from '../ledger-plan.ts';
import { readBooksim, type BooksimRow } from '../reference/booksim.ts';
import { runCase } from '../run-case.ts';
import { booksimFile, booksimRow, furtherFigures, shippedFigures } from '../testing/references.ts';
import { latencyTolerance, nocBooksim, protocolOf, saturationRate, zeroLoadCycles } from './noc-booksim.ts';

const read = (rows: readonly unknown[]) => readBooksim(furtherFigures({ 'booksim2-mesh.json': booksimFile(rows) }))!.rows;
const plan = (rows: readonly unknown[]) => planLedger([nocBooksim], [], furtherFigures({ 'booksim2-mesh.json': booksimFile(rows) })).cases;
const throughput = (accepted: number) => booksimRow({ mode: 'throughput', status: 'throughput', offered_flit_rate: 0.625, accepted_flit_rate: accepted, packet_latency: undefined, cycles: undefined });
const saturated = (offered: number) => booksimRow({ status: 'saturated', offered_flit_rate: offered, accepted_flit_rate_last_sample: 0.9 * offered, packet_latency: undefined, cycles: undefined });

describe('saturation is the least of', () => {
  test.each<[string, unknown[], number]>([
    ['the ideal bound', [booksimRow()], 0.5],
    ['the accepted rate past saturation', [booksimRow(), throughput(0.14), saturated(0.15)], 0.14],
    ['the lowest saturated load', [booksimRow(), throughput(0.2), saturated(0.3), saturated(0.15)], 0.15],
  ])('%s', (_, rows, expected) => {
    const all = read(rows);
    expect(saturationRate(all[0]!, all)).toBe(expected);
  });

  test('its own curve only', () => {
    const all = read([booksimRow(), { ...throughput(0.1), pattern: 'transpose' }, { ...throughput(0.1), num_vcs: 8 }, { ...throughput(0.1), packet_size: 4 }, { ...throughput(0.1), size: '16x16' }, { ...throughput(0.1), pipeline: 'slow' }]);
    expect(saturationRate(all[0]!, all)).toBe(0.5);
  });
});

test.each([[0.05, 0.03], [0.0500001, 0.1], [0.085, 0.1], [0.0850001, null]])('at %d of a saturation of 0.1 the tolerance is %s', (rate, tolerance) => {
  expect(latencyTolerance(rate, 0.1)).toBe(tolerance);
});

describe('the protocol', () => {
  test('warms up for three periods and measures as long as the reference did, 3 to 7 periods', () => {
    const periods = (cycles: number) => protocolOf(read([booksimRow({ offered_flit_rate: 0.4, cycles })])[0]!).cycles / 2000;
    expect([11_000, 12_090, 14_076, 22_716, 60_000].map(periods)).toEqual([3, 3, 4, 7, 7]);
    expect(protocolOf(read([booksimRow()])[0]!).warmupCycles).toBe(6000);
  });

  test('measures 20,000 packets at low load, and 7 periods past saturation', () => {
    expect(protocolOf(read([booksimRow({ offered_flit_rate: 0.01, packet_size: 4 })])[0]!).cycles).toBe(Math.ceil(20_000 / (0.01 / 4 * 64)));
    expect(protocolOf(read([throughput(0.14)])[0]!).cycles).toBe(14_000);
  });

  test('depends on facts of the row alone, not on what was measured', () => {
    fc.assert(fc.property(fc.double({ min: 1, max: 499, noNaN: true }), (latency) => {
      expect(protocolOf(read([booksimRow({ packet_latency: latency })])[0]!)).toEqual(protocolOf(read([booksimRow()])[0]!));
    }));
  });
});

describe('the formula of an empty mesh', () => {
  test.each([['A', 4, 0, 1, 7], ['A', 4, 14, 1, 77], ['A', 4, 14, 4, 80], ['B', 2, 0, 1, 5], ['B', 2, 5.25, 1, 20.75]])('%s: t_r %i, %d links, %i flits: %d cycles', (_, tr, links, flits, cycles) => {
    expect(zeroLoadCycles(links, flits, tr)).toBeCloseTo(cycles, 12);
  });

  test('is the least latency of every stable row that ships, whose shortest way is to the node itself', () => {
    const shipped = readBooksim(shippedFigures())!;
    const rows = (shippedFigures().files.get('booksim2-mesh.json') as { rows: Record<string, number>[] }).rows;
    for (const [i, row] of shipped.rows.entries()) {
      const least = rows[i]!['packet_latency_min'];
      if (least !== undefined) expect(least).toBe(zeroLoadCycles(0, row.packetFlits, row.pipelineName === 'A' ? 4 : 2));
    }
  });
});

test('a case is the command that anyone can run, and judges what it prints', async () => {
  const cases = plan([booksimRow({ packet_latency: 32.5 }), throughput(0.14)]);
  const [zero, latency, accepted] = cases;
  expect(cases.map(({ name }) => name)).toEqual(['8x8 uniform A 1 vc 1 flit at zero load', '8x8 uniform A 1 vc 1 flit at 0.05', '8x8 uniform A 1 vc 1 flit at 0.625']);
  expect(latency!.steps[0]).toEqual(['traffic', '--mesh', '8x8', '--fidelity', 'flit', '--pattern', 'uniform', '--rate', '0.05', '--flits', '1', '--vcs', '1',
    '--buffer-flits', '8', '--pipeline', 'A', '--warmup-cycles', '6000', '--cycles', '6250', '--seed', '1', '--json']);
  const verdicts = async (output: object) => (await Promise.all([zero!, latency!, accepted!].map((one) => runCase(one, async () => ({ exitCode: 0, out: JSON.stringify(output), err: '' }))))).flat().map(({ verdict }) => verdict);
  // 5 links in the mean: 32 cycles at zero load.
  expect(await verdicts({ packetLatencyCycles: 32, hops: 6, acceptedFlitRate: 0.1438 })).toEqual(['pass', 'pass', 'pass']);
  expect(await verdicts({ packetLatencyCycles: 32.01, hops: 6, acceptedFlitRate: 0.1446 })).toEqual(['fail', 'pass', 'fail']);
  expect(await verdicts({ packetLatencyCycles: 38, hops: 6, acceptedFlitRate: 0.1357 })).toEqual(['fail', 'fail', 'fail']);
});

test('a load is written without an exponent', () => {
  const [zero] = plan([booksimRow({ size: '32x32' })]);
  const line = zero!.steps[0] as readonly string[];
  expect(line[line.indexOf('--rate') + 1]).toBe('0.0000000488');
});

test('a pipeline that Kerf does not know by name goes as JSON', () => {
  const [zero] = plan([booksimRow({ pipeline: 'slow' })]);
  const line = zero!.steps[0] as readonly string[];
  expect(JSON.parse(line[line.indexOf('--pipeline') + 1]!)).toEqual({ routing: 3, vcAllocation: 1, switchAllocation: 1, switchTraversal: 1, creditDelay: 1, lookAhead: false, speculative: false });
});

describe('a malformed file is refused with file, row and field:', () => {
  test.each<[string, unknown, RegExp]>([
    ['no object', [], /further\/booksim2-mesh\.json: the file must be a JSON object, got a list/],
    ['no rows', { ...booksimFile([]), rows: undefined }, /"rows" must be a list of rows, got nothing/],
    ['no source', { rows: [] }, /lacks the key source/],
    ['a row that is none', booksimFile([booksimRow(), 7]), /booksim2-mesh\.json, rows\[1\]: a row must be a JSON object, got number 7/],
    ['a missing field', booksimFile([booksimRow({ num_vcs: undefined })]), /rows\[0\]: the top level lacks the key num_vcs\. Virtual channels/],
    ['a field out of range', booksimFile([booksimRow(), booksimRow({ num_vcs: 17 })]), /rows\[1\]: num_vcs must be <= 16, got 17/],
    ['a text for a number', booksimFile([booksimRow({ packet_size: '4' })]), /rows\[0\]: packet_size must be of type integer, got "4"/],
    ['a size that is none', booksimFile([booksimRow({ size: '0x8' })]), /rows\[0\]: size must match pattern/],
    ['an unknown pipeline', booksimFile([booksimRow({ pipeline: 'C' })]), /rows\[0\]: pipeline "C" is not in source\.parameters\.pipelines \(A, slow\)/],
    ['a stable row without latency', booksimFile([booksimRow({ packet_latency: undefined })]), /rows\[0\]: the top level lacks the key packet_latency/],
    ['a status that contradicts', booksimFile([booksimRow({ mode: 'throughput' })]), /rows\[0\]: a row of mode "throughput" cannot have the status "stable"/],
    ['the same case twice', booksimFile([booksimRow(), booksimRow()]), /two rows of the reference are the same case/],
  ])('%s', (_, file, message) => {
    expect(() => planLedger([nocBooksim], [], furtherFigures({ 'booksim2-mesh.json': file }))).toThrow(message);
  });
});

test('every row that ships has its case, and most are cheap', () => {
  const { cases } = planLedger([nocBooksim], [], shippedFigures());
  const curves = new Set((readBooksim(shippedFigures())!.rows as BooksimRow[]).map(({ columns, pattern, pipelineName, virtualChannels, packetFlits }) => [columns, pattern, pipelineName, virtualChannels, packetFlits].join()));
  expect(cases).toHaveLength(179 + curves.size);
  expect(Math.max(...cases.map(({ costSeconds }) => costSeconds))).toBeLessThan(20);
});
