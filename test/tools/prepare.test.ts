import { expect, test } from 'vitest';
import { installFault, nodeVersionFault } from '../../tools/prepare.mjs';

test.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('Node %s is new enough for >=20.19', (version) => {
  expect(nodeVersionFault(version, '>=20.19')).toBeUndefined();
});

test.each(['20.18.3', '18.20.0', '16.0.0'])('Node %s is refused with a sentence that names both versions', (version) => {
  expect(nodeVersionFault(version, '>=20.19')).toMatch(`Kerf needs Node 20.19 or newer; this is Node ${version}.`);
});

const lock = {
  packages: {
    '': {},
    'packages/hardware': { version: '0.1.0' },
    'node_modules/@kerf/hardware': { resolved: 'packages/hardware', link: true },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a/node_modules/b': { version: '2.0.0' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  },
};

function installed(change: Record<string, object | undefined>) {
  const { '': _root, 'packages/hardware': _workspace, 'node_modules/other-platform': _other, ...packages } = lock.packages;
  const changed = { ...packages, ...change };
  return { packages: Object.fromEntries(Object.entries(changed).filter(([, entry]) => entry !== undefined)) as Record<string, object> };
}

test('what npm installed from this very lock is left alone, without the packages of other platforms', () => {
  expect(installFault(lock, installed({}))).toBeUndefined();
});

test.each<[string, Record<string, object | undefined>, string]>([
  ['a package is missing', { 'node_modules/a': undefined }, 'a is not installed'],
  ['a nested package is missing', { 'node_modules/a/node_modules/b': undefined }, 'b is not installed'],
  ['a version differs', { 'node_modules/a': { version: '1.0.1' } }, 'a is installed as 1.0.1, the lock says 1.0.0'],
  ['a workspace is new', { 'node_modules/@kerf/hardware': undefined }, '@kerf/hardware is not installed'],
  ['an optional package has another version', { 'node_modules/other-platform': { version: '0.9.0' } }, 'other-platform is installed as 0.9.0'],
  ['a package is left over', { 'node_modules/c': { version: '1.0.0' } }, 'c is installed and not in the lock'],
])('packages are installed anew when %s', (_case, change, reason) => {
  expect(installFault(lock, installed(change))).toContain(reason);
});

test('packages are installed when there are none', () => {
  expect(installFault(lock, undefined)).toBe('node_modules is missing');
});
