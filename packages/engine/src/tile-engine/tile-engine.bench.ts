import { presetHardware } from '@kerf/hardware';
import { checkTileProgram, instantiate } from '@kerf/program';
import { bench } from 'vitest';
import { summa } from './laboratory.ts';
import { runTilePrograms } from './run-tile-programs.ts';

const hardware = presetHardware('flat-32x32');
const TILES = 32 * 32;

/** One kernel, nothing to replay. Checked before the clock starts, and the rate is printed: tiles × cycles per second. */
function measure(title: string, shape: readonly [number, number, number]): () => void {
  const program = summa({ width: 32, height: 32 }, shape, 128);
  checkTileProgram(program, hardware);
  const placed = [instantiate(program, hardware, { tiling: {} })];
  const start = performance.now();
  const { cycles, breakdown } = runTilePrograms(hardware, placed, { memo: false });
  const seconds = (performance.now() - start) / 1000;
  if (Object.values(breakdown).reduce((sum, part) => sum + part, 0) !== cycles) throw new Error('The critical path does not add up.');
  console.log(`${title}: ${cycles} cycles, ${((cycles * TILES) / seconds / 1e6).toFixed(0)} million tile-cycles per second, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB resident`);
  return () => void runTilePrograms(hardware, placed, { memo: false });
}

bench('GEMM 8192 × 8192 × 8192 on flat-32x32, pieces of 256 × 256 × 128', measure('8192³', [8192, 8192, 8192]), { iterations: 2, time: 0, warmupIterations: 0, warmupTime: 0 });
bench('GEMM 4096 × 4096 × 8192 on flat-32x32, pieces of 128 × 128 × 128', measure('4096² × 8192', [4096, 4096, 8192]), { iterations: 2, time: 0, warmupIterations: 0, warmupTime: 0 });
