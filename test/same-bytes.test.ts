import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { completeRun, kerf, manifestOf, realTrace, scratchFolder, type RunResult } from './support/kerf.ts';
import { nightly, referenceFolder, testWithReference } from './support/needs.ts';

// One run writes the same bytes, however the wafer is cut over processes and whatever joins them.

const folder = scratchFolder();
const trace = realTrace(referenceFolder ?? '');
const flags = (hardware: string, out: string, ...more: string[]) =>
  ['--trace', trace, '--model', 'gpt-oss-20b', '--hardware', hardware, '--steps', '1', '--tokens-per-die', '1', '--out', join(folder, out), ...more];
const what = ({ digest, tables, simulatedCycles, packetHops }: RunResult) => ({ digest, tables, simulatedCycles, packetHops });

/** A Node 24: KERF_NODE24, in a nightly run also the one from npm. */
function node24(): string | undefined {
  const named = process.env['KERF_NODE24'];
  if (named !== undefined && named !== '' && named !== 'none') return named;
  if (!nightly || named === 'none') return undefined;
  const { status, stdout } = spawnSync('npx', ['--yes', '--package', 'node@24', 'node', '--print', 'process.execPath'], { encoding: 'utf8', env: { ...process.env, npm_config_ignore_scripts: 'false' } });
  return status === 0 ? stdout.trim() : undefined;
}

describe('the real trace on 8 dies', () => {
  let whole: RunResult;
  beforeAll(() => {
    if (referenceFolder !== undefined) whole = completeRun(flags('flat-wafer-8', 'whole', '--nodes', '1', '--transport', 'memory'));
  });

  for (const nodes of [1, 2, 4, 8]) {
    testWithReference(`cut into ${nodes}, one process each, joined by WebSockets: the same bytes`, () => {
      const cut = completeRun(flags('flat-wafer-8', `cut-${nodes}`, '--nodes', String(nodes), '--transport', 'websocket'));
      expect(cut.nodes).toBe(nodes);
      expect(what(cut)).toEqual(what(whole));

      const { status, processes, digest } = manifestOf(cut.runDir);
      expect({ status, digest }).toEqual({ status: 'complete', digest: whole.digest });
      expect(processes.map(({ rank, transport }) => ({ rank, transport }))).toEqual(Array.from({ length: nodes }, (_, rank) => ({ rank, transport: 'websocket' })));
      expect(new Set(processes.map(({ pid }) => pid)).size).toBe(nodes);
      expect(processes.flatMap(({ dies }) => dies).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const sum = (key: 'boundaryPacketsSent' | 'boundaryPacketsReceived') => processes.reduce((total, one) => total + one[key], 0);
      expect(sum('boundaryPacketsSent')).toBe(cut.boundaryPackets);
      expect(sum('boundaryPacketsReceived')).toBe(cut.boundaryPackets);
      for (const one of processes) {
        for (const key of ['boundaryPacketsSent', 'boundaryPacketsReceived', 'framesSent'] as const) {
          if (nodes > 1) expect(one[key]).toBeGreaterThan(0);
          else expect(one[key]).toBe(0);
        }
      }
    });
  }

  testWithReference('over 4 nodes in the memory of one process: the same bytes', () => {
    const cut = completeRun(flags('flat-wafer-8', 'memory', '--nodes', '4', '--transport', 'memory'));
    expect(what(cut)).toEqual(what(whole));
    expect(manifestOf(cut.runDir).processes.map(({ transport }) => transport)).toEqual(['memory', 'memory', 'memory', 'memory']);
    expect(cut.boundaryPackets).toBeGreaterThan(0);
  });

  testWithReference('from the scenario that --print-scenario shows: the same bytes', () => {
    const { code, out } = kerf(['run', ...flags('flat-wafer-8', 'printed', '--nodes', '2'), '--print-scenario']);
    expect(code).toBe(0);
    writeFileSync(join(folder, 'printed.json'), out);
    expect(what(completeRun([join(folder, 'printed.json')]))).toEqual(what(whole));
  });

  testWithReference('another seed gives the same bytes where nothing is drawn, another machine does not', () => {
    expect(completeRun(flags('flat-wafer-8', 'seed', '--seed', '7', '--transport', 'memory')).digest).toBe(whole.digest);
    expect(completeRun(flags('flat-wafer-8', 'slower', '--set', 'hardware.link.cycles=2', '--transport', 'memory')).digest).not.toBe(whole.digest);
  });

  const node = node24();
  if (node !== undefined) {
    testWithReference('under Node 24: the same bytes', () => {
      const run = completeRun(flags('flat-wafer-8', 'node-24', '--nodes', '2', '--transport', 'websocket'), { node });
      expect(manifestOf(run.runDir).nodeVersion).toMatch(/^24\./);
      expect(what(run)).toEqual(what(whole));
    });
  }
});

describe('the real trace on 64 dies of 32 × 32 tiles', () => {
  testWithReference('over one process and over two: the same bytes', () => {
    const one = completeRun(flags('flat-wafer-64', 'large-1', '--nodes', '1', '--transport', 'memory'));
    const two = completeRun(flags('flat-wafer-64', 'large-2', '--nodes', '2', '--transport', 'websocket'));
    expect(what(two)).toEqual(what(one));
    expect(two.boundaryPackets).toBeGreaterThan(0);
  }, 180_000);
});

test('the number of processes is that of the flag, whatever the machine has', () => {
  const printed = JSON.parse(kerf(['run', '--nodes', '7', '--transport', 'websocket', '--print-scenario']).out) as { execution: unknown };
  expect(printed.execution).toEqual({ nodes: 7, transport: 'websocket' });
});
