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

/** Share of a channel's peak that lines of slices reach beside stores: long ones open a row for more than short ones. */
const LONG_LINE_BYTES = 512;
const LONG_LINE_SHARE = 0.7;
const SHORT_LINE_SHARE = 0.5;
/** A barrier, and what software adds to a transfer, cycles. Round numbers for an estimate. */
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
  const bandwidth = memoryBytesPerCycle(hardware);
  const outputBytes = shape.m * shape.n * elementBytes[types.output];
  const xStepBytes = groups * splitK * groupHeight * xBytes * (sharesX ? 1 : groupWidth);
  const wStepBytes = groups * splitK * groupWidth * wBytes * (sharesW ? 1 : groupHeight);
  // X and Z lie at one edge and W at another, where memory has a place.
  const xCycles = xStepBytes / (bandwidth.edge * shareOf(pieceK * elementBytes[types.input])) + outputBytes / (blocks * steps) / (bandwidth.edge * shareOf(pieceN * elementBytes[types.output]));
  const wCycles = wStepBytes / (bandwidth.edge * shareOf(pieceN * elementBytes[types.input]));
  const memoryCycles = bandwidth.edges > 1 ? Math.max(xCycles, wCycles) : xCycles + wCycles;
  const path = Math.max(loadCycles, memoryCycles) + multicastCycles + BARRIER_CYCLES;
  const blockwise = schedule === 'blockwise';
  const period = blockwise
    ? Math.max(matrixCycles + ISSUE_CYCLES, path + multicastCycles + BARRIER_CYCLES)
    : together(matrixCycles, loadCycles, memoryCycles, path / (stages - 1)) + BARRIER_CYCLES;
  const pieceBytes = pieceM * pieceN * elementBytes[types.sum];
  // In the fabric the whole piece goes to one tile; by messages each tile gets its share, and adds.
  const sumCycles = !split ? 0 : (pieceBytes / bytesPerCycle) * (chained ? 2 : 1) + height(mapping) + 2 * BARRIER_CYCLES;
  const lastStore = latency + outputBytes / blocks / (bandwidth.edge * SHORT_LINE_SHARE);
  const exposed = path * (blockwise ? blocks : 1);
  // The fabric engine of a tile hands on pieces and sums one after the other; sums of a block run beside the next one.
  const block = Math.max(steps * period, steps * multicastCycles + 2 * sumCycles);
  // Estimates do not tell a few per cent: what needs no sums is taken then.
  const doubt = split ? 1.03 : 1;
  return { cycles: Math.ceil(doubt * (blocks * block + exposed + sumCycles + lastStore)), matrixCycles, loadCycles, memoryCycles, memoryBytes: (xStepBytes + wStepBytes) * blocks * steps + outputBytes, layout };
}

/** Bytes per cycle behind one edge of the die, and how many edges have memory; one where memory has no place. */
function memoryBytesPerCycle({ memory }: Hardware): { edge: number; edges: number } {
  if (memory === null) return { edge: Infinity, edges: 1 };
  const { numerator, denominator } = rationalOf(memory.bytesPerCyclePerChannel);
  const edges = Math.max(1, Object.values(memory.edgeNodes ?? {}).filter((nodes) => nodes > 0).length);
  return { edge: (memory.channels * numerator) / denominator / edges, edges };
}

function shareOf(lineBytes: number): number {
  return lineBytes >= LONG_LINE_BYTES ? LONG_LINE_SHARE : SHORT_LINE_SHARE;
}

/** The longest of things that go on side by side, and more when others are nearly as long, since then now one is late and now the other. */
function together(...cycles: number[]): number {
  return cycles.reduce((sum, one) => sum + one ** 4, 0) ** 0.25;
}

function height({ groupHeight, splitK }: GemmMapping): number {
  return groupHeight * splitK;
}

/** A piece on the array: blocks of `rows` × (columns · (stages + 1)) results, the inner dimension in accesses of L1. The engine's own model is finer. */
function matrixStepCycles(m: number, n: number, k: number, { tile }: Hardware): number {
  const { rows, columns, pipelineStages } = tile.matrix;
  const across = columns * (pipelineStages + 1);
  // Beside the inner dimension the port moves rows of X, of Y, and of the results before.
  const step = Math.max(k + 3 * Math.min(m, rows), Math.ceil((k * (pipelineStages + 1)) / across) * across);
  return Math.ceil(m / rows) * Math.ceil(n / across) * step + 3 * Math.min(m, rows) + 1;
}
