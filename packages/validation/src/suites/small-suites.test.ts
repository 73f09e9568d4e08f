import { describe, expect, test } from 'vitest';
import { planLedger } from '../ledger-plan.ts';
import type { CommandLine } from '../planned-case.ts';
import { runCase } from '../run-case.ts';
import { furtherFigures, shippedFigures } from '../testing/references.ts';
import { d2d } from './d2d.ts';
import { nocClosedForms } from './noc-closed-forms.ts';
import { multicastCycles, nocCollectives, slope } from './noc-collectives.ts';

const option = (line: CommandLine, name: string): string => line[line.indexOf(name) + 1]!;
const prints = (value: (line: CommandLine) => object) => async (line: CommandLine) => ({ exitCode: 0, out: JSON.stringify(value(line)), err: '' });

describe('noc-collectives', () => {
  test.each([[4, 1, 1024, 49], [4, 4, 32_768, 548], [1, 4, 65, 35]])('a multicast to %ix%i of %i bytes takes %i cycles', (columns, rows, bytes, cycles) => {
    expect(multicastCycles(columns, rows, bytes)).toBe(cycles);
  });

  test('every multicast of up to 4x4 clusters and 1 to 32 KiB has its row, and passes where the formula holds', async () => {
    const { cases } = planLedger([nocCollectives], [], shippedFigures());
    const multicasts = cases.filter(({ name }) => name.startsWith('multicast'));
    expect(multicasts).toHaveLength(48);
    const byFormula = prints((line) => ({ cycles: multicastCycles(...(option(line, '--region').split('x').map(Number) as [number, number]), Number(option(line, '--bytes'))) }));
    const rows = (await Promise.all(multicasts.map((planned) => runCase(planned, byFormula)))).flat();
    expect(rows.filter(({ verdict, deviation }) => verdict === 'pass' && deviation === 0)).toHaveLength(48);
  });

  test('a row reduction is judged twice: as the RTL by default, as the model with ideal bursts', async () => {
    const further = furtherFigures({ 'flatattention.json': { noc_reduction: { source: 'slides', rows: [{ KiB: 4, rtl: 120, model: 100 }] } } });
    const { cases } = planLedger([nocCollectives], [], further);
    const rows = (await Promise.all(cases.map((planned) => runCase(planned, prints((line) => ({ cycles: line.includes('--set') ? 100 : 120 })))))).flat();
    expect(rows.map(({ list, expected, verdict, command }) => [list, expected, verdict, command.includes('--set')])).toEqual([['ours', 120, 'pass', false], ['reference-options', 100, 'pass', true]]);
    expect(rows[0]!.command).toMatch(/--region 4x1 --bytes 4096/);
    expect(rows[1]!.command).toMatch(/landingBytesPerCycle=512 --set hardware\.ejectionLink\.cycles=17/);
  });

  test('rates of a reduction come from the difference of two sizes, so that a fixed cost does not count', async () => {
    const { cases } = planLedger([nocCollectives], [], shippedFigures());
    const perBeat = cases.filter(({ name }) => name.includes('cycles per beat'));
    const machine = prints((line) => ({ cycles: 1000 + (Number(option(line, '--bytes')) / 64) * (option(line, '--region') === '4x4' ? 2 : 1) }));
    expect((await Promise.all(perBeat.map((planned) => runCase(planned, machine)))).flat().map(({ ours, verdict }) => [ours, verdict])).toEqual([[1, 'pass'], [2, 'pass']]);
  });

  test('the slope is that of the least squares', () => {
    expect(slope([1, 2, 3], [5, 7, 9])).toBe(2);
    expect(slope([2, 4, 8, 16], [4, 12, 16, 24])).toBeCloseTo(148 / 115, 12);
  });
});

describe('d2d', () => {
  test.each([[205, 'pass'], [189, 'fail'], [211, 'fail']])('%d GB/s against 200 is a %s', async (throughput, verdict) => {
    const further = furtherFigures({ 'flatattention.json': { d2d_link: { source: 'slides', rows: [{ latency: 250, throughput: 200 }] } } });
    const [planned] = planLedger([d2d], [], further).cases;
    const [row] = await runCase(planned!, prints(() => ({ throughputGigabytesPerSecond: 210, wholeGigabytesPerSecond: throughput })));
    expect(row).toMatchObject({ verdict, ours: throughput, command: expect.stringMatching(/hardware\.d2d\.link\.cycles=250 .*--bytes 1048576/) as string, note: expect.stringMatching(/a stream without end gets 210\.0 GB\/s/) as string });
  });
});

describe('noc-closed-forms', () => {
  const { cases } = planLedger([nocClosedForms], [], shippedFigures());
  const expected = (name: string) => cases.find((planned) => planned.name === name)!.rows[0]!.expected;

  test.each([
    // 63 tiles ahead of each link: 2 · 63 pieces of 512 flits behind a way of one link.
    ['ring all-reduce over 64 tiles, packet', 2 * 63 * 512 + 2 * 2 + 1 + 3 - 1],
    ['all-to-all on 16x16', 4],
    ['busiest link, 8x8 transpose', 1 / 7],
    ['busiest link, 16x16 hotspot', 4 / 256],
    ['single flow over 14 links, flit', 15 * 2 + 14 + 3 + 7999],
    ['bisection of flat-32x32', 4.096],
  ])('%s: %d', (name, value) => {
    expect(expected(name)).toBeCloseTo(value, 12);
  });

  test('all are exact, and every fidelity has its zero-load rows', () => {
    for (const { rows } of cases) for (const { tolerance } of rows) expect(tolerance).toBe(0);
    for (const fidelity of ['flit', 'packet', 'analytic']) expect(cases.filter((planned) => planned.name.startsWith('zero-load') && planned.fidelity === fidelity)).toHaveLength(6);
  });

  test('zero-load latency follows from the distances that occurred', async () => {
    const planned = cases.find(({ name }) => name === 'zero-load latency, 8x8, pipeline A, packet')!;
    // 7 flits in the mean.
    const at = async (latency: number) => (await runCase(planned, prints(() => ({ hops: 6, packetLatencyCycles: latency }))))[0]!.verdict;
    expect(await at(6 * 4 + 5 + 3 + 6)).toBe('pass');
    expect(await at(6 * 4 + 5 + 3 + 6.001)).toBe('fail');
  });
});
