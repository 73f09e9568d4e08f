// @ts-check
// Runs the quick ledger and holds it against the list of failures that are known: a new failure, or a known one that passes
// by now, is a fault.
//
// usage: node tools/ledger-check.mjs [--sample 8] [--seed 1]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './prepare.mjs';

/**
 * @typedef {{ suite: string, case: string, list: string, verdict: string, ours: number | null, expected: number | null, unit: string }} Row
 * @typedef {{ suite: string, case: string, why: string }} KnownFailure
 */

const { values } = parseArgs({ options: { sample: { type: 'string', default: '8' }, seed: { type: 'string', default: '1' } } });
const folder = mkdtempSync(join(tmpdir(), 'kerf-ledger-'));
try {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'apps/cli/bin/kerf.js'), 'validate', '--quick', '--sample', values.sample, '--seed', values.seed, '--out', join(folder, 'ledger.arrow'), '--json'],
    { encoding: 'utf8', maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  if (status !== 0 && status !== 4) throw new Error(`kerf validate ended with ${status}.`);
  /** @type {{ rows: Row[], passed: number, failed: number, notModelled: number, needsData: number }} */
  const ledger = JSON.parse(stdout);
  /** @type {KnownFailure[]} */
  const known = JSON.parse(readFileSync(join(root, 'packages/validation/known-failures.json'), 'utf8'));
  const isKnown = (/** @type {Row} */ row) => known.some((one) => one.suite === row.suite && one.case === row.case);

  const failed = ledger.rows.filter(({ verdict }) => verdict === 'fail');
  const fresh = failed.filter((row) => !isKnown(row));
  const healed = ledger.rows.filter((row) => row.verdict === 'pass' && isKnown(row));
  console.log(`Ledger: ${ledger.passed} passed, ${ledger.failed} failed (${failed.length - fresh.length} of them known), ${ledger.notModelled} not modelled, ${ledger.needsData} without data.`);
  for (const row of fresh) console.log(`New failure: ${row.suite}: ${row.case}: ours ${row.ours}, expected ${row.expected} ${row.unit}`);
  for (const row of healed) console.log(`Passes by now, take it from the list: ${row.suite}: ${row.case}`);
  if (fresh.length > 0 || healed.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
