import type { Hardware } from '../spec.ts';

/** The tile of the FlatAttention machines and the mesh around it, which most presets are made of. */
export const flatTile = {
  tile: {
    matrix: { flopsPerCycle: { fp16: 1024, fp8: 1024 }, rows: 32, columns: 16, pipelineStages: 1 },
    vector: { flopsPerCycle: 128 },
    l1Bytes: 393_216,
    l1BytesPerCycle: 512,
  },
  link: { bytesPerCycle: 128, cycles: 1, picojoulesPerByteHop: 0.15, maxPacketBytes: 4096 },
  localLink: { bytesPerCycle: 128, cycles: 1, picojoulesPerByteHop: 0.15 },
  syncLink: { bytesPerCycle: 4, cycles: 1, picojoulesPerByteHop: 0.15, maxPacketBytes: 4 },
} as const satisfies Pick<Hardware, 'tile' | 'link' | 'localLink' | 'syncLink'>;

export const flatTileSources = {
  'tile.matrix.flopsPerCycle.fp16': 'FlatAttention, arXiv 2604.02110, Table I: 1024 FLOP per cycle and tile',
  'tile.matrix.flopsPerCycle.fp8': 'arXiv 2604.02110, section V-C: FP8 has the rate per cycle of FP16; its higher peak comes from the clock',
  'tile.matrix.rows': 'arXiv 2505.18824 and 2604.02110, Table I: RedMulE of 32 x 16 compute elements',
  'tile.matrix.columns': 'arXiv 2505.18824 and 2604.02110, Table I: RedMulE of 32 x 16 compute elements',
  'tile.matrix.pipelineStages': 'gvsoc/gvsoc, architecture files of both papers: redmule_ce_pipe = 1',
  'tile.vector.flopsPerCycle': 'arXiv 2505.18824, Table I: 128 GFLOPS at 1 GHz; 2604.02110: 4 Spatz of 32 FLOP per cycle',
  'tile.l1Bytes': 'arXiv 2505.18824 and 2604.02110, Table I: 384 KiB',
  'tile.l1BytesPerCycle': 'arXiv 2505.18824 and 2604.02110, Table I: 128 banks of 32 bit',
  'link.bytesPerCycle': 'arXiv 2505.18824 and 2604.02110, Table I: 1024 bit per cycle and direction',
  'link.cycles': 'gvsoc/gvsoc-pulp, floonoc_router.cpp: what is pushed to a router is visible one cycle later',
  'link.picojoulesPerByteHop': 'FlooNoC, arXiv 2409.17606: 0.15 pJ per byte and hop (12 nm, 0.8 V)',
  'link.maxPacketBytes': 'gvsoc/gvsoc-pulp, iDMA: a burst ends at a 4 KiB page',
  'localLink.bytesPerCycle': 'gvsoc/gvsoc-pulp, floonoc network interface: one request of a link width per cycle',
  'localLink.cycles': 'gvsoc/gvsoc-pulp, floonoc network interface: into the router in one cycle, as a hop',
  'localLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
  'syncLink.bytesPerCycle': 'gvsoc/gvsoc, flex_cluster.py: a second mesh of 32 bit for synchronisation, with atomics',
  'syncLink.cycles': 'gvsoc/gvsoc-pulp, floonoc_router.cpp: the same router as that of the wide mesh',
  'syncLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
  'syncLink.maxPacketBytes': 'gvsoc/gvsoc: an atomic on one 32-bit counter, or a wake-up',
} as const;
