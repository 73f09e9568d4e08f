import { presetHardware, type Hardware } from '@kerf/hardware';
import { checkTileProgram, instantiate, TileEngineId, ENGINES, type Placement, type TileProgram } from '@kerf/program';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matrixCycles, referenceOptions } from '../costs/index.ts';
import { ring, rowSums, summa } from './laboratory.ts';
import type { TileRunOptions } from './options.ts';
import { runTilePrograms, TileRunMemo, type TileRun } from './run-tile-programs.ts';
import { TileEngine } from './tile-engine.ts';

const place = (program: TileProgram, hardware: Hardware, placement: Placement = { tiling: {} }) => {
  checkTileProgram(program, hardware);
  return instantiate(program, hardware, placement);
};

const flat = { ...presetHardware('flat-8x8'), tile: presetHardware('flat-32x32').tile };
const mesh = presetHardware('mesh-8x8');
const bare = { ...mesh, syncLink: undefined } as unknown as Hardware;
const shared = presetHardware('softhier-8x8');
const machines: Record<string, Hardware> = { flat, mesh, bare, shared };

const side = fc.constantFrom(1, 2, 3, 4, 8);
const programs = fc.oneof(
  fc.record({ width: side, height: side, steps: fc.integer({ min: 1, max: 4 }), tile: fc.constantFrom(16, 48, 64) }).map(({ width, height, steps, tile }) => summa({ width, height }, [height * tile, width * tile, steps * tile], tile)),
  fc.record({ width: side, height: side, rows: fc.constantFrom(1, 16, 100), columns: fc.constantFrom(8, 64), rounds: fc.integer({ min: 1, max: 3 }) }).map(({ width, height, rows, columns, rounds }) => rowSums({ width, height }, rows, columns, rounds)),
  fc.record({ width: fc.constantFrom(2, 4, 8), height: side, rows: fc.constantFrom(1, 32), columns: fc.constantFrom(1, 64) }).map(({ width, height, rows, columns }) => ring({ width, height }, rows, columns)),
);
const options: fc.Arbitrary<TileRunOptions> = fc.record({
  fidelity: fc.constantFrom('packet' as const, 'packet' as const, 'packet' as const, 'analytic' as const, 'flit' as const),
  barriers: fc.constantFrom('network' as const, 'software' as const),
  l1Contention: fc.boolean(),
}).chain((rest) => fc.boolean().map((reference) => (reference ? { ...rest, costs: referenceOptions } : rest)));
const cases = fc.record({ program: programs, machine: fc.constantFrom(...Object.keys(machines)), options });

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe('any program on any machine', () => {
  test('ends; the critical path adds up; nobody is busy for longer than the run', () => {
    fc.assert(fc.property(cases, ({ program, machine, options }) => {
      const hardware = machines[machine]!;
      const run = runTilePrograms(hardware, [place(program, hardware)], options);
      expect(sum(Object.values(run.breakdown))).toBe(run.cycles);
      expect(Math.min(...Object.values(run.breakdown))).toBeGreaterThanOrEqual(0);
      for (const { tiles, cycles } of run.dies) {
        tiles.busyCycles.forEach((busy, slot) => expect(busy + sum(Object.values(tiles.stallCycles).map((stalls) => stalls[slot]!))).toBeLessThanOrEqual(cycles));
      }
    }), { numRuns: 60 });
  }, 120_000);

  test('the order in which routers are visited changes nothing', () => {
    fc.assert(fc.property(cases, ({ program, machine, options }) => {
      const hardware = machines[machine]!;
      const placed = place(program, hardware);
      expect(runTilePrograms(hardware, [placed], { ...options, reverseVisits: true })).toEqual(runTilePrograms(hardware, [placed], options));
    }), { numRuns: 15 });
  }, 120_000);

  test('saved at any cycle and restored elsewhere, it ends the same', () => {
    fc.assert(fc.property(cases, fc.double({ min: 0, max: 1, noNaN: true }), ({ program, machine, options }, share) => {
      const hardware = machines[machine]!;
      const placed = [place(program, hardware)];
      const whole = new TileEngine(hardware, 0, placed, options);
      whole.runUntil(Infinity);
      const first = new TileEngine(hardware, 0, placed, options);
      first.runUntil(Math.floor(share * whole.lastEndCycle));
      const second = new TileEngine(hardware, 0, placed, options);
      second.restore(first.save());
      second.runUntil(Infinity);
      expect(second.lastEndCycle).toBe(whole.lastEndCycle);
      expect(second.columns).toEqual(whole.columns);
      expect(second.criticalPath).toEqual(whole.criticalPath);
      expect(second.wide.deliveryHash).toEqual(whole.wide.deliveryHash);
    }), { numRuns: 25 });
  }, 120_000);

  test('a second kernel on the same engine takes as long as the first', () => {
    fc.assert(fc.property(cases, ({ program, machine, options }) => {
      const hardware = machines[machine]!;
      const engine = new TileEngine(hardware, 0, [place(program, hardware)], options);
      engine.runUntil(Infinity);
      const columns = structuredClone(engine.columns);
      engine.startKernel();
      engine.runUntil(Infinity);
      expect(engine.columns).toEqual(columns);
    }), { numRuns: 15 });
  }, 120_000);
});

test('SUMMA moves each block once, and matrix engines do what the formula says', () => {
  const size = 1024;
  for (const hardware of [flat, mesh]) {
    const run = runTilePrograms(hardware, [place(summa({ width: 8, height: 8 }, [size, size, size], 128), hardware)], { l1Contention: false });
    expect(run.memoryBytes).toBe(3 * size * size * 2);
    const { memory, tiles } = run.dies[0]!;
    expect(sum(memory!.writtenBytes)).toBe(size * size * 2);
    const job = matrixCycles({ rows: 128, inner: 128, columns: 128 }, 2, { rows: 32, columns: 16, pipelineStages: 1, l1BytesPerCycle: 512 });
    const matrix = tiles.busyCycles.filter((_, slot) => slot % ENGINES === TileEngineId.MATRIX);
    for (const busy of matrix) expect(busy - 8 * job).toBeLessThan(8 * 40);
    expect(run.cycles).toBeGreaterThan(8 * job);
    expect(run.cycles).toBeLessThan(1.5 * 8 * job);
  }
});

test('traffic in L1 holds up the matrix engine, by less than one cycle in ten here', () => {
  const run = (l1Contention: boolean): TileRun => runTilePrograms(flat, [place(summa({ width: 8, height: 8 }, [1024, 1024, 1024], 128), flat)], { l1Contention });
  expect(run(true).breakdown.matrix).toBeGreaterThan(run(false).breakdown.matrix);
  expect(run(true).breakdown.matrix).toBeLessThan(1.1 * run(false).breakdown.matrix);
});

test('programs side by side, and several groups of one', () => {
  const small = summa({ width: 2, height: 2 }, [64, 64, 64], 32);
  const left = place(small, flat, { tiling: { region: { x: 0, y: 0, width: 4, height: 8 } } });
  const right = place(ring({ width: 4, height: 1 }, 32, 32), flat, { tiling: { region: { x: 4, y: 0, width: 4, height: 8 } } });
  const both = runTilePrograms(flat, [left, right]);
  expect(both.cycles).toBeGreaterThanOrEqual(runTilePrograms(flat, [right]).cycles);
  expect(both.memoryBytes).toBe(runTilePrograms(flat, [left]).memoryBytes);
});

describe('memoisation', () => {
  const wafer = presetHardware('flat-wafer-8');
  const program = summa({ width: 4, height: 4 }, [128, 128, 128], 32);

  test('dies that do the same are simulated once, and the result is the same without', () => {
    const placed = place(program, wafer);
    const memo = new TileRunMemo();
    const run = runTilePrograms(wafer, [placed], { memo });
    expect(memo).toMatchObject({ simulated: 1, replayed: 7 });
    const all = runTilePrograms(wafer, [placed], { memo: false });
    expect(all.dies.map(({ replayed }) => replayed)).toEqual(all.dies.map(() => false));
    expect({ ...run, dies: run.dies.map((die) => ({ ...die, replayed: false })) }).toEqual(all);
    expect(runTilePrograms(wafer, [placed], { memo }).dies.every(({ replayed }) => replayed)).toBe(true);
  });

  test('dies that do something else, options and machines are told apart', () => {
    const memo = new TileRunMemo();
    const placed = place(program, wafer, { groups: [{ die: 0, x: 0, y: 0 }, { die: 1, x: 4, y: 0 }, { die: 2, x: 4, y: 0 }] });
    runTilePrograms(wafer, [placed], { memo });
    expect(memo).toMatchObject({ simulated: 2, replayed: 1 });
    runTilePrograms(wafer, [placed], { memo, costs: referenceOptions });
    expect(memo).toMatchObject({ simulated: 4, replayed: 2 });
    const other = { ...wafer, clockMegahertz: 900 };
    runTilePrograms(other, [place(program, other)], { memo });
    expect(memo).toMatchObject({ simulated: 5 });
  });
});

test('links carry what the run says, and are never busier than it is long', () => {
  const { dies, fabricByteHops } = runTilePrograms(flat, [place(summa({ width: 8, height: 8 }, [512, 512, 256], 64), flat)]);
  const { links, cycles } = dies[0]!;
  expect(sum(links.bytes.filter((_, row) => links.isMesh[row] === 1))).toBe(fabricByteHops);
  const busy = new Map<number, number>();
  links.busyCycles.forEach((cycles, row) => busy.set(links.port[row]!, (busy.get(links.port[row]!) ?? 0) + cycles));
  expect(Math.max(...busy.values())).toBeLessThanOrEqual(cycles);
});

test('recorded tiles say what each engine did when', () => {
  const { dies } = runTilePrograms(flat, [place(summa({ width: 8, height: 8 }, [512, 512, 256], 64), flat)], { record: [0, 9] });
  const rows = dies[0]!.recorded;
  expect(new Set(rows.map(({ tile }) => tile))).toEqual(new Set([0, 9]));
  for (const engine of [0, 1, 2, 3, 4]) {
    const own = rows.filter((row) => row.tile === 9 && row.engine === engine);
    own.forEach((row, i) => expect(row.startCycle).toBeGreaterThanOrEqual(i === 0 ? 0 : own[i - 1]!.endCycle));
  }
});
