import { expect, test } from 'vitest';
import type { PlannedCase, PlannedRow } from './planned-case.ts';
import { commandText, numberIn, runCase, type CommandResult } from './run-case.ts';

const said = (value: unknown): CommandResult => ({ exitCode: 0, out: `${JSON.stringify(value)}\n`, err: '' });

function planned(row: Partial<PlannedRow>, more: Partial<PlannedCase> = {}): PlannedCase {
  return {
    suite: 's', name: 'a case', source: 'a paper', fidelity: 'packet', list: 'ours', options: '', steps: [['traffic', '--rate', '0.1']], costSeconds: 1,
    rows: [{ what: 'latency', unit: 'cycles', expected: 100, tolerance: 0.05, ours: ([output]) => numberIn(output, 'latency'), ...row }], ...more,
  };
}

test.each([[104.9, 'pass'], [105.1, 'fail'], [95.1, 'pass'], [94.9, 'fail']])('%d against 100 with 5 % is a %s', async (latency, verdict) => {
  const [row] = await runCase(planned({}), async () => said({ latency }));
  expect(row).toMatchObject({ case: 'a case: latency', expected: 100, ours: latency, verdict, command: 'kerf traffic --rate 0.1', tolerance: 0.05 });
  expect(row!.deviation).toBeCloseTo(latency / 100 - 1, 12);
});

test('without a tolerance a row is reported, however far it is off', async () => {
  const [row] = await runCase(planned({ tolerance: null }), async () => said({ latency: 900 }));
  expect(row).toMatchObject({ verdict: 'reported', deviation: 8, tolerance: null });
});

test('expected value, tolerance and note may follow from what was printed', async () => {
  const [row] = await runCase(planned({ expected: ([output]) => numberIn(output, 'bound'), tolerance: () => 0, note: () => 'why' }), async () => said({ latency: 7, bound: 7 }));
  expect(row).toMatchObject({ verdict: 'pass', expected: 7, tolerance: 0, note: 'why' });
});

test('a later command may follow from the earlier ones', async () => {
  const lines: string[] = [];
  const steps: PlannedCase['steps'] = [['first'], (earlier) => ['second', String(numberIn(earlier[0], 'latency'))]];
  const [row] = await runCase(planned({ ours: ([, second]) => numberIn(second, 'latency') }, { steps }), async (line) => {
    lines.push(line.join(' '));
    return said({ latency: lines.length * 50 });
  });
  expect(lines).toEqual(['first', 'second 50']);
  expect(row).toMatchObject({ verdict: 'pass', ours: 100, command: 'kerf first && kerf second 50' });
});

test.each<[string, CommandResult, RegExp]>([
  ['fails', { exitCode: 2, out: '', err: 'kerf: CLI_USAGE: no.\n' }, /exit code 2: kerf: CLI_USAGE: no\./],
  ['fails silently', { exitCode: 1, out: '', err: '' }, /exit code 1\.$/],
  ['prints no JSON', { exitCode: 0, out: 'Latency 100', err: '' }, /printed no JSON object/],
  ['prints a list', said([1]), /printed no JSON object/],
  ['prints something else', said({ latencies: 100 }), /a number as latency, got nothing/],
  ['prints a text', said({ latency: '100' }), /got "100"/],
  ['prints null', said({ latency: null }), /got null/],
])('a command that %s fails its rows, and the note says why', async (_, result, note) => {
  const [row] = await runCase(planned({}), async () => result);
  expect(row).toMatchObject({ verdict: 'fail', ours: null, deviation: null, expected: 100, command: 'kerf traffic --rate 0.1', note: expect.stringMatching(note) as string });
});

test('what is not run keeps its expected value and is never a pass', async () => {
  const [row] = await runCase(planned({}, { unrun: { verdict: 'not-modelled', reason: 'later' } }), () => Promise.reject(new Error('must not run')));
  expect(row).toMatchObject({ verdict: 'not-modelled', expected: 100, ours: null, command: '', note: 'later' });
});

test('a bug in a runner is no row', async () => {
  await expect(runCase(planned({}), () => Promise.reject(new TypeError('bug')))).rejects.toThrow('bug');
});

test('a command is written as one would type it', () => {
  expect(commandText(['traffic', '--pipeline', '{"routing":1}', '--mesh', '8x8', "it's", ''])).toBe(`kerf traffic --pipeline '{"routing":1}' --mesh 8x8 'it'\\''s' ''`);
});

test('numbers are found in nested objects', () => {
  expect(numberIn({ a: { b: 3 } }, 'a.b')).toBe(3);
  expect(() => numberIn({ a: 1 }, 'a.b')).toThrow(/a number as a\.b, got nothing/);
  expect(() => numberIn(undefined, 'a')).toThrow(/got nothing/);
});
