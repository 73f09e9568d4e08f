// Times the replay of one decode step over all layers of gpt-oss-20b on the 64-die wafer, and prints one row per case.
//
// usage: node tools/bench-replay.mjs [--tokens-per-die 1,256] [--nodes 1,2] [--repeat 1]
//
// The trace is the recording under KERF_REFERENCE (default ../shared) where there is one, else the bundled synthetic one.
// Wall time is the median of the repeats; the digests of all process counts must agree.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './prepare.mjs';

const { values } = parseArgs({ options: { 'tokens-per-die': { type: 'string', default: '1,256' }, nodes: { type: 'string', default: '1,2' }, repeat: { type: 'string', default: '1' } } });
/** @param {string} text */
const list = (text) => text.split(',').map(Number);
const recorded = join(root, process.env.KERF_REFERENCE ?? '../shared', 'traces/gpt-oss-20b-decode');
const trace = existsSync(recorded) ? recorded : join(root, 'traces/gpt-oss-20b-synthetic');
const folder = mkdtempSync(join(tmpdir(), 'kerf-bench-'));

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}; ${trace === recorded ? 'recorded' : 'bundled synthetic'} trace`);
console.log('tokens per die | processes | wall s | packet-hops | M packet-hops/s | share of time waiting | peak MiB per process | digest');
try {
  for (const tokens of list(values['tokens-per-die'])) {
    const digests = new Set();
    for (const nodes of list(values.nodes)) {
      const runs = Array.from({ length: Number(values.repeat) }, () => runOnce(tokens, nodes)).sort((a, b) => a.wallSeconds - b.wallSeconds);
      const median = runs[runs.length >> 1];
      if (median === undefined) throw new Error('--repeat is at least 1.');
      const { wallSeconds, packetHops, digest, processes } = median;
      digests.add(digest);
      let waitSeconds = 0;
      let processSeconds = 0;
      for (const one of processes) {
        waitSeconds += one.waitSeconds;
        processSeconds += one.wallSeconds;
      }
      const wait = waitSeconds / processSeconds;
      const peak = processes.map((/** @type {Process} */ one) => Math.round(one.peakRssBytes / 2 ** 20)).join(', ');
      console.log([tokens, nodes, wallSeconds.toFixed(1), packetHops, (packetHops / wallSeconds / 1e6).toFixed(2), `${(wait * 100).toFixed(0)} %`, peak, digest.slice(0, 12)].join(' | '));
    }
    if (digests.size !== 1) throw new Error('The number of processes changed the results.');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/**
 * @typedef {{ waitSeconds: number, wallSeconds: number, peakRssBytes: number }} Process
 * @typedef {{ wallSeconds: number, packetHops: number, digest: string, processes: Process[] }} Timing
 */

/**
 * @param {number} tokens per die
 * @param {number} nodes
 * @returns {Timing}
 */
function runOnce(tokens, nodes) {
  const out = join(folder, 'run');
  const text = execFileSync(process.execPath, [
    join(root, 'apps/cli/dist/main.js'), 'run', '--trace', trace, '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-64', '--steps', '1',
    '--tokens-per-die', String(tokens), '--nodes', String(nodes), '--transport', 'websocket', '--out', out, '--force', '--json',
  ], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const { processes } = JSON.parse(readFileSync(join(out, 'manifest.json'), 'utf8'));
  return { ...JSON.parse(text), processes };
}
