import type { Preset } from './preset.ts';

const deepDive = 'S. Lie, Cerebras Architecture Deep Dive (Hot Chips 34, 2022; IEEE Micro 43(3), 2023)';
const reduce = 'P. Luczynski et al., Near-Optimal Wafer-Scale Reduce, arXiv 2404.15888';

/**
 * A whole wafer of small cores: one mesh, cut here at the reticle. A link over a cut is a mesh link like any other, so
 * node processes that share this wafer can run one cycle ahead of each other: expect no speed-up from cutting it.
 */
export const wse2: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'wse2',
    description: 'Cerebras WSE-2: one mesh of 792 x 1078 small cores at 850 MHz with 48 KiB of SRAM each and no other memory; 32-bit links, one cycle per hop. Its 84 dies are reticles, joined by ordinary mesh links.',
    clockMegahertz: 850,
    wafer: { diesX: 12, diesY: 7 },
    die: { tilesX: 66, tilesY: 154 },
    tile: {
      matrix: { flopsPerCycle: { fp16: 8, fp8: 8 }, rows: 1, columns: 4, pipelineStages: 0 },
      vector: { flopsPerCycle: 8 },
      l1Bytes: 49_152,
      l1BytesPerCycle: 24,
    },
    link: { bytesPerCycle: 4, cycles: 1, picojoulesPerByteHop: 0.15, maxPacketBytes: 4 },
    localLink: { bytesPerCycle: 4, cycles: 2, picojoulesPerByteHop: 0.15 },
    memory: null,
    d2d: { shape: 'edge', link: { bytesPerCycle: 4, cycles: 1, picojoulesPerByteHop: 0.15 } },
  },
  sources: {
    clockMegahertz: `${reduce}: measured on a CS-2 at 850 MHz (${deepDive} names 1.1 GHz as the peak)`,
    'wafer.diesX': `${deepDive}: 84 dies; of 17 mm by 30 mm, 12 stand side by side on 215 mm`,
    'wafer.diesY': `${deepDive}: 84 dies; of 17 mm by 30 mm, 7 stand above each other on 215 mm`,
    'die.tilesX': `${deepDive}: 850,000 cores on 84 dies; 66 x 154 cores each are 853,776. 757 x 996 of them can be programmed (Cerebras SDK)`,
    'die.tilesY': 'as die.tilesX',
    'tile.matrix.flopsPerCycle.fp16': `${deepDive}: four 16-bit multiply-adds per cycle`,
    'tile.matrix.flopsPerCycle.fp8': 'no 8-bit arithmetic: the rate of 16 bit',
    'tile.matrix.rows': 'no matrix engine: the vector unit of four multiply-adds stands here, one row',
    'tile.matrix.columns': 'no matrix engine: the vector unit of four multiply-adds stands here, four columns',
    'tile.matrix.pipelineStages': 'no matrix engine',
    'tile.vector.flopsPerCycle': `${deepDive}: four 16-bit multiply-adds per cycle`,
    'tile.l1Bytes': `${deepDive}: 48 KB of SRAM per core, 40 GB in all`,
    'tile.l1BytesPerCycle': `${deepDive}: two 64-bit reads and one 64-bit write per cycle`,
    'link.bytesPerCycle': `${reduce}: a wavelet of 32 bit per cycle and direction`,
    'link.cycles': `${reduce}: one cycle per hop`,
    'link.picojoulesPerByteHop': 'FlooNoC, arXiv 2409.17606: 0.15 pJ per byte and hop (12 nm); none is published for this mesh',
    'link.maxPacketBytes': `${reduce}: a packet is one wavelet`,
    'localLink.bytesPerCycle': `${reduce}: the ramp carries a wavelet per cycle and direction`,
    'localLink.cycles': `${reduce}: ramp latency of 2 cycles`,
    'localLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
    'd2d.link.bytesPerCycle': `${deepDive}: the mesh is uniform, also from die to die`,
    'd2d.link.cycles': `${deepDive}: the mesh is uniform, also from die to die`,
    'd2d.link.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
  },
};
