import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySource, readTable } from '@kerf/arrow';
import type { CommandResult, RunCommand } from '@kerf/validation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodes } from '../errors.ts';
import { kerf } from '../program.ts';
import { runCases, type CasesProgress } from './run-cases.ts';
import { casesText } from './cases-text.ts';
import { validate, type ValidateFlags } from './validate.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const d2d = (throughput: number) => ({ d2d_link: { source: 'slides', rows: [{ latency: 100, throughput }, { latency: 300, throughput: 200 }] } });
const reference = (name: string, file: object) => {
  mkdirSync(at(name), { recursive: true });
  writeFileSync(join(at(name), 'flatattention.json'), JSON.stringify(file));
  return at(name);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-validate-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Every command prints the same. */
const prints = (value: object): RunCommand => async () => ({ exitCode: 0, out: JSON.stringify(value), err: '' });

async function call(flags: Partial<ValidateFlags>, run: RunCommand = prints({ wholeGigabytesPerSecond: 200, throughputGigabytesPerSecond: 200 })) {
  let out = '';
  let err = '';
  const code = await validate({ suite: [], out: at('ledger.arrow'), ...flags }, { out: (text) => void (out += text), err: (text) => void (err += text) }, kerf, run);
  return { code, out, err };
}
async function command(...args: string[]) {
  let out = '';
  let err = '';
  const code = await kerf(['validate', ...args], { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

describe('exit codes', () => {
  test('0 when every row passes, 4 when one fails', async () => {
    expect((await call({ reference: reference('good', d2d(205)) })).code).toBe(exitCodes.done);
    expect((await call({ reference: reference('bad', d2d(220)) })).code).toBe(exitCodes.failedValidation);
  });

  test('reference files without a case are bad input: a ledger without rows would look like one that passed', async () => {
    await expect(call({ reference: reference('hollow', {}) })).rejects.toThrow(/No case was found/);
    await expect(call({ reference: reference('rowless', { d2d_link: { source: 's', rows: [] } }) })).rejects.toThrow(/No case was found/);
  });

  test('0 when nothing is modelled yet: that is no failure, and no pass', async () => {
    const { code, out } = await call({ reference: reference('later', { h100: { source: 'paper', rows: [{ S: 1, flat: 7 }] } }), json: true });
    expect(code).toBe(exitCodes.done);
    expect(JSON.parse(out)).toMatchObject({ passed: 0, failed: 0, notModelled: 1, needsData: 0 });
  });

  test('4 when a command does not do what a suite asks of it', async () => {
    const { code, out } = await call({ reference: reference('good', d2d(205)) }, async () => ({ exitCode: 2, out: '', err: 'kerf: CLI_USAGE: no such thing.\n' }));
    expect(code).toBe(exitCodes.failedValidation);
    expect(out).toContain('exit code 2: kerf: CLI_USAGE: no such thing.');
  });
});

test('--json prints one object whose counts are those of its rows', async () => {
  const { out } = await call({ reference: reference('bad', d2d(220)), json: true });
  const ledger = JSON.parse(out);
  expect(ledger).toMatchObject({ passed: 1, failed: 1, notModelled: 0, needsData: 0, reported: [], lists: { ours: { passed: 1, failed: 1 }, 'reference-options': { passed: 0, failed: 0 } } });
  expect(ledger.rows).toHaveLength(2);
  expect(ledger.rows[0]).toEqual({
    suite: 'd2d', case: expect.stringContaining('100 ns'), source: 'slides', expected: 220, unit: 'GB/s', tolerance: 0.05, ours: 200, deviation: expect.closeTo(-0.0909, 4), options: '', verdict: 'fail',
    list: 'ours', fidelity: 'packet', command: expect.stringMatching(/^kerf traffic /), costSeconds: expect.any(Number), note: expect.stringContaining('1 MiB'),
  });
});

test('the table names what failed in full, the totals of both lists, and the file it wrote', async () => {
  const { out } = await call({ reference: reference('bad', d2d(220)) });
  expect(out).toMatch(/^d2d +fail +1 +1 +0 +0 +0/m);
  expect(out).toMatch(/fail: 256 GB\/s.*100 ns\n +ours 200, expected 220 GB\/s, off by −9.09 % \(tolerance 5 %\)\n(.*1 MiB.*\n)? +source: slides\n +kerf traffic /);
  expect(out).not.toContain('300 ns');
  expect(out).toMatch(/^reference-options +0 pass/m);
  expect(out).toMatch(/ledger\.arrow: 2 rows\n1 pass, 1 fail, 0 not-modelled, 0 needs-data: all 2 cases in /);
  const bytes = new Uint8Array(readFileSync(at('ledger.arrow')));
  const [batch] = [...readTable(memorySource('ledger.arrow', bytes)).batches()];
  expect(batch!.names('verdict')).toEqual(['fail', 'pass']);
  expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
});

test('--all shows every row', async () => {
  expect((await call({ reference: reference('bad', d2d(220)), all: true })).out).toMatch(/pass: .*300 ns/);
});

describe('--quick', () => {
  test('runs what is cheap and a seeded sample of the rest, and says how much of all that is', async () => {
    const quick = async (flags: Partial<ValidateFlags>) => {
      const lines: string[] = [];
      const { out } = await call({ suite: ['noc-packet-flit'], quick: true, sample: 2, ...flags }, async (line): Promise<CommandResult> => {
        lines.push(line.join(' '));
        return { exitCode: 0, out: JSON.stringify({ packetLatencyCycles: 40, acceptedFlitRate: 0.1, hops: 6, cycles: 100, status: 'stable' }), err: '' };
      });
      return { lines: lines.sort(), out };
    };
    const first = await quick({ seed: 1 });
    expect(first.out).toMatch(/: \d+ of \d+ cases in /);
    expect((await quick({ seed: 1 })).lines).toEqual(first.lines);
    expect((await quick({ seed: 2 })).lines).not.toEqual(first.lines);
    expect((await quick({ sample: 0 })).lines.length).toBeLessThan(first.lines.length);
  });

  test('--sample and --seed need it', async () => {
    await expect(call({ seed: 3 })).rejects.toMatchObject({ code: 'CLI_USAGE' });
  });
});

test('--list runs nothing', async () => {
  const never: RunCommand = () => Promise.reject(new Error('must not run'));
  const { out, code } = await call({ list: true }, never);
  expect(code).toBe(exitCodes.done);
  expect(out).toMatch(/^noc-booksim +mean packet latency/m);
  expect(out).toMatch(/not modelled yet/);
  expect((await call({ list: true, all: true, suite: ['d2d'] }, never)).out).toMatch(/kerf traffic --hardware c2c-256g/);
  const rows = JSON.parse((await call({ list: true, json: true }, never)).out);
  expect(rows.length).toBeGreaterThan(1000);
  expect(new Set(rows.map(({ suite }: { suite: string }) => suite)).size).toBe(24);
});

describe('bad input ends with 2, before anything runs:', () => {
  test.each<[string, string[], RegExp]>([
    ['an unknown suite', ['--suite', 'd2e'], /VALIDATION_UNKNOWN_SUITE: No suite is called "d2e"\. Did you mean "d2d"/],
    ['a folder that is not there', ['--reference', '/none/there'], /REFERENCE_FOLDER: .*\/none\/there does not exist/],
    ['a file for a folder', ['--reference', import.meta.filename], /REFERENCE_FOLDER: .* is not a folder/],
    ['a folder without reference files', ['--reference', import.meta.dirname], /REFERENCE_EMPTY: .* holds none of the reference files/],
    ['a ledger that is no Arrow file', ['--suite', 'd2d', '--out', 'ledger.csv'], /LEDGER_FILE: --out takes an Arrow file/],
    ['a sample without --quick', ['--sample', '3'], /CLI_USAGE: --sample and --seed/],
    ['a sample that is no number', ['--quick', '--sample', '-1'], /whole number, 0 or more/],
    ['no jobs', ['--jobs', '0'], /whole number above 0/],
    ['an unknown flag', ['--quik'], /Did you mean --quick\?/],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await command(...args);
    expect(err).toMatch(message);
    expect(code).toBe(exitCodes.badInput);
    expect(out).toBe('');
  });

  test('a reference file that is no JSON, with line and column', async () => {
    mkdirSync(at('broken'), { recursive: true });
    writeFileSync(join(at('broken'), 'booksim2-mesh.json'), '{"rows": [}');
    const { code, err } = await command('--reference', at('broken'));
    expect(err).toMatch(/JSON_SYNTAX: .*booksim2-mesh\.json, line 1, column 11/);
    expect(code).toBe(exitCodes.badInput);
  });

  test('a row that lacks a field, with file, row and field', async () => {
    const { code, err } = await command('--reference', reference('malformed', { d2d_link: { source: 's', rows: [{ latency: 100, throughput: 1 }, { latency: 100 }] } }));
    expect(err).toMatch(/SCHEMA_MISSING_KEY: .*flatattention\.json, d2d_link, rows\[1\]: the top level lacks the key throughput/);
    expect(code).toBe(exitCodes.badInput);
    expect(existsSync('runs/ledger.arrow.partial')).toBe(false);
  });
});

describe('running cases', () => {
  const planned = (name: string, costSeconds: number) => ({
    suite: 's', name, source: 'x', fidelity: 'packet', list: 'ours', options: '', steps: [[name]], costSeconds, rows: [{ what: '', unit: '', expected: 1, tolerance: 0, ours: () => 1 }],
  }) as const;

  test('rows come back in the order of the cases, the dearest runs first, and every runner is closed', async () => {
    const begun: string[] = [];
    let closed = 0;
    const runner = () => ({ run: async (line: readonly string[]) => { begun.push(line[0]!); return { exitCode: 0, out: '{}', err: '' }; }, close: async () => void closed++ });
    const seen: CasesProgress[] = [];
    const rows = await runCases([planned('a', 1), planned('b', 3), planned('c', 2)], [runner(), runner()], new AbortController().signal, (progress) => seen.push(progress));
    expect(rows.map((row) => row.case)).toEqual(['a', 'b', 'c']);
    expect(begun).toEqual(['b', 'c', 'a']);
    expect(closed).toBe(2);
    expect(seen.at(-1)).toMatchObject({ done: 3, cases: 3, doneCost: 6, cost: 6, failed: 0 });
  });

  test('an interruption ends at once, though a command still runs', async () => {
    const controller = new AbortController();
    let closed = 0;
    const runner = { run: () => new Promise<CommandResult>(() => controller.abort(new Error('stopped'))), close: async () => void closed++ };
    await expect(runCases([planned('a', 1), planned('b', 1)], [runner], controller.signal, () => undefined)).rejects.toThrow('stopped');
    expect(closed).toBe(1);
  });
});

test('what is left is the stated cost of the rest at the pace so far', () => {
  expect(casesText({ done: 1, cases: 4, doneCost: 10, cost: 40, now: undefined, failed: 0 }, 's: a', 20)).toBe('case 1/4 · about 1 min 0 s left · s: a');
  expect(casesText({ done: 0, cases: 4, doneCost: 0, cost: 40, now: undefined, failed: 0 }, 's: a', 20)).toBe('case 0/4 · s: a');
  expect(casesText({ done: 4, cases: 4, doneCost: 40, cost: 40, now: undefined, failed: 2 }, 's: a', 20)).toBe('case 4/4 · 2 failed · about 0 s left · s: a');
});
