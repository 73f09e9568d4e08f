import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memorySource } from '@kerf/arrow';
import { Region, type LinkRow } from '@kerf/engine';
import { dies, presetHardware, type Hardware } from '@kerf/hardware';
import { dieProgram, modelCard, planReplay } from '@kerf/inference';
import { moeChannels } from '@kerf/moe';
import { defaultScenario } from '@kerf/scenario';
import { readRoutingTrace } from '@kerf/traces';

const root = join(import.meta.dirname, '..');
const bytes = readFileSync(join(root, 'traces/gpt-oss-20b-synthetic/trace.arrow'));
const trace = readRoutingTrace({ name: 'bundled', list: () => ['trace.arrow'], open: () => memorySource('trace.arrow', bytes) });
const model = modelCard('gpt-oss-20b');
const scenario = defaultScenario();

/** One kernel of the bundled trace; a snapshot at `stopCycle`, if given, instead of the end. */
function run(hardware: Hardware, kernel: number, stopCycle?: number) {
  const plan = planReplay({ ...scenario, workload: { ...scenario.workload, steps: 2, tokensPerDie: 4 } }, hardware, model, trace);
  const dieIds = Array.from({ length: dies(hardware) }, (_, die) => die);
  const programs = dieIds.map((die) => dieProgram(plan, kernel, die));
  const options = { channels: moeChannels, elementType: model.computeType, binCycles: 500 };
  const rows: LinkRow[] = [];
  const region = new Region(hardware, dieIds, { ...options, onLinkRow: (row) => rows.push({ ...row }) });
  region.startKernel(programs);
  while (region.runWindow(stopCycle ?? Infinity, 4096));
  if (stopCycle !== undefined) return { rows, ends: [], hashes: [], input: serialize({ hardware, dieIds, programs, snapshots: region.save(), ...options }) };
  region.finishKernel();
  return {
    rows,
    ends: region.engines.map(({ endCycle }) => endCycle),
    hashes: region.engines.map(({ fabric }) => fabric.deliveryHash.slice()),
    input: undefined,
  };
}

const hub: Hardware = {
  ...presetHardware('flat-wafer-64'),
  wafer: { diesX: 2, diesY: 2 },
  die: { tilesX: 8, tilesY: 8 },
  memory: { ...presetHardware('flat-wafer-64').memory!, edgeNodes: { west: 0, north: 0, east: 0, south: 8 } },
  d2d: { ...(presetHardware('flat-wafer-64').d2d as Extract<Hardware['d2d'], { shape: 'hub' }>), gateways: [{ x: 0, y: 0 }, { x: 4, y: 0 }] },
};

test.each([['edge', presetHardware('flat-wafer-8')], ['hub', hub]])('a wafer with %s joints, saved at any cycle and restored in a fresh process, ends the same', (_, hardware) => {
  fc.assert(
    fc.property(fc.nat(47), fc.integer({ min: 1, max: 4000 }), (kernel, stopCycle) => {
      const whole = run(hardware, kernel);
      const stopped = run(hardware, kernel, stopCycle);
      const output = execFileSync(process.execPath, [join(root, 'test/support/resume-region.mjs')], { input: stopped.input, maxBuffer: 1 << 28 });
      const resumed = deserialize(output) as { rows: LinkRow[]; ends: Float64Array[]; hashes: Int32Array[] };
      expect([...stopped.rows, ...resumed.rows].sort(byDie)).toEqual(whole.rows.sort(byDie));
      expect(resumed.ends).toEqual(whole.ends);
      expect(resumed.hashes).toEqual(whole.hashes);
    }),
    { numRuns: 3 },
  );
});

/** Rows of one die keep their order; which die of a process comes first is nobody's promise. */
function byDie(a: LinkRow, b: LinkRow): number {
  return a.dieId - b.dieId;
}
