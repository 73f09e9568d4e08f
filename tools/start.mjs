// @ts-check
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
 * @returns {{ args: string[], out: string, nodes: string, transport: string }}
 */
export function firstRun(given) {
  const own = valueOf('--out', given) === undefined ? ['--out', first, '--force'] : [];
  const args = ['run', '--trace', 'traces/gpt-oss-20b-synthetic', '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-8',
    '--nodes', '2', '--transport', 'websocket', '--steps', '4', ...own, ...given];
  return { args, out: valueOf('--out', args) ?? first, nodes: valueOf('--nodes', args) ?? '', transport: valueOf('--transport', args) ?? '' };
}

/**
 * The last value of a flag, given as `--flag value` or `--flag=value`.
 *
 * @param {string} flag
 * @param {string[]} args
 * @returns {string | undefined}
 */
function valueOf(flag, args) {
  let value;
  args.forEach((arg, i) => {
    if (arg === flag) value = args[i + 1];
    else if (arg.startsWith(`${flag}=`)) value = arg.slice(flag.length + 1);
  });
  return value;
}

/**
 * What the manifest says about the cut, as a sentence; throws when it is not the cut that was asked for, or when nothing
 * crossed it.
 *
 * @param {{ processes?: { rank: number, pid?: number, transport: string, boundaryPacketsSent: number, boundaryPacketsReceived: number }[] }} manifest
 * @param {{ nodes: string, transport: string }} asked the values of the flags; `auto` leaves it to kerf
 * @returns {string}
 */
export function describeCut({ processes = [] }, { nodes, transport }) {
  if (processes.length === 0) throw new Error('The manifest describes no process.');
  if (nodes !== 'auto' && processes.length !== Number(nodes)) throw new Error(`${nodes} processes were asked for, the manifest describes ${processes.length}.`);
  if (processes.length === 1) return '1 process, nothing to exchange';

  const used = processes[0]?.transport ?? '';
  for (const process of processes) {
    if (process.transport !== (transport === 'auto' ? used : transport)) throw new Error(`Process ${process.rank} was joined by ${process.transport}, not by ${transport}.`);
    if (process.boundaryPacketsSent === 0 || process.boundaryPacketsReceived === 0) {
      throw new Error(`Process ${process.rank} sent ${process.boundaryPacketsSent} boundary packets and received ${process.boundaryPacketsReceived}: it simulated on its own.`);
    }
  }
  if (used === 'websocket' && new Set(processes.map(({ pid, rank }) => pid ?? -rank)).size !== processes.length) throw new Error('Two ranks are one process.');
  const sent = processes.reduce((sum, process) => sum + process.boundaryPacketsSent, 0);
  const received = processes.reduce((sum, process) => sum + process.boundaryPacketsReceived, 0);
  if (sent !== received) throw new Error(`${sent} boundary packets were sent and ${received} received.`);
  return `${processes.length} processes exchanged ${sent.toLocaleString('en')} boundary packets over ${used === 'websocket' ? 'WebSockets' : used}`;
}

async function main() {
  prepare();
  const { args, out, nodes, transport } = firstRun(process.argv.slice(2));
  const command = join(root, 'apps/cli/dist/main.js');
  if (!existsSync(command)) stop('apps/cli/dist/main.js is missing after the build.');
  console.log(`kerf ${args.join(' ')}\n`);
  const code = await runInForeground(process.execPath, [command, ...args]);
  if (code !== 0 || args.includes('--print-scenario') || args.includes('--help')) process.exit(code);

  const folder = isAbsolute(out) ? relative(root, out) : out;
  const cut = describeCut(readJson(join(folder, 'manifest.json')), { nodes, transport });
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
