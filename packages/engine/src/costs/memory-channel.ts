import { checkWhole } from './errors.ts';
import { channelAddressOf, channelOf, type MemoryMap } from './memory-address.ts';
import { checkMemoryTiming, type MemoryTiming } from './memory-timing.ts';
import { physicalOptions, type CostOptions } from './options.ts';

/** Places for bursts behind the last booked one that the scheduler still looks at: what FR-FCFS may pull forward. */
const REORDER_SLOTS = 448;
/** Length of the rings of slots: what is looked at, and room for the distance that turnarounds ask for. A power of two. */
const RING_SLOTS = 512;
/** Rows of a bank, before the open one, that a late request may still join. */
const PAST_ROWS = 8;
const RING_WORDS = RING_SLOTS / 32;
const WRITE_FLAG = 64;
const TABLE_BITS = 13;
const TABLE_MASK = 2 ** TABLE_BITS - 1;
/** A channel without requests for so long turns to the writes that it has collected. */
const IDLE_CLOCKS = 64;
/** A line of the fabric: one request to a channel. */
const LINE_BYTES = 128;

/**
 * State of the memory channels of one die. All clocks are memory clocks since `originCycle`. Saved and restored by copying the
 * columns. Pseudo-channel p of channel c is row c × pseudoChannels + p, and its banks follow each other, group by group.
 */
export interface MemoryColumns {
  /** [1] cycle of the fabric in which clock 0 begins. */
  readonly originCycle: Float64Array;
  /** [banks] bits of the open row, −1 when closed. */
  readonly openRow: Float64Array;
  /** [banks] clock of the last opening. */
  readonly openedClock: Float64Array;
  /** [banks] first clock in which the row may be closed. */
  readonly closableClock: Float64Array;
  /** [banks, PAST_ROWS] rows that were open before, −1 for none; when they were opened and are closed; [banks] the one to forget next. */
  readonly pastRow: Float64Array;
  readonly pastOpenedClock: Float64Array;
  readonly pastClosedClock: Float64Array;
  readonly pastIndex: Uint8Array;
  /** [pseudo-channels] slot after the last booked burst. */
  readonly tailSlot: Float64Array;
  /** [pseudo-channels] no slot before this one is free. */
  readonly firstFreeSlot: Float64Array;
  /** [pseudo-channels, RING_SLOTS] 0, or 1 + bank group of the burst in that slot, + 64 for a write. */
  readonly slots: Uint8Array;
  /** [pseudo-channels, RING_SLOTS / 32] one bit per slot: taken. */
  readonly taken: Int32Array;
  /** [pseudo-channels] last slot of a read and of a write. */
  readonly lastReadSlot: Float64Array;
  readonly lastWriteSlot: Float64Array;
  /** [pseudo-channels] slot after the last opening, and [.., RING_SLOTS / 32] one bit per slot: a row is opened. */
  readonly openTailSlot: Float64Array;
  readonly openings: Int32Array;
  /** [pseudo-channels] when the next refresh is due, when the last ends, how many are owed (negative: done ahead). */
  readonly refreshDueClock: Float64Array;
  readonly refreshEndClock: Float64Array;
  readonly refreshesOwed: Float64Array;
  /** [channels] first clock in which the channel takes another line, and [channels] the last clock in which read data return. */
  readonly acceptClock: Float64Array;
  readonly returnClock: Float64Array;
  /** [channels, lines of the write buffer] when DRAM has the write; [channels] the place to reuse next. */
  readonly drainClock: Float64Array;
  readonly drainIndex: Float64Array;
  /** [channels] writes that are collected; [channels, memoryWriteBatch] their addresses, bytes and places in the write buffer (−1 without), and the clock of the last. */
  readonly collected: Int32Array;
  readonly collectedAddress: Float64Array;
  readonly collectedBytes: Int32Array;
  readonly collectedPlace: Int32Array;
  readonly collectedClock: Float64Array;
  /** [channels] bytes, and [channels] bursts that met their row open, closed, or another row open; refreshes done. */
  readonly readBytes: Float64Array;
  readonly writtenBytes: Float64Array;
  readonly rowHits: Float64Array;
  readonly rowMisses: Float64Array;
  readonly rowConflicts: Float64Array;
  readonly refreshes: Float64Array;
}

/** The memory channels of one die: what they are, and their state. */
export interface Memory {
  readonly channels: number;
  readonly timing: MemoryTiming;
  readonly options: CostOptions;
  readonly fabricMegahertz: number;
  readonly pseudoChannels: number;
  readonly bankGroups: number;
  readonly banks: number;
  readonly bufferLines: number;
  /** Writes that are collected at most. */
  readonly batch: number;
  /** Bits of an address that name a row. */
  readonly rowMask: number;
  /** Pseudo-channel + 16 × bank group + 512 × bank, by the address bits from `lowBit` on and by those above. */
  readonly lowBit: number;
  readonly placeLow: Uint16Array;
  readonly placeHigh: Uint16Array;
  /** Slots between a write and a later read (of another, of the same bank group), and between a read and a later write. */
  readonly writeToReadSlots: number;
  readonly writeToReadSameGroupSlots: number;
  readonly readToWriteSlots: number;
  readonly sameGroupSlots: number;
  readonly fourOpensSlots: number;
  readonly columns: MemoryColumns;
}

/**
 * Memory channels in canonical state (see {@link settleMemory}) at cycle 0.
 *
 * @param channels channels of the die, ≥ 1
 * @throws CostError `COST_BAD_ARGUMENT`, `COST_BAD_TIMING`
 */
export function createMemory(channels: number, timing: MemoryTiming, fabricMegahertz: number, options: CostOptions = physicalOptions): Memory {
  checkWhole('memory channels', channels, 1);
  checkWhole('clock of the fabric', fabricMegahertz, 1);
  checkMemoryTiming(timing);
  const pseudoChannels = 2 ** timing.addressBits.pseudoChannel.length;
  const bankGroups = 2 ** timing.addressBits.bankGroup.length;
  const banks = bankGroups * 2 ** timing.addressBits.bank.length;
  const pseudo = channels * pseudoChannels;
  const bufferLines = Math.max(1, Math.floor(timing.writeBufferBytes / LINE_BYTES));
  const batch = Math.min(options.memoryWriteBatch, bufferLines);
  const slots = (clocks: number) => Math.ceil(clocks / timing.burstClocks);
  const dataEnd = timing.writeLatencyClocks + timing.burstClocks;
  const lowBit = Math.min(...timing.addressBits.pseudoChannel, ...timing.addressBits.bankGroup, ...timing.addressBits.bank, 31);
  const memory: Memory = {
    lowBit, placeLow: placesOf(timing, lowBit), placeHigh: placesOf(timing, lowBit + TABLE_BITS),
    channels, timing, options, fabricMegahertz, pseudoChannels, bankGroups, banks, bufferLines, batch,
    rowMask: timing.addressBits.row.reduce((mask, bit) => mask + 2 ** bit, 0),
    writeToReadSlots: slots(dataEnd + timing.writeToReadClocks),
    writeToReadSameGroupSlots: slots(dataEnd + timing.writeToReadSameGroupClocks),
    readToWriteSlots: slots(timing.readToWriteClocks),
    sameGroupSlots: slots(timing.sameGroupClocks),
    fourOpensSlots: Math.ceil(timing.fourOpensClocks / timing.openGapClocks),
    columns: {
      originCycle: new Float64Array(1),
      openRow: new Float64Array(pseudo * banks), openedClock: new Float64Array(pseudo * banks), closableClock: new Float64Array(pseudo * banks),
      pastRow: new Float64Array(pseudo * banks * PAST_ROWS), pastOpenedClock: new Float64Array(pseudo * banks * PAST_ROWS), pastClosedClock: new Float64Array(pseudo * banks * PAST_ROWS), pastIndex: new Uint8Array(pseudo * banks),
      tailSlot: new Float64Array(pseudo), firstFreeSlot: new Float64Array(pseudo), slots: new Uint8Array(pseudo * RING_SLOTS), taken: new Int32Array(pseudo * RING_WORDS),
      lastReadSlot: new Float64Array(pseudo), lastWriteSlot: new Float64Array(pseudo),
      openTailSlot: new Float64Array(pseudo), openings: new Int32Array(pseudo * RING_WORDS),
      refreshDueClock: new Float64Array(pseudo), refreshEndClock: new Float64Array(pseudo), refreshesOwed: new Float64Array(pseudo),
      acceptClock: new Float64Array(channels), returnClock: new Float64Array(channels),
      drainClock: new Float64Array(channels * bufferLines), drainIndex: new Float64Array(channels),
      collected: new Int32Array(channels), collectedAddress: new Float64Array(channels * batch), collectedBytes: new Int32Array(channels * batch), collectedPlace: new Int32Array(channels * batch), collectedClock: new Float64Array(channels),
      readBytes: new Float64Array(channels), writtenBytes: new Float64Array(channels),
      rowHits: new Float64Array(channels), rowMisses: new Float64Array(channels), rowConflicts: new Float64Array(channels), refreshes: new Float64Array(channels),
    },
  };
  settleMemory(memory, 0);
  return memory;
}

/** A copy of the state. */
export function saveMemory(memory: Memory): MemoryColumns {
  return Object.fromEntries(Object.entries(memory.columns).map(([name, column]: [string, Float64Array | Uint8Array | Int32Array]) => [name, column.slice()])) as unknown as MemoryColumns;
}

/** Sets the state to a saved one of the same memory. */
export function restoreMemory(memory: Memory, saved: MemoryColumns): void {
  for (const [name, column] of Object.entries(memory.columns) as [keyof MemoryColumns, Float64Array | Uint8Array | Int32Array][]) column.set(saved[name]);
}

/** When a channel takes another line, in cycles; memory clocks that do not fall on a cycle give a fraction. */
export function acceptTime(memory: Memory, channel: number): number {
  return memory.columns.originCycle[0]! + (memory.columns.acceptClock[channel]! * memory.fabricMegahertz) / memory.timing.clockMegahertz;
}

/** Books all writes that are still collected. */
export function drainWrites(memory: Memory): void {
  for (let channel = 0; channel < memory.channels; channel++) bookCollected(memory, channel, memory.columns.collectedClock[channel]!);
}

/** First cycle in which nothing that was asked for is under way. */
export function quietCycle(memory: Memory): number {
  drainWrites(memory);
  const { tailSlot, acceptClock, returnClock } = memory.columns;
  const { burstClocks, readLatencyClocks, writeLatencyClocks } = memory.timing;
  let clock = 0;
  const dataClocks = burstClocks + Math.max(readLatencyClocks, writeLatencyClocks);
  for (const tail of tailSlot) if (tail > 0) clock = Math.max(clock, tail * burstClocks + dataClocks);
  for (let channel = 0; channel < memory.channels; channel++) clock = Math.max(clock, acceptClock[channel]!, returnClock[channel]!);
  return cycleOf(memory, clock);
}

/**
 * The canonical state of a quiescent kernel boundary: rows closed, no refresh owed or done ahead, the first one of pseudo-channel p
 * due an interval / (p + 1) after `cycle`, nothing waiting. Counters stay. With `idleRefreshClocks` the boundary falls into the
 * refreshes of an idle time, of which so many clocks are left: their mean is half a refresh.
 */
export function settleMemory(memory: Memory, cycle: number, idleRefreshClocks = 0): void {
  const { columns, pseudoChannels, timing } = memory;
  columns.originCycle[0] = cycle;
  columns.openRow.fill(-1);
  columns.pastRow.fill(-1);
  columns.pastIndex.fill(0);
  columns.openedClock.fill(-timing.rowCycleClocks);
  for (const column of [columns.closableClock, columns.pastOpenedClock, columns.pastClosedClock, columns.tailSlot, columns.firstFreeSlot, columns.openTailSlot, columns.refreshesOwed, columns.acceptClock, columns.returnClock, columns.drainClock, columns.drainIndex, columns.collected, columns.collectedClock]) column.fill(0);
  columns.slots.fill(0);
  columns.taken.fill(0);
  columns.openings.fill(0);
  columns.lastReadSlot.fill(-RING_SLOTS);
  columns.lastWriteSlot.fill(-RING_SLOTS);
  columns.refreshEndClock.fill(idleRefreshClocks);
  for (let row = 0; row < columns.refreshDueClock.length; row++) columns.refreshDueClock[row] = Math.ceil(timing.refreshIntervalClocks / ((row % pseudoChannels) + 1));
}

/**
 * A read or write of bytes that follow each other inside one channel, all there in `arrivalCycle`. Returns the cycle in which the
 * last byte of a read is back, or in which the last byte of a write is accepted. Calls come in the order of arrival.
 *
 * What is modelled: acceptance of lines, row hits, misses and conflicts per bank (RCD, RP, RAS, RC, RTP, WR), CCDS and CCDL, RRD and
 * FAW, turnarounds between reads and writes, refresh of all banks of a pseudo-channel.
 *
 * FR-FCFS is approximated by booking on arrival: each burst takes the first place on the data bus, among the last 64 booked and
 * all later ones, that its bank and its neighbours on the bus allow. So a burst whose row is open passes those that wait for theirs,
 * and never delays them. A burst for a row that its bank has left behind, but not before the burst arrived, joins that row, and delays
 * the bank's next change of rows by the time of a burst. What is lost against a queue: a row change that was booked is not put off
 * by hits that arrive later, and a joined row may lie in the past of the bank's booking by then.
 *
 * Refresh: due and nothing to do: done, and again and again while idle, as far ahead as `memoryFlexibleRefreshes`; due and busy:
 * owed, up to the same number, then forced.
 *
 * @throws CostError `COST_BAD_ARGUMENT`
 * @see Rixner et al., Memory access scheduling (ISCA 2000); DRAMSys (Steiner et al. 2020); JESD235
 */
export function requestMemory(memory: Memory, channel: number, address: number, bytes: number, isWrite: boolean, arrivalCycle: number): number {
  checkWhole('bytes of a memory request', bytes, 1);
  let done = 0;
  for (let from = address; from < address + bytes;) {
    const until = Math.min(address + bytes, (Math.floor(from / LINE_BYTES) + 1) * LINE_BYTES);
    done = Math.max(done, requestLine(memory, channel, from, until - from, isWrite, arrivalCycle));
    from = until;
  }
  return done;
}

/**
 * The same for bytes that follow each other in an address space spread over channels as `map` says. The first line arrives in
 * `arrivalCycle`, each further one `cyclesPerLine` after the one before (0: all at once).
 */
export function requestSpread(memory: Memory, map: MemoryMap, address: number, bytes: number, isWrite: boolean, arrivalCycle: number, cyclesPerLine: number): number {
  checkWhole('bytes of a memory request', bytes, 1);
  const { interleaveBytes } = map;
  let done = 0;
  let lines = 0;
  for (let from = address; from < address + bytes; lines++) {
    const line = Math.floor(from / interleaveBytes);
    const offset = from - line * interleaveBytes;
    const length = Math.min(address + bytes - from, interleaveBytes - offset, LINE_BYTES - (offset % LINE_BYTES));
    const cycle = arrivalCycle + Math.floor(lines * cyclesPerLine);
    done = Math.max(done, requestLine(memory, channelOf(map, line), channelAddressOf(map, line, offset), length, isWrite, cycle));
    from += length;
  }
  return done;
}

/** At most 128 bytes that do not cross a multiple of 128. Unchecked: channel and address exist. */
function requestLine(memory: Memory, channel: number, address: number, bytes: number, isWrite: boolean, arrivalCycle: number): number {
  const { columns, timing, options, bufferLines } = memory;
  const { burstBytes, burstClocks } = timing;
  let clock = clockOf(memory, arrivalCycle);
  const free = columns.acceptClock[channel]!;
  const first = Math.floor(address / burstBytes);
  const last = Math.floor((address + bytes - 1) / burstBytes);
  if (clock < free) clock = free;

  let drainRow = -1;
  if (isWrite && !options.memoryUnlimitedWrites) {
    drainRow = channel * bufferLines + columns.drainIndex[channel]!;
    columns.drainIndex[channel] = (columns.drainIndex[channel]! + 1) % bufferLines;
    clock = Math.max(clock, columns.drainClock[drainRow]!);
  }
  // One piece per clock; a line that waits is taken together with the last piece of the one before.
  if (options.memoryWritePieces) columns.acceptClock[channel] = clock + Math.max(1, isWrite ? last - first : (last - first) >> 1);
  else columns.acceptClock[channel] = clockOf(memory, cycleOf(memory, clock) + 1);

  if (isWrite) {
    columns.writtenBytes[channel]! += bytes;
    const at = channel * memory.batch + columns.collected[channel]!++;
    columns.collectedAddress[at] = address;
    columns.collectedBytes[at] = bytes;
    columns.collectedPlace[at] = drainRow;
    columns.collectedClock[channel] = clock;
    if (columns.collected[channel] === memory.batch) bookCollected(memory, channel, clock);
    return cycleOf(memory, clock);
  }
  if (columns.collected[channel]! > 0 && clock > columns.collectedClock[channel]! + IDLE_CLOCKS) bookCollected(memory, channel, columns.collectedClock[channel]!);
  let dataClock = 0;
  for (let burst = first; burst <= last; burst++) {
    const command = bookBurst(memory, channel, burst * burstBytes, false, clock);
    dataClock = Math.max(dataClock, command + burstClocks + timing.readLatencyClocks);
  }
  columns.readBytes[channel]! += bytes;
  if (options.memoryReadsInOrder && dataClock < columns.returnClock[channel]!) dataClock = columns.returnClock[channel]!;
  if (dataClock > columns.returnClock[channel]!) columns.returnClock[channel] = dataClock;
  return cycleOf(memory, dataClock) + timing.frontEndCycles;
}

/** Books the writes that a channel has collected, one after the other. */
function bookCollected(memory: Memory, channel: number, clock: number): void {
  const { columns, timing, batch } = memory;
  const { burstBytes, burstClocks } = timing;
  const count = columns.collected[channel]!;
  columns.collected[channel] = 0;
  for (let at = channel * batch; at < channel * batch + count; at++) {
    const address = columns.collectedAddress[at]!;
    const last = Math.floor((address + columns.collectedBytes[at]! - 1) / burstBytes);
    let dataClock = 0;
    for (let burst = Math.floor(address / burstBytes); burst <= last; burst++) {
      dataClock = Math.max(dataClock, bookBurst(memory, channel, burst * burstBytes, true, clock) + burstClocks + timing.writeLatencyClocks);
    }
    if (columns.collectedPlace[at]! >= 0) columns.drainClock[columns.collectedPlace[at]!] = dataClock;
  }
}

/** Books one burst; returns the clock of its read or write command. */
function bookBurst(memory: Memory, channel: number, address: number, isWrite: boolean, arrivalClock: number): number {
  const { columns, timing, banks, pseudoChannels, rowMask } = memory;
  const { burstClocks } = timing;
  const place = memory.placeLow[(address >>> memory.lowBit) & TABLE_MASK]! | memory.placeHigh[(address >>> (memory.lowBit + TABLE_BITS)) & TABLE_MASK]!;
  const pseudo = channel * pseudoChannels + (place & 15);
  const group = (place >>> 4) & 31;
  const bank = pseudo * banks + (place >>> 9) * memory.bankGroups + group;
  // `&` works on 32 bits; addresses inside a channel stay below 2^32, and the sign does not matter to a comparison.
  const row = (address & rowMask) >>> 0;
  const bookedClock = Math.max(arrivalClock, columns.tailSlot[pseudo]! * burstClocks);
  if (columns.refreshDueClock[pseudo]! <= bookedClock) refreshUntil(memory, channel, pseudo, bookedClock, arrivalClock);

  const rcdClocks = isWrite ? timing.openToWriteClocks : timing.openToReadClocks;
  const open = columns.openRow[bank]!;
  if (open === row) columns.rowHits[channel]!++;
  else {
    const joined = open < 0 ? -1 : pastRowOpenAt(columns, bank, row, arrivalClock);
    if (joined >= 0) {
      // First ready, first come: it is served before the bank turns to the next row, which comes that much later.
      columns.rowHits[channel]!++;
      columns.closableClock[bank]! += timing.sameGroupClocks;
      return bookSlot(memory, pseudo, group, isWrite, Math.max(arrivalClock, columns.pastOpenedClock[joined]! + rcdClocks)) * burstClocks;
    }
    let clock = Math.max(arrivalClock, columns.refreshEndClock[pseudo]!);
    if (open >= 0) {
      clock = Math.max(clock, columns.closableClock[bank]!);
      forgetRow(columns, bank, clock);
      clock += timing.closeClocks;
      columns.rowConflicts[channel]!++;
    } else columns.rowMisses[channel]!++;
    clock = bookOpening(memory, pseudo, Math.max(clock, columns.openedClock[bank]! + timing.rowCycleClocks));
    columns.openRow[bank] = row;
    columns.openedClock[bank] = clock;
    columns.closableClock[bank] = clock + timing.rowOpenClocks;
  }
  const command = bookSlot(memory, pseudo, group, isWrite, Math.max(arrivalClock, columns.openedClock[bank]! + rcdClocks)) * burstClocks;
  const closable = command + (isWrite ? timing.writeLatencyClocks + burstClocks + timing.writeRecoveryClocks : timing.readToCloseClocks);
  if (closable > columns.closableClock[bank]!) columns.closableClock[bank] = closable;
  return command;
}

/** Row of the past columns in which `row` is still open at a clock, or −1. */
function pastRowOpenAt(columns: MemoryColumns, bank: number, row: number, clock: number): number {
  for (let past = bank * PAST_ROWS; past < (bank + 1) * PAST_ROWS; past++) {
    if (columns.pastRow[past] === row && columns.pastClosedClock[past]! > clock) return past;
  }
  return -1;
}

/** Moves the open row of a bank, closed at a clock, to the past ones. */
function forgetRow(columns: MemoryColumns, bank: number, closedClock: number): void {
  const past = bank * PAST_ROWS + columns.pastIndex[bank]!;
  columns.pastIndex[bank] = (columns.pastIndex[bank]! + 1) % PAST_ROWS;
  columns.pastRow[past] = columns.openRow[bank]!;
  columns.pastOpenedClock[past] = columns.openedClock[bank]!;
  columns.pastClosedClock[past] = closedClock;
}

/** First slot of the data bus at or after `earliestClock` that keeps its distance from its neighbours. */
function bookSlot(memory: Memory, pseudo: number, group: number, isWrite: boolean, earliestClock: number): number {
  const { columns, timing, sameGroupSlots, readToWriteSlots, writeToReadSlots, writeToReadSameGroupSlots } = memory;
  const { slots } = columns;
  const ring = pseudo * RING_SLOTS;
  const tail = columns.tailSlot[pseudo]!;
  const oldest = tail - REORDER_SLOTS;
  const after = isWrite ? readToWriteSlots : writeToReadSameGroupSlots;
  const before = isWrite ? writeToReadSameGroupSlots : readToWriteSlots;
  const turnaround = (isWrite ? columns.lastReadSlot[pseudo]! : columns.lastWriteSlot[pseudo]!) + after;
  let slot = Math.max(oldest, columns.firstFreeSlot[pseudo]!, Math.ceil(earliestClock / timing.burstClocks));
  search: for (; slot < tail + sameGroupSlots || slot < turnaround; slot++) {
    if (slot < tail) slot = nextFree(columns.taken, pseudo * RING_WORDS, slot, tail);
    for (let d = 1; d < sameGroupSlots; d++) {
      const left = slot - d;
      if (left < tail && left >= oldest && (slots[ring + (left & (RING_SLOTS - 1))]! & (WRITE_FLAG - 1)) === group + 1) continue search;
      const right = slot + d;
      if (right < tail && (slots[ring + (right & (RING_SLOTS - 1))]! & (WRITE_FLAG - 1)) === group + 1) continue search;
    }
    if (slot >= turnaround) break;
    // Someone of the other direction may be near, on either side.
    for (let other = Math.max(slot - after + 1, oldest); other < Math.min(slot + before, tail); other++) {
      const entry = slots[ring + (other & (RING_SLOTS - 1))]!;
      if (entry === 0 || entry >= WRITE_FLAG === isWrite) continue;
      const sameGroup = (entry & (WRITE_FLAG - 1)) === group + 1;
      const distance = other < slot === isWrite ? readToWriteSlots : sameGroup ? writeToReadSameGroupSlots : writeToReadSlots;
      if (Math.abs(slot - other) < distance) continue search;
    }
    break;
  }
  if (slot >= tail) {
    clearSlots(columns, pseudo, tail, slot);
    columns.tailSlot[pseudo] = slot + 1;
  }
  slots[ring + (slot & (RING_SLOTS - 1))] = group + 1 + (isWrite ? WRITE_FLAG : 0);
  columns.taken[pseudo * RING_WORDS + ((slot & (RING_SLOTS - 1)) >>> 5)]! |= 1 << (slot & 31);
  const last = isWrite ? columns.lastWriteSlot : columns.lastReadSlot;
  if (slot > last[pseudo]!) last[pseudo] = slot;
  return slot;
}

/** First clock at or after `earliestClock` in which a row may be opened: one per RRD, four per FAW. */
function bookOpening(memory: Memory, pseudo: number, earliestClock: number): number {
  const { columns, timing, fourOpensSlots } = memory;
  const { openings } = columns;
  const words = pseudo * RING_WORDS;
  const tail = columns.openTailSlot[pseudo]!;
  const window = 2 ** fourOpensSlots - 1;
  const both = 2 ** (2 * fourOpensSlots - 1) - 1;
  let slot = Math.max(tail - REORDER_SLOTS, Math.ceil(earliestClock / timing.openGapClocks));
  for (; slot < tail + fourOpensSlots; slot++) {
    if (slot < tail) slot = nextFree(openings, words, slot, tail);
    // Of the slots around it, any so many in a row hold at most four openings, this one included.
    const around = bitsAround(openings, words, slot - fourOpensSlots + 1);
    if (ones(around & both) < 4) break;
    let fits = true;
    for (let from = 0; from < fourOpensSlots && fits; from++) fits = ones((around >>> from) & window) < 4;
    if (fits) break;
  }
  if (slot >= tail) {
    clearBits(openings, words, tail, slot);
    columns.openTailSlot[pseudo] = slot + 1;
    // The slots ahead may still hold what was there a ring ago.
    clearBits(openings, words, slot + 1, slot + fourOpensSlots);
  }
  openings[words + ((slot & (RING_SLOTS - 1)) >>> 5)]! |= 1 << (slot & 31);
  return slot * timing.openGapClocks;
}

/** 32 bits of a ring from a slot on. */
function bitsAround(ring: Int32Array, words: number, slot: number): number {
  const at = slot & (RING_SLOTS - 1);
  const shift = at & 31;
  const low = ring[words + (at >>> 5)]! >>> shift;
  return shift === 0 ? low : low | (ring[words + (((at >>> 5) + 1) & (RING_WORDS - 1))]! << (32 - shift));
}

function ones(bits: number): number {
  let count = bits - ((bits >>> 1) & 0x55555555);
  count = (count & 0x33333333) + ((count >>> 2) & 0x33333333);
  return Math.imul((count + (count >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Forgets the bits of the slots `from` ≤ s ≤ `until`. */
function clearBits(ring: Int32Array, words: number, from: number, until: number): void {
  if (until - from >= RING_SLOTS) ring.fill(0, words, words + RING_WORDS);
  else for (let slot = from; slot <= until; slot++) ring[words + ((slot & (RING_SLOTS - 1)) >>> 5)]! &= ~(1 << (slot & 31));
}

/** Forgets what the ring held where the slots `from` ≤ s ≤ `until` come to lie. */
function clearRing(column: Uint8Array, ring: number, from: number, until: number): void {
  if (until - from >= RING_SLOTS) {
    column.fill(0, ring, ring + RING_SLOTS);
    return;
  }
  for (let slot = from; slot <= until; slot++) column[ring + (slot & (RING_SLOTS - 1))] = 0;
}

/** The first free slot from `slot` on; `tail` when all before it are taken. */
function nextFree(taken: Int32Array, words: number, slot: number, tail: number): number {
  while (slot < tail) {
    const free = ~taken[words + ((slot & (RING_SLOTS - 1)) >>> 5)]! >>> (slot & 31);
    if (free !== 0) return Math.min(tail, slot + 31 - Math.clz32(free & -free));
    slot += 32 - (slot & 31);
  }
  return tail;
}

/** Forgets what the ring of bursts held where the slots `from` ≤ s ≤ `until` come to lie. */
function clearSlots(columns: MemoryColumns, pseudo: number, from: number, until: number): void {
  clearRing(columns.slots, pseudo * RING_SLOTS, from, until);
  clearBits(columns.taken, pseudo * RING_WORDS, from, until);
}

/** Does, or puts off, what refreshes were due until `clock`, before the booking of a request that came at `arrivalClock`. */
function refreshUntil(memory: Memory, channel: number, pseudo: number, clock: number, arrivalClock: number): void {
  const { columns, timing, options, banks } = memory;
  const { refreshIntervalClocks, refreshClocks, burstClocks, openGapClocks } = timing;
  while (columns.refreshDueClock[pseudo]! <= clock) {
    const due = columns.refreshDueClock[pseudo]!;
    const busyUntil = columns.tailSlot[pseudo]! * burstClocks;
    const owed = columns.refreshesOwed[pseudo]!;
    const forced = owed >= options.memoryFlexibleRefreshes;
    if ((busyUntil > due || arrivalClock <= due) && !forced) {
      columns.refreshesOwed[pseudo] = owed + 1;
      columns.refreshDueClock[pseudo] = due + refreshIntervalClocks;
      continue;
    }
    let start = Math.max(due, busyUntil, columns.refreshEndClock[pseudo]!);
    for (let bank = pseudo * banks; bank < (pseudo + 1) * banks; bank++) {
      if (columns.openRow[bank]! < 0) continue;
      if (forced) start = Math.max(start, columns.closableClock[bank]! + timing.closeClocks);
      columns.openRow[bank] = -1;
    }
    columns.pastRow.fill(-1, pseudo * banks * PAST_ROWS, (pseudo + 1) * banks * PAST_ROWS);
    // Idle: one refresh after the other until a request comes or enough are done ahead; the one in progress is finished.
    const possible = forced ? 1 : Math.max(1, 1 + owed + options.memoryFlexibleRefreshes);
    const done = Math.max(1, Math.min(possible, Math.ceil((clock - start) / refreshClocks)));
    const end = start + done * refreshClocks;
    columns.refreshEndClock[pseudo] = end;
    columns.refreshesOwed[pseudo] = owed - (done - 1);
    columns.refreshes[channel]! += done;
    columns.refreshDueClock[pseudo] = forced ? due + refreshIntervalClocks : due + refreshIntervalClocks * (1 + Math.max(0, Math.floor((end - due) / refreshIntervalClocks)));
    const endSlot = Math.ceil(end / burstClocks);
    // Nothing behind the refresh can be pulled in front of it.
    clearSlots(columns, pseudo, columns.tailSlot[pseudo]!, endSlot - 1);
    columns.tailSlot[pseudo] = Math.max(columns.tailSlot[pseudo]!, endSlot);
    columns.firstFreeSlot[pseudo] = columns.tailSlot[pseudo]!;
    columns.openTailSlot[pseudo] = Math.max(columns.openTailSlot[pseudo]!, Math.ceil(end / openGapClocks));
  }
}

/** Where bursts lie, by {@link TABLE_BITS} address bits from `firstBit` on. */
function placesOf(timing: MemoryTiming, firstBit: number): Uint16Array {
  const { pseudoChannel, bankGroup, bank } = timing.addressBits;
  const places = new Uint16Array(TABLE_MASK + 1);
  for (let index = 0; index <= TABLE_MASK; index++) {
    const gather = (positions: readonly number[]) => positions.reduce((value, bit, i) => {
      const from = bit - firstBit;
      return value | (from >= 0 && from < TABLE_BITS ? ((index >>> from) & 1) << i : 0);
    }, 0);
    places[index] = gather(pseudoChannel) | (gather(bankGroup) << 4) | (gather(bank) << 9);
  }
  return places;
}

/** Memory clock that begins at or after a cycle. */
function clockOf(memory: Memory, cycle: number): number {
  return Math.ceil(((cycle - memory.columns.originCycle[0]!) * memory.timing.clockMegahertz) / memory.fabricMegahertz);
}

/** Cycle that begins at or after a memory clock. */
function cycleOf(memory: Memory, clock: number): number {
  return memory.columns.originCycle[0]! + Math.ceil((clock * memory.fabricMegahertz) / memory.timing.clockMegahertz);
}
