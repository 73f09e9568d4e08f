import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { presetHardware, type Hardware } from '@kerf/hardware';
import { describe, expect, test } from 'vitest';
import { completeRun, kerf, manifestOf, scratchFolder } from './support/kerf.ts';

// A wafer with holes runs, or says why not.

const folder = scratchFolder();
const die = { x: 1, y: 0 };

function file(name: string, hardware: Hardware): string {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({ ...hardware, name }));
  return path;
}

const edgeToEdge = presetHardware('flat-wafer-8');
const broken: Hardware = {
  ...edgeToEdge,
  defects: { dies: [{ x: 2, y: 1 }], tiles: [{ die, x: 3, y: 3 }, { die, x: 0, y: 5 }], links: [{ die, x: 7, y: 0, direction: 'east' }, { die, x: 5, y: 5, direction: 'north', bothWays: false }] },
};

describe('a wafer of 8 dies without one die, two tiles and two links', () => {
  test('runs, and is the same from one process and from two', () => {
    const path = file('broken', broken);
    const flags = (nodes: number) => ['--hardware', path, '--steps', '1', '--tokens-per-die', '1', '--nodes', String(nodes), '--out', join(folder, `run-${nodes}`)];
    const whole = completeRun(flags(1));
    const { digest, tables, simulatedCycles, packetHops } = completeRun(flags(2));
    expect({ digest, tables, simulatedCycles, packetHops }).toEqual({ digest: whole.digest, tables: whole.tables, simulatedCycles: whole.simulatedCycles, packetHops: whole.packetHops });

    const manifest = manifestOf(whole.runDir);
    expect(manifest.deadlockFreedom).toMatchObject({ routing: 'up-down', acyclic: true, classes: ['request', 'response', 'reduction'] });
    expect(manifest.remarks).toContain('Of 512 tiles on 8 dies 446 on 7 are there: tokens and experts are laid out on those.');
    expect(manifest.expertPlacement.dieOfExpert).not.toContain(6);
  });
});

test('tiles that no other can reach are refused before a folder is made', () => {
  const corner = { die: { x: 0, y: 0 }, x: 0, y: 0 };
  const path = file('cut', { ...edgeToEdge, defects: { links: [{ ...corner, direction: 'east' }, { ...corner, direction: 'south' }] } });
  const { code, err } = kerf(['run', '--hardware', path, '--steps', '1', '--out', join(folder, 'cut')]);
  expect(code).toBe(2);
  expect(err).toContain('FABRIC_UNREACHABLE: The defects of cut cut a tile off from the rest: (0, 0) of die (0, 0).');
  expect(() => manifestOf(join(folder, 'cut'))).toThrow();
});
