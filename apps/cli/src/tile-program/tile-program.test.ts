import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatTileProgram, TileProgramBuilder, type TileProgramFile } from '@kerf/program';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { kerf } from '../program.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
const at = (name: string): string => join(folder, name);

/** Every tile of a row loads a part of it, sums it, and the first one stores the whole sum. */
function rowSums(): string {
  const p = new TileProgramBuilder('row sums', { width: 4, height: 1 }, ['row']);
  const A = p.tensor('A', 8, 32, 'fp16', 'input');
  const S = p.tensor('S', 8, 1, 'fp16', 'output');
  const [a, sum] = [p.buffer('a', 1, 8, 'fp16'), p.buffer('sum', 1, 1, 'fp16')];
  const joined = p.collective('join', 'reduceSum', 'row', { x: 0, y: 0 });
  p.roles((x) => ({ stores: x === 0 }), (r, { stores }) => {
    const part = r.vector('rowSum', sum, a, null, [r.load(a, A.at(p.parameter('row'), p.x.times(8), 1, 8))]);
    const all = r.reduce(joined, sum, sum, [part]);
    if (stores) r.store(S.at(p.parameter('row'), 0, 1, 1), sum, [all]);
  });
  return formatTileProgram(p.finish());
}

function write(name: string, change: (file: TileProgramFile) => void): string {
  const file = JSON.parse(rowSums()) as TileProgramFile;
  change(file);
  writeFileSync(at(name), JSON.stringify(file));
  return at(name);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-program-'));
  writeFileSync(at('sums.json'), rowSums());
  writeFileSync(at('a.json'), JSON.stringify(Array.from({ length: 8 }, (_, i) => Array.from({ length: 32 }, (__, j) => i * 32 + j))));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await kerf(['program', ...args], { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}
const json = async (...args: string[]) => JSON.parse((await call(...args, '--json')).out);
const rows = ['--groups', '8', '--parameter', 'row=0+1'];

describe('kerf program check', () => {
  test('says what is in a program, alone and on a machine', async () => {
    const alone = await call('check', at('sums.json'));
    expect(alone).toMatchObject({ code: 0, err: '' });
    expect(alone.out).toMatch(/Program +row sums, for groups of 4 × 1 tiles, with row/);
    expect(alone.out).toMatch(/Checked +in itself: no fault found/);
    expect(await json('check', at('sums.json'), '--hardware', 'mesh-8x8', ...rows)).toMatchObject({ status: 'ok', groups: 8, operations: 13, roles: [{ name: 'stores', tiles: 1, operations: 4 }, { tiles: 3 }] });
  });

  test.each<[string, (file: TileProgramFile) => void, RegExp]>([
    ['an unknown field', (file) => void ((file as unknown as { extra: 1 }).extra = 1), /changed\.json.*extra/],
    ['a wrong number', (file) => void (file.roles[0]!.operations[1]!.after = [-1]), /changed\.json.*roles\.0\.operations\.1\.after/],
    ['an unknown kind', (file) => void ((file.roles[0]!.operations[0]! as { kind: string }).kind = 'laod'), /changed\.json.*roles\.0\.operations\.0\.kind.*load/],
    ['an unknown buffer', (file) => void (file.roles[0]!.operations[0]!.out![0] = 'b'), /PROGRAM_UNKNOWN_NAME: .*changed\.json.*buffer b/],
    ['a member that is missing', (file) => void file.roles[1]!.operations.pop(), /PROGRAM_COLLECTIVE_MEMBERS: .*changed\.json: Collective join/],
    ['a shape that does not fit', (file) => void (file.roles[0]!.operations[0]!.slice!.columns = 7), /PROGRAM_SHAPE_MISMATCH: .*changed\.json: Row 0 \(load\) of role stores/],
    ['another version', (file) => void ((file as { formatVersion: number }).formatVersion = 2), /PROGRAM_FORMAT_VERSION: .*changed\.json/],
  ])('%s is said with file, operation and field', async (_, change, message) => {
    const { code, err } = await call('check', write('changed.json', change));
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  test('names line and column of what is no JSON, and files that are not there', async () => {
    writeFileSync(at('broken.json'), '{\n  "name": }');
    expect((await call('check', at('broken.json'))).err).toMatch(/JSON_SYNTAX: .*broken\.json, line 2, column 11/);
    expect((await call('check', at('none.json'))).err).toMatch(/FILE_NOT_FOUND/);
  });

  test('a group that does not fit, a parameter that is missing, L1 that is too small', async () => {
    expect((await call('check', at('sums.json'), '--hardware', 'mesh-8x8', '--groups', '17', '--parameter', 'row=0')).err).toMatch(/PROGRAM_GROUP_DOES_NOT_FIT: .*sums\.json/);
    expect((await call('check', at('sums.json'), '--hardware', 'mesh-8x8', '--groups', '2')).err).toMatch(/PROGRAM_BAD_PARAMETERS: .*not given its parameter row/);
    expect((await call('check', at('sums.json'), '--hardware', 'mesh-8x8', '--set', 'hardware.tile.l1Bytes=17')).err).toMatch(/PROGRAM_L1_OVERFLOW: .*need 18 bytes.*a 16, sum 2/);
    expect((await call('check', at('sums.json'), '--hardware', 'mesh-8x8', '--parameter', 'row')).err).toMatch(/CLI_USAGE: --parameter takes/);
  });

  test('random changes of a file end in a coded error or pass, never in a crash', async () => {
    const text = rowSums();
    const edit = fc.record({ at: fc.nat(10_000), value: fc.oneof(fc.constantFrom(null, -1, 0, 1.5, 1e300, '', 'a', 'join', [], {}, true), fc.integer({ min: -5, max: 70_000 })) });
    await fc.assert(fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      const file = JSON.parse(text) as unknown;
      for (const { at: where, value } of edits) change(file, where, value);
      writeFileSync(at('fuzz.json'), JSON.stringify(file));
      for (const args of [['check', at('fuzz.json'), '--hardware', 'mesh-8x8', ...rows], ['execute', at('fuzz.json'), ...rows], ['run', at('fuzz.json'), ...rows]]) {
        const { code, err } = await call(...args);
        expect([0, 2], err).toContain(code);
        if (code === 2) expect(err).toMatch(/^kerf: (PROGRAM|SCHEMA|CLI|JSON|COST)_\w+: /);
      }
    }), { numRuns: 150 });
  });
});

/** Puts a value somewhere inside. */
function change(file: unknown, at: number, value: unknown): void {
  const places: [object, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node, key]);
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(file);
  if (places.length === 0) return;
  const [node, key] = places[at % places.length]!;
  (node as Record<string, unknown>)[key] = value;
}

describe('kerf program execute', () => {
  test('computes with given numbers, compares, and writes what comes out', async () => {
    writeFileSync(at('s.json'), JSON.stringify(Array.from({ length: 8 }, (_, i) => [i * 32 * 32 + 496])));
    const result = await json('execute', at('sums.json'), ...rows, '--input', `A=${at('a.json')}`, '--expect', `S=${at('s.json')}`, '--out', at('results'));
    expect(result).toMatchObject({ status: 'ok', outputs: [{ name: 'S', rows: 8, columns: 1, unwritten: 0 }], compared: [{ name: 'S', differing: 0, largestError: 0 }] });
    expect(JSON.parse(readFileSync(at('results/S.json'), 'utf8'))[1]).toEqual([1520]);
    expect((await call('execute', at('sums.json'), ...rows, '--out', at('results'))).err).toMatch(/OUTPUT_EXISTS/);
  });

  test('ends with exit code 4 where a number is wrong, and says which', async () => {
    writeFileSync(at('wrong.json'), JSON.stringify([496, 1520, 2545, 3568, 4592, 5616, 6640, 7664]));
    const { code, out } = await call('execute', at('sums.json'), ...rows, '--input', `A=${at('a.json')}`, '--expect', `S=${at('wrong.json')}`);
    expect(code).toBe(4);
    expect(out).toMatch(/1 elements differ .*first element 2, 0: 2544, expected 2545/);
    expect((await call('execute', at('sums.json'), ...rows, '--input', `A=${at('a.json')}`, '--expect', `S=${at('wrong.json')}`, '--tolerance', '0.001')).code).toBe(0);
  });

  test('the same seed gives the same numbers, another one others; rounding shows', async () => {
    const sum = async (...args: string[]) => (await json('execute', at('sums.json'), ...rows, ...args)).outputs[0].sum as number;
    expect(await sum('--seed', '3')).toBe(await sum('--seed', '3'));
    expect(await sum('--seed', '3')).not.toBe(await sum('--seed', '4'));
    expect(await sum('--round', 'fp16')).not.toBe(await sum());
  });

  test.each<[string[], RegExp]>([
    [['--input', 'B=x.json'], /has no tensor B; it has A, S/],
    [['--input', 'A'], /--input takes a tensor and a file/],
    [['--round', 'fp17'], /--round takes fp32, fp16/],
    [['--tolerance', '-1'], /--tolerance takes a number/],
    [['--parameter', 'rwo=1'], /no parameter rwo/],
  ])('%j is refused', async (args, message) => {
    const { code, err } = await call('execute', at('sums.json'), ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('kerf program run and show', () => {
  test('a run says cycles and a critical path that adds up to them', async () => {
    const result = await json('run', at('sums.json'), ...rows);
    expect(result).toMatchObject({ status: 'ok', program: 'row sums', hardware: 'mesh-8x8', groups: 8 });
    expect(result.cycles).toBeGreaterThan(100);
    expect(Object.values(result.breakdown as Record<string, number>).reduce((a, b) => a + b, 0)).toBe(result.cycles);
    // What is loaded and stored.
    expect(result.memoryBytes).toBeGreaterThanOrEqual(8 * 32 * 2 + 8 * 2);
  });

  test('show lists operations, and draws what tiles do', async () => {
    const { out } = await call('show', at('sums.json'));
    expect(out).toMatch(/0 +dma +all +load a ← A \[1 × 8\]/);
    expect(out).toMatch(/2 +fabric +all +reduce join: sum ← sum +after 1/);
    const drawn = await json('show', at('sums.json'), ...rows, '--svg', at('sums.svg'), '--tile', '0,0', '--tile', '5,3');
    expect(drawn.run.cycles).toBeGreaterThan(100);
    const svg = readFileSync(at('sums.svg'), 'utf8');
    expect(svg).toMatch(/^<svg [^>]*aria-label="row sums/);
    expect(svg).toMatch(/Tile 0, 0: stores[\s\S]*Tile 5, 3: other/);
    expect(svg).toMatch(/<title>load a ← A \[1 × 8\] \(row 0, all\): cycles 0 to \d+<\/title>/);
  });

  test.each<[string[], RegExp]>([
    [['--tile', '9,0'], /not on a die of 8 × 8/],
    [['--tile', '7,7'], /runs nothing/],
    [['--cycles', '5'], /--cycles takes two cycles/],
    [['--cycles', '5:5'], /ends before it begins/],
    [['--fidelity', 'packets'], /--fidelity takes packet, analytic/],
    [['--costs', 'cheap'], /--costs takes physical, reference/],
    [['--hardware', 'mesh-8x9'], /HARDWARE_UNKNOWN_PRESET/],
  ])('%j is refused before anything is drawn', async (args, message) => {
    const { code, err } = await call('show', at('sums.json'), '--parameter', 'row=0', '--svg', at('refused.svg'), ...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(existsSync(at('refused.svg'))).toBe(false);
  });
});
