import type { Fabric } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { below, geometricGap, hash32 } from './counter-random.ts';
import type { TrafficEvents } from './events.ts';
import type { TrafficPattern } from './patterns.ts';

/** What sends the packets of one die. The sequence of a packet is the cycle of its creation, so that whoever receives it knows its age. */
export interface Source {
  /** The first cycle at or after `cycle` with something to send, or NEVER; may be early. */
  nextCycle(cycle: number): number;
  /** Hands over what is due in a cycle. */
  inject(fabric: Fabric, cycle: number): void;
  /** Whether it holds back something that was due before a cycle and has not been counted as created. */
  isBehind?(cycle: number): boolean;
}

/** Slots of a calendar; a longer gap is entered again on the way. */
const SLOTS = 8192;
/** How often a source that holds packets back looks whether it can go on, cycles. */
const POLL = 32;

/** What all dies of a run count together. */
export interface SourceTally {
  /** [tiles] packets handed over and not yet received. */
  readonly underWay: Int32Array;
  /** Packets created from `measureFrom` on and before `measureTo`, and the sum of their cycles of creation. */
  measured: number;
  measuredCreation: number;
  measureFrom: number;
  measureTo: number;
}

export interface BernoulliOptions {
  readonly pattern: TrafficPattern;
  readonly seed: number;
  /** Chance that a tile creates a packet in a cycle, > 0 and ≤ 1. */
  readonly packetsPerCycle: number;
  readonly bytes: number;
  /**
   * Packets that a tile has under way at most. Beyond, the source holds them back itself, which costs no memory: what it will
   * send is drawn from (seed, tile, packet). They count from their creation.
   */
  readonly mostUnderWay: number;
  readonly tally: SourceTally;
}

/**
 * Open-loop Bernoulli injection on one die: each tile creates a packet in a cycle with a fixed chance, whatever the network
 * does. Gaps are geometric, drawn from (seed, tile, packet), and wait in a calendar, so that idle tiles cost nothing.
 */
export class BernoulliSource implements Source {
  readonly #options: BernoulliOptions;
  readonly #firstTile: number;
  readonly #perLog: number;
  /** [slots] first tile of a list, or −1. */
  readonly #calendar = new Int32Array(SLOTS).fill(-1);
  /** [tiles] the tile behind it in the same slot, or −1. */
  readonly #next: Int32Array;
  /** [tiles] cycle in which its next packet is created. */
  readonly #due: Int32Array;
  /** [tiles] packets created so far. */
  readonly #created: Uint32Array;

  constructor(firstTile: number, tiles: number, options: BernoulliOptions) {
    this.#options = options;
    this.#firstTile = firstTile;
    this.#perLog = 1 / Math.log1p(-options.packetsPerCycle);
    this.#next = new Int32Array(tiles);
    this.#due = new Int32Array(tiles);
    this.#created = new Uint32Array(tiles);
    // A tile's first packet is as far from cycle −1 as its second from its first.
    for (let tile = tiles - 1; tile >= 0; tile--) {
      if (options.pattern.sends[firstTile + tile] === 0) continue;
      this.#due[tile] = Math.min(this.#gap(tile, 0) - 1, NEVER);
      this.#enter(tile, Math.min(this.#due[tile]!, SLOTS - 1));
    }
  }

  nextCycle(cycle: number): number {
    const calendar = this.#calendar;
    for (let ahead = 0; ahead < SLOTS; ahead++) if (calendar[(cycle + ahead) & (SLOTS - 1)]! >= 0) return cycle + ahead;
    return NEVER;
  }

  inject(fabric: Fabric, cycle: number): void {
    const slot = cycle & (SLOTS - 1);
    const next = this.#next;
    let tile = this.#calendar[slot]!;
    this.#calendar[slot] = -1;
    while (tile >= 0) {
      const following = next[tile]!;
      const due = this.#due[tile]!;
      if (due > cycle) this.#enter(tile, Math.min(due, cycle + SLOTS - 1));
      else this.#send(fabric, tile, cycle);
      tile = following;
    }
  }

  #send(fabric: Fabric, tile: number, cycle: number): void {
    const { pattern, seed, bytes, mostUnderWay, tally } = this.#options;
    const { underWay, measureFrom, measureTo } = tally;
    const { fixed, among } = pattern;
    const id = this.#firstTile + tile;
    let due = this.#due[tile]!;
    while (due <= cycle) {
      if (underWay[id]! >= mostUnderWay) {
        this.#due[tile] = due;
        this.#enter(tile, cycle + POLL);
        return;
      }
      const packet = this.#created[tile]!++;
      const to = fixed === null ? among[below(hash32(seed ^ 0x5bd1e995, id, packet), among.length)]! : fixed[id]!;
      underWay[id]!++;
      if (due >= measureFrom && due < measureTo) {
        tally.measured++;
        tally.measuredCreation += due;
      }
      fabric.inject(tile, to, 0, bytes, due);
      due = Math.min(due + this.#gap(tile, packet + 1), NEVER);
    }
    this.#due[tile] = due;
    this.#enter(tile, Math.min(due, cycle + SLOTS - 1));
  }

  #gap(tile: number, packet: number): number {
    return Math.min(geometricGap(hash32(this.#options.seed, this.#firstTile + tile, packet), this.#perLog), NEVER);
  }

  #enter(tile: number, cycle: number): void {
    const slot = cycle & (SLOTS - 1);
    this.#next[tile] = this.#calendar[slot]!;
    this.#calendar[slot] = tile;
  }
}

/**
 * The events of a trace that start on one die, cut into packets. While the die has some millions of packets under way the rest is held
 * back; packets count from the cycle of their event.
 */
export class EventSource implements Source {
  readonly #events: TrafficEvents;
  readonly #firstTile: number;
  readonly #rows: Int32Array;
  readonly #maxPacketBytes: number;
  readonly #tally: SourceTally;
  readonly #mostUnderWay: number;
  #at = 0;
  /** Bytes of the event at `#at` that have been sent. */
  #sent = 0;

  /** @param mostUnderWay packets that the die may have under way */
  constructor(firstTile: number, tiles: number, events: TrafficEvents, maxPacketBytes: number, mostUnderWay: number, tally: SourceTally) {
    this.#mostUnderWay = mostUnderWay;
    this.#events = events;
    this.#firstTile = firstTile;
    this.#maxPacketBytes = maxPacketBytes;
    this.#tally = tally;
    const rows: number[] = [];
    events.source.forEach((source, row) => {
      if (source >= firstTile && source < firstTile + tiles) rows.push(row);
    });
    this.#rows = Int32Array.from(rows);
  }

  isBehind(cycle: number): boolean {
    return this.#at < this.#rows.length && this.#events.cycle[this.#rows[this.#at]!]! < cycle;
  }

  nextCycle(cycle: number): number {
    if (this.#at >= this.#rows.length) return NEVER;
    const due = this.#events.cycle[this.#rows[this.#at]!]!;
    return due >= cycle ? due : cycle + POLL - 1 - ((cycle + POLL - 1) % POLL);
  }

  inject(fabric: Fabric, cycle: number): void {
    const { cycle: cycles, source, destination, bytes } = this.#events;
    const tally = this.#tally;
    for (; this.#at < this.#rows.length; this.#at++) {
      const row = this.#rows[this.#at]!;
      const due = cycles[row]!;
      if (due > cycle) break;
      for (; this.#sent < bytes[row]!; this.#sent += this.#maxPacketBytes) {
        if (fabric.livePackets >= this.#mostUnderWay) return;
        tally.underWay[source[row]!]!++;
        if (due >= tally.measureFrom && due < tally.measureTo) {
          tally.measured++;
          tally.measuredCreation += due;
        }
        fabric.inject(source[row]! - this.#firstTile, destination[row]!, 0, Math.min(bytes[row]! - this.#sent, this.#maxPacketBytes), due);
      }
      this.#sent = 0;
    }
  }
}

/** Keeps one pair of tiles busy: as many packets under way as asked for, until all are sent. */
export class StreamSource implements Source {
  readonly #from: number;
  readonly #firstTile: number;
  readonly #to: number;
  readonly #packetBytes: number;
  readonly #window: number;
  readonly #tally: SourceTally;
  #bytesLeft: number;

  constructor(firstTile: number, stream: { from: number; to: number; bytes: number; packetBytes: number; window: number }, tally: SourceTally) {
    this.#firstTile = firstTile;
    this.#from = stream.from;
    this.#to = stream.to;
    this.#packetBytes = stream.packetBytes;
    this.#window = stream.window;
    this.#bytesLeft = stream.bytes;
    this.#tally = tally;
  }

  nextCycle(cycle: number): number {
    return this.#bytesLeft > 0 && this.#tally.underWay[this.#from]! < this.#window ? cycle : NEVER;
  }

  inject(fabric: Fabric, cycle: number): void {
    const tally = this.#tally;
    while (this.#bytesLeft > 0 && tally.underWay[this.#from]! < this.#window) {
      const bytes = Math.min(this.#bytesLeft, this.#packetBytes);
      this.#bytesLeft -= bytes;
      tally.underWay[this.#from]!++;
      tally.measured++;
      tally.measuredCreation += cycle;
      fabric.inject(this.#from - this.#firstTile, this.#to, 0, bytes, cycle);
    }
  }
}
