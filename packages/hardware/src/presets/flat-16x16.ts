import type { Preset } from './preset.ts';
import { flat32x32 } from './flat-32x32.ts';

/** A quarter of the tiles of flat-32x32, each four times as strong: the same peak in coarser grains. */
export const flat16x16: Preset = {
  hardware: {
    ...flat32x32.hardware,
    name: 'flat-16x16',
    description: 'FlatAttention (arXiv 2505.18824), Table II: one die of 16 x 16 tiles at 1 GHz with the peak of flat-32x32, 1024 TFLOPS FP16, 2 TB/s HBM2E.',
    die: { tilesX: 16, tilesY: 16 },
    tile: {
      matrix: { flopsPerCycle: { fp16: 4096, fp8: 4096 }, rows: 64, columns: 32, pipelineStages: 1 },
      vector: { flopsPerCycle: 512, units: 1, loadBytesPerCycle: 512 },
      l1Bytes: 1_572_864,
      l1BytesPerCycle: 2048,
    },
    memory: { channels: 32, bytesPerCyclePerChannel: 64, latencyCycles: 200, capacityBytes: 68_719_476_736, edgeNodes: { west: 16, north: 0, east: 0, south: 16 } },
  },
  sources: {
    ...flat32x32.sources,
    'die.tilesX': 'arXiv 2505.18824, Table II',
    'die.tilesY': 'arXiv 2505.18824, Table II',
    'tile.matrix.flopsPerCycle.fp16': 'arXiv 2505.18824, Table II: 64 x 32 compute elements, a multiply-add each',
    'tile.matrix.flopsPerCycle.fp8': 'arXiv 2604.02110, section V-C: FP8 has the rate per cycle of FP16',
    'tile.matrix.rows': 'arXiv 2505.18824, Table II: 64 x 32 compute elements',
    'tile.matrix.columns': 'arXiv 2505.18824, Table II: 64 x 32 compute elements',
    'tile.vector.flopsPerCycle': 'arXiv 2505.18824, Table II: 64 FPUs where flat-32x32 has 16',
    'tile.vector.loadBytesPerCycle': 'two ports of 32 bit for each FPU, as in flat-32x32',
    'tile.l1Bytes': 'gvsoc/gvsoc, arch_candidates of arXiv 2604.02110: 1.5 MiB (Table II of arXiv 2505.18824: 1526 KB)',
    'tile.l1BytesPerCycle': 'arXiv 2505.18824, Table II: 2048 GB/s at 1 GHz',
    'memory.edgeNodes': 'as flat-32x32: half of the channels west, half south; one for each row and column here',
  },
};
