import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

const example = 'Kerf example machine';

/** A wafer small enough to simulate in seconds and large enough to be cut: the default of examples and tests. */
export const flatWafer8: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'flat-wafer-8',
    description: 'A wafer of 4 x 2 dies of 8 x 8 tiles at 1 GHz, joined edge to edge: an example machine of our own, made of the tiles of flat-32x32.',
    clockMegahertz: 1000,
    wafer: { diesX: 4, diesY: 2 },
    die: { tilesX: 8, tilesY: 8 },
    ...flatTile,
    memory: { channels: 8, bytesPerCyclePerChannel: 64, latencyCycles: 200, capacityBytes: 17_179_869_184 },
    d2d: { shape: 'edge', link: { bytesPerCycle: [256, 3], cycles: 64, picojoulesPerByteHop: 2 } },
  },
  sources: {
    ...flatTileSources,
    clockMegahertz: `${example}: the clock of flat-32x32`,
    'wafer.diesX': example,
    'wafer.diesY': example,
    'die.tilesX': example,
    'die.tilesY': example,
    'memory.channels': `${example}: one channel per column of tiles`,
    'memory.bytesPerCyclePerChannel': 'arXiv 2505.18824, Table I: 64 GB/s per HBM2E channel, at 1 GHz',
    'memory.latencyCycles': 'arXiv 2505.18824, section V-B: HBM access latency of about 200 cycles',
    'memory.capacityBytes': `${example}: 8 channels of 2 GiB (JEDEC 16 Gb HBM2E, 2 pseudo-channels of 1 GiB)`,
    'd2d.link.bytesPerCycle': `${example}: each lane two thirds of a tile link, so that a flit takes 3/2 cycles; 683 GB/s per die edge`,
    'd2d.link.cycles': `${example}: 64 ns at 1 GHz`,
    'd2d.link.picojoulesPerByteHop': 'UCIe target for advanced packages, 0.25 pJ per bit (D. Das Sharma, Hot Interconnects 2025)',
  },
};
