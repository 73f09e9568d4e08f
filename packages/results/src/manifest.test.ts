import { presetHardware } from '@kerf/hardware';
import { expect, test } from 'vitest';
import { manifestSchema, manifestText, parseManifest, type Manifest } from './manifest.ts';
import { TABLE_NAMES } from './tables.ts';

const hash = (letter: string) => letter.repeat(64);
const tables = Object.fromEntries(TABLE_NAMES.map((name) => [name, { rows: 3, sha256: hash('a'), files: [
  { die: name === 'steps' ? null : 0, path: `${name}/die-0000.arrow`, rows: 1, bytes: 1000, sha256: hash('b') },
  { die: 1, path: `${name}/die-0001.arrow`, rows: 2, bytes: 1000, sha256: hash('c') },
] }])) as Manifest['tables'];

const processes = [0, 1].map((rank) => ({ rank, dies: [2 * rank, 2 * rank + 1], pid: 100, transport: 'websocket' as const, boundaryPacketsSent: 5, boundaryPacketsReceived: 6, framesSent: 7, wallSeconds: 1.5, waitSeconds: 0.5, packetHops: 9, peakRssBytes: 2 ** 28 }));

const complete: Manifest = {
  formatVersion: 1, status: 'complete', kerfVersion: '0.1.0', nodeVersion: '20.19.0', startedAt: '2026-11-25T12:00:00.123Z', finishedAt: '2026-11-25T12:00:09Z',
  scenario: { formatVersion: 1, seed: 1 }, hardware: presetHardware('flat-wafer-8'), model: { name: 'gpt-oss-20b' },
  trace: { name: 'bundled', sha256: hash('d'), model: 'gpt-oss-20b', tokens: 4096, layers: 24, requests: 64, origin: 'synthetic', cycling: { slots: 512, requests: 64, how: 'Each slot begins at a seeded offset.' } },
  expertPlacement: { kind: 'linear', dieOfExpert: [0, 0, 1, 1] }, fidelity: { level: 'packet', statement: 'Virtual cut-through.' },
  deadlockFreedom: { routing: 'dimension-order', classes: ['request', 'response', 'reduction'], channels: 672, dependencies: 1164, acyclic: true }, processes,
  totals: { steps: 1, simulatedCycles: 1000, packetHops: 18, boundaryPackets: 11 }, conservation: [{ layer: 0, tokens: 8, topK: 4, dispatched: 32, combined: 32 }], tables, digest: hash('e'),
};
const { finishedAt: _finishedAt, totals: _totals, digest: _digest, ...unfinished } = complete;

test('a manifest is read as it was written', () => {
  expect(parseManifest(JSON.parse(manifestText(complete)), 'runs/a/manifest.json')).toEqual(complete);
});

test('a running manifest has no end yet', () => {
  const running = { ...unfinished, status: 'running', tables: {}, processes: [], conservation: [] };
  expect(parseManifest(running, 'manifest.json')).toEqual(running);
});

test('a manifest from before the check of routes is read', () => {
  const { deadlockFreedom: _, ...earlier } = complete;
  expect(parseManifest(earlier, 'manifest.json')).toEqual(earlier);
});

test('an incomplete run says why', () => {
  const incomplete = { ...unfinished, status: 'incomplete' as const };
  expect(() => parseManifest(incomplete, 'manifest.json')).toThrow('manifest.json: the run is incomplete, but there is no reason.');
  expect(parseManifest({ ...incomplete, reason: 'Node process 1 was killed.' }, 'manifest.json').reason).toBe('Node process 1 was killed.');
});

const { links, ...withoutLinks } = complete.tables;
test.each<[string, unknown, string]>([
  ['digest', { ...unfinished, finishedAt: complete.finishedAt, totals: complete.totals }, 'the run is complete, but digest is missing'],
  ['end', { ...complete, finishedAt: undefined }, 'the run is complete, but finishedAt is missing'],
  ['table', { ...complete, tables: withoutLinks }, 'the run is complete, but table links is missing'],
  ['row', { ...complete, tables: { ...tables, links: { ...links, rows: 4 } } }, 'table links has 4 rows, its files have 3'],
  ['file', { ...complete, tables: { ...tables, links: { ...links, rows: 2, files: [links!.files[0], links!.files[0]] } } }, 'table links has two files of one die'],
  ['die', { ...complete, processes: [processes[0], processes[0]] }, 'die 0 belongs to two processes'],
  ['copy', { ...complete, conservation: [{ layer: 5, tokens: 8, topK: 4, dispatched: 32, combined: 31 }] }, 'layer 5: 8 tokens × 4 experts are 32 copies, but 32 were dispatched and 31 combined'],
])('a complete run with a wrong or missing %s is refused', (_, manifest, problem) => {
  expect(() => parseManifest(JSON.parse(JSON.stringify(manifest)), 'm.json')).toThrow(expect.objectContaining({ code: 'MANIFEST_INCONSISTENT', message: `m.json: ${problem}.` }));
});

test.each<[unknown, string, string]>([
  [{ ...complete, stauts: 'complete' }, 'SCHEMA_UNKNOWN_KEY', 'm.json: unknown key stauts. Did you mean "status"?'],
  [{ ...complete, status: 'done' }, 'SCHEMA_OUT_OF_RANGE', 'm.json: status must be one of "running", "complete"'],
  [{ ...complete, formatVersion: 2 }, 'SCHEMA_OUT_OF_RANGE', 'm.json: formatVersion must be 1, got 2.'],
  [{ ...complete, startedAt: 'yesterday' }, 'SCHEMA_OUT_OF_RANGE', 'm.json: startedAt must match pattern'],
  [{ ...complete, tables: { ...tables, packets: tables.links } }, 'SCHEMA_UNKNOWN_KEY', 'm.json: unknown key tables.packets.'],
  [{ ...complete, hardware: { ...complete.hardware, clock: 1 } }, 'SCHEMA_UNKNOWN_KEY', 'm.json: unknown key hardware.clock.'],
  [{ ...complete, deadlockFreedom: { ...complete.deadlockFreedom, routing: 'random' } }, 'SCHEMA_OUT_OF_RANGE', 'm.json: deadlockFreedom.routing must be one of "dimension-order", "up-down"'],
  [[], 'SCHEMA_WRONG_TYPE', 'm.json: the top level must be of type object'],
])('a manifest of the wrong shape is refused (%#)', (manifest, code, message) => {
  expect(() => parseManifest(manifest, 'm.json')).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as unknown }));
});

test('a path that leaves the run folder is refused', () => {
  for (const path of ['../secret.arrow', '/etc/passwd', 'links/../../x', 'links\\x.arrow']) {
    const file = { ...links!.files[0]!, path };
    expect(() => parseManifest({ ...complete, tables: { ...tables, links: { ...links, rows: 1, files: [file] } } }, 'm.json'), path).toThrow(expect.objectContaining({ code: 'SCHEMA_OUT_OF_RANGE' }));
  }
});

test('every number of the schema has a range, and every field a description', () => {
  const visit = (schema: Record<string, unknown>, path: string): void => {
    const types = [schema['type']].flat();
    expect(schema['description'], path).toBeTypeOf('string');
    if ((types.includes('integer') || types.includes('number')) && schema['const'] === undefined) {
      expect(schema['minimum'], path).toBeTypeOf('number');
      expect(schema['maximum'], path).toBeTypeOf('number');
    }
    for (const [key, inner] of Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>)) if (key !== 'hardware') visit(inner, `${path}.${key}`);
    if (schema['items'] !== undefined) visit(schema['items'] as Record<string, unknown>, `${path}[]`);
  };
  visit(manifestSchema, '');
});
