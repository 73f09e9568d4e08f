import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { kerf } from '../program.ts';

vi.setConfig({ testTimeout: 120_000 });

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-gemm-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await kerf(['gemm', ...args], { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}
const json = async (...args: string[]) => JSON.parse((await call('--hardware', 'mesh-8x8', ...args, '--json')).out);
const product = (m: number, n: number, k: number): string[] => ['--m', String(m), '--n', String(n), '--k', String(k)];

describe('kerf gemm', () => {
  test('gives cycles, time, utilisation, traffic and a critical path that adds up', async () => {
    const result = await json(...product(512, 512, 512), '--out', at('result.json'));
    const { cycles, microseconds, utilisation, memoryBytes, fabricByteHops, breakdown } = result;
    expect(Object.keys(breakdown)).toEqual(['matrix', 'vector', 'memory', 'multicast', 'reduce', 'barrier', 'other']);
    expect(Object.values(breakdown as Record<string, number>).reduce((a, b) => a + b, 0)).toBe(cycles);
    expect(microseconds).toBe(cycles / 1000);
    expect(utilisation).toBeCloseTo(512 ** 3 / (64 * 512) / cycles, 12);
    expect(utilisation).toBeLessThan(1);
    // X and W are read at least once, Z is written once.
    expect(memoryBytes).toBeGreaterThanOrEqual(3 * 512 * 512 * 2);
    expect(fabricByteHops).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(at('result.json'), 'utf8'))).toEqual(result);
  });

  test.each<[string, string[]]>([
    ['chosen', []],
    ['with parts of the inner dimension summed in the fabric', ['--group', '8x1', '--split-k', '8']],
    ['with parts of the inner dimension summed by messages', ['--group', '4x2', '--split-k', '4']],
    ['with parts of rows and columns', ['--group', '2x2', '--split-m', '2', '--split-n', '3', '--split-k', '1']],
    ['blockwise', ['--schedule', 'blockwise', '--piece', '16x16x16']],
    ['as published', ['--mapping', 'published']],
    ['with loaders at the edges and three stages', ['--loaders', 'edges', '--stages', '3']],
  ])('%s: executed it is exact, and it runs', async (_, args) => {
    const result = await json(...product(97, 83, 130), '--prove', ...args);
    expect(result).toMatchObject({ status: 'ok', proof: { elements: 97 * 83, wrong: 0 } });
    expect(result.cycles).toBeGreaterThan(0);
  });

  test('of several layouts that are tried the fastest is kept', async () => {
    const { tried, cycles, mapping } = await json(...product(256, 256, 256), '--try', '4');
    expect(tried).toHaveLength(4);
    expect(cycles).toBe(Math.min(...tried.map((one: { cycles: number }) => one.cycles)));
    expect(tried.find((one: { cycles: number }) => one.cycles === cycles).mapping).toEqual(mapping);
  });

  test('writes a program that kerf program takes, and a picture', async () => {
    await json(...product(128, 128, 128), '--program', at('gemm.json'), '--svg', at('gemm.svg'));
    let out = '';
    expect(await kerf(['program', 'check', at('gemm.json'), '--hardware', 'mesh-8x8', '--parameter', 'row=0', '--parameter', 'column=0'], { out: (text) => (out += text), err: () => undefined })).toBe(0);
    expect(out).toMatch(/no fault found/);
    expect(readFileSync(at('gemm.svg'), 'utf8')).toMatch(/GEMM 128 × 128 × 128 fp16/);
    expect((await call('--hardware', 'mesh-8x8', ...product(128, 128, 128), '--program', at('gemm.json'))).err).toMatch(/OUTPUT_EXISTS/);
  });

  test.each<[string[], RegExp]>([
    [[...product(512, 512, 512).slice(0, 4)], /A product needs --m, --n and --k; --k is missing/],
    [product(0, 1, 1), /--m takes a whole number from 1/],
    [[...product(8, 8, 8), '--dtype', 'fp17'], /--dtype takes fp16, bf16.*Did you mean/],
    [[...product(8, 8, 8), '--piece', '8x8'], /--piece takes/],
    [[...product(8, 8, 8), '--group', '9x9'], /GEMM_DOES_NOT_FIT/],
    [[...product(8, 8, 8), '--mapping', 'published', '--stages', '3'], /--mapping published settles stages/],
    [[...product(8, 8, 8), '--schedule', 'blockwise', '--stages', '3'], /blockwise has 2 --stages/],
    [[...product(2000, 2000, 2000), '--prove', '--fidelity', 'analytic'], /--prove executes every multiplication/],
    [[...product(8, 8, 8), '--set', 'hardware.memory=null'], /HARDWARE_NO_MEMORY|SCENARIO/],
  ])('%j is refused', async (args, message) => {
    const { code, err } = await call('--hardware', 'mesh-8x8', ...args, '--out', at('refused.json'));
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(at('refused.json'))).toBe(false);
  });
});
