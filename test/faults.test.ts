import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { completeRun, kerf, manifestOf, realTrace, root, scratchFolder, startKerf, type RunResult, type Started } from './support/kerf.ts';
import { testWithReference, testWithSmallDisk } from './support/needs.ts';

// Whatever goes wrong, it ends at once, says what it was, leaves no process behind, and no folder that looks complete.

const folder = scratchFolder();
const at = (name: string) => join(folder, name);
const trace = join(root, 'traces/gpt-oss-20b-synthetic');
const never = at('never');
const short = ['--trace', trace, '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-8', '--steps', '1', '--tokens-per-die', '1'];
const long = ['--trace', trace, '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-8', '--steps', '150', '--tokens-per-die', '4'];
let whole: RunResult;

beforeAll(() => {
  whole = completeRun([...short, '--transport', 'memory', '--out', at('whole')]);
});

/** Every file of the run and its length, as a fingerprint of a folder. */
function content(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => {
    const file = join(entry.parentPath, entry.name);
    return `${file} ${readFileSync(file).length}`;
  }).sort();
}

interface NodeProcess { readonly pid: number; readonly rank: number }

/** The node processes that a running command has started. */
function nodesOf({ process: parent }: Started): NodeProcess[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout.trim().split('\n').map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent.pid)
    .map(([pid]) => ({ pid: pid!, rank: Number(/KERF_RANK=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1]) }));
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until the run has written its first rows. */
async function untilRunning(runDir: string, started: Started): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (started.process.exitCode !== null) throw new Error(`It ended too early: ${(await started.said).err}`);
    if (existsSync(join(runDir, 'links/die-0000.arrows')) && readFileSync(join(runDir, 'manifest.json'), 'utf8').includes('"running"')) {
      await wait(300);
      expect(started.process.exitCode).toBeNull();
      return;
    }
    await wait(50);
  }
  started.process.kill('SIGKILL');
  throw new Error('The run did not start within 30 s.');
}

describe.runIf(existsSync('/proc/self/environ'))('a run over three processes', () => {
  test('ends with exit code 3 when one is killed, and names it', async () => {
    const runDir = at('killed');
    const started = startKerf(['run', ...long, '--nodes', '3', '--transport', 'websocket', '--out', runDir, '--json']);
    await untilRunning(runDir, started);
    const nodes = nodesOf(started);
    expect(nodes.map(({ rank }) => rank).sort()).toEqual([0, 1, 2]);
    const victim = nodes.find(({ rank }) => rank === 1)!;
    const killed = Date.now();
    process.kill(victim.pid, 'SIGKILL');
    const { code, out, err } = await started.said;
    expect(Date.now() - killed).toBeLessThan(10_000);
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`kerf: NODE_LOST: Node process 1 \\(pid ${victim.pid}, dies? [^)]*\\) was ended by SIGKILL`));
    expect(JSON.parse(out)).toMatchObject({ status: 'error', code: 'NODE_LOST', runDir, context: { rank: 1, pid: victim.pid, signal: 'SIGKILL' } });
    const { status, reason, digest } = manifestOf(runDir);
    expect({ status, digest }).toEqual({ status: 'incomplete', digest: undefined });
    expect(reason).toContain(`pid ${victim.pid}`);
    expect(nodes.filter(({ pid }) => lives(pid))).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('ends with exit code 130 at %s', async (signal) => {
    const runDir = at(`by-${signal}`);
    const started = startKerf(['run', ...long, '--nodes', '3', '--transport', 'websocket', '--out', runDir, '--json']);
    await untilRunning(runDir, started);
    const nodes = nodesOf(started);
    expect(nodes).toHaveLength(3);
    const sent = Date.now();
    started.process.kill(signal);
    const { code, out, err } = await started.said;
    expect(Date.now() - sent).toBeLessThan(10_000);
    expect(code).toBe(130);
    expect(err).toMatch(/kerf: INTERRUPTED: /);
    expect(JSON.parse(out)).toMatchObject({ status: 'error', code: 'INTERRUPTED', runDir });
    expect(manifestOf(runDir).status).toBe('interrupted');
    expect(nodes.filter(({ pid }) => lives(pid))).toEqual([]);
  });

  test('leaves no node process behind, and no complete manifest, when the command itself is killed', async () => {
    const runDir = at('orphaned');
    const started = startKerf(['run', ...long, '--nodes', '3', '--transport', 'websocket', '--out', runDir]);
    await untilRunning(runDir, started);
    const nodes = nodesOf(started);
    expect(nodes).toHaveLength(3);
    started.process.kill('SIGKILL');
    for (let tries = 0; tries < 100 && nodes.some(({ pid }) => lives(pid)); tries++) await wait(100);
    expect(nodes.filter(({ pid }) => lives(pid))).toEqual([]);
    expect(manifestOf(runDir).status).toBe('running');
    // What such a run leaves is a run folder: it can be replaced.
    expect(completeRun([...short, '--transport', 'memory', '--out', runDir, '--force']).digest).toBe(whole.digest);
  });
});

describe('a full disk', () => {
  // A run of one step writes about 1.2 MB; while it finishes, a stream and its file are there at once.
  for (const [kilobytes, nodes] of [[48, 1], [128, 1], [600, 1], [1120, 1], [600, 2]] as const) {
    testWithSmallDisk(`of ${kilobytes} kB ends a run over ${nodes === 1 ? 'one node' : 'two processes'} with exit code 3, incomplete`, kilobytes * 1024, (disk) => {
      const runDir = join(disk, 'run');
      const { code, out, err } = kerf(['run', ...short, '--nodes', String(nodes), '--transport', nodes === 1 ? 'memory' : 'websocket', '--out', runDir, '--json']);
      expect([code, err]).toEqual([3, expect.stringMatching(/^kerf: DISK_FULL: /) as string]);
      expect(JSON.parse(out)).toMatchObject({ status: 'error', code: 'DISK_FULL' });
      if (existsSync(runDir)) expect(manifestOf(runDir).status).toBe('incomplete');
      else expect(kilobytes).toBeLessThan(100); // not even room to begin
    });
  }
});

describe('an output folder that exists', () => {
  test('is refused without --force and left as it is', () => {
    const before = content(at('whole'));
    const { code, err } = kerf(['run', ...short, '--transport', 'memory', '--out', at('whole')]);
    expect(err).toMatch(/^kerf: RUN_FOLDER_EXISTS: .*--force/);
    expect(code).toBe(2);
    expect(content(at('whole'))).toEqual(before);
  });

  test('is replaced with --force if it is a run folder', () => {
    completeRun([...short, '--transport', 'memory', '--set', 'hardware.link.cycles=2', '--out', at('again')]);
    expect(completeRun([...short, '--transport', 'memory', '--out', at('again'), '--force']).digest).toBe(whole.digest);
    expect(content(at('again')).length).toBe(content(at('whole')).length);
  });

  test.each([
    ['of somebody else', (path: string) => writeFileSync(join(path, 'thesis.tex'), 'everything')],
    ['with one file of somebody else in a table', (path: string) => (mkdirSync(join(path, 'links')), writeFileSync(join(path, 'links/notes.txt'), 'mine'), writeFileSync(join(path, 'manifest.json'), readFileSync(at('whole/manifest.json'))))],
    ['with a manifest of something else', (path: string) => writeFileSync(join(path, 'manifest.json'), '{"name":"an app"}')],
  ])('%s is not touched by --force', (name, fill) => {
    const path = at(name.replaceAll(' ', '-'));
    mkdirSync(path);
    fill(path);
    const before = content(path);
    const { code, err } = kerf(['run', ...short, '--transport', 'memory', '--out', path, '--force']);
    expect(err).toMatch(/^kerf: RUN_FOLDER_FOREIGN: /);
    expect(code).toBe(2);
    expect(content(path)).toEqual(before);
  });
});

/** A little-endian .npy file of bytes. */
function npy(shape: readonly number[], values: Uint8Array): Uint8Array {
  const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117) + '\n';
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), Buffer.from([header.length, 0]), Buffer.from(header), values]);
}

/** A recording of two tokens, 24 layers, 4 of 32 experts, with a change. */
function recording(name: string, change: { ids?: (ids: Uint8Array) => void; index?: object; cut?: number }): string {
  const path = at(name);
  mkdirSync(path);
  const ids = Uint8Array.from({ length: 2 * 24 * 4 }, (_, i) => i % 32);
  change.ids?.(ids);
  const bytes = npy([2, 24, 4], ids);
  writeFileSync(join(path, 'expert_ids.npy'), bytes.subarray(0, bytes.length - (change.cut ?? 0)));
  writeFileSync(join(path, 'requests.json'), JSON.stringify({
    format: 'dense-npy', model: 'openai/gpt-oss-20b', num_layers: 24, num_experts: 32, top_k: 4, phase: 'decode',
    expert_ids: { file: 'expert_ids.npy', dtype: 'uint8', shape: [2, 24, 4] }, requests: [{ request: 0, row_offset: 0, tokens: 2, first_position: 5 }], ...change.index,
  }));
  return path;
}

function file(name: string, bytes: string | Uint8Array): string {
  writeFileSync(at(name), bytes);
  return at(name);
}

/** A JSON file: what a run was made of, with a change. */
function changed(name: string, of: 'scenario' | 'hardware' | 'model', change: (value: never) => void): string {
  const value = (manifestOf(at('whole')) as unknown as Record<string, object>)[of]!;
  change(value as never);
  return file(name, JSON.stringify(value));
}

const bundledBytes = () => readFileSync(join(trace, 'trace.arrow'));

describe('bad input: exit code 2, a code and a sentence, one JSON object, and nothing is written', () => {
  test.each<[string, () => string[], RegExp]>([
    ['an unknown flag', () => ['--tokens-per-dye', '4'], /CLI_USAGE: .*Did you mean --tokens-per-die\?/],
    ['an unknown preset', () => ['--hardware', 'flat-wafer-9'], /HARDWARE_UNKNOWN_PRESET: .*Did you mean "flat-wafer-8"\?/],
    ['an unknown card', () => ['--model', 'gpt-oss-20c'], /INFERENCE_UNKNOWN_MODEL: .*Did you mean "gpt-oss-20b"\?/],
    ['an unknown key of --set', () => ['--set', 'hardware.link.cicles=2'], /SCENARIO_UNKNOWN_SETTING: .*Did you mean "hardware.link.cycles"\?/],
    ['a wrong type in --set', () => ['--set', 'workload.tokensPerDie=1.5'], /SCHEMA_WRONG_TYPE: .*workload\.tokensPerDie must be of type integer, got 1\.5/],
    ['an unknown key in a scenario', () => [changed('key.json', 'scenario', (s: { workload: Record<string, unknown> }) => (s.workload['stepz'] = 4))], /SCHEMA_UNKNOWN_KEY: .*key\.json: unknown key workload\.stepz\. Did you mean "steps"\?/],
    ['a wrong type in a scenario', () => [changed('type.json', 'scenario', (s: { workload: { steps: unknown } }) => (s.workload.steps = '4'))], /SCHEMA_WRONG_TYPE: .*type\.json: workload\.steps must be of type integer, got "4"/],
    ['a scenario that is no JSON', () => [file('half.json', '{"formatVersion": 1,\n  "seed" 1}')], /JSON_SYNTAX: .*half\.json, line 2, column 10/],
    ['an unknown key in hardware', () => ['--hardware', changed('hardware.json', 'hardware', (h: { link: Record<string, unknown> }) => (h.link['bytesPerCicle'] = 1))], /SCHEMA_UNKNOWN_KEY: .*link\.bytesPerCicle\. Did you mean "bytesPerCycle"\?/],
    ['an unknown key in a model', () => ['--model', changed('model.json', 'model', (m: Record<string, unknown>) => (m['expertz'] = 1))], /SCHEMA_UNKNOWN_KEY: .*expertz\. Did you mean "experts"\?/],
    ['more processes than dies', () => ['--nodes', '9'], /TOO_MANY_NODES: 9 node processes are more than the 8 dies/],
    ['no process', () => ['--nodes', '0'], /SCHEMA_OUT_OF_RANGE: .*execution\.nodes must be >= 1, got 0/],
    ['an unknown transport', () => ['--transport', 'carrier'], /CLI_USAGE: .*websocket, memory, auto, got "carrier"/],
    ['more steps than were recorded', () => ['--steps', '2000'], /INFERENCE_TOO_MANY_STEPS: .*2000 are asked for/],
    ['a trace that is not there', () => ['--trace', at('nowhere')], /FILE_NOT_FOUND: .*nowhere/],
    ['an empty folder', () => (mkdirSync(at('void')), ['--trace', at('void')]), /TRACE_EMPTY: /],
    ['an empty file', () => ['--trace', file('empty.arrow', '')], /TRACE_UNKNOWN_KIND: .*empty/],
    ['a text with the name of a trace', () => ['--trace', file('text.arrow', 'routing')], /TRACE_UNKNOWN_KIND: .*text\.arrow/],
    ['a truncated trace', () => ['--trace', file('cut.arrow', bundledBytes().subarray(0, 300_000))], /ARROW_TRUNCATED: .*cut\.arrow/],
    ['a trace without its last byte', () => ['--trace', file('last.arrow', bundledBytes().subarray(0, -1))], /ARROW_[A-Z]+: .*last\.arrow/],
    ['a table of a run', () => ['--trace', join(at('whole'), 'links/die-0000.arrow')], /TRACE_TABLE: .*expected an Arrow table named "routing", got "links"/],
    ['a truncated array', () => ['--trace', recording('short', { cut: 1 })], /TRACE_NPY_LENGTH: .*expert_ids\.npy/],
    ['expert ids beyond the model', () => ['--trace', recording('beyond', { ids: (ids) => (ids[101] = 32) })], /TRACE_EXPERT_RANGE: .*row 1, layer 1, slot 1: expected an expert id from 0 to 31, got 32/],
    ['an expert chosen twice', () => ['--trace', recording('double', { ids: (ids) => (ids[5] = ids[4]!) })], /TRACE_EXPERT_DUPLICATE: .*row 0, layer 1, slot 1/],
    ['a model with fewer experts', () => ['--model', changed('few.json', 'model', (m: { experts: number }) => (m.experts = 16))], /TRACE_MODEL_MISMATCH: .*16 experts per layer, the trace 32/],
    ['a model with other layers', () => ['--model', changed('deep.json', 'model', (m: { layers: number; moeLayers: number }) => (m.layers = m.moeLayers = 23))], /TRACE_MODEL_MISMATCH: .*23 MoE layers, the trace 24/],
  ])('%s', (_, flags, message) => {
    const own = flags();
    const scenario = own[0]!.startsWith('--') ? [] : [own.shift()!];
    const { code, out, err } = kerf(['run', ...scenario, ...(scenario.length > 0 ? [] : short), ...own, '--out', never, '--json']);
    expect(err).toMatch(message);
    expect(err).toMatch(/^kerf: [A-Z_]+: [^\n]+\n$/);
    expect(code).toBe(2);
    const object = JSON.parse(out) as { status: string; code: string; message: string };
    expect(err).toBe(`kerf: ${object.code}: ${object.message}\n`);
    expect(object).not.toHaveProperty('runDir');
    expect(existsSync(never)).toBe(false);
  });

  testWithReference('the real recording for another model', (reference) => {
    const { code, err } = kerf(['run', '--trace', realTrace(reference), '--model', 'mixtral-8x7b', '--out', never]);
    expect(err).toMatch(/^kerf: TRACE_MODEL_MISMATCH: .*24/);
    expect(code).toBe(2);
    expect(existsSync(never)).toBe(false);
  });

  test('a recording of one request is enough for 8 dies: it is cycled, and the manifest says so', () => {
    const { runDir } = completeRun([...short, '--trace', recording('good', {}), '--transport', 'memory', '--out', at('cycled')]);
    const manifest = manifestOf(runDir) as unknown as { trace: { cycling?: { slots: number; requests: number } } };
    expect(manifest.trace.cycling).toMatchObject({ slots: 8, requests: 1 });
  });
});
