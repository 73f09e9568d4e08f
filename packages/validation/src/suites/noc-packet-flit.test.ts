import { expect, test } from 'vitest';
import { planLedger } from '../ledger-plan.ts';
import type { CommandLine, PlannedCase } from '../planned-case.ts';
import { runCase } from '../run-case.ts';
import { shippedFigures } from '../testing/references.ts';
import { nocPacketFlit } from './noc-packet-flit.ts';

const { cases } = planLedger([nocPacketFlit], [], shippedFigures());
const named = (name: string): PlannedCase => cases.find((planned) => planned.name === name)!;
const option = (line: CommandLine, name: string): string | undefined => line[line.indexOf(name) + 1];

/** A flit kernel that saturates at 0.4 and takes 40 cycles; a packet kernel that is off by some shares. */
const kernels = (off: { latency?: number; saturation?: number; shared?: number }, lines: CommandLine[] = [], status = 'stable') => async (line: CommandLine) => {
  lines.push(line);
  const packet = option(line, '--fidelity') === 'packet';
  const shared = !packet && option(line, '--switch-hold') === 'flit';
  const output = { packetLatencyCycles: 40 * (packet ? 1 + (off.latency ?? 0) : shared ? 1 + (off.shared ?? 0) : 1), acceptedFlitRate: packet ? 0.4 * (1 + (off.saturation ?? 0)) : 0.4, status };
  return { exitCode: 0, out: JSON.stringify(output), err: '' };
};

/** Rows of a case: three on saturation, then the latencies. */
const LATENCIES = 3;
/** Runs of a case before its first load: one past saturation and six halvings for each kernel. */
const SEARCH = 14;

test('loads are shares of what saturates the flit kernel, and both kernels get the same traffic', async () => {
  const lines: CommandLine[] = [];
  await runCase(named('8x8 uniform B 1 vc 1 flit, 8 flit buffers'), kernels({}, lines));
  expect(lines.slice(SEARCH).map((line) => `${option(line, '--fidelity')} ${option(line, '--rate')}`)).toEqual([
    'flit 0.04', 'packet 0.04', 'flit 0.1', 'packet 0.1', 'flit 0.2', 'packet 0.2', 'flit 0.28', 'packet 0.28', 'flit 0.34', 'packet 0.34',
  ]);
  for (let i = SEARCH; i < lines.length; i += 2) {
    const same = ['--pattern', '--rate', '--flits', '--vcs', '--buffer-flits', '--pipeline', '--cycles', '--warmup-cycles', '--seed'];
    expect(same.map((name) => option(lines[i]!, name))).toEqual(same.map((name) => option(lines[i + 1]!, name)));
  }
});

test.each([
  [{ latency: 0.049, saturation: 0.049 }, ['pass', 'pass', 'pass', 'pass', 'pass', 'pass']],
  [{ latency: -0.051 }, ['pass', 'fail', 'fail', 'fail', 'pass', 'pass']],
  [{ latency: 0.101 }, ['pass', 'fail', 'fail', 'fail', 'fail', 'fail']],
  [{ saturation: -0.051 }, ['fail', 'pass', 'pass', 'pass', 'pass', 'pass']],
])('%j is judged as 5 % up to half of saturation, 10 % above, and 5 % for saturation', async (off, verdicts) => {
  const rows = await runCase(named('8x8 uniform B 8 vc 1 flit, 8 flit buffers'), kernels(off));
  expect(rows.filter((_, i) => i === 0 || i >= LATENCIES).map(({ verdict }) => verdict)).toEqual(verdicts);
});

test('with several lanes and flits the difference to a switch shared flit by flit stands in the note, and judges nothing', async () => {
  const rows = await runCase(named('8x8 uniform B 8 vc 4 flit, 8 flit buffers'), kernels({ shared: 0.25 }));
  expect(rows[LATENCIES + 2]).toMatchObject({ verdict: 'pass', note: 'against a switch shared flit by flit −20.0 %' });
  const alone = await runCase(named('8x8 uniform B 1 vc 4 flit, 8 flit buffers'), kernels({}));
  expect(alone[LATENCIES + 2]).toMatchObject({ note: '' });
});

test('where the flit kernel is past saturation a latency is reported', async () => {
  const rows = await runCase(named('8x8 transpose B 1 vc 1 flit, 8 flit buffers'), kernels({ latency: 1 }, [], 'saturated'));
  expect(rows.slice(LATENCIES).map(({ verdict }) => verdict)).toEqual(Array(5).fill('reported'));
  expect(rows[LATENCIES]!.note).toBe('the flit kernel is past saturation here');
});

test('buffers smaller than a packet are reported; the packet kernel still holds one', async () => {
  const lines: CommandLine[] = [];
  const rows = await runCase(named('8x8 uniform B 1 vc 16 flit, 8 flit buffers'), kernels({ latency: 1 }, lines));
  expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['reported']));
  expect([lines[0]!, lines[7]!].map((line) => [option(line, '--fidelity'), option(line, '--buffer-flits')])).toEqual([['flit', '8'], ['packet', '16']]);
  expect(option(lines[0]!, '--switch-hold')).toBe('flit');
});

test('the lowest saturated load is found by halving, each kernel by itself', async () => {
  const limit = { flit: 0.3, packet: 0.36 };
  const kernel = async (line: CommandLine) => {
    const saturates = Number(option(line, '--rate')) >= limit[option(line, '--fidelity') as 'flit' | 'packet'];
    return { exitCode: 0, out: JSON.stringify({ packetLatencyCycles: 40, acceptedFlitRate: 0.4, status: saturates ? 'saturated' : 'stable' }), err: '' };
  };
  const rows = await runCase(named('8x8 uniform B 1 vc 1 flit, 8 flit buffers'), kernel);
  expect(rows[2]).toMatchObject({ case: expect.stringMatching(/lowest saturated load$/) as string, verdict: 'reported' });
  expect(rows[2]!.expected! / limit.flit).toBeGreaterThanOrEqual(1);
  expect(rows[2]!.expected! / limit.flit).toBeLessThan(1.02);
  expect(rows[2]!.ours! / limit.packet).toBeGreaterThanOrEqual(1);
  expect(rows[2]!.ours! / limit.packet).toBeLessThan(1.02);
  expect(rows[0]).toMatchObject({ expected: rows[2]!.expected, ours: rows[2]!.ours, verdict: 'fail' });
});

test('a source offers at most a packet per cycle', async () => {
  const lines: CommandLine[] = [];
  await runCase(named('8x8 neighbor B 1 vc 1 flit, 8 flit buffers'), kernels({}, lines));
  expect(option(lines[0]!, '--rate')).toBe('1');
});
