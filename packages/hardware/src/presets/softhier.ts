import type { Hardware } from '../spec.ts';
import type { Preset } from './preset.ts';
import { flatTile, flatTileSources } from './flat-tile.ts';

const simulator = 'gvsoc/gvsoc soft_hier_release';

/** What the machines on which the SoftHier simulator was measured have in common. */
function softhier(name: string, description: string, edge: number, memory: NonNullable<Hardware['memory']>, memorySources: Readonly<Record<string, string>>): Preset {
  return {
    hardware: {
      formatVersion: 1,
      name,
      description: `${description} Measured on its simulator; its simplifications (answers that take no time, no results written back) are options of a run, not of the machine.`,
      clockMegahertz: 1000,
      wafer: { diesX: 1, diesY: 1 },
      die: { tilesX: edge, tilesY: edge },
      ...flatTile,
      tile: { ...flatTile.tile, vector: { flopsPerCycle: 128, units: 4, loadBytesPerCycle: 32 }, transpose: { edgeBytes: 512 } },
      ejectionLink: { ...flatTile.localLink, bytesPerCycle: 640 },
      reduction: { inputsPerCycle: 5, latencyCycles: 0, tableEntries: 64, startCycles: 6 },
      memory,
      d2d: null,
    },
    sources: {
      ...flatTileSources,
      'tile.vector.units': `${simulator}, arch.py: spatz_attaced_core_list = [0, 1, 2, 3]`,
      'tile.vector.loadBytesPerCycle': `${simulator}, flex_cluster.py: 8 ports of 32 bit`,
      'tile.transpose.edgeBytes': `${simulator}, transpose_engine.cpp: 256 elements of 16 bit`,
      'ejectionLink.bytesPerCycle': 'gvsoc/gvsoc-pulp, floonoc_router.cpp: a target takes from all five inputs of its router at once',
      'ejectionLink.cycles': 'as localLink.cycles',
      'ejectionLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
      'reduction.inputsPerCycle': 'gvsoc/gvsoc-pulp, floonoc: one flit per cycle whatever the number of inputs',
      'reduction.latencyCycles': 'gvsoc/gvsoc-pulp, floonoc: data are combined in no time',
      'reduction.tableEntries': 'gvsoc/gvsoc-pulp, floonoc: no table; far more than the kernels have open',
      'reduction.startCycles': `${simulator}, rows of reductions with a format fixed at compile time: 5 to 7 cycles more than a read of the farthest member`,
      clockMegahertz: `${simulator}: 1 GHz`,
      'wafer.diesX': `${simulator}: one die`,
      'wafer.diesY': `${simulator}: one die`,
      'die.tilesX': `${simulator}, arch.py: ${edge} x ${edge} clusters`,
      'die.tilesY': `${simulator}, arch.py: ${edge} x ${edge} clusters`,
      'memory.bytesPerCyclePerChannel': 'JEDEC HBM2E-4000 as in its DRAMSys configuration: 64 GB/s, at 1 GHz',
      'memory.latencyCycles': 'DRAMSys, JEDEC HBM2E-4000: a read of a closed row, RCDRD + RL + a burst = 49 clocks of 0.5 ns; there and back across the adapter 3 cycles',
      'memory.capacityBytes': 'JEDEC 16 Gb HBM2E as in its DRAMSys configuration: 2 GiB per channel',
      ...memorySources,
    },
  };
}

const channel = { bytesPerCyclePerChannel: 64, latencyCycles: 28 } as const;
const CHANNEL_BYTES = 2_147_483_648;

/** 4 x 4 tiles as the branch describes them for its kernel examples. */
export const softhier4x4 = softhier(
  'softhier-4x4', 'SoftHier, branch soft_hier_release: 4 x 4 tiles, 4 channels behind the west edge and 4 behind the south edge, each edge one address space.', 4,
  { ...channel, channels: 8, capacityBytes: 8 * CHANNEL_BYTES, edgeNodes: { west: 4, north: 0, east: 0, south: 4 }, aliasing: 'edge', interleaveBytes: 128, scramble: true },
  {
    'memory.channels': `${simulator}, arch.py: hbm_chan_placement = [4, 0, 0, 4]`,
    'memory.edgeNodes': `${simulator}, arch.py: hbm_chan_placement = [4, 0, 0, 4]`,
    'memory.interleaveBytes': `${simulator}: four nodes share a controller, channels interleaved at the link width, XOR scrambling`,
  },
);

/** The same tiles with a channel of its own behind each node. */
export const softhier4x4Private = softhier(
  'softhier-4x4-private', 'SoftHier, branch soft_hier_release: 4 x 4 tiles with a private channel behind each node of the west and south edges.', 4,
  { ...channel, channels: 8, capacityBytes: 8 * CHANNEL_BYTES, edgeNodes: { west: 4, north: 0, east: 0, south: 4 } },
  {
    'memory.channels': `${simulator}: hbm_chan_placement = [4, 0, 0, 4], a controller for each node`,
    'memory.edgeNodes': `${simulator}: hbm_chan_placement = [4, 0, 0, 4]`,
  },
);

/** 8 x 8 tiles, everything south. */
export const softhier8x8 = softhier(
  'softhier-8x8', 'SoftHier, branch soft_hier_release: 8 x 8 tiles, 16 channels behind the south edge in one address space, two behind each column.', 8,
  { ...channel, channels: 16, capacityBytes: 16 * CHANNEL_BYTES, edgeNodes: { west: 0, north: 0, east: 0, south: 8 }, aliasing: 'column', interleaveBytes: 128, scramble: true },
  {
    'memory.channels': `${simulator}: 16 channels on the south edge, 2 per column`,
    'memory.edgeNodes': `${simulator}: a node for each column`,
    'memory.interleaveBytes': `${simulator}: all channels interleaved at the link width, XOR scrambling`,
  },
);
