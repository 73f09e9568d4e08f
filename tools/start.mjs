// `npm start`: from a fresh clone to a first run. Installs, builds, replays the bundled trace on a wafer of eight dies that
// is cut over two processes, and checks in the run's manifest that the cut was real.
//
// usage: npm start [-- FLAGS OF kerf run]      e.g. npm start -- --nodes 4 --steps 8
import { existsSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, readJson, root, runInForeground, stop } from './prepare.mjs';

const first = 'runs/first';

/**
 * Which flags a first run gets. Given ones come last and win; a folder of one's own is never overwritten.
 *
 * @param {string[]} given
 * @returns {{ args: string[], out: string }}
 */
export function firstRun(given) {
  let out;
  given.forEach((flag, i) => {
    if (flag === '--out') out = given[i + 1];
    else if (flag.startsWith('--out=')) out = flag.slice('--out='.length);
  });
  const own = out === undefined ? ['--out', first, '--force'] : [];
  const args = ['run', '--trace', 'traces/gpt-oss-20b-synthetic', '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-8',
    '--nodes', '2', '--steps', '4', ...own, ...given];
  return { args, out: out ?? first };
}

/**
 * What the manifest says about the cut, as a sentence; throws when a cut was claimed and no packet crossed it.
 *
 * @param {{ execution?: { nodes?: number, transport?: string, processes?: { boundaryPacketsSent?: number, boundaryPacketsReceived?: number }[] } }} manifest
 * @returns {string}
 */
export function describeCut(manifest) {
  const { nodes, transport, processes = [] } = manifest.execution ?? {};
  if (nodes === undefined || transport === undefined) throw new Error('The manifest does not say how the run was executed.');
  if (nodes === 1) return '1 process, nothing to exchange';
  if (processes.length !== nodes) throw new Error(`The run used ${nodes} processes, but the manifest describes ${processes.length}.`);
  processes.forEach((counts, rank) => {
    if (!((counts.boundaryPacketsSent ?? 0) > 0 && (counts.boundaryPacketsReceived ?? 0) > 0)) {
      throw new Error(`Process ${rank} of ${nodes} exchanged no boundary packets.`);
    }
  });
  const sent = processes.reduce((sum, counts) => sum + (counts.boundaryPacketsSent ?? 0), 0);
  const received = processes.reduce((sum, counts) => sum + (counts.boundaryPacketsReceived ?? 0), 0);
  if (sent !== received) throw new Error(`${sent} boundary packets were sent and ${received} received.`);
  return `${nodes} processes exchanged ${sent.toLocaleString('en')} boundary packets over ${transport === 'websocket' ? 'WebSockets' : transport}`;
}

async function main() {
  prepare();
  const { args, out } = firstRun(process.argv.slice(2));
  const command = join(root, 'apps/cli/dist/main.js');
  if (!existsSync(command)) stop('apps/cli/dist/main.js is missing after the build.');
  console.log(`kerf ${args.join(' ')}\n`);
  const code = await runInForeground(process.execPath, [command, ...args]);
  if (code !== 0 || args.includes('--print-scenario') || args.includes('--help')) process.exit(code);

  const folder = isAbsolute(out) ? relative(root, out) : out;
  const cut = describeCut(readJson(join(folder, 'manifest.json')));
  if (args.includes('--json')) return;
  console.log(`
${cut}.
Results: ${folder}/  (manifest.json, and one folder per table with one Arrow file per die)

Next:
  npx kerf run --help                                        every flag
  npm start -- --nodes 4 --out runs/four                     other cuts, the same digest
  npm start -- --hardware flat-wafer-64 --out runs/big       64 dies of 32×32 tiles
  README.md, "Open the tables"                               DuckDB, Polars, pandas`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
