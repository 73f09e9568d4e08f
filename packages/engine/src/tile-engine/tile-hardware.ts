import { rationalOf, type Hardware } from '@kerf/hardware';
import type { DmaSpec } from '../costs/dma.ts';
import type { MatrixEngineSpec } from '../costs/matrix-engine.ts';
import { hbm2eTiming, type MemoryTiming } from '../costs/memory-timing.ts';
import type { TransposeEngineSpec } from '../costs/transpose-engine.ts';
import type { VectorEngineSpec } from '../costs/vector-engine.ts';

/** What the cost models need of a tile and of its die's memory, with nothing left open. */
export interface TileHardware {
  readonly matrix: MatrixEngineSpec;
  /** From the decision to start a matrix job until it begins, and from its end until that is noticed. */
  readonly matrixIssueCycles: number;
  readonly vector: VectorEngineSpec;
  readonly transpose: TransposeEngineSpec;
  readonly dma: DmaSpec;
  /** Constant of a group barrier in software, see `groupBarrierCycles`. */
  readonly groupBarrierCycles: number;
  /** What an operation pays when the last thing that it waited for was done by another engine of its tile. */
  readonly tileBarrierCycles: number;
  /** Null on a machine of scratchpads alone. */
  readonly memory: { readonly timing: MemoryTiming; readonly interleaveBytes: number; readonly scramble: boolean } | null;
}

/** Clocks from a request at a channel whose rows are closed until its first 64 bytes are there, beyond the front end: two bursts in two pseudo-channels. */
function closedRowClocks(timing: MemoryTiming): number {
  return timing.openToReadClocks + timing.readLatencyClocks + timing.burstClocks;
}

/**
 * Where a hardware file says nothing, a tile has the software and engines of the reference machine: four vector units, a DMA engine of
 * 256 bursts, a transposer as wide as an L1 row; scaled to the vector rate and the L1 bandwidth that the file does say.
 */
export function tileHardwareOf(hardware: Hardware): TileHardware {
  const { tile, memory, clockMegahertz, link } = hardware;
  const units = 4;
  // A unit does a multiply and an add per lane and cycle: two operations on 16 bit.
  const laneBits = Math.max(16, Math.floor(tile.vector.flopsPerCycle / 2 / units) * 16);
  return {
    matrix: { rows: tile.matrix.rows, columns: tile.matrix.columns, pipelineStages: tile.matrix.pipelineStages, l1BytesPerCycle: tile.l1BytesPerCycle },
    matrixIssueCycles: 8,
    vector: { units, laneBits, loadBytesPerCycle: Math.max(1, Math.floor(tile.l1BytesPerCycle / 4 / units)), rowBatch: 16, batchInstructions: 5, callCycles: 30, loopCycles: 10 },
    transpose: { edgeBytes: tile.l1BytesPerCycle },
    dma: {
      queuedTransfers: 64, outstandingBursts: 256, burstBytes: link.maxPacketBytes, rowBytes: tile.l1BytesPerCycle, startGapCycles: 3, firstBeatCycles: 6, issueCycles: 14, pollCycles: 2, issuePeriodCycles: 14,
    },
    groupBarrierCycles: 74,
    tileBarrierCycles: 4,
    memory: memory === null ? null : { timing: timingOf(memory, clockMegahertz), interleaveBytes: 128, scramble: false },
  };
}

/** The timing of an HBM2E channel at the clock that gives the file's peak, behind a front end that gives its latency. */
function timingOf(memory: NonNullable<Hardware['memory']>, clockMegahertz: number): MemoryTiming {
  const { numerator, denominator } = rationalOf(memory.bytesPerCyclePerChannel);
  const pseudoChannels = 2 ** hbm2eTiming.addressBits.pseudoChannel.length;
  const memoryMegahertz = Math.max(1, Math.round((numerator / denominator) * clockMegahertz * hbm2eTiming.burstClocks / (pseudoChannels * hbm2eTiming.burstBytes)));
  const dramCycles = Math.ceil((closedRowClocks(hbm2eTiming) * clockMegahertz) / memoryMegahertz);
  return { ...hbm2eTiming, clockMegahertz: memoryMegahertz, frontEndCycles: Math.max(0, memory.latencyCycles - dramCycles) };
}
