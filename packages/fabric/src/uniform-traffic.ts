import { hash32 } from './traffic/counter-random.ts';
import type { Fabric } from './fabric.ts';
import { NEVER } from './kernel-state.ts';

export { hash32 };

/** What traffic can be run on: a fabric, or a loop that is measured against one. */
export interface TrafficSink extends Pick<Fabric, 'beginCycle' | 'inject' | 'decide' | 'nextCycle'> {
  readonly topology: { readonly tiles: number };
}

/**
 * Open-loop uniform traffic on a single die: every tile starts a packet in a cycle with probability `packetsPerCycle`,
 * to a tile drawn with equal chance (itself included). Runs the fabric for `cycles` cycles, then until it is empty.
 * Gaps between the packets of a tile are geometric, drawn from (seed, tile, packet).
 */
export function runUniformTraffic(kernel: TrafficSink, options: { seed: number; packetsPerCycle: number; bytes: number; cycles: number }): void {
  const { tiles } = kernel.topology;
  const { seed, packetsPerCycle, bytes, cycles } = options;
  const perGap = 1 / Math.log(1 - packetsPerCycle);
  const gap = (tile: number, packet: number): number => 1 + Math.floor(Math.log((hash32(seed, tile, packet) + 1) / 4294967297) * perGap);
  // A calendar of the tiles' next injections: one list per cycle, modulo its length.
  const calendar = new Int32Array(8192).fill(-1);
  const next = new Int32Array(tiles);
  const due = new Int32Array(tiles);
  const sent = new Uint32Array(tiles);
  const enter = (tile: number, cycle: number): void => {
    due[tile] = cycle;
    next[tile] = calendar[cycle & 8191]!;
    calendar[cycle & 8191] = tile;
  };
  for (let tile = 0; tile < tiles; tile++) enter(tile, gap(tile, 0) - 1);
  for (let cycle = 0; cycle < cycles; cycle++) {
    kernel.beginCycle(cycle);
    let tile = calendar[cycle & 8191]!;
    calendar[cycle & 8191] = -1;
    while (tile >= 0) {
      const following = next[tile]!;
      if (due[tile] === cycle) {
        const packet = sent[tile]!++;
        kernel.inject(tile, hash32(seed + 1, tile, packet) % tiles, 0, bytes, packet);
        enter(tile, cycle + gap(tile, packet + 1));
      } else {
        enter(tile, due[tile]!);
      }
      tile = following;
    }
    kernel.decide();
  }
  for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
    kernel.beginCycle(cycle);
    kernel.decide();
  }
}
