import type { Preset } from './preset.ts';

const collective = 'collective-capable FlooNoC, arXiv 2603.26438';

/**
 * The machine on which collectives inside the network were measured at register level. A multicast of L flits to c × r
 * clusters takes 30 + L + (c − 1) + (r − 1) cycles there: injection and ejection, 31 together, hops of one cycle, and the
 * L − 1 flits behind the first.
 */
export const floonoc4x4: Preset = {
  hardware: {
    formatVersion: 1,
    name: 'floonoc-4x4',
    description: 'Collective-capable FlooNoC (arXiv 2603.26438): 4 x 4 Snitch clusters at 1 GHz, 512-bit links, multicast and reduction in the routers.',
    clockMegahertz: 1000,
    wafer: { diesX: 1, diesY: 1 },
    die: { tilesX: 4, tilesY: 4 },
    tile: {
      matrix: { flopsPerCycle: { fp16: 64, fp8: 128 }, rows: 8, columns: 4, pipelineStages: 3 },
      vector: { flopsPerCycle: 64 },
      l1Bytes: 131_072,
      l1BytesPerCycle: 256,
    },
    link: { bytesPerCycle: 64, cycles: 1, picojoulesPerByteHop: 0.15, maxPacketBytes: 4096 },
    localLink: { bytesPerCycle: 64, cycles: 6, picojoulesPerByteHop: 0.15 },
    ejectionLink: { bytesPerCycle: 64, cycles: 25, picojoulesPerByteHop: 0.15 },
    syncLink: { bytesPerCycle: 8, cycles: 2, picojoulesPerByteHop: 0.15, maxPacketBytes: 8 },
    reduction: { inputsPerCycle: 2, latencyCycles: 0, tableEntries: 16, startCycles: 21, pageBytes: 4096, pageGapCycles: 7 },
    memory: null,
    d2d: null,
  },
  sources: {
    clockMegahertz: `${collective}: 1 GHz`,
    'wafer.diesX': `${collective}: one die`,
    'wafer.diesY': `${collective}: one die`,
    'die.tilesX': `${collective}: 4 x 4 clusters`,
    'die.tilesY': `${collective}: 4 x 4 clusters`,
    'tile.matrix.flopsPerCycle.fp16': 'Snitch cluster: 8 cores, each with a multiply-add of 64 bit, four of 16 bit; no matrix engine',
    'tile.matrix.flopsPerCycle.fp8': 'Snitch cluster: 8 cores, each with a multiply-add of 64 bit, eight of 8 bit; no matrix engine',
    'tile.matrix.rows': 'no matrix engine: the 8 cores stand here',
    'tile.matrix.columns': 'no matrix engine: four lanes of 16 bit per core',
    'tile.matrix.pipelineStages': 'Snitch cluster: a multiply-add takes 3 cycles',
    'tile.vector.flopsPerCycle': 'as tile.matrix.flopsPerCycle.fp16',
    'tile.l1Bytes': 'Snitch cluster: 128 KiB',
    'tile.l1BytesPerCycle': 'Snitch cluster: 32 banks of 64 bit',
    'link.bytesPerCycle': `${collective}: wide links of 512 bit`,
    'link.cycles': `${collective}: one cycle for each further column and row in its fitted multicast`,
    'link.picojoulesPerByteHop': 'FlooNoC, arXiv 2409.17606: 0.15 pJ per byte and hop (12 nm, 0.8 V)',
    'link.maxPacketBytes': 'an AXI burst ends at a 4 KiB page',
    'localLink.bytesPerCycle': `${collective}: as a wide link`,
    'localLink.cycles': 'gvsoc/gvsoc-pulp, iDMA: 6 cycles from the issue of a transfer to the first router',
    'localLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
    'ejectionLink.bytesPerCycle': `${collective}: as a wide link`,
    'ejectionLink.cycles': `${collective}: what is left of the 30 cycles of its fitted multicast (+ 1, since L flits end L - 1 cycles after the first) behind the 6 of injection: write to L1, response, completion`,
    'ejectionLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
    'syncLink.bytesPerCycle': 'FlooNoC, arXiv 2409.17606: narrow links of 64 bit',
    'syncLink.cycles': `FlooNoC, arXiv 2409.17606: two cycles per router; up and down the tree to 2, 4, 8 and 16 clusters this is 1.29 cycles per cluster, for 1.3 in ${collective}`,
    'syncLink.picojoulesPerByteHop': 'as link.picojoulesPerByteHop',
    'syncLink.maxPacketBytes': 'FlooNoC, arXiv 2409.17606: narrow links of 64 bit',
    'reduction.inputsPerCycle': `${collective}: two inputs per cycle, so that a row runs at one flit per cycle and a rectangle at one per two`,
    'reduction.latencyCycles': 'not separable in the series: it is part of reduction.startCycles',
    'reduction.tableEntries': 'Kerf assumption: far more than the one reduction at a time of the series',
    'reduction.startCycles': 'row reduction of 2 KiB over 4 clusters, SoftHier slides of 2025: 86 cycles = 32 flits + 33 of the way (31 + 3 hops - 1) + 21',
    'reduction.pageBytes': 'an AXI burst ends at a 4 KiB page',
    'reduction.pageGapCycles': 'row reduction of 8 KiB over 4 clusters, SoftHier slides of 2025: 189 cycles = 128 flits + 33 + 21 + 1 gap of 7',
  },
};
