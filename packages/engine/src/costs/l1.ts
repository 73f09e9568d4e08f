import { checkWhole } from './errors.ts';
import type { ForeignBookings } from './matrix-engine.ts';

/** Traffic of one engine or link in L1, at an even rate. */
export interface L1Stream {
  readonly fromCycle: number;
  /** First cycle without traffic of this stream. */
  readonly untilCycle: number;
  /** Bytes read plus bytes written per cycle: a copy inside L1 counts twice. */
  readonly bytesPerCycle: number;
}

/**
 * What some streams book of each bank of an L1 of `l1BytesPerCycle`, addresses spread evenly over the banks: a stream of b bytes
 * per cycle books a bank in b / l1BytesPerCycle of the cycles. Left out: two accesses of one stream that meet in a bank.
 */
export function bookingsOf(streams: readonly L1Stream[], l1BytesPerCycle: number): ForeignBookings {
  return (fromCycle, untilCycle) => {
    let bytes = 0;
    for (const stream of streams) {
      const cycles = Math.min(untilCycle, stream.untilCycle) - Math.max(fromCycle, stream.fromCycle);
      if (cycles > 0) bytes += cycles * stream.bytesPerCycle;
    }
    return bytes / l1BytesPerCycle;
  };
}

/**
 * Cycles in which `streams` engines that want `bytesPerCycle` each are done with `bytes` each: L1 serves them at its own rate once
 * together they want more. Addresses spread evenly over the banks, fair shares.
 */
export function sharedL1Cycles(bytes: number, bytesPerCycle: number, streams: number, l1BytesPerCycle: number): number {
  checkWhole('bytes of L1 traffic', bytes, 0);
  checkWhole('streams that share L1', streams, 1);
  return Math.ceil(bytes / Math.min(bytesPerCycle, l1BytesPerCycle / streams));
}
