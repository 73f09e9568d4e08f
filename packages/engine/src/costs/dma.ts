import { checkWhole } from './errors.ts';
import { physicalOptions, type CostOptions } from './options.ts';

/** The DMA engine of a tile and the software around it. */
export interface DmaSpec {
  /** Transfers that wait in the engine. */
  readonly queuedTransfers: number;
  /** Bursts under way at once. */
  readonly outstandingBursts: number;
  /** A burst ends at a page of so many bytes. */
  readonly burstBytes: number;
  /** L1 side: bytes per cycle, one row per access. */
  readonly rowBytes: number;
  /** Cycles between the starts of two transfers, or of two lines of a 2-D transfer: accept, regulate, split. */
  readonly startGapCycles: number;
  /** From a transfer's start in the engine until its first beat is forwarded by the first router. */
  readonly firstBeatCycles: number;
  /** Software: from the first instruction of a transfer until the engine has it, and from its end until that is noticed. */
  readonly issueCycles: number;
  /** Software: cycles of one pass of the loop that waits; the end is noticed at a whole number of passes. */
  readonly pollCycles: number;
  /** Software: cycles between handing over two transfers when nothing is waited for. */
  readonly issuePeriodCycles: number;
}

/** Where a transfer reads: the tile's own L1, or anything else (memory, other tiles, the source of zeros). */
export type DmaSource = 'l1' | 'elsewhere';

/** A transfer whose source is of the other kind than that of the one before waits until all earlier ones are acknowledged. */
export function drainsFirst(previous: DmaSource, next: DmaSource): boolean {
  return previous !== next;
}

/** Bursts of a transfer: cut at every page of `burstBytes`. */
export function burstsOf(address: number, bytes: number, spec: DmaSpec): number {
  checkWhole('address of a transfer', address, 0);
  checkWhole('bytes of a transfer', bytes, 1);
  return Math.floor((address + bytes - 1) / spec.burstBytes) - Math.floor(address / spec.burstBytes) + 1;
}

/** Cycles from the start in the engine to the router beyond the network interface that are not a hop: of a row written, and of a burst read. */
const INTERFACE_CYCLES = 1;
const WRITE_START_CYCLES = 4;

/**
 * Cycles of a write from own L1 to a tile `hops` links away on an idle fabric, from the engine's start to the acknowledgement of the
 * last beat, page-aligned: beats + hops + 5 when rows stream. With `dmaWriteWindow` a row of L1 is read only when an earlier one is
 * acknowledged, with one row in flight per burst; the distance is then paid once per window unless 4 × bursts ≥ hops + 5.
 * Acknowledgements come back in no time with `freeResponses`, else after another `hops`.
 *
 * @param linkBytes bytes per cycle of a link
 * @throws CostError `COST_BAD_ARGUMENT`
 * @see gvsoc-pulp, idma/be; the formulas are in the form of figures measured there
 */
export function pushCycles(bytes: number, hops: number, linkBytes: number, spec: DmaSpec, options: CostOptions = physicalOptions): number {
  checkWhole('bytes of a transfer', bytes, 1);
  checkWhole('hops of a transfer', hops, 0);
  const back = options.freeResponses ? 0 : hops;
  const beats = Math.ceil(bytes / linkBytes);
  const streamed = beats + hops + back + WRITE_START_CYCLES + INTERFACE_CYCLES;
  if (!options.dmaWriteWindow) return streamed;
  const rows = Math.ceil(bytes / spec.rowBytes);
  const window = Math.ceil(bytes / spec.burstBytes);
  const beatsPerRow = Math.ceil(spec.rowBytes / linkBytes);
  const roundTrip = hops + back + INTERFACE_CYCLES;
  if (beatsPerRow * window >= roundTrip + beatsPerRow) return streamed;
  const rounds = Math.ceil(rows / window);
  const lastBeats = Math.ceil((bytes - (rows - 1) * spec.rowBytes) / linkBytes);
  return Math.max(streamed, WRITE_START_CYCLES + (rounds - 1) * (roundTrip + beatsPerRow) + roundTrip + (window === 1 ? lastBeats : beatsPerRow));
}

/**
 * Cycles of a read of `bytes` in the L1 of a tile `hops` links away on an idle fabric, from the engine's start until the data lie in
 * own L1: beats + hops + 5, and the last burst is written to L1, a row per cycle, once it is complete. Data come back in no
 * time with `freeResponses`, else over `hops` links.
 *
 * @throws CostError `COST_BAD_ARGUMENT`
 */
export function pullCycles(bytes: number, hops: number, linkBytes: number, spec: DmaSpec, options: CostOptions = physicalOptions): number {
  checkWhole('bytes of a transfer', bytes, 1);
  checkWhole('hops of a transfer', hops, 0);
  const back = options.freeResponses ? 0 : hops;
  const lastBurst = bytes - (Math.ceil(bytes / spec.burstBytes) - 1) * spec.burstBytes;
  return Math.ceil(bytes / linkBytes) + hops + back + WRITE_START_CYCLES + INTERFACE_CYCLES + Math.ceil(lastBurst / spec.rowBytes);
}

/** Cycles of a clear of L1 or of a copy inside it: a row per cycle after the start. A clear books every bank once per row, a copy twice. */
export function l1TransferCycles(bytes: number, spec: DmaSpec): number {
  checkWhole('bytes of a transfer', bytes, 1);
  return spec.startGapCycles + Math.ceil(bytes / spec.rowBytes);
}

/**
 * Cycles of a 2-D transfer when one line takes `lineCycles` of the slowest part of the way: lines start at least `startGapCycles`
 * apart. `restCycles`: what the last line takes from its start on.
 */
export function linesCycles(lines: number, lineCycles: number, restCycles: number, spec: DmaSpec): number {
  checkWhole('lines of a transfer', lines, 1);
  return (lines - 1) * Math.max(spec.startGapCycles, lineCycles) + restCycles;
}

/** Cycles that a core sees from issuing a transfer that takes `cycles` in the engine until it goes on. */
export function awaitedCycles(cycles: number, spec: DmaSpec): number {
  return Math.ceil((cycles + spec.issueCycles) / spec.pollCycles) * spec.pollCycles;
}

/**
 * Cycles that a core sees for `count` equal transfers handed over one after the other with one wait at the end: software or the
 * way, whichever is slower per transfer, and the latency of the last.
 *
 * @param busyCycles what one transfer takes of the slowest part of the way
 * @param cycles one transfer alone, when rows stream
 */
export function queuedCycles(count: number, busyCycles: number, cycles: number, spec: DmaSpec): number {
  checkWhole('transfers', count, 1);
  return (count - 1) * Math.max(spec.issuePeriodCycles, busyCycles, spec.startGapCycles) + awaitedCycles(cycles, spec);
}
