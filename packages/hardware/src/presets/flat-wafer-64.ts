import { rateOf } from '../rational.ts';
import { bytesPerCycleFromGigabytesPerSecond, cyclesFromNanoseconds } from '../units.ts';
import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

const clockMegahertz = 1930;

/** The wafer of the second FlatAttention paper, "Ours1". */
export const flatWafer64: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'flat-wafer-64',
    description: 'FlatAttention on a wafer (arXiv 2604.02110), Table II "Ours1": 8 x 8 dies of 32 x 32 tiles at 1.93 GHz; per die 1976 TFLOPS FP8, 4 TB/s, 128 GiB; 1 TB/s and 256 ns between dies.',
    clockMegahertz,
    wafer: { diesX: 8, diesY: 8 },
    die: { tilesX: 32, tilesY: 32 },
    ...flatTile,
    memory: {
      channels: 64,
      bytesPerCyclePerChannel: rateOf(bytesPerCycleFromGigabytesPerSecond(64, clockMegahertz)), // 6400/193
      latencyCycles: 200,
      capacityBytes: 137_438_953_472,
      edgeNodes: { west: 0, north: 0, east: 0, south: 32 },
      aliasing: 'column',
    },
    d2d: {
      shape: 'hub',
      link: {
        bytesPerCycle: rateOf(bytesPerCycleFromGigabytesPerSecond(1000, clockMegahertz)), // 100000/193
        cycles: cyclesFromNanoseconds(256, clockMegahertz), // 495
        picojoulesPerByteHop: 2,
      },
      gatewayLink: { bytesPerCycle: 128, cycles: 1, picojoulesPerByteHop: 0.15 },
      gateways: Array.from({ length: 16 }, (_, gateway) => ({ x: 2 * gateway, y: 0 })),
    },
  },
  sources: {
    ...flatTileSources,
    clockMegahertz: 'gvsoc/gvsoc, architecture file of arXiv 2604.02110 (its text rounds to 1.9 GHz)',
    'wafer.diesX': 'arXiv 2604.02110, section V-C: 64 dies in an 8 x 8 mesh',
    'wafer.diesY': 'arXiv 2604.02110, section V-C: 64 dies in an 8 x 8 mesh',
    'die.tilesX': 'arXiv 2604.02110, Table I',
    'die.tilesY': 'arXiv 2604.02110, Table I',
    'memory.channels': 'gvsoc/gvsoc, architecture file of arXiv 2604.02110: 64 channels on the south edge',
    'memory.bytesPerCyclePerChannel': 'JEDEC HBM2E-4000 as in its DRAMSys configuration: 64 GB/s per channel, over 1.93 GHz',
    'memory.latencyCycles': 'arXiv 2604.02110, section V-B: HBM access latency of about 200 cycles',
    'memory.capacityBytes': 'arXiv 2604.02110, section V-C: 128 GiB per die',
    'memory.edgeNodes': 'gvsoc/gvsoc, architecture file of arXiv 2604.02110: hbm_node_aliase = 32, a node for each column, two channels behind each',
    'd2d.link.bytesPerCycle': 'arXiv 2604.02110, Table II: 1 TB/s, over 1.93 GHz',
    'd2d.link.cycles': 'arXiv 2604.02110, Table II: 256 ns, at 1.93 GHz, rounded up',
    'd2d.link.picojoulesPerByteHop': 'UCIe target for advanced packages, 0.25 pJ per bit (D. Das Sharma, Hot Interconnects 2025)',
    'd2d.gatewayLink.bytesPerCycle': 'Kerf assumption: as a tile link; 16 of them carry four times the link between dies',
    'd2d.gatewayLink.cycles': 'Kerf assumption: as a tile link',
    'd2d.gatewayLink.picojoulesPerByteHop': 'Kerf assumption: as a tile link',
    'd2d.gateways': 'Kerf assumption: every second tile of the north edge, since the memory is on the south edge',
  },
};
