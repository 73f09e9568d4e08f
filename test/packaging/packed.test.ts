import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { npm, root, run, workspaces, type Workspace } from './workspaces.ts';

// What a stranger gets from the registry: every package packed, installed into an empty folder, and used from there.

interface Packed { readonly filename: string; readonly files: readonly { readonly path: string }[] }

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kerf-packed-')));
const packed = new Map<string, Packed>();
let diagnostics: string[] = [];

beforeAll(() => {
  const unbuilt = workspaces.filter((workspace) => !existsSync(join(root, workspace.folder, 'dist/index.js')));
  if (unbuilt.length > 0) throw new Error(`Build first (npm run build): ${unbuilt.map((workspace) => workspace.folder).join(', ')}`);

  const report = JSON.parse(npm(['pack', '--workspaces', '--json', '--pack-destination', folder], root)) as (Packed & { name: string })[] | Record<string, Packed & { name: string }>;
  for (const entry of Object.values(report)) packed.set(entry.name, entry);

  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'a-stranger', private: true, type: 'module' }));
  npm(['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...[...packed.values()].map(({ filename }) => `./${filename}`)], folder);

  mkdirSync(join(folder, 'examples'));
  for (const workspace of workspaces) {
    const text = exampleOf(workspace);
    if (text !== undefined) writeFileSync(join(folder, `examples/${basename(workspace.folder)}.ts`), text);
  }
  writeFileSync(join(folder, 'examples/every-package.ts'), workspaces.map(({ manifest }) => `export * as ${basename(manifest.name)} from '${manifest.name}';\n`).join(''));
  diagnostics = compile();
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first `ts` block of a README. */
function exampleOf({ folder: place }: Workspace): string | undefined {
  return /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, place, 'README.md'), 'utf8'))?.[1];
}

/** What the package compiles, as in `transport/socket` for `src/transport/socket.ts`: its sources without tests and what only tests use. */
function sourcesOf({ folder: place }: Workspace): string[] {
  const config = join(root, place, 'tsconfig.json');
  const { config: text } = ts.readConfigFile(config, (file) => readFileSync(file, 'utf8')) as { config: unknown };
  const { fileNames } = ts.parseJsonConfigFileContent(text, ts.sys, join(root, place));
  return fileNames.map((file) => relative(join(root, place, 'src'), file).replaceAll('\\', '/').replace(/\.ts$/, ''));
}

/** Compiles the examples against the installed packages alone; what is wrong in them or in the types of our packages. */
function compile(): string[] {
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      target: 'ES2022', lib: ['ES2023'], module: 'nodenext', strict: true, skipLibCheck: false, rootDir: 'examples', outDir: 'compiled',
      types: ['node'], typeRoots: [join(root, 'node_modules/@types')],
    },
    include: ['examples'],
  }));
  try {
    run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false'], folder);
    return [];
  } catch (error) {
    const lines = String(error).split('\n').filter((line) => /error TS\d+/.test(line));
    // The types of packages that we only use are not ours to judge.
    const ours = lines.filter((line) => !/node_modules\/(?!@kerf\/)/.test(line));
    if (lines.length === 0) throw error;
    return ours;
  }
}

describe.each(workspaces)('$folder', (workspace) => {
  const { manifest } = workspace;
  const name = basename(workspace.folder);

  test('packs its compiled sources, types, README and licence, and nothing else', () => {
    const paths = packed.get(manifest.name)!.files.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', ...Object.values(manifest.bin ?? {})]));

    const compiled = sourcesOf(workspace).flatMap((module) => [`dist/${module}.js`, `dist/${module}.d.ts`]);
    const plain = ['package.json', 'README.md', 'LICENSE', ...Object.values(manifest.bin ?? {}).filter((path) => !path.startsWith('dist/'))];
    const others = paths.filter((path) => !plain.includes(path) && !/^[^/]+\.schema\.json$|^figures\/[^/]+\.(json|csv)$|^dist\/.*\.json$/.test(path));
    expect(others.sort()).toEqual(compiled.sort()); // more on the left: a build of sources that are gone, remove dist
  });

  test('holds every file that its exports and bin point to', () => {
    const paths = new Set(packed.get(manifest.name)!.files.map(({ path }) => `./${path}`));
    const targets = (value: unknown): string[] => typeof value === 'string' ? [value]
      : Object.entries(value as object).flatMap(([condition, inner]) => condition === '@kerf/source' ? [] : targets(inner));
    for (const target of targets(manifest.exports)) expect(paths).toContain(target);
    for (const target of Object.values(manifest.bin ?? {})) {
      expect(paths).toContain(`./${target}`);
      expect(readFileSync(join(root, workspace.folder, target), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    }
  });

  // The apps are commands; what they export for each other needs no example.
  if (workspace.folder.startsWith('apps/') && exampleOf(workspace) === undefined) return;

  test('the example in its README compiles against the installed package, runs and prints', () => {
    expect(exampleOf(workspace)).toBeDefined();
    expect(diagnostics.filter((line) => line.startsWith(`examples/${name}.ts`))).toEqual([]);
    expect(run(process.execPath, [`compiled/${name}.js`], folder).trim()).not.toBe('');
  });
});

test('the published types compile where nothing but the packages is installed', () => {
  expect(diagnostics.filter((line) => !line.startsWith('examples/') || line.startsWith('examples/every-package.ts'))).toEqual([]);
});

describe('the command, installed', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

  test('npx kerf --version prints the version', () => {
    expect(npm(['exec', '--offline', '--', 'kerf', '--version'], folder).trim()).toBe(version);
  });

  test('kerf run replays a trace over two processes', () => {
    const output = run(join(folder, 'node_modules/.bin/kerf'), ['run', '--trace', join(root, 'traces/gpt-oss-20b-synthetic'), '--model', 'gpt-oss-20b',
      '--hardware', 'flat-wafer-8', '--nodes', '2', '--transport', 'websocket', '--steps', '1', '--out', 'first', '--json'], folder);
    const summary = JSON.parse(output) as { status: string; nodes: number; boundaryPackets: number; tables: Record<string, { rows: number }> };
    expect(summary).toMatchObject({ nodes: 2 });
    expect(summary.boundaryPackets).toBeGreaterThan(0);
    expect(summary.tables['steps']!.rows).toBeGreaterThan(0);
    expect(existsSync(join(folder, 'first/manifest.json'))).toBe(true);
  });
});
