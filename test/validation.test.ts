import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { memorySource, readTable } from '@kerf/arrow';
import { expect, test } from 'vitest';
import { kerf, scratchFolder, startKerf } from './support/kerf.ts';

// The ledger as a stranger runs it: rows go through the public command, in threads of the built program.

const folder = scratchFolder();

test('kerf validate runs rows through the public command, and its exit code is that of its verdicts', { timeout: 120_000 }, () => {
  const out = join(folder, 'ledger.arrow');
  const { code, out: text, err } = kerf(['validate', '--suite', 'd2d', 'eplb', '--out', out, '--json']);
  const ledger = JSON.parse(text) as { rows: { suite: string; verdict: string; ours: number | null; command: string }[]; passed: number; failed: number; notModelled: number; needsData: number };
  expect(err).toBe('');
  expect(ledger.rows).toHaveLength(ledger.passed + ledger.failed + ledger.notModelled + ledger.needsData);
  expect(code).toBe(ledger.failed > 0 ? 4 : 0);
  for (const { suite, ours, command } of ledger.rows) {
    if (suite !== 'd2d') continue;
    expect(ours).toBeGreaterThan(0);
    const alone = kerf(command.split(' ').slice(1));
    expect((JSON.parse(alone.out) as { wholeGigabytesPerSecond: number }).wholeGigabytesPerSecond).toBe(ours);
  }
  const [batch] = [...readTable(memorySource(out, new Uint8Array(readFileSync(out)))).batches()];
  expect(batch!.names('verdict')).toEqual(ledger.rows.map(({ verdict }) => verdict));
});

test('Ctrl-C ends it at once, with 130 and no ledger', { timeout: 60_000 }, async () => {
  const out = join(folder, 'cut-off.arrow');
  const { process: child, said } = startKerf(['validate', '--suite', 'noc-packet-flit', '--out', out]);
  await setTimeout(3000);
  const stopped = Date.now();
  child.kill('SIGINT');
  const { code, err } = await said;
  expect(code).toBe(130);
  expect(err).toMatch(/INTERRUPTED/);
  expect(Date.now() - stopped).toBeLessThan(10_000);
  expect(existsSync(out)).toBe(false);
});
