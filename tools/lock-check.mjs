// @ts-check
// Checks that package-lock.json installs everywhere, not only on the machine that wrote it.
//
// A registry mirror can show a package before it shows that package's platform binaries. `npm install` then writes a lock
// without them and says nothing; `npm ci` fails, or another platform runs without its native part. So every name in
// every `optionalDependencies` must have an entry, nested or hoisted, and no entry may name the registry it came from.
//
// usage: node tools/lock-check.mjs [package-lock.json]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * What is wrong with a lock, one sentence per fault; an empty list means that it is complete.
 *
 * @param {{ lockfileVersion?: number, packages?: Record<string, { resolved?: string, link?: boolean, optionalDependencies?: Record<string, string> }> }} lock
 * @returns {string[]}
 */
export function lockFaults(lock) {
  const packages = lock.packages;
  if (packages === undefined || (lock.lockfileVersion ?? 0) < 2) {
    return ['The lock has no "packages": write it with npm 9 or newer (lockfileVersion 2 or 3).'];
  }
  const faults = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (!resolvesFrom(path, name, packages)) {
        faults.push(`${nameOf(path)}: the lock has no entry for its optional dependency ${name}.`);
      }
    }
    const host = hostOf(entry.resolved);
    if (host !== undefined && entry.link !== true) {
      faults.push(`${nameOf(path)}: "resolved" names a host (${host}); keep omit-lockfile-registry-resolved=true in .npmrc.`);
    }
  }
  return faults;
}

/**
 * Node's own look-up: the package's node_modules, then that of each folder above it.
 *
 * @param {string} path
 * @param {string} name
 * @param {object} packages
 */
function resolvesFrom(path, name, packages) {
  for (let folder = path; ; folder = parentOf(folder)) {
    const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (candidate in packages) return true;
    if (folder === '') return false;
  }
}

/**
 * `node_modules/a/node_modules/b` is looked up from `node_modules/a`; `packages/fabric` and `node_modules/a` from the root.
 *
 * @param {string} path
 */
function parentOf(path) {
  const nested = path.lastIndexOf('/node_modules/');
  return nested === -1 ? '' : path.slice(0, nested);
}

/** @param {string} path */
function nameOf(path) {
  return path === '' ? 'the root package' : path.replace(/^.*node_modules\//, '');
}

/** @param {string | undefined} resolved */
function hostOf(resolved) {
  return resolved === undefined ? undefined : /^(?:git\+)?(?:https?|ssh|git):\/\/([^/]+)/.exec(resolved)?.[1];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = process.argv[2] ?? fileURLToPath(new URL('../package-lock.json', import.meta.url));
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const faults = lockFaults(lock);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) {
    console.error(`${file}: ${faults.length} faults. Pin a version whose platform packages can all be seen, and write the lock again.`);
    process.exitCode = 1;
  } else {
    console.log(`lock complete: ${Object.keys(lock.packages ?? {}).length} entries`);
  }
}
