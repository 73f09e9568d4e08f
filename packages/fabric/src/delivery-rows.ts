/** What arrived in a cycle, one row per packet. Grows by doubling, is emptied and used again. */
export class DeliveryRows {
  rows = 0;
  /** Local tile; a memory node counts after the tiles. */
  tile = new Int32Array(64);
  channel = new Uint8Array(64);
  bytes = new Int32Array(64);
  source = new Int32Array(64);
  sequence = new Uint32Array(64);
  entered = new Int32Array(64);
  trafficClass = new Uint8Array(64);
  /** Tree that brought the packet, or −1. */
  tree = new Int32Array(64);

  push(tile: number, channel: number, bytes: number, source: number, sequence: number, entered: number, trafficClass: number, tree: number): void {
    const row = this.rows;
    if (row === this.tile.length) this.#grow(row * 2);
    this.tile[row] = tile;
    this.channel[row] = channel;
    this.bytes[row] = bytes;
    this.source[row] = source;
    this.sequence[row] = sequence;
    this.entered[row] = entered;
    this.trafficClass[row] = trafficClass;
    this.tree[row] = tree;
    this.rows = row + 1;
  }

  /** Copies a row over an earlier one. */
  move(from: number, to: number): void {
    if (from === to) return;
    this.tile[to] = this.tile[from]!;
    this.channel[to] = this.channel[from]!;
    this.bytes[to] = this.bytes[from]!;
    this.source[to] = this.source[from]!;
    this.sequence[to] = this.sequence[from]!;
    this.entered[to] = this.entered[from]!;
    this.trafficClass[to] = this.trafficClass[from]!;
    this.tree[to] = this.tree[from]!;
  }

  #grow(length: number): void {
    this.tile = grown(this.tile, new Int32Array(length));
    this.channel = grown(this.channel, new Uint8Array(length));
    this.bytes = grown(this.bytes, new Int32Array(length));
    this.source = grown(this.source, new Int32Array(length));
    this.sequence = grown(this.sequence, new Uint32Array(length));
    this.entered = grown(this.entered, new Int32Array(length));
    this.trafficClass = grown(this.trafficClass, new Uint8Array(length));
    this.tree = grown(this.tree, new Int32Array(length));
  }
}

/** The larger array, beginning with the contents of the smaller. */
export function grown<T extends Int32Array | Uint32Array | Uint8Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

/**
 * Folds a delivery into the running hash of its endpoint. One rule for every fidelity, so that equal deliveries have equal hashes.
 *
 * @param hash [endpoints × 2] see {@link Fabric.deliveryHash}
 */
export function foldDelivery(hash: Int32Array, endpoint: number, source: number, sequence: number, cycle: number): void {
  const at = endpoint * 2;
  const h = Math.imul(hash[at]! ^ cycle, 0x9e3779b1) ^ Math.imul(source, 0x85ebca6b);
  hash[at] = Math.imul((h << 13) | (h >>> 19), 5) + 0x6b64e654;
  const g = Math.imul(hash[at + 1]! ^ sequence, 0xc2b2ae35) ^ Math.imul(cycle, 0x27d4eb2f) ^ h;
  hash[at + 1] = Math.imul((g << 15) | (g >>> 17), 0x165667b1);
}
