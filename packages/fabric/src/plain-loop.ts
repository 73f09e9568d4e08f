import * as state from './kernel-state.ts';
import * as ports from './ports.ts';
import { opposite } from './ports.ts';

// As in the kernel: constants of the same module are folded into the code.
const { NEVER } = state;
const { EAST, LOCAL, NORTH, SOUTH, WEST } = ports;

/** Fields of a packet, of a port and of a router. */
const NEXT = 0;
const TARGET = 1; // x | y << 16
const WHERE = 2; // input port that it flies to; ~tile when it flies to the tile itself
const FLITS = 3;
const PACKET = 4;

const HEAD = 0;
const LAST = 1;
const INPUT_FREE = 2;
const OUTPUT_FREE = 3;
const WANTED = 4;
const POINTER = 5;
const SINCE = 6;
const PORT = 8;

/**
 * The work of the packet kernel, and no more: packets of a mesh of k × k tiles queue, are arbitrated round robin and hold links for
 * their length; no credits, no classes, no counters, no checks, no snapshots. What the kernel costs beyond that is what the
 * benchmark beside it reports. With buffers that never fill it delivers every packet in the same cycle as the kernel.
 */
export class PlainLoop {
  readonly topology: { readonly tiles: number };
  linkHops = 0;
  flitHops = 0;
  deliveredPackets = 0;
  /** Sum over all packets of the cycle of their arrival, to 32 bits. */
  arrivalSum = 0;
  #packets = new Int32Array(PACKET * 1024);
  #free = -1;
  readonly #ports: Int32Array;
  readonly #wantedOutputs: Int32Array;
  /** [routers × 2] last even and last odd cycle that a router was listed for. */
  readonly #listed: Int32Array;
  readonly #coordinates: Int32Array;
  readonly #peer: Int32Array;
  readonly #injectionFree: Int32Array;
  readonly #arrivals = new Int32Array(1024).fill(-1);
  /** Routers to wake in a cycle, as lists through `#wakeNext`. */
  readonly #wakes: Int32Array[];
  readonly #wakeCount = new Int32Array(1024);
  #pending = 0;
  #now = -1;

  constructor(side: number) {
    const tiles = side * side;
    this.topology = { tiles };
    this.#ports = new Int32Array(tiles * 8 * PORT);
    for (let port = 0; port < tiles * 8; port++) this.#ports[port * PORT + HEAD] = -1;
    this.#wantedOutputs = new Int32Array(tiles);
    this.#listed = new Int32Array(tiles * 2).fill(-1);
    this.#coordinates = Int32Array.from({ length: tiles }, (_, tile) => (tile % side) | (Math.floor(tile / side) << 16));
    this.#peer = new Int32Array(tiles * 8).fill(-1);
    const step = [1, -1, -side, side];
    for (let tile = 0; tile < tiles; tile++) for (let port = 0; port < LOCAL; port++) this.#peer[tile * 8 + port] = (tile + step[port]!) * 8 + opposite(port);
    this.#injectionFree = new Int32Array(tiles);
    this.#wakes = Array.from({ length: 1024 }, () => new Int32Array(64));
    this.#grow(0);
  }

  startKernel(): void {
    for (let port = 0; port < this.#ports.length; port += PORT) this.#ports.fill(0, port + INPUT_FREE, port + PORT);
    this.#listed.fill(-1);
    this.#injectionFree.fill(0);
    this.#now = -1;
  }

  nextCycle(): number {
    if (this.#pending === 0) return NEVER;
    let cycle = this.#now + 1;
    while (this.#arrivals[cycle & 1023]! < 0 && this.#wakeCount[cycle & 1023] === 0) cycle++;
    return cycle;
  }

  beginCycle(cycle: number): void {
    this.#now = cycle;
    const packets = this.#packets;
    const ports = this.#ports;
    let offset = this.#arrivals[cycle & 1023]!;
    this.#arrivals[cycle & 1023] = -1;
    while (offset >= 0) {
      const next = packets[offset + NEXT]!;
      const where = packets[offset + WHERE]!;
      if (where < 0) {
        this.deliveredPackets++;
        this.arrivalSum = (this.arrivalSum + cycle) | 0;
        packets[offset + NEXT] = this.#free;
        this.#free = offset;
        this.#pending--;
      } else {
        packets[offset + NEXT] = -1;
        const queue = where * PORT;
        if (ports[queue + HEAD]! < 0) {
          ports[queue + HEAD] = offset;
          ports[queue + LAST] = offset;
          const since = ports[queue + INPUT_FREE]! > cycle ? ports[queue + INPUT_FREE]! : cycle;
          this.#becomeHead(where, offset, since);
          this.#wake(where >>> 3, since);
        } else {
          packets[ports[queue + LAST]! + NEXT] = offset;
          ports[queue + LAST] = offset;
        }
      }
      offset = next;
    }
  }

  inject(tile: number, target: number, _channel: number, bytes: number): void {
    if (this.#free < 0) this.#grow(this.#packets.length);
    const offset = this.#free;
    const packets = this.#packets;
    this.#free = packets[offset + NEXT]!;
    this.#pending++;
    packets[offset + NEXT] = -1;
    packets[offset + TARGET] = this.#coordinates[target]!;
    packets[offset + FLITS] = Math.ceil(bytes / 128);
    packets[offset + WHERE] = this.#now + 1;
    const port = tile * 8 + LOCAL;
    const queue = port * PORT;
    const ports = this.#ports;
    if (ports[queue + HEAD]! < 0) {
      ports[queue + HEAD] = offset;
      ports[queue + LAST] = offset;
      const since = this.#enter(tile, offset, ports[queue + INPUT_FREE]!);
      this.#becomeHead(port, offset, since);
      this.#wake(tile, since);
    } else {
      packets[ports[queue + LAST]! + NEXT] = offset;
      ports[queue + LAST] = offset;
    }
  }

  decide(): void {
    const now = this.#now;
    const slot = now & 1023;
    const wakes = this.#wakes[slot]!;
    const count = this.#wakeCount[slot]!;
    this.#wakeCount[slot] = 0;
    const packets = this.#packets;
    const ports = this.#ports;
    const wantedOutputs = this.#wantedOutputs;
    const peer = this.#peer;
    for (let visit = 0; visit < count; visit++) {
      const router = wakes[visit]!;
      const base = router * 8;
      let nextCycle = NEVER;
      let outputs = wantedOutputs[router]!;
      while (outputs !== 0) {
        const out = 31 - Math.clz32(outputs & -outputs);
        outputs &= outputs - 1;
        const output = (base + out) * PORT;
        if (ports[output + OUTPUT_FREE]! > now) {
          if (ports[output + OUTPUT_FREE]! < nextCycle) nextCycle = ports[output + OUTPUT_FREE]!;
          continue;
        }
        const wanted = ports[output + WANTED]!;
        let candidates = wanted & (-1 << ports[output + POINTER]!);
        let others = wanted ^ candidates;
        for (;;) {
          if (candidates === 0) {
            if (others === 0) break;
            candidates = others;
            others = 0;
          }
          const bit = 31 - Math.clz32(candidates & -candidates);
          candidates &= candidates - 1;
          const input = (base + bit) * PORT;
          const readable = ports[input + INPUT_FREE]! > ports[input + SINCE]! ? ports[input + INPUT_FREE]! : ports[input + SINCE]!;
          if (readable > now) {
            if (readable < nextCycle) nextCycle = readable;
            continue;
          }
          const offset = ports[input + HEAD]!;
          const flits = packets[offset + FLITS]!;
          const free = now + flits;
          const next = packets[offset + NEXT]!;
          ports[input + HEAD] = next;
          ports[input + INPUT_FREE] = free;
          ports[output + OUTPUT_FREE] = free;
          ports[output + POINTER] = (bit + 1) & 31;
          const wantedNow = wanted & ~(1 << bit);
          ports[output + WANTED] = wantedNow;
          if (wantedNow === 0) wantedOutputs[router]! &= ~(1 << out);
          else if (free < nextCycle) nextCycle = free;
          if (next >= 0) {
            const since = bit === LOCAL ? this.#enter(router, next, free) : free;
            this.#becomeHead(base + bit, next, since);
            if (since < nextCycle) nextCycle = since;
          }
          let arrival = now + 1;
          if (out === LOCAL) {
            packets[offset + WHERE] = ~router;
            arrival += flits - 1;
          } else {
            packets[offset + WHERE] = peer[base + out]!;
            this.linkHops++;
            this.flitHops += flits;
          }
          packets[offset + NEXT] = this.#arrivals[arrival & 1023]!;
          this.#arrivals[arrival & 1023] = offset;
          break;
        }
      }
      if (nextCycle !== NEVER) this.#wake(router, nextCycle);
    }
  }

  /** The injection link: one packet after the other. */
  #enter(tile: number, offset: number, readable: number): number {
    const since = Math.max(this.#packets[offset + WHERE]!, readable, this.#injectionFree[tile]!);
    this.#injectionFree[tile] = since + this.#packets[offset + FLITS]!;
    return since;
  }

  #becomeHead(port: number, offset: number, since: number): void {
    this.#ports[port * PORT + SINCE] = since;
    const router = port >>> 3;
    const here = this.#coordinates[router]!;
    const target = this.#packets[offset + TARGET]!;
    const dx = (target & 0xffff) - (here & 0xffff);
    const dy = (target >>> 16) - (here >>> 16);
    const out = dx !== 0 ? (dx > 0 ? EAST : WEST) : dy !== 0 ? (dy > 0 ? SOUTH : NORTH) : LOCAL;
    this.#ports[(router * 8 + out) * PORT + WANTED]! |= 1 << (port & 7);
    this.#wantedOutputs[router]! |= 1 << out;
  }

  #wake(router: number, cycle: number): void {
    // In the lists of this cycle and the next a router stands once; in those of later cycles it may stand more often.
    const at = router * 2 + (cycle & 1);
    if (this.#listed[at] === cycle) return;
    this.#listed[at] = cycle;
    const slot = cycle & 1023;
    let list = this.#wakes[slot]!;
    const count = this.#wakeCount[slot]!;
    if (count === list.length) {
      const larger = new Int32Array(count * 2);
      larger.set(list);
      list = larger;
      this.#wakes[slot] = list;
    }
    list[count] = router;
    this.#wakeCount[slot] = count + 1;
  }

  #grow(from: number): void {
    if (from > 0) {
      const packets = new Int32Array(from * 2);
      packets.set(this.#packets);
      this.#packets = packets;
    }
    for (let offset = this.#packets.length - PACKET; offset >= from; offset -= PACKET) {
      this.#packets[offset + NEXT] = this.#free;
      this.#free = offset;
    }
  }
}
