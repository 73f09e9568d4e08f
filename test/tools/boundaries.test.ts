import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const rooms = ['checks', 'hardware', 'fabric', 'program', 'collectives', 'gemm', 'attention', 'moe', 'arrow', 'traces', 'scenario',
  'engine', 'cluster', 'inference', 'results', 'validation', 'optimizer'];
const apps = ['cli', 'node', 'viewer'];

/** A workspace in small: every room with an empty index, every package allowed to import every other by its package.json. */
function workspace(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'kerf-boundaries-'));
  folders.push(folder);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const everything = Object.fromEntries(rooms.map((room) => [`@kerf/${room}`, '0.1.0']));
  for (const [kind, names] of [['packages', rooms], ['apps', apps]] as const) {
    for (const name of names) {
      write(`${kind}/${name}/package.json`, JSON.stringify({
        name: `@kerf/${name}`, type: 'module', dependencies: { ...everything, ws: '8.23.0', 'apache-arrow': '21.2.0' },
        exports: { '.': { '@kerf/source': './src/index.ts', default: './dist/index.js' } },
      }));
      write(`${kind}/${name}/src/index.ts`, `export const ${name} = 1;\n`);
      mkdirSync(join(folder, 'node_modules/@kerf'), { recursive: true });
      symlinkSync(join(folder, kind, name), join(folder, 'node_modules/@kerf', name));
    }
  }
  for (const name of ['ws', 'apache-arrow', 'fast-check', '@types']) symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  write('package.json', JSON.stringify({ name: 'planted', type: 'module', devDependencies: { 'fast-check': '4.10.2' } }));
  write('test/placeholder.test.ts', 'export {};\n');
  for (const [path, text] of Object.entries(files)) write(path, text);
  return folder;
}

/** Runs the project's own rules over a workspace: "rule: from", each once, sorted. */
function violations(folder: string): string[] {
  const { stdout, stderr } = spawnSync(process.execPath, [
    join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), 'packages', 'apps', 'test',
    '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json',
  ], { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (stdout === '') throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: { from: string; rule: { name: string } }[] } };
  return [...new Set(summary.violations.map((violation) => `${violation.rule.name}: ${violation.from}`))].sort();
}

test('what the architecture allows passes: transitive rights, checks everywhere, node modules in transports, tests and apps', () => {
  const uses = (...names: string[]) => names.map((name) => `import { ${name} as ${name}Used } from '@kerf/${name}'; export const _${name} = ${name}Used;\n`).join('');
  expect(violations(workspace({
    'packages/hardware/src/a.ts': uses('checks'),
    'packages/moe/src/a.ts': uses('checks', 'gemm', 'collectives', 'program', 'hardware'),
    'packages/engine/src/a.ts': uses('fabric', 'program', 'hardware'),
    'packages/cluster/src/a.ts': uses('engine', 'fabric', 'program', 'hardware'),
    'packages/inference/src/a.ts': uses('scenario', 'attention', 'gemm', 'moe', 'traces', 'arrow', 'hardware'),
    'packages/optimizer/src/a.ts': uses('engine', 'fabric', 'moe', 'attention'),
    'packages/validation/src/a.ts': uses('scenario', 'results', 'arrow'),
    'packages/arrow/src/a.ts': `import * as arrow from 'apache-arrow'; export const a = arrow;\n`,
    'packages/cluster/src/transport/socket.ts': `import { hostname } from 'node:os'; import ws from 'ws'; export const socket = [hostname, ws];\n`,
    'packages/fabric/src/a.test.ts': `import { hostname } from 'node:os'; import fc from 'fast-check'; export const a = [hostname, fc];\n`,
    'apps/cli/src/a.ts': `import { readFileSync } from 'node:fs'; export const a = readFileSync;\n${uses('inference', 'cluster', 'results', 'validation')}`,
    'apps/viewer/src/a.ts': uses('results', 'arrow', 'hardware', 'checks'),
    'test/whole.test.ts': uses('engine', 'inference'),
  }))).toEqual([]);
});

const planted: [violation: string, file: string, text: string][] = [
  ['fabric-direction', 'packages/fabric/src/up.ts', `import { engine } from '@kerf/engine'; export const a = engine;`],
  ['fabric-direction', 'packages/fabric/src/up-type.ts', `import type { engine } from '@kerf/engine'; export type A = typeof engine;`],
  ['engine-direction', 'packages/engine/src/sideways.ts', `import { moe } from '@kerf/moe'; export const a = moe;`],
  ['checks-direction', 'packages/checks/src/up.ts', `import { hardware } from '@kerf/hardware'; export const a = hardware;`],
  ['attention-direction', 'packages/attention/src/gemm.ts', `export { gemm } from '@kerf/gemm';`],
  ['cluster-direction', 'packages/cluster/src/results.ts', `export const a = import('@kerf/results');`],
  ['traces-direction', 'packages/traces/src/up.test.ts', `import { inference } from '@kerf/inference'; export const a = inference;`],
  ['viewer-direction', 'apps/viewer/src/engine.ts', `import { engine } from '@kerf/engine'; export const a = engine;`],
  ['known-room', 'packages/unknown/src/index.ts', `import { checks } from '@kerf/checks'; export const a = checks;`],
  ['no-cycle', 'packages/program/src/one.ts', `import { two } from './two.ts'; export const one = () => two;`],
  ['no-deep-import', 'packages/moe/src/deep.ts', `import { inner } from '../../program/src/inner.ts'; export const a = inner;`],
  ['no-deep-import', 'packages/gemm/src/deep.ts', `import { built } from '../../program/dist/index.js'; export const a = built;`],
  ['no-deep-import', 'apps/cli/src/deep.ts', `import { inner } from '../../../packages/program/src/inner.ts'; export const a = inner;`],
  ['no-deep-import-from-tests', 'test/deep.test.ts', `import { inner } from '../packages/program/src/inner.ts'; export const a = inner;`],
  ['packages-know-no-apps', 'packages/results/src/app.ts', `import { cli } from '@kerf/cli'; export const a = cli;`],
  ['node-knows-no-cli', 'apps/node/src/cli.ts', `import { cli } from '@kerf/cli'; export const a = cli;`],
  ['packages-are-pure', 'packages/hardware/src/files.ts', `import { readFileSync } from 'node:fs'; export const a = readFileSync;`],
  ['packages-are-pure', 'packages/cluster/src/clock.ts', `import { hrtime } from 'process'; export const a = hrtime;`],
  ['sockets-in-transports-only', 'packages/cluster/src/socket.ts', `import ws from 'ws'; export const a = ws;`],
  ['arrow-in-one-room', 'packages/results/src/table.ts', `import { Table } from 'apache-arrow'; export const a = Table;`],
  ['declared-dependencies', 'packages/arrow/src/check.ts', `import fc from 'fast-check'; export const a = fc;`],
  ['packages-scenario-declares', 'packages/scenario/src/undeclared.ts', `import { hardware } from '@kerf/hardware'; export const a = hardware;`],
  ['resolvable', 'packages/optimizer/src/nowhere.ts', `import { nothing } from '@kerf/nowhere'; export const a = nothing;`],
  ['sources-import-no-tests', 'packages/collectives/src/uses-test.ts', `import { law } from './law.test.ts'; export const a = law;`],
];

let found: string[];
beforeAll(() => {
  found = violations(workspace({
    ...Object.fromEntries(planted.map(([, file, text]) => [file, `${text}\n`])),
    'packages/unknown/package.json': JSON.stringify({ name: '@kerf/unknown', dependencies: { '@kerf/checks': '0.1.0' } }),
    'packages/scenario/package.json': JSON.stringify({ name: '@kerf/scenario', exports: { '.': { '@kerf/source': './src/index.ts' } } }),
    'packages/program/src/two.ts': `import { one } from './one.ts'; export const two = () => one;\n`,
    'packages/program/src/inner.ts': 'export const inner = 1;\n',
    'packages/program/dist/index.js': 'export const built = 1;\n',
    'packages/collectives/src/law.test.ts': 'export const law = 1;\n',
  }));
});

test.each(planted)('%s catches %s', (rule, file) => {
  expect(found).toContain(`${rule}: ${file}`);
});

test('nothing but the planted files is reported', () => {
  const files = new Set(planted.map(([, file]) => file));
  expect(found.filter((violation) => !files.has(violation.split(': ')[1]!))).toEqual([]);
});

test('this repository keeps the rules', () => {
  expect(violations(root)).toEqual([]);
});
