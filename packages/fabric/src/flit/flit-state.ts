/**
 * Where the flit kernel keeps what. All of a router lies together in one record of int32, since on large meshes the cost
 * is the cache lines that a visit touches; what is small is packed into bytes and halves of the same memory.
 *
 * A lane is a traffic class's virtual channel: class row × virtual channels + channel. Lanes of a port are numbered with
 * room up to the next power of two, so that `port << laneBits | lane` numbers the virtual channels of a router. The same
 * number is used on the input side (buffers) and on the output side (credits, owners).
 */

/** Ports of a router at flit fidelity: four directions and the tile. */
export const FLIT_PORTS = 5;

// Words of a router's record. The first sixteen are all that an idle or waiting router is asked for.
export const BUSY = 0; // bits 0-4: input ports with a bit in READY; 10: the source has something to try
export const READY = 1; // [5] by input port: lanes whose front flit can ask for the switch
export const WANT = 6; // [5] by output port, the list of input virtual channels whose head flit wants a lane there: bits 0-7 the first, or NONE; LISTED; 16-31 how many
export const FREE = 11; // [5] by output port: lanes that no packet holds
export const SWITCH_POINTERS = 16; // 3 bits by output port: input port that is first in the next grant; 3 by input port: output port that is first in the next accept
export const TURNS = 17; // 5 bits by input port: lane that is first among those that want the same output
export const SOURCE_FREE = 18; // lanes of the tile's injection link that no packet holds
export const SOURCE_CLASSES = 19; // bits: class rows with packets in the source queue
export const SOURCE_LAST = 20; // class row that sent last
export const COUNTS = 21; // [5 × 2] by output port: flits and packets since the last flush
export const SOURCE_QUEUES = 31; // [classes × 4] see SOURCE_FIELDS; behind them a byte of credits per lane, then LINES, then the entries

/** `BUSY`: the source of the tile has something that it might send. */
export const BUSY_SOURCE = 1024;
/** `WANT`: one more in the list. */
export const WANTS = 0x10000;
export const WANTS_SHIFT = 16;
/** `WANT`: the port is in the list for the next allocation of virtual channels. */
export const LISTED = 256;
/** Bit of the first accept pointer in SWITCH_POINTERS. */
export const ACCEPTS = 15;

// Fields of a class in the source queue of a tile.
export const QUEUE_FIRST = 0; // first packet or -1
export const QUEUE_LAST = 1;
export const QUEUE_LEFT = 2; // flits of the first packet still to send; 0: its head has not been sent
export const QUEUE_LANE = 3; // lane of the first packet, or of the one before it
export const SOURCE_FIELDS = 4;

// An entry per virtual channel of the input side: three words.
export const FRONT = 0; // first packet; ~(cycle in which the last tail was granted the switch) when there is none
export const TARGET = 1; // of the first packet, relative: links south × 65536 + links east; of a tree its number; of a fork its record
export const STATE = 2; // see below
export const ENTRY_WORDS = 3;

// STATE, of the first packet: bits 0-11 flits still to send; flags; 16-23 flits in the buffer, those of later packets included;
// 24-31 output virtual channel that it holds, or the one before it held (output port << laneBits | lane), NONE at first; or FORKED.
export const LEFT_MASK = 0x0fff;
export const TREE = 0x1000; // the packet goes to the tiles of a tree
export const QUEUED = 0x2000; // another packet is behind the first
export const ACTIVE = 0x4000; // it holds an output virtual channel
export const HEAD = 0x8000; // its head flit is still here
export const FLAGS = 0xffff; // flits and flags
export const FLIT_HERE = 0x10000; // one flit in the buffer
export const FLITS_HERE = 0xff0000;
export const OUT_SHIFT = 24;
/** Output of a packet that leaves by several ports: a record of the forks says where. */
export const FORKED = 254;
export const NONE = 255;

// A word per virtual channel in LINES: bits 0-7, output side: flits that may still be sent; 8-15, output side: input virtual channel
// that holds the lane, where it is not FREE; 16-23, output side: input virtual channel that is first in the next grant of VC allocation;
// 24-31, input side: the next in the list of those that want a lane of the same port, where there is one.
export const CREDITS_MASK = 0xff;
export const OWNER_SHIFT = 8;
export const GRANT_SHIFT = 16;
export const NEXT_SHIFT = 24;

/** Most flits of a packet at flit fidelity. */
export const MOST_PACKET_FLITS = 0x0fff;
/** Most flits of buffer per virtual channel. */
export const MOST_BUFFER_FLITS = 254;
/** Routers are handled in strips of 2^STRIP_BITS: small enough for the second-level cache. */
export const STRIP_BITS = 10;

// A packet: eight int32, addressed by offset.
export const P_NEXT = 0; // behind it in the one queue that holds its tail, or in the free list; -1
export const P_LAST = 1; // of the first packet of a queue with more than one: the last
export const P_TARGET = 2; // relative target or tree, as at the source
export const P_META = 3; // flits | TREE | channel << 16 | class row << 24
export const P_SOURCE = 4; // wafer-wide
export const P_SEQUENCE = 5;
export const P_ENTERED = 6; // cycle in which its head left the source queue
export const P_BYTES = 7;
export const P_STRIDE = 8;

// A fork: a packet that leaves a router by several ports, each branch at its own pace.
export const F_TREE = 0; // tree number; of an unused record the next unused one
export const F_PENDING = 1; // output ports (bits) whose branch still waits for a virtual channel
export const F_GRANTED = 2; // output ports whose branch holds one and has flits to send
export const F_GONE = 3; // flits that have left by all branches: their place in the buffer is free
export const F_OUT = 4; // [5] output virtual channel of a branch
export const F_SENT = 9; // [5] flits that a branch has sent
export const F_NEXT = 14; // [5] the next virtual channel that wants a lane of the branch's port, or NONE
export const F_FRESH = 19; // output ports whose branch was granted its virtual channel in cycle F_FRESH_CYCLE: it asks for the switch from the next one on
export const F_FRESH_CYCLE = 20;
export const F_POINTER = 21; // lane (in the low bits) that is first in the accepts of its branches
export const F_STRIDE = 24;

/** Where the parts of a record are, for a number of lanes and classes; words from its start. */
export interface RecordLayout {
  /** Lanes are numbered in 2^laneBits. */
  readonly laneBits: number;
  /** Credits of the injection link, a byte per lane. */
  readonly sourceCredits: number;
  /** [virtual channels] see LINES above. */
  readonly lines: number;
  /** [virtual channels × 3] the entries. */
  readonly entries: number;
  /** Words of a record. */
  readonly words: number;
}

export function recordLayout(lanes: number, classes: number): RecordLayout {
  const laneBits = Math.ceil(Math.log2(lanes));
  const sourceCredits = SOURCE_QUEUES + classes * SOURCE_FIELDS;
  const lines = Math.ceil((sourceCredits + Math.ceil(lanes / 4)) / 8) * 8;
  const entries = lines + (FLIT_PORTS << laneBits);
  return { laneBits, sourceCredits, lines, entries, words: Math.ceil((entries + (FLIT_PORTS << laneBits) * ENTRY_WORDS) / 8) * 8 };
}

/** [mask of five ports << 3 | pointer] the first port of the mask from the pointer on, round robin. */
export const firstPort: Uint8Array = Uint8Array.from({ length: 256 }, (_, at) => {
  const mask = at >> 3;
  for (let step = 0; step < FLIT_PORTS; step++) {
    const port = ((at & 7) + step) % FLIT_PORTS;
    if ((mask >> port) & 1) return port;
  }
  return 0;
});

/** A snapshot: copies of all that changes. */
export interface FlitSnapshot {
  readonly records: Int32Array;
  readonly packets: Int32Array;
  readonly forks: Int32Array;
  readonly awake: Int32Array;
  readonly events: readonly (readonly Int32Array[])[];
  readonly deliveryHash: Int32Array;
  readonly holders: Uint8Array;
  readonly slack: Float64Array;
  readonly counters: Float64Array;
  readonly lastChannel: Uint8Array;
  readonly visited: Int32Array;
  readonly scalars: FlitScalars;
  readonly decided: boolean;
}

export interface FlitScalars {
  now: number;
  freePacket: number;
  freeFork: number;
  live: number;
  linkHops: number;
  flitHops: number;
  deliveredPackets: number;
  /** Some packet had a last flit that was not full: bytes are counted apart from flits. */
  partFlits: boolean;
}
