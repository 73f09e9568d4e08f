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
  /** Software: what a transfer from or to memory costs on top, before it is issued. */
  readonly addressCycles: number;
  /** Constant of a group barrier in software, see `groupBarrierCycles`. */
  readonly groupBarrierCycles: number;
  /** What an operation pays when the last thing that it waited for was done by another engine of its tile. */
  readonly tileBarrierCycles: number;
  /** Null on a machine of scratchpads alone. */
  readonly memory: { readonly timing: MemoryTiming; readonly interleaveBytes: number; readonly scramble: boolean } | null;
}

/**
 * What a tile and its memory are, and what a hardware file means where it leaves something of that out: the engines and the software of
 * the SoftHier tile, scaled to the vector rate and the L1 bandwidth that the file does say.
 */
export function tileHardwareOf(hardware: Hardware): TileHardware {
  const { tile, memory, clockMegahertz, link } = hardware;
  const { matrix, vector, dma, transpose, barrier } = tile;
  const units = vector.units ?? 4;
  return {
    matrix: { rows: matrix.rows, columns: matrix.columns, pipelineStages: matrix.pipelineStages, l1BytesPerCycle: tile.l1BytesPerCycle },
    matrixIssueCycles: matrix.issueCycles ?? 21,
    vector: {
      units,
      // A unit does a multiply and an add per lane and cycle: two operations on 16 bit.
      laneBits: Math.max(1, Math.floor(vector.flopsPerCycle / 2 / units)) * 16,
      loadBytesPerCycle: vector.loadBytesPerCycle ?? Math.max(1, Math.floor(tile.l1BytesPerCycle / 4 / units)),
      rowBatch: vector.rowBatch ?? 16, batchInstructions: vector.batchInstructions ?? 5, callCycles: vector.callCycles ?? 30, loopCycles: vector.loopCycles ?? 10,
    },
    transpose: { edgeBytes: transpose?.edgeBytes ?? tile.l1BytesPerCycle },
    dma: {
      queuedTransfers: dma?.queuedTransfers ?? 64, outstandingBursts: dma?.outstandingBursts ?? 256, burstBytes: link.maxPacketBytes, rowBytes: tile.l1BytesPerCycle,
      startGapCycles: dma?.startGapCycles ?? 3, firstBeatCycles: dma?.firstBeatCycles ?? 6, issueCycles: dma?.issueCycles ?? 14, pollCycles: dma?.pollCycles ?? 2, issuePeriodCycles: dma?.issuePeriodCycles ?? 14,
    },
    addressCycles: dma?.addressCycles ?? 28,
    groupBarrierCycles: barrier?.groupCycles ?? 74,
    tileBarrierCycles: barrier?.tileCycles ?? 4,
    memory: memory === null ? null : { timing: memoryTimingOf(memory, clockMegahertz), interleaveBytes: memory.interleaveBytes ?? 128, scramble: memory.scramble ?? false },
  };
}

/** An HBM2E channel, where the file says nothing else: at the clock that gives its peak, behind a front end that gives its latency. */
export function memoryTimingOf(memory: NonNullable<Hardware['memory']>, clockMegahertz: number): MemoryTiming {
  const { numerator, denominator } = rationalOf(memory.bytesPerCyclePerChannel);
  const timing: MemoryTiming = { ...hbm2eTiming, ...memory.timing };
  const pseudoChannels = 2 ** timing.addressBits.pseudoChannel.length;
  const memoryMegahertz = memory.timing?.clockMegahertz ?? Math.max(1, Math.round(((numerator / denominator) * clockMegahertz * timing.burstClocks) / (pseudoChannels * timing.burstBytes)));
  const dramCycles = Math.ceil((closedRowClocks(timing) * clockMegahertz) / memoryMegahertz);
  return { ...timing, clockMegahertz: memoryMegahertz, frontEndCycles: Math.max(0, memory.latencyCycles - dramCycles) };
}

/** Clocks from a request at a channel whose rows are closed until a burst of each pseudo-channel is there. */
function closedRowClocks(timing: MemoryTiming): number {
  return timing.openToReadClocks + timing.readLatencyClocks + timing.burstClocks;
}
