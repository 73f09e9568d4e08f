import { hash32 } from './traffic/counter-random.ts';
import type { Fabric } from './fabric.ts';
import { NEVER } from './kernel-state.ts';

export { hash32 };

/** What traffic can be run on: a fabric, or a loop that is measured against one. */
export interface TrafficSink extends Pick<Fabric, 'beginCycle' | 'inject' | 'decide' | 'nextCycle'> {
  readonly topology: { readonly tiles: number };
}

/** Open-loop traffic of one die: each tile starts a packet in a cycle with the same probability. */
class TileCalendar {
  /** A list of tiles for each cycle, modulo its length: when each injects next. */
  readonly #calendar = new Int32Array(8192).fill(-1);
  readonly #next: Int32Array;
  readonly #due: Int32Array;
  readonly #sent: Uint32Array;
  readonly #seed: number;
  readonly #perGap: number;
  readonly #firstTile: number;

  constructor(seed: number, tiles: number, packetsPerCycle: number, firstTile = 0) {
    this.#seed = seed;
    this.#next = new Int32Array(tiles);
    this.#due = new Int32Array(tiles);
    this.#sent = new Uint32Array(tiles);
    this.#perGap = 1 / Math.log(1 - packetsPerCycle);
    this.#firstTile = firstTile;
    for (let tile = 0; tile < tiles; tile++) this.#enter(tile, this.#gap(tile, 0) - 1);
  }

  /** Gaps between the packets of a tile are geometric, drawn from (seed, tile, packet). */
  #gap(tile: number, packet: number): number {
    return 1 + Math.floor(Math.log((hash32(this.#seed, this.#firstTile + tile, packet) + 1) / 4294967297) * this.#perGap);
  }

  #enter(tile: number, cycle: number): void {
    this.#due[tile] = cycle;
    this.#next[tile] = this.#calendar[cycle & 8191]!;
    this.#calendar[cycle & 8191] = tile;
  }

  /** Injects what is due in a cycle. Cycles must not be left out. */
  step(cycle: number, sink: TrafficSink, bytes: number, targetOf: (tile: number, packet: number) => number): void {
    let tile = this.#calendar[cycle & 8191]!;
    this.#calendar[cycle & 8191] = -1;
    while (tile >= 0) {
      const following = this.#next[tile]!;
      if (this.#due[tile] === cycle) {
        const packet = this.#sent[tile]!++;
        sink.inject(tile, targetOf(tile, packet), 0, bytes, packet);
        this.#enter(tile, cycle + this.#gap(tile, packet + 1));
      } else {
        this.#enter(tile, this.#due[tile]!);
      }
      tile = following;
    }
  }
}

export interface TrafficChoice {
  readonly seed: number;
  readonly packetsPerCycle: number;
  readonly bytes: number;
  /** Cycles of injection; the fabric then runs until it is empty. */
  readonly cycles: number;
}

/** Open-loop uniform traffic on a single die, to a tile drawn with equal chance (the sender included). */
export function runUniformTraffic(kernel: TrafficSink, { seed, packetsPerCycle, bytes, cycles }: TrafficChoice): void {
  const { tiles } = kernel.topology;
  const calendar = new TileCalendar(seed, tiles, packetsPerCycle);
  const targetOf = (tile: number, packet: number): number => hash32(seed + 1, tile, packet) % tiles;
  for (let cycle = 0; cycle < cycles; cycle++) {
    kernel.beginCycle(cycle);
    calendar.step(cycle, kernel, bytes, targetOf);
    kernel.decide();
  }
  for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
    kernel.beginCycle(cycle);
    kernel.decide();
  }
}

/**
 * The same on a wafer: each packet goes to a tile of its own die, drawn with equal chance, but one in eight to one of the die east of
 * it (of the first die of the row from the last). Each die runs alone through a window, then all hand over.
 *
 * @param exchange hands over what the dies sent
 */
export function runWaferTraffic(kernels: readonly TrafficSink[], diesX: number, windowCycles: number, exchange: () => void, { seed, packetsPerCycle, bytes, cycles }: TrafficChoice): void {
  const { tiles } = kernels[0]!.topology;
  const calendars = kernels.map((_, die) => new TileCalendar(seed, tiles, packetsPerCycle, die * tiles));
  const targetsOf = kernels.map((_, die) => (tile: number, packet: number): number => {
    const draw = hash32(seed + 1, die * tiles + tile, packet);
    const east = die % diesX === diesX - 1 ? die - diesX + 1 : die + 1;
    return (draw >>> 29 === 0 ? east : die) * tiles + (draw % tiles);
  });
  for (let start = 0, busy = true; busy || start < cycles; start += windowCycles) {
    const end = start + windowCycles;
    busy = false;
    kernels.forEach((kernel, die) => {
      let cycle = start;
      for (; cycle < end && cycle < cycles; cycle++) {
        kernel.beginCycle(cycle);
        calendars[die]!.step(cycle, kernel, bytes, targetsOf[die]!);
        kernel.decide();
      }
      for (cycle = kernel.nextCycle(); cycle < end; cycle = kernel.nextCycle()) {
        kernel.beginCycle(cycle);
        kernel.decide();
      }
    });
    exchange();
    for (const kernel of kernels) busy ||= kernel.nextCycle() !== NEVER;
  }
}
