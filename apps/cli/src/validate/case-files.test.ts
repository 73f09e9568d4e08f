import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { presetHardware } from '@kerf/hardware';
import { checkTileProgram, parseTileProgram } from '@kerf/program';
import { planLedger, suites, type PlannedCase } from '@kerf/validation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kerf } from '../program.ts';
import { writeCaseFiles } from './case-files.ts';
import { shippedReferences } from './reference-files.ts';

let folder: string;
let cases: readonly PlannedCase[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-case-files-'));
  ({ cases } = planLedger(suites, [], shippedReferences(folder)));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every program of a case is one that kerf takes, fits its machine, and is the same whichever case writes it', () => {
  const texts = new Map<string, string>();
  for (const { files = [], steps, unrun } of cases) {
    if (unrun !== undefined) continue;
    for (const { path, content } of files) {
      const value = content();
      const text = JSON.stringify(value);
      expect(text).toBe(texts.get(path) ?? text);
      if (!texts.has(path)) {
        const line = steps[0] as readonly string[];
        checkTileProgram(parseTileProgram(value, path), presetHardware(line[line.indexOf('--hardware') + 1]!));
      }
      texts.set(path, text);
    }
  }
  expect(texts.size).toBeGreaterThan(200);
});

test('written, the command of a row can be typed as it stands', async () => {
  const one = cases.find(({ suite, unrun }) => suite === 'l1' && unrun === undefined)!;
  writeCaseFiles([one]);
  expect(JSON.parse(readFileSync(one.files![0]!.path, 'utf8'))).toMatchObject({ formatVersion: 1 });
  let out = '';
  const code = await kerf(one.steps[0] as readonly string[], { out: (text) => void (out += text), err: () => undefined });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ status: 'ok', cycles: expect.any(Number) as number });
});
