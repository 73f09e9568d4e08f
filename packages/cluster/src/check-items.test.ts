import {
  BOUNDARY_STRIDE, dieTopology, ITEM_ARRIVAL, ITEM_BYTES, ITEM_ENTERED, ITEM_FINAL, ITEM_META, ITEM_POSITION, ITEM_SOURCE, ITEM_TAIL, ItemList, NEVER, PacketKernel,
} from '@kerf/fabric';
import { expect, test } from 'vitest';
import { checkItems } from './check-items.ts';
import { wafer } from './laboratory.ts';

// Two dies of 2 × 3 tiles side by side: three lanes cross the edge. Packets have at most four flits of 16 bytes.
const hardware = wafer({ diesX: 2, diesY: 1, tilesX: 2, tilesY: 3, shape: 'edge', dieLinkCycles: 5, packetFlits: 4, spareCredits: 0 });
const fabric = new PacketKernel(dieTopology(hardware, 1), { channels: 2 });
const WEST = 1;
const PROMISE = 50;
const TILES = 12;

const list = (row: readonly number[]): ItemList => new ItemList(Int32Array.from(row), row.length / BOUNDARY_STRIDE);
const none = new ItemList();
const packet = [PROMISE, 2, 4 | (1 << 24), PROMISE + 3, 64, TILES - 1, 0, 9, 3];
const credit = [PROMISE, 2, 4, 0, 0, 0, 0, 0, 0];
const changed = (row: readonly number[], at: number, value: number): ItemList => list(row.map((old, i) => (i === at ? value : old)));
const check = (packets: ItemList, credits: ItemList, direction = WEST): void => checkItems(fabric, direction, packets, credits, PROMISE, TILES);
const bad = (what: string): unknown => expect.objectContaining({ code: 'CLUSTER_BAD_FRAME', context: expect.objectContaining({ dieId: 1, what }) });

test('a packet and a credit at the very edge of every range pass', () => {
  expect(() => check(list(packet), list(credit))).not.toThrow();
  expect(() => check(changed(packet, ITEM_META, 1), changed(credit, ITEM_META, 1))).not.toThrow();
  expect(() => check(changed(packet, ITEM_BYTES, 0), changed(credit, ITEM_POSITION, 0))).not.toThrow();
});

test.each([
  ['the lane', ITEM_POSITION, 3], ['the lane', ITEM_POSITION, -1],
  ['a length in flits of', ITEM_META, 0], ['a length in flits of', ITEM_META, 5], ['a length in flits of', ITEM_META, 0xffff],
  ['the traffic class', ITEM_META, 4 | (fabric.lanes << 16)], ['the channel', ITEM_META, 4 | (2 << 24)], ['the traffic class', ITEM_META, -1 & ~0xfffb],
  ['a tail before its head, at cycle', ITEM_TAIL, PROMISE - 1],
  ['a start after its arrival, at cycle', ITEM_ENTERED, PROMISE], ['a start after its arrival, at cycle', ITEM_ENTERED, -1],
  ['a payload of', ITEM_BYTES, 65], ['a payload of', ITEM_BYTES, -1],
  ['the destination', ITEM_FINAL, TILES], ['the destination', ITEM_FINAL, -1],
  ['the source', ITEM_SOURCE, TILES], ['the source', ITEM_SOURCE, -1],
])('a packet with %s out of range (field %i = %i) is refused', (what, field, value) => {
  expect(() => check(changed(packet, field, value), none)).toThrow(bad(what));
});

test.each([
  ['the lane', ITEM_POSITION, 3], ['the lane', ITEM_POSITION, 0xffff], ['the traffic class', ITEM_POSITION, 2 | (fabric.lanes << 16)],
  ['a credit in flits of', ITEM_META, 0], ['a credit in flits of', ITEM_META, 5], ['a credit in flits of', ITEM_META, -1],
])('a credit with %s out of range (field %i = %i) is refused', (what, field, value) => {
  expect(() => check(none, changed(credit, field, value))).toThrow(bad(what));
});

test('a cycle that no kernel reaches is refused', () => {
  expect(() => check(list(packet.map((old, at) => (at === ITEM_ARRIVAL || at === ITEM_TAIL ? NEVER : old))), none)).toThrow(bad('the cycle'));
  expect(() => check(changed(packet, ITEM_TAIL, NEVER), none)).toThrow(bad('a tail long after its head, at cycle'));
  expect(() => check(none, changed(credit, ITEM_ARRIVAL, NEVER))).toThrow(bad('the cycle'));
});

test('nothing comes over an edge behind which there is no die', () => {
  for (const direction of [0, 2, 3]) expect(() => check(changed(packet, ITEM_POSITION, 0), none, direction)).toThrow(bad('the lane'));
});

test('a later row is checked like the first', () => {
  expect(() => check(list([...packet, ...packet.with(ITEM_BYTES, 65)]), none)).toThrow(bad('a payload of'));
  expect(() => check(none, list([...credit, ...credit.with(ITEM_META, 5)]))).toThrow(bad('a credit in flits of'));
});

test.each([['packet', packet], ['credit', credit]])('a %s one cycle before the promise breaks it', (kind, row) => {
  const early = changed(row, ITEM_ARRIVAL, PROMISE - 1);
  const broken = expect.objectContaining({ code: 'CLUSTER_BROKEN_PROMISE', context: { dieId: 1, arrival: PROMISE - 1, promiseCycle: PROMISE } }) as Error;
  expect(() => check(kind === 'packet' ? early : none, kind === 'packet' ? none : early)).toThrow(broken);
});
