import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelCard } from '@kerf/inference';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kerf } from './program.ts';

// Real runs and real processes; a busy machine may take its time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
const at = (name: string) => join(folder, name);

async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await kerf(args, { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}
const json = async (...args: string[]) => JSON.parse((await call(...args, '--json')).out);
const run = (...args: string[]) => ['run', '--trace', at('trace'), '--hardware', 'flat-wafer-8', '--steps', '2', '--tokens-per-die', '1', '--transport', 'memory', ...args];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-'));
  const { code, err } = await call('trace', 'synthesize', '--requests', '4', '--tokens', '8', '--out', at('trace'));
  expect(err).toBe('');
  expect(code).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each<[string[], RegExp]>([
  [['run', '--trac', 'x'], /Unknown option '--trac'\. Did you mean --trace\?/],
  [['rum'], /Unknown command 'rum'\. Did you mean run\?/],
  [['trace', 'synthesise', '--out', 'x'], /Did you mean synthesize\?/],
  [['trace', 'synthesize'], /Required option '--out <folder>'/],
  [['trace', 'synthesize', '--out', 'x', '--tokens', '0'], /whole number above 0/],
  [['trace', 'synthesize', '--out', 'x', '--model', 'gpt-oss-20c'], /TRACE_UNKNOWN_MODEL: .*Did you mean "gpt-oss-20b"/],
  [['trace', 'info', '/none/there'], /FILE_NOT_FOUND: .*\/none\/there/],
  [['run', 'a.json', 'b.json'], /Too many arguments/],
  [['run', '--trace'], /Option '--trace <path>' argument missing/],
  [['run', '--trace', '/none/there'], /FILE_NOT_FOUND: .*\/none\/there/],
  [['run', '--nodes', '9'], /TOO_MANY_NODES: 9 node processes are more than the 8 dies/],
  [['hardware', 'lst'], /Did you mean list\?/],
])('kerf %j ends with exit code 2 and says why', async (args, message) => {
  const { code, out, err } = await call(...args);
  expect(err).toMatch(message);
  expect(err).toMatch(/^kerf: [A-Z_]+: /);
  expect(code).toBe(2);
  expect(out).toBe('');
  const object = await json(...args);
  expect(object).toMatchObject({ status: 'error', message: expect.stringMatching(/./) as string });
});

test.each([['--version', /^\d+\.\d+\.\d+\n$/], ['--help', /Exit codes: 0 done, 2 bad input/]])('kerf %s', async (flag, text) => {
  const { code, out } = await call(flag);
  expect(out).toMatch(text);
  expect(code).toBe(0);
});

test('kerf alone shows its help and is a usage error', async () => {
  const { code, err } = await call();
  expect(err).toContain('Usage: kerf');
  expect(code).toBe(2);
});

test('the presets are listed', async () => {
  expect((await call('hardware', 'list')).out).toContain('flat-wafer-8');
  expect((await json('hardware', 'list')).map(({ name }: { name: string }) => name)).toContain('flat-wafer-64');
});

test('a synthetic trace says what it is, fits its model and no other, and is written once', async () => {
  expect(await json('trace', 'check', at('trace'), '--model', 'gpt-oss-20b')).toMatchObject({ origin: 'synthetic', tokens: 32, requests: 4, layers: 24 });
  expect((await call('trace', 'check', at('trace'), '--model', 'mixtral-8x7b')).err).toMatch(/TRACE_MODEL_MISMATCH/);
  expect((await call('trace', 'synthesize', '--out', at('trace'))).code).toBe(2);
});

test('one run cut in memory into 1, 2 and 8 nodes has one digest, also when it is printed and fed back', async () => {
  const whole = await json(...run('--nodes', '1', '--out', at('one')));
  expect(whole).toMatchObject({ status: 'complete', nodes: 1, boundaryPackets: 0, tables: { steps: { rows: 2 } } });
  for (const nodes of ['2', '8']) {
    const cut = await json(...run('--nodes', nodes, '--out', at(`cut-${nodes}`)));
    expect(cut).toMatchObject({ status: 'complete', nodes: Number(nodes), digest: whole.digest, tables: whole.tables });
    expect(cut.boundaryPackets).toBeGreaterThan(0);
  }
  writeFileSync(at('printed.json'), (await call(...run('--nodes', '1', '--print-scenario'))).out);
  expect(await json('run', at('printed.json'), '--out', at('again'))).toMatchObject({ digest: whole.digest });
});

test('the manifest says what was run, and a person gets a summary', async () => {
  const { code, out, err } = await call(...run('--out', at('told')));
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^Simulated +2 steps/);
  const manifest = JSON.parse(readFileSync(at('told/manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({ status: 'complete', scenario: { workload: { steps: 2 }, output: { directory: at('told') }, execution: { nodes: 1, transport: 'memory' } } });
  expect(manifest.conservation).toHaveLength(24);
  expect(existsSync(at('told/manifest.reserve.tmp'))).toBe(false);
});

test('what is there is kept without --force, and replaced with it only if it is a run', async () => {
  mkdirSync(at('mine'));
  writeFileSync(at('mine/notes.txt'), 'mine');
  expect((await call(...run('--out', at('mine')))).err).toMatch(/RUN_FOLDER_EXISTS/);
  expect((await call(...run('--out', at('mine'), '--force'))).err).toMatch(/RUN_FOLDER_FOREIGN/);
  expect(readFileSync(at('mine/notes.txt'), 'utf8')).toBe('mine');
  await call(...run('--out', at('twice')));
  expect((await call(...run('--out', at('twice')))).code).toBe(2);
  expect((await call(...run('--out', at('twice'), '--force'))).code).toBe(0);
});

test.each<[string, () => string[], RegExp]>([
  ['an empty folder as a trace', () => (mkdirSync(at('void')), ['--trace', at('void')]), /TRACE_EMPTY/],
  ['a text that calls itself a trace', () => (writeFileSync(at('text.arrow'), 'hello'), ['--trace', at('text.arrow')]), /TRACE_UNKNOWN_KIND/],
  ['a truncated trace', () => (writeFileSync(at('cut.arrow'), readFileSync(at('trace/trace.arrow')).subarray(0, 3000)), ['--trace', at('cut.arrow')]), /ARROW|TRACE/],
  ['a model with fewer experts', () => (writeFileSync(at('few.json'), JSON.stringify({ ...modelCard('gpt-oss-20b'), experts: 16 })), ['--model', at('few.json')]), /TRACE_/],
  ['a model with another number of layers', () => (writeFileSync(at('deep.json'), JSON.stringify({ ...modelCard('gpt-oss-20b'), moeLayers: 23 })), ['--model', at('deep.json')]), /TRACE_MODEL_MISMATCH/],
])('%s is bad input, and leaves no run folder', async (_, flags, message) => {
  const { code, err } = await call(...run('--out', at('never'), ...flags()));
  expect(err).toMatch(message);
  expect(code).toBe(2);
  expect(existsSync(at('never'))).toBe(false);
});
