import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

const platform = 'gvsoc/gvsoc, c2c_platform of arXiv 2604.02110';
const { tile, localLink } = flatTile;

const { 'link.bytesPerCycle': _bytes, 'link.cycles': _cycles, 'link.maxPacketBytes': _packet, ...sources } = Object.fromEntries(
  Object.entries(flatTileSources).filter(([path]) => !path.startsWith('syncLink.')),
) as Record<string, string>;

/** Two chips and the link between them, to measure what a credit window leaves of its bandwidth. Set `d2d.link.cycles` to the latency in ns. */
export const c2c256g: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'c2c-256g',
    description: 'Two chips as single nodes at 1 GHz, joined by 256 GB/s and 256 ns; packets of 256 B, a credit window of 512 packets (SoftHier chip-to-chip platform, arXiv 2604.02110).',
    clockMegahertz: 1000,
    wafer: { diesX: 2, diesY: 1 },
    die: { tilesX: 1, tilesY: 1 },
    tile,
    link: { bytesPerCycle: 256, cycles: 1, picojoulesPerByteHop: 0.15, maxPacketBytes: 256 },
    localLink: { ...localLink, bytesPerCycle: 256 },
    memory: null,
    d2d: { shape: 'edge', link: { bytesPerCycle: 256, cycles: 256, credits: 503, picojoulesPerByteHop: 2 } },
  },
  sources: {
    ...sources,
    clockMegahertz: `${platform}: 1 GHz`,
    'wafer.diesX': 'two chips, one link',
    'wafer.diesY': 'two chips, one link',
    'die.tilesX': `${platform}: a chip is a single node`,
    'die.tilesY': `${platform}: a chip is a single node`,
    'link.bytesPerCycle': 'SoftHier slides of 16 Sep 2025: packets of 256 B are the flits of this link',
    'link.cycles': `${platform}: one decision of a router per ns; no such link on a chip of one node`,
    'link.maxPacketBytes': 'SoftHier slides of 16 Sep 2025: packets of 256 B',
    'localLink.bytesPerCycle': `${platform}: one flit per ns from the trace file`,
    'localLink.cycles': `${platform}: one ns per flit`,
    'd2d.link.bytesPerCycle': 'SoftHier slides of 16 Sep 2025: 256 GB/s',
    'd2d.link.cycles': `${platform}, c2c_platform_cfg.py: 256 ns`,
    'd2d.link.credits': `SoftHier slides of 16 Sep 2025: a window of 512 packets; ${platform}: credits come back in groups of 10, so that up to 9 wait at the far end`,
    'd2d.link.picojoulesPerByteHop': 'UCIe target for advanced packages, 0.25 pJ per bit (D. Das Sharma, Hot Interconnects 2025)',
  },
};
