import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockEntry { version?: string; license?: string; dev?: boolean; link?: boolean; dependencies?: Record<string, string>; devDependencies?: Record<string, string> }

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> };
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

/** Platform packages of one native module are one line. */
const line = (name: string, entry: LockEntry) => `${name.replace(/^@msgpackr-extract\/.*/, '@msgpackr-extract/*')} ${entry.version} ${entry.license}`;

function listed(heading: string): string[] {
  const section = read('THIRD_PARTY.md').split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| (\S+) \| (\S+) \| ([^|]+) \|/gm)].map(([, name, version, licence]) => `${name} ${version} ${licence!.trim()}`)
    .filter((row) => !row.startsWith('package ') && !row.startsWith('--- ')).sort();
}

test('THIRD_PARTY.md lists what is installed with the packages, with version and licence', () => {
  const installed = Object.entries(packages).filter(([path, entry]) => path.includes('node_modules/') && entry.link !== true && entry.dev !== true);
  expect(listed('Installed with')).toEqual([...new Set(installed.map(([path, entry]) => line(nameOf(path), entry)))].sort());
});

test('THIRD_PARTY.md lists what development needs, with version and licence', () => {
  const names = Object.keys(packages['']?.devDependencies ?? {});
  expect(listed('For development only')).toEqual(names.map((name) => line(name, packages[`node_modules/${name}`]!)).sort());
});
