import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root, workspaces, type Manifest } from './workspaces.ts';

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const whole = JSON.parse(read('package.json')) as Manifest;
const kerfDependencies = (manifest: Manifest) => Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@kerf/')).map((name) => name.slice('@kerf/'.length)).sort();

describe.each(workspaces)('$folder', ({ folder, manifest }) => {
  test('can be published: name, version, licence, engines and description agree with the whole', () => {
    expect(manifest).toMatchObject({
      name: `@kerf/${basename(folder)}`, version: whole.version, license: whole.license, engines: whole.engines, type: 'module', description: expect.any(String),
    });
    expect(manifest.private).not.toBe(true);
    expect(manifest.exports).toMatchObject({ '.': { types: './dist/index.d.ts', default: './dist/index.js' } });
  });

  test('carries the licence of the whole', () => {
    expect(read(`${folder}/LICENSE`)).toBe(read('LICENSE'));
  });

  test('pins every dependency exactly, and its neighbours at the common version', () => {
    for (const [name, version] of Object.entries(manifest.dependencies ?? {})) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      if (name.startsWith('@kerf/')) expect(version, name).toBe(whole.version);
    }
  });

  test('is compiled after exactly the neighbours that it declares', () => {
    const { references = [] } = JSON.parse(read(`${folder}/tsconfig.json`)) as { references?: { path: string }[] };
    expect(references.map(({ path }) => basename(path)).sort()).toEqual(kerfDependencies(manifest));
  });
});

test('the root compiles every workspace, and the API reference and the citation know the version', () => {
  const { references } = JSON.parse(read('tsconfig.json')) as { references: { path: string }[] };
  expect(references.map(({ path }) => path).sort()).toEqual(workspaces.map(({ folder }) => folder).sort());
  expect(read('CITATION.cff')).toContain(`version: ${whole.version}\n`);
  expect(read('CHANGELOG.md')).toContain(`## ${whole.version}`);
});
