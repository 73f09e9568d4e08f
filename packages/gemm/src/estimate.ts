import { rationalOf, type Hardware } from '@kerf/hardware';
import { elementBytes } from '@kerf/program';
import { grainOf } from './grain.ts';
import type { GemmMapping, GemmShape, GemmTypes } from './mapping.ts';
import { largestOf, partition } from './partition.ts';
import { summaLayout, type SummaLayout } from './summa.ts';

/** What a mapping costs, roughly: good enough to choose by, not to quote. */
export interface GemmEstimate {
  readonly cycles: number;
  /** Of one step: the matrix engine, what a loading tile's DMA does, and memory if all groups share it evenly. */
  readonly matrixCycles: number;
  readonly loadCycles: number;
  readonly memoryCycles: number;
  /** Of all steps and stores. */
  readonly memoryBytes: number;
  readonly layout: SummaLayout;
}

/** Share of a channel's peak that mixed reads reach, cycles of a barrier and of what software adds to a transfer: round numbers for an estimate. */
const MEMORY_SHARE = 0.85;
const BARRIER_CYCLES = 90;
const ISSUE_CYCLES = 30;

/** Estimates a mapping that {@link gemmPrograms} would accept. */
export function estimateGemm(shape: GemmShape, mapping: GemmMapping, types: GemmTypes, hardware: Hardware): GemmEstimate {
  const { groupWidth, groupHeight, splitK, splitM, splitN, stages, schedule } = mapping;
  const grain = grainOf(types);
  const own = { m: largestOf(partition(shape.m, splitM, grain.m)), n: largestOf(partition(shape.n, splitN, grain.n)), k: shape.k };
  const layout = summaLayout(own, mapping, types, grain, elementBytes);
  const { blocksM, blocksN, steps, pieceM, pieceN, pieceK } = layout;
  const blocks = blocksM * blocksN;
  const groups = splitM * splitN;
  const split = splitK > 1;
  const chained = split && groupHeight > 1;
  const sharesX = groupWidth > 1;
  const sharesW = groupHeight > 1;
  const { bytesPerCycle } = hardware.link;

  const matrixCycles = matrixStepCycles(pieceM, pieceN, pieceK, hardware);
  const [xBytes, wBytes] = [pieceM * pieceK * elementBytes[types.input], pieceN * pieceK * elementBytes[types.input]];
  const latency = (hardware.memory?.latencyCycles ?? 0) + ISSUE_CYCLES;
  const loadCycles = 2 * latency + (xBytes + wBytes) / bytesPerCycle;
  const multicastCycles = Math.max(sharesX ? xBytes : 0, sharesW && !chained ? wBytes : 0) / bytesPerCycle + groupWidth + groupHeight + (chained ? (groupHeight - 1) * (wBytes / bytesPerCycle + ISSUE_CYCLES) : 0);
  const channelBytes = hardware.memory === null ? Infinity : (hardware.memory.channels * rationalOf(hardware.memory.bytesPerCyclePerChannel).numerator) / rationalOf(hardware.memory.bytesPerCyclePerChannel).denominator;
  const stepBytes = groups * splitK * (groupHeight * xBytes * (sharesX ? 1 : groupWidth) + groupWidth * wBytes * (sharesW ? 1 : groupHeight));
  const memoryCycles = stepBytes / (channelBytes * MEMORY_SHARE);
  const path = Math.max(loadCycles, memoryCycles) + multicastCycles + BARRIER_CYCLES;
  const blockwise = schedule === 'blockwise';
  const period = blockwise
    ? Math.max(matrixCycles + ISSUE_CYCLES, path + multicastCycles + BARRIER_CYCLES)
    : Math.max(matrixCycles, loadCycles, memoryCycles, path / (stages - 1));
  const pieceBytes = pieceM * pieceN * elementBytes[types.sum];
  // In the fabric the whole piece goes to one tile; by messages each tile gets its share, and adds.
  const sumCycles = !split ? 0 : (pieceBytes / bytesPerCycle) * (chained ? 2 : 1) + height(mapping) + 2 * BARRIER_CYCLES;
  const outputBytes = shape.m * shape.n * elementBytes[types.output];
  const lastStore = latency + outputBytes / blocks / (channelBytes * MEMORY_SHARE);
  const exposed = path * (blockwise ? blocks : 1);
  // The fabric engine of a tile hands on pieces and sums one after the other; sums of a block run beside the next one.
  const block = Math.max(steps * period, steps * multicastCycles + 2 * sumCycles);
  // Estimates do not tell a few per cent: what needs no sums is taken then.
  const doubt = split ? 1.03 : 1;
  return { cycles: Math.ceil(doubt * (blocks * block + exposed + sumCycles + lastStore)), matrixCycles, loadCycles, memoryCycles, memoryBytes: stepBytes * blocks * steps + outputBytes, layout };
}

function height({ groupHeight, splitK }: GemmMapping): number {
  return groupHeight * splitK;
}

/** A piece on the array: blocks of `rows` × (columns · (stages + 1)) results, the inner dimension in accesses of L1. The engine's own model is finer. */
function matrixStepCycles(m: number, n: number, k: number, { tile }: Hardware): number {
  const { rows, columns, pipelineStages } = tile.matrix;
  const across = columns * (pipelineStages + 1);
  const step = Math.max(k + Math.min(m, rows), Math.ceil((k * (pipelineStages + 1)) / across) * across);
  return Math.ceil(m / rows) * Math.ceil(n / across) * step + 3 * Math.min(m, rows) + 1;
}
