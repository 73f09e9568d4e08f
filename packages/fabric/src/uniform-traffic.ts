import type { PacketKernel } from './packet-kernel.ts';
import { NEVER } from './kernel-state.ts';

/** Counter-based randomness: the same 32 bits for the same three numbers, whatever was drawn before. */
export function hash32(seed: number, a: number, b: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(a ^ 0xc2b2ae35, 0x27d4eb2f) ^ Math.imul(b ^ 0x165667b1, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/**
 * Open-loop uniform traffic on a single die: every tile starts a packet in a cycle with probability `packetsPerCycle`,
 * to a tile drawn with equal chance (itself included). Runs the fabric for `cycles` cycles, then until it is empty.
 * Gaps between the packets of a tile are geometric, drawn from (seed, tile, packet).
 */
export function runUniformTraffic(kernel: PacketKernel, options: { seed: number; packetsPerCycle: number; bytes: number; cycles: number }): void {
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
