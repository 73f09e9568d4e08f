import { presetHardware } from '@kerf/hardware';
import { bench } from 'vitest';
import { summa } from '../testing/dataflows.ts';
import { checkTileProgram } from './check.ts';
import { instantiate } from './instances.ts';

const hardware = presetHardware('flat-wafer-64');
const build = () => summa({ width: 32, height: 32 }, [4096, 4096, 8192], [128, 128, 128]);
const placement = { tiling: {} };

if (globalThis.gc !== undefined) globalThis.gc();
const before = process.memoryUsage();
const placed = instantiate(build(), hardware, placement);
const after = process.memoryUsage();
if (placed.instances !== 64 || placed.instanceOfTile.length !== 65_536 || placed.instanceOfTile.includes(-1)) throw new Error('Not every tile of 65,536 runs the program.');
const grown = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 2 ** 20;
console.log(`SUMMA of 64 steps in 64 groups of 32 × 32: ${grown.toFixed(1)} MB more than before, ${(after.rss / 2 ** 20).toFixed(0)} MB resident in all`);

bench('SUMMA, 64 steps, 64 dies of 32 × 32 tiles: built, checked and placed on 65,536 tiles', () => {
  const program = build();
  checkTileProgram(program, hardware);
  instantiate(program, hardware, placement);
}, { time: 1000 });

bench('the same as 65,536 groups of one tile', () => {
  const program = summa({ width: 1, height: 1 }, [128, 128, 8192], [128, 128, 128]);
  checkTileProgram(program, hardware);
  instantiate(program, hardware, placement);
}, { time: 1000 });

bench('one group of 256 × 256 tiles, checked only', () => {
  checkTileProgram(summa({ width: 256, height: 256 }, [32_768, 32_768, 8192], [128, 128, 128]), hardware);
}, { time: 1000 });
