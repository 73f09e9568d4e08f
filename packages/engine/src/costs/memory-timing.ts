import { checkWhole, CostError } from './errors.ts';

/** Which bits of an address inside a channel say what; bits named nowhere are bytes and columns. */
export interface MemoryAddressBits {
  readonly pseudoChannel: readonly number[];
  readonly bankGroup: readonly number[];
  readonly bank: readonly number[];
  readonly row: readonly number[];
}

/** Timing of the DRAM behind one channel. Times are memory clocks unless the name says cycles. */
export interface MemoryTiming {
  readonly clockMegahertz: number;
  /** Bytes of one burst of one pseudo-channel. */
  readonly burstBytes: number;
  /** Data time of a burst, = CCDS: bursts of different bank groups. */
  readonly burstClocks: number;
  /** CCDL: bursts of one bank group. */
  readonly sameGroupClocks: number;
  /** RCDRD, RCDWR: from opening a row to a read, to a write. */
  readonly openToReadClocks: number;
  readonly openToWriteClocks: number;
  /** RP: from closing a row to opening another. */
  readonly closeClocks: number;
  /** RAS: a row stays open at least. */
  readonly rowOpenClocks: number;
  /** RC: between two openings in one bank. */
  readonly rowCycleClocks: number;
  /** RL, WL: from the command to the data. */
  readonly readLatencyClocks: number;
  readonly writeLatencyClocks: number;
  /** RRD: between openings in different banks; FAW: no five openings within. */
  readonly openGapClocks: number;
  readonly fourOpensClocks: number;
  /** RTP: from a read to closing. WR: from the end of write data to closing. */
  readonly readToCloseClocks: number;
  readonly writeRecoveryClocks: number;
  /** RTW: from a read to a write. WTRS, WTRL: from the end of write data to a read, of another and of the same bank group. */
  readonly readToWriteClocks: number;
  readonly writeToReadClocks: number;
  readonly writeToReadSameGroupClocks: number;
  /** REFI, RFC: a refresh of all banks is due every so often, and takes so long. */
  readonly refreshIntervalClocks: number;
  readonly refreshClocks: number;
  /** Between the fabric and the controller, there and back together, cycles of the fabric. */
  readonly frontEndCycles: number;
  /** Writes that a channel acknowledges before DRAM has them, bytes. */
  readonly writeBufferBytes: number;
  readonly addressBits: MemoryAddressBits;
}

const bits = (from: number, until: number) => Array.from({ length: until - from + 1 }, (_, i) => from + i);

/**
 * A 16 Gb HBM2E channel of 64 GB/s: two pseudo-channels of 64 bit at 2000 MHz, 8 bank groups of 4 banks.
 *
 * @see DRAMSys, memory specification JEDEC_16Gb_HBM2E-4000, and the address mapping that the reference machine gives it
 */
export const hbm2eTiming: MemoryTiming = {
  clockMegahertz: 2000,
  burstBytes: 32,
  burstClocks: 2,
  sameGroupClocks: 4,
  openToReadClocks: 12,
  openToWriteClocks: 10,
  closeClocks: 12,
  rowOpenClocks: 30,
  rowCycleClocks: 45,
  readLatencyClocks: 35,
  writeLatencyClocks: 8,
  openGapClocks: 2,
  fourOpensClocks: 9,
  readToCloseClocks: 2,
  writeRecoveryClocks: 35,
  readToWriteClocks: 12,
  writeToReadClocks: 4,
  writeToReadSameGroupClocks: 6,
  refreshIntervalClocks: 3000,
  refreshClocks: 260,
  frontEndCycles: 2,
  writeBufferBytes: 8192,
  addressBits: { pseudoChannel: [5], bankGroup: [6, 7, 13], bank: [16, 17], row: [14, 15, ...bits(18, 30)] },
};

/** Throws unless the timing can be worked with. */
export function checkMemoryTiming(timing: MemoryTiming): void {
  for (const [name, value] of Object.entries(timing)) if (typeof value === 'number') checkWhole(`memory timing ${name}`, value, 0);
  for (const name of ['clockMegahertz', 'burstBytes', 'burstClocks', 'refreshIntervalClocks', 'openGapClocks'] as const) checkWhole(`memory timing ${name}`, timing[name], 1);
  const { addressBits: { pseudoChannel, bankGroup, bank, row } } = timing;
  const all = [...pseudoChannel, ...bankGroup, ...bank, ...row];
  if (new Set(all).size !== all.length || all.some((bit) => !Number.isInteger(bit) || bit < 0 || bit > 31)) {
    throw new CostError('COST_BAD_TIMING', 'Address bits of a channel are different numbers from 0 to 31.', { bits: all.join(' ') });
  }
  if (pseudoChannel.length > 4 || bankGroup.length > 5 || bank.length > 5) {
    throw new CostError('COST_BAD_TIMING', 'A channel has at most 16 pseudo-channels, 32 bank groups and 32 banks per group.', { bits: all.join(' ') });
  }
  const placing = [...pseudoChannel, ...bankGroup, ...bank];
  if (Math.max(0, ...placing) - Math.min(31, ...placing) >= 26) {
    throw new CostError('COST_BAD_TIMING', 'The bits of pseudo-channel, bank group and bank lie within 26 bits.', { bits: placing.join(' ') });
  }
  if (timing.fourOpensClocks > 16 * timing.openGapClocks) {
    throw new CostError('COST_BAD_TIMING', 'Four openings of rows take at most as long as 16 gaps between openings.', { fourOpensClocks: timing.fourOpensClocks, openGapClocks: timing.openGapClocks });
  }
  if (timing.refreshClocks >= timing.refreshIntervalClocks) {
    throw new CostError('COST_BAD_TIMING', 'A refresh takes less than the time between two.', { refreshClocks: timing.refreshClocks, refreshIntervalClocks: timing.refreshIntervalClocks });
  }
}

/** Best share of peak that a long stream can get: 1 − tRFC / tREFI. */
export function refreshCeiling(timing: MemoryTiming): number {
  return 1 - timing.refreshClocks / timing.refreshIntervalClocks;
}

/** Peak of one channel, bytes per fabric cycle. */
export function channelPeakBytesPerCycle(timing: MemoryTiming, fabricMegahertz: number): number {
  return (2 ** timing.addressBits.pseudoChannel.length * timing.burstBytes * timing.clockMegahertz) / timing.burstClocks / fabricMegahertz;
}
