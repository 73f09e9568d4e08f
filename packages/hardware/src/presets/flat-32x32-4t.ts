import { rateOf } from '../rational.ts';
import { bytesPerCycleFromGigabytesPerSecond } from '../units.ts';
import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

const clockMegahertz = 965;

/** The die that the second FlatAttention paper compares with a GH200. */
export const flat32x32With4T: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'flat-32x32-4t',
    description: 'FlatAttention (arXiv 2604.02110), Fig. 12: one die of 32 x 32 tiles at 965 MHz, 988 TFLOPS FP16, 4 TB/s from two HBM stacks on the south edge.',
    clockMegahertz,
    wafer: { diesX: 1, diesY: 1 },
    die: { tilesX: 32, tilesY: 32 },
    ...flatTile,
    memory: {
      channels: 64,
      bytesPerCyclePerChannel: rateOf(bytesPerCycleFromGigabytesPerSecond(64, clockMegahertz)), // 12800/193
      latencyCycles: 200,
      capacityBytes: 137_438_953_472,
      edgeNodes: { west: 0, north: 0, east: 0, south: 32 },
      aliasing: 'column',
    },
    d2d: null,
  },
  sources: {
    ...flatTileSources,
    clockMegahertz: 'arXiv 2604.02110, Table I: 965 MHz',
    'wafer.diesX': 'arXiv 2604.02110: one die',
    'wafer.diesY': 'arXiv 2604.02110: one die',
    'die.tilesX': 'arXiv 2604.02110, Table I',
    'die.tilesY': 'arXiv 2604.02110, Table I',
    'memory.channels': 'gvsoc/gvsoc, fp16_big_arch.py of arXiv 2604.02110: 64 channels on the south edge, two stacks',
    'memory.bytesPerCyclePerChannel': 'JEDEC HBM2E-4000 as in its DRAMSys configuration: 64 GB/s per channel, over 965 MHz',
    'memory.latencyCycles': 'arXiv 2604.02110, section V-B: HBM access latency of about 200 cycles',
    'memory.capacityBytes': 'JEDEC 16 Gb HBM2E as in its DRAMSys configuration: 64 channels of 2 GiB',
    'memory.edgeNodes': 'gvsoc/gvsoc, fp16_big_arch.py: hbm_node_aliase = 32, a node for each column, two channels behind each',
  },
};
