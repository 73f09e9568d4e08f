import { BOUNDARY_STRIDE, DIRECTIONS, ItemList } from '@kerf/fabric';
import { ClusterError } from './errors.ts';

/** Version of the boundary frame; both sides must speak the same. */
export const FRAME_VERSION = 2;
const MAGIC = 0x4b455246;
const HEADER_BYTES = 32;
const SECTION_BYTES = 16;
const ITEM_BYTES = BOUNDARY_STRIDE * 4;

/** What crosses one die edge in one round, addressed from the side of the receiver. */
export interface FrameSection {
  readonly dieId: number;
  /** Direction in which the edge lies, seen from that die. */
  readonly direction: number;
  readonly packets: ItemList;
  readonly credits: ItemList;
}

/** All that one node process tells a neighbour in one round. */
export interface BoundaryFrame {
  readonly kernel: number;
  readonly round: number;
  /** Nothing more arrives before this cycle of the kernel; Infinity is allowed. */
  readonly promiseCycle: number;
  readonly sections: readonly FrameSection[];
}

/**
 * Layout, little-endian: magic u32, version u32, kernel u32, round u32, promise f64, sections u32, unused u32; per section
 * die u32, direction u32, packets u32, credits u32; then per section its packets and its credits, 9 × i32 each.
 */
export function encodeFrame(frame: BoundaryFrame): Uint8Array {
  const items = frame.sections.reduce((sum, { packets, credits }) => sum + packets.rows + credits.rows, 0);
  const bytes = new Uint8Array(HEADER_BYTES + frame.sections.length * SECTION_BYTES + items * ITEM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FRAME_VERSION, true);
  view.setUint32(8, frame.kernel, true);
  view.setUint32(12, frame.round, true);
  view.setFloat64(16, frame.promiseCycle, true);
  view.setUint32(24, frame.sections.length, true);
  const words = new Int32Array(bytes.buffer);
  let at = HEADER_BYTES / 4;
  for (const { dieId, direction, packets, credits } of frame.sections) {
    words[at++] = dieId;
    words[at++] = direction;
    words[at++] = packets.rows;
    words[at++] = credits.rows;
  }
  for (const { packets, credits } of frame.sections) {
    for (const list of [packets, credits]) {
      words.set(list.data.subarray(0, list.rows * BOUNDARY_STRIDE), at);
      at += list.rows * BOUNDARY_STRIDE;
    }
  }
  return bytes;
}

/**
 * Reads a frame from another process. Every count is checked against the length before anything is viewed; the result
 * shares nothing with `bytes`.
 *
 * @throws ClusterError `CLUSTER_BAD_FRAME`
 */
export function decodeFrame(bytes: Uint8Array): BoundaryFrame {
  if (bytes.byteLength < HEADER_BYTES) throw bad(`A frame has at least ${HEADER_BYTES} bytes, got ${bytes.byteLength}.`, { bytes: bytes.byteLength });
  const copy = new Uint8Array(bytes); // what a socket hands out is an unaligned view of a larger buffer
  const view = new DataView(copy.buffer);
  const magic = view.getUint32(0, true);
  const version = view.getUint32(4, true);
  if (magic !== MAGIC) throw bad(`A frame begins with ${MAGIC.toString(16)}, got ${magic.toString(16)}.`, { magic });
  if (version !== FRAME_VERSION) throw bad(`This process speaks frame version ${FRAME_VERSION}, its peer ${version}.`, { version });
  const promiseCycle = view.getFloat64(16, true);
  if (!(promiseCycle >= 0)) throw bad(`A promise is a cycle ≥ 0, got ${promiseCycle}.`, { promiseCycle });
  const count = view.getUint32(24, true);
  const sectionsEnd = HEADER_BYTES + count * SECTION_BYTES;
  if (sectionsEnd > copy.byteLength) throw bad(`A frame of ${copy.byteLength} bytes cannot hold ${count} sections.`, { count, bytes: copy.byteLength });
  let expected = sectionsEnd;
  for (let section = 0; section < count; section++) {
    const at = HEADER_BYTES + section * SECTION_BYTES;
    if (view.getUint32(at + 4, true) >= DIRECTIONS) throw bad(`Section ${section} lies in direction ${view.getUint32(at + 4, true)} of ${DIRECTIONS}.`, { section });
    expected += (view.getUint32(at + 8, true) + view.getUint32(at + 12, true)) * ITEM_BYTES;
  }
  if (expected !== copy.byteLength) throw bad(`A frame with these counts has ${expected} bytes, got ${copy.byteLength}.`, { expected, bytes: copy.byteLength });
  const words = new Int32Array(copy.buffer);
  let item = sectionsEnd / 4;
  const take = (rows: number): ItemList => {
    const list = new ItemList(words.subarray(item, item + rows * BOUNDARY_STRIDE), rows);
    item += rows * BOUNDARY_STRIDE;
    return list;
  };
  const sections = Array.from({ length: count }, (_, section) => {
    const at = HEADER_BYTES + section * SECTION_BYTES;
    const packets = take(view.getUint32(at + 8, true));
    const credits = take(view.getUint32(at + 12, true));
    return { dieId: view.getUint32(at, true), direction: view.getUint32(at + 4, true), packets, credits };
  });
  return { kernel: view.getUint32(8, true), round: view.getUint32(12, true), promiseCycle, sections };
}

function bad(message: string, context: Record<string, number>): ClusterError {
  return new ClusterError('CLUSTER_BAD_FRAME', message, context);
}
