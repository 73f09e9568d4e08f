import type { Preset } from './preset.ts';
import { flat32x32 } from './flat-32x32.ts';

/** A sixteenth of the tiles of flat-32x32, each sixteen times as strong: the same peak in the coarsest grains. */
export const flat8x8: Preset = {
  hardware: {
    ...flat32x32.hardware,
    name: 'flat-8x8',
    description: 'FlatAttention (arXiv 2505.18824), Table II: one die of 8 x 8 tiles at 1 GHz with the peak of flat-32x32, 1024 TFLOPS FP16, 2 TB/s HBM2E.',
    die: { tilesX: 8, tilesY: 8 },
    tile: {
      matrix: { flopsPerCycle: { fp16: 16_384, fp8: 16_384 }, rows: 128, columns: 64, pipelineStages: 1 },
      vector: { flopsPerCycle: 2048, units: 1, loadBytesPerCycle: 2048 },
      l1Bytes: 6_291_456,
      l1BytesPerCycle: 8192,
    },
    memory: { channels: 32, bytesPerCyclePerChannel: 64, latencyCycles: 200, capacityBytes: 68_719_476_736, edgeNodes: { west: 8, north: 0, east: 0, south: 8 } },
  },
  sources: {
    ...flat32x32.sources,
    'die.tilesX': 'arXiv 2505.18824, Table II',
    'die.tilesY': 'arXiv 2505.18824, Table II',
    'tile.matrix.flopsPerCycle.fp16': 'arXiv 2505.18824, Table II: 128 x 64 compute elements, a multiply-add each',
    'tile.matrix.flopsPerCycle.fp8': 'arXiv 2604.02110, section V-C: FP8 has the rate per cycle of FP16',
    'tile.matrix.rows': 'arXiv 2505.18824, Table II: 128 x 64 compute elements',
    'tile.matrix.columns': 'arXiv 2505.18824, Table II: 128 x 64 compute elements',
    'tile.vector.flopsPerCycle': 'arXiv 2505.18824, Table II: 256 FPUs where flat-32x32 has 16',
    'tile.vector.loadBytesPerCycle': 'two ports of 32 bit for each FPU, as in flat-32x32',
    'tile.l1Bytes': 'arXiv 2505.18824, Table II: 6144 KB',
    'tile.l1BytesPerCycle': 'arXiv 2505.18824, Table II: 8192 GB/s at 1 GHz',
    'memory.edgeNodes': 'as flat-32x32: half of the channels west, half south; two for each row and column here',
  },
};
