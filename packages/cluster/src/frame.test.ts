import { BOUNDARY_STRIDE, DIRECTIONS, ItemList } from '@kerf/fabric';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClusterError } from './errors.ts';
import { decodeFrame, encodeFrame, FRAME_VERSION, type BoundaryFrame } from './frame.ts';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const items = fc.array(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: BOUNDARY_STRIDE, maxLength: BOUNDARY_STRIDE }), { maxLength: 20 }).map((rows) => {
  const list = new ItemList();
  for (const [a, b, c, d, e, f, g, h] of rows) list.push(a!, b!, c!, d!, e!, f!, g!, h!);
  return list;
});
const frames: fc.Arbitrary<BoundaryFrame> = fc.record({
  kernel: u32,
  round: u32,
  promiseCycle: fc.oneof(fc.constant(Infinity), fc.double({ min: 0, max: 2 ** 53, noNaN: true })),
  sections: fc.array(fc.record({ dieId: u32, direction: fc.nat(DIRECTIONS - 1), packets: items, credits: items }), { maxLength: 4 }),
});

/** A frame as plain values. */
function plain({ sections, ...rest }: BoundaryFrame): unknown {
  const rows = ({ data, rows: count }: ItemList): number[] => [...data.subarray(0, count * BOUNDARY_STRIDE)];
  return { ...rest, sections: sections.map(({ packets, credits, ...place }) => ({ ...place, packets: rows(packets), credits: rows(credits) })) };
}

/** The frame, or nothing when it is refused; any other error is a bug. */
function read(bytes: Uint8Array): BoundaryFrame | undefined {
  try {
    return decodeFrame(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(ClusterError);
    expect((error as ClusterError).code).toBe('CLUSTER_BAD_FRAME');
    return undefined;
  }
}

test('what is encoded is decoded, wherever the bytes lie in a larger buffer', () => {
  fc.assert(fc.property(frames, fc.nat(9), (frame, offset) => {
    const bytes = encodeFrame(frame);
    const pool = Buffer.alloc(bytes.length + 16, 0xee);
    pool.set(bytes, offset);
    expect(plain(decodeFrame(bytes))).toEqual(plain(frame));
    expect(plain(decodeFrame(pool.subarray(offset, offset + bytes.length)))).toEqual(plain(frame));
  }));
});

test('a decoded frame shares nothing with the bytes it came from', () => {
  fc.assert(fc.property(frames, (frame) => {
    const bytes = Buffer.from(encodeFrame(frame));
    const decoded = decodeFrame(bytes);
    bytes.fill(0xff);
    expect(plain(decoded)).toEqual(plain(frame));
  }));
});

test('a frame cut short or lengthened is refused', () => {
  fc.assert(fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 40 }), (frame, at, more) => {
    const bytes = encodeFrame(frame);
    expect(read(bytes.subarray(0, at % bytes.length))).toBeUndefined();
    const longer = new Uint8Array(bytes.length + more);
    longer.set(bytes);
    expect(read(longer)).toBeUndefined();
  }));
});

test('damaged bytes are refused or read as a frame of the same size, and nothing else happens', () => {
  fc.assert(fc.property(frames, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }), (frame, damage) => {
    const bytes = encodeFrame(frame);
    for (const [at, value] of damage) bytes[at % Math.min(bytes.length, 96)] = value;
    const decoded = read(bytes);
    if (decoded !== undefined) expect(encodeFrame(decoded).length).toBe(bytes.length);
  }), { numRuns: 500 });
});

test('bytes of any kind are no frame', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    expect(read(bytes)).toBeUndefined();
  }));
});

test.each([
  ['sections', 24], ['packets of a section', 40], ['credits of a section', 44],
])('a huge count of %s is refused before anything of that size is made', (_, at) => {
  const bytes = encodeFrame({ kernel: 1, round: 2, promiseCycle: 3, sections: [{ dieId: 0, direction: 1, packets: new ItemList(), credits: new ItemList() }] });
  for (const count of [0x0fff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
    new DataView(bytes.buffer).setUint32(at, count, true);
    const before = process.memoryUsage();
    expect(read(bytes)).toBeUndefined();
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024);
  }
});

test.each<[string, number, (view: DataView) => void]>([
  ['begins with something else', 0, (view) => view.setUint32(0, 1, true)],
  ['is of a later version', 4, (view) => view.setUint32(4, FRAME_VERSION + 1, true)],
  ['promises no number', 16, (view) => view.setFloat64(16, NaN, true)],
  ['promises the past', 16, (view) => view.setFloat64(16, -1, true)],
  ['lies in a fifth direction', 36, (view) => view.setUint32(36, DIRECTIONS, true)],
])('a frame that %s is refused', (_, _at, spoil) => {
  const bytes = encodeFrame({ kernel: 1, round: 2, promiseCycle: 3, sections: [{ dieId: 0, direction: 1, packets: new ItemList(), credits: new ItemList() }] });
  expect(read(bytes)).toBeDefined();
  spoil(new DataView(bytes.buffer));
  expect(read(bytes)).toBeUndefined();
});
