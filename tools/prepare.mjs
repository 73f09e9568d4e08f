// @ts-check
// The set-up that `npm start` and `npm test` share: the right Node, the packages of the lock, a build. Plain Node, no
// dependencies, since nothing may be installed yet; and no syntax that an old Node could not read before it is refused.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** @typedef {{ version?: string, link?: boolean, resolved?: string, optional?: boolean }} LockEntry */
/** @typedef {{ packages?: Record<string, LockEntry> }} Lock */

/**
 * The reason not to run on this Node, or undefined.
 *
 * @param {string} version of the running Node, as in `20.19.0`
 * @param {string} range of package.json's `engines.node`; only `>=major.minor` is understood
 * @returns {string | undefined}
 */
export function nodeVersionFault(version, range) {
  const wanted = /^>=(\d+)\.(\d+)/.exec(range);
  if (wanted === null) throw new Error('engines.node is expected as >=major.minor, got ' + range);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = [Number(wanted[1]), Number(wanted[2])];
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return `Kerf needs Node ${wantedMajor}.${wantedMinor} or newer; this is Node ${version}. See https://nodejs.org for a newer one.`;
}

/**
 * Why node_modules has to be installed anew, or undefined when it holds what the lock says. Contents are compared, not
 * times: a checkout gives every file the time of the checkout. Packages for other platforms are rightly absent.
 *
 * @param {Lock} lock package-lock.json
 * @param {Lock | undefined} installed node_modules/.package-lock.json, which npm leaves behind
 * @returns {string | undefined}
 */
export function installFault(lock, installed) {
  if (installed === undefined) return 'node_modules is missing';
  const wanted = lock.packages || {};
  const found = installed.packages || {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/')) continue;
    const other = found[path];
    const name = path.replace(/^.*node_modules\//, '');
    if (other === undefined) {
      if (!entry.optional) return `${name} is not installed`;
    } else if (other.version !== entry.version || Boolean(other.link) !== Boolean(entry.link) || (entry.link && other.resolved !== entry.resolved)) {
      return `${name} is installed as ${other.version || other.resolved}, the lock says ${entry.version || entry.resolved}`;
    }
  }
  for (const path of Object.keys(found)) {
    if (!(path in wanted)) return `${path.replace(/^.*node_modules\//, '')} is installed and not in the lock`;
  }
  return undefined;
}

/**
 * Checks Node, installs what the lock says if node_modules differs from it, and builds every package. Exits with a
 * sentence when one of these fails.
 */
export function prepare() {
  const fault = nodeVersionFault(process.versions.node, readJson('package.json').engines.node);
  if (fault !== undefined) stop(fault);

  const installedLock = join(root, 'node_modules/.package-lock.json');
  const reason = installFault(readJson('package-lock.json'), existsSync(installedLock) ? readJson('node_modules/.package-lock.json') : undefined);
  if (reason !== undefined) step(`installing packages (${reason})`, ...npm(['ci']));

  // One compiler over all packages first, since it reads shared types once (25 s of CPU instead of 41 s from nothing); then each
  // package's own build in order, which finds its code up to date and adds what is not code.
  step('compiling', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--build', '--pretty', 'false']);
  step('building', process.execPath, [join(root, 'node_modules/nx', readJson('node_modules/nx/package.json').bin.nx), 'run-many', '-t', 'build', '--output-style=static'], {
    NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', FORCE_COLOR: '0',
  });
}

/**
 * Runs a program in the foreground and returns its exit code. Ctrl-C goes to both, and this one waits for the other's end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [environment] added to the present one
 * @returns {Promise<number>}
 */
export function runInForeground(command, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const ignore = () => {};
    process.on('SIGINT', ignore);
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
    const passOn = () => child.kill('SIGTERM');
    process.on('SIGTERM', passOn);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      process.off('SIGINT', ignore);
      process.off('SIGTERM', passOn);
      resolve(code !== null ? code : signal === 'SIGINT' ? 130 : 1);
    });
  });
}

/** @param {string} file relative to the project's root */
export function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'));
}

/**
 * @param {string} message
 * @returns {never}
 */
export function stop(message) {
  console.error(message);
  process.exit(1);
}

/**
 * One line when it starts, one number when it ends; the output itself only when it fails.
 *
 * @param {string} title
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [environment]
 */
function step(title, command, args, environment = {}) {
  process.stdout.write(`${title} … `);
  const start = Date.now();
  const result = spawnSync(command, args, {
    cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 256 * 1024 * 1024, env: { ...process.env, ...environment },
    shell: command.endsWith('.cmd'),
  });
  console.log(`${((Date.now() - start) / 1000).toFixed(1)} s`);
  if (result.error !== undefined) stop(`${command}: ${result.error.message}`);
  if (result.status !== 0) {
    process.stderr.write(result.stdout + result.stderr);
    stop(`${title} failed: ${command} ${args.join(' ')}`);
  }
}

/**
 * npm as a command: the very npm that started this script, or else the one on the path.
 *
 * @param {string[]} args
 * @returns {[command: string, args: string[]]}
 */
function npm(args) {
  const script = process.env['npm_execpath'];
  if (script !== undefined && script.endsWith('npm-cli.js')) return [process.execPath, [script, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}
