// @ts-check
// `npm test`: installs, builds, runs every test once, and ends with one plain line of counts.
//
// usage: npm test [-- [--nightly] [--strict-skips] FLAGS OF vitest run]
//   --nightly        slow cases too (KERF_NIGHTLY=1)
//   --strict-skips   a skipped test is a failure, unless the environment says that its need is absent on purpose:
//                    a test with "(needs KERF_X)" in its name may be skipped while KERF_X=none
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, root, runInForeground } from './prepare.mjs';

/** @typedef {{ fullName: string, status: string }} Assertion */
/** @typedef {{ name: string, status: string, message?: string, assertionResults: Assertion[] }} FileReport */
/** @typedef {{ passed: number, failed: number, skipped: number, faults: string[], skips: string[] }} Counts */

/**
 * Counts what a vitest JSON report holds. A file that could not be loaded has no tests and counts as one failure, as does a
 * run that executed nothing or ended badly without a failed test.
 *
 * @param {{ testResults: FileReport[] } | undefined} report
 * @param {number} exitCode of vitest
 * @param {{ strictSkips: boolean, environment: Record<string, string | undefined> }} options
 * @returns {Counts}
 */
export function countTests(report, exitCode, options) {
  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0, faults: [], skips: [] };
  const fail = (/** @type {string} */ fault) => {
    counts.failed++;
    counts.faults.push(fault);
  };
  for (const file of report?.testResults ?? []) {
    let failedHere = 0;
    for (const { fullName, status } of file.assertionResults) {
      if (status === 'passed') counts.passed++;
      else if (status === 'failed') {
        counts.failed++;
        failedHere++;
      } else {
        const needs = [...fullName.matchAll(/\(needs (KERF_[A-Z_]+)\)/g)].map((match) => match[1] ?? '');
        if (options.strictSkips && !needs.some((need) => options.environment[need] === 'none')) {
          fail(`skipped: ${fullName}`);
        } else {
          counts.skipped++;
          counts.skips.push(fullName);
        }
      }
    }
    if (file.status === 'failed' && failedHere === 0) fail(`${file.name}: ${(file.message ?? '').split('\n')[0] || 'could not be run'}`);
  }
  if (counts.passed + counts.failed === 0) fail('No test was executed.');
  if (exitCode !== 0 && counts.failed === 0) fail(`vitest ended with exit code ${exitCode} though no test failed (an error outside the tests?).`);
  return counts;
}

/** @param {Counts} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

async function main() {
  const given = process.argv.slice(2);
  const own = ['--nightly', '--strict-skips'];
  prepare();
  const folder = mkdtempSync(join(tmpdir(), 'kerf-test-'));
  try {
    const report = join(folder, 'report.json');
    const code = await runInForeground(process.execPath, [
      join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`,
      ...given.filter((flag) => !own.includes(flag)),
    ], given.includes('--nightly') ? { KERF_NIGHTLY: '1' } : {});
    const counts = countTests(readReport(report), code, { strictSkips: given.includes('--strict-skips'), environment: process.env });
    if (counts.skips.length > 0) console.log(`Skipped:\n${counts.skips.map((name) => `  ${name}`).join('\n')}\n`);
    if (counts.faults.length > 0) console.log(`Failed beside the tests above:\n${counts.faults.map((fault) => `  ${fault}`).join('\n')}\n`);
    console.log(closingLine(counts));
    process.exitCode = counts.failed > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {string} file
 * @returns {{ testResults: FileReport[] } | undefined} undefined when vitest ended before it wrote one
 */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
