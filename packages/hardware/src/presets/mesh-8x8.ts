import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

/** One small die, for examples and tests: quick to simulate, and its corners can be counted by hand. */
export const mesh8x8: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'mesh-8x8',
    description: 'One die of 8 x 8 tiles at 1 GHz: a small machine of our own for examples, made of the tiles of flat-32x32.',
    clockMegahertz: 1000,
    wafer: { diesX: 1, diesY: 1 },
    die: { tilesX: 8, tilesY: 8 },
    ...flatTile,
    memory: { channels: 8, bytesPerCyclePerChannel: 64, latencyCycles: 200, capacityBytes: 17_179_869_184 },
    d2d: null,
  },
  sources: {
    ...flatTileSources,
    clockMegahertz: 'Kerf example machine: the clock of flat-32x32',
    'wafer.diesX': 'Kerf example machine',
    'wafer.diesY': 'Kerf example machine',
    'die.tilesX': 'Kerf example machine',
    'die.tilesY': 'Kerf example machine',
    'memory.channels': 'Kerf example machine: one channel per column, half as many per column as the 64 channels on 32 columns of flat-wafer-64',
    'memory.bytesPerCyclePerChannel': 'arXiv 2505.18824, Table I: 64 GB/s per HBM2E channel, at 1 GHz',
    'memory.latencyCycles': 'arXiv 2505.18824, section V-B: HBM access latency of about 200 cycles',
    'memory.capacityBytes': 'Kerf example machine: 8 channels of 2 GiB (JEDEC 16 Gb HBM2E, 2 pseudo-channels of 1 GiB)',
  },
};
