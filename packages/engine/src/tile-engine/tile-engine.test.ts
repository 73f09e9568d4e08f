import { presetHardware } from '@kerf/hardware';
import { checkTileProgram, instantiate } from '@kerf/program';
import { expect, test } from 'vitest';
import { summa } from './laboratory.ts';
import { runTilePrograms } from './run-tile-programs.ts';

test('SUMMA on flat-8x8', () => {
  for (const [name, size] of [['mesh-8x8', 1024], ['flat-8x8', 4096]] as const) {
    const hardware = presetHardware(name);
    const program = summa({ width: 8, height: 8 }, [size, size, size], size / 8);
    checkTileProgram(program, hardware);
    const placed = instantiate(program, hardware, { tiling: {} });
    const start = performance.now();
    const run = runTilePrograms(hardware, [placed]);
    console.log(name, run.cycles, run.breakdown, run.memoryBytes, run.fabricByteHops, (performance.now() - start).toFixed(0), 'ms; utilisation', size ** 3 * 2 / 64 / hardware.tile.matrix.flopsPerCycle.fp16 / run.cycles);
    expect(Object.values(run.breakdown).reduce((a, b) => a + b, 0)).toBe(run.cycles);
    expect(run.memoryBytes).toBe(size * size * 2 * 3);
  }
});
