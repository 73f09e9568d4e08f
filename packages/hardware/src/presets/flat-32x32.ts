import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

/** The best architecture of the first FlatAttention paper. */
export const flat32x32: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'flat-32x32',
    description: 'FlatAttention (arXiv 2505.18824), Table I: one die of 32 x 32 tiles at 1 GHz, 1024 TFLOPS FP16, 2 TB/s HBM2E.',
    clockMegahertz: 1000,
    wafer: { diesX: 1, diesY: 1 },
    die: { tilesX: 32, tilesY: 32 },
    ...flatTile,
    tile: { ...flatTile.tile, vector: { flopsPerCycle: 128, units: 1, loadBytesPerCycle: 128 } },
    memory: { channels: 32, bytesPerCyclePerChannel: 64, latencyCycles: 200, capacityBytes: 68_719_476_736, edgeNodes: { west: 16, north: 0, east: 0, south: 16 } },
    d2d: null,
  },
  sources: {
    ...flatTileSources,
    'tile.vector.units': 'gvsoc/gvsoc, arch.py of arXiv 2505.18824: one vector unit of 16 FPUs',
    'tile.vector.loadBytesPerCycle': 'gvsoc/gvsoc, arch.py of arXiv 2505.18824: 32 ports of 32 bit',
    clockMegahertz: 'arXiv 2505.18824, Table I',
    'wafer.diesX': 'arXiv 2505.18824: one die',
    'wafer.diesY': 'arXiv 2505.18824: one die',
    'die.tilesX': 'arXiv 2505.18824, Table I',
    'die.tilesY': 'arXiv 2505.18824, Table I',
    'memory.channels': 'arXiv 2505.18824, Table I: 16 x 2 channels, half on the west and half on the south edge',
    'memory.bytesPerCyclePerChannel': 'arXiv 2505.18824, Table I: 64 GB/s per HBM2E channel, at 1 GHz',
    'memory.latencyCycles': 'arXiv 2505.18824, section V-B: HBM access latency of about 200 cycles',
    'memory.capacityBytes': 'JEDEC 16 Gb HBM2E as in its DRAMSys configuration: 32 channels of 2 GiB',
    'memory.edgeNodes': 'gvsoc/gvsoc, arch.py of arXiv 2505.18824: placement [16, 0, 0, 16], a channel for two rows or two columns, no aliasing',
  },
};
