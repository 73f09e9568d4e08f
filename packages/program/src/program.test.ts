import type { Hardware } from '@kerf/hardware';
import { presetHardware } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProgramBuilder } from './builder.ts';
import { checkProgram, checkTraffic } from './check.ts';
import { COMPUTE, RECEIVE, SEND, WAIT, type ProgramTable } from './program.ts';

const hardware: Hardware = presetHardware('mesh-8x8');
const wafer: Hardware = presetHardware('flat-wafer-8');
const CHANNELS = ['out', 'back'];

type Row =
  | { readonly kind: typeof SEND; readonly tile: number; readonly peer: number; readonly channel: number; readonly bytes: number; readonly messages: number; readonly after: number[] }
  | { readonly kind: typeof RECEIVE; readonly tile: number; readonly channel: number; readonly bytes: number; readonly after: number[] }
  | { readonly kind: typeof WAIT; readonly tile: number; readonly after: number[] }
  | { readonly kind: typeof COMPUTE; readonly tile: number; readonly label: number; readonly rows: number; readonly flops: number; readonly memoryBytes: number; readonly after: number[] };

const tile = fc.nat(63);
const channel = fc.nat(1);
const bytes = fc.nat(2 ** 31 - 1);
const after = fc.array(fc.nat(), { maxLength: 5 });
const rows: fc.Arbitrary<Row[]> = fc.array(fc.oneof<fc.Arbitrary<Row>[]>(
  fc.record({ kind: fc.constant(SEND), tile, peer: tile, channel, bytes, messages: fc.nat(1000), after }),
  fc.record({ kind: fc.constant(RECEIVE), tile, channel, bytes, after }),
  fc.record({ kind: fc.constant(WAIT), tile, after }),
  fc.record({ kind: fc.constant(COMPUTE), tile, label: fc.nat(255), rows: fc.nat(4096), flops: fc.nat(2 ** 31 - 1), memoryBytes: bytes, after }),
), { maxLength: 200 }).map((list) => list.map((row, index) => ({ ...row, after: index === 0 ? [] : row.after.map((earlier) => earlier % index) })));

function build(list: readonly Row[], dieId = 0): ProgramTable {
  const builder = new ProgramBuilder(dieId, CHANNELS);
  list.forEach((row, index) => {
    const id = row.kind === SEND ? builder.send(row.tile, row.peer, row.channel, row.bytes, row.messages, row.after)
      : row.kind === RECEIVE ? builder.receive(row.tile, row.channel, row.bytes, row.after)
      : row.kind === WAIT ? builder.wait(row.tile, row.after)
      : builder.compute(row.tile, row, row.after);
    expect(id).toBe(index);
  });
  return builder.finish();
}

/** The rows of a table, as they were given to the builder. */
function read(program: ProgramTable): Row[] {
  return Array.from({ length: program.operations }, (_, row): Row => {
    const common = { tile: program.localTile[row]!, after: [...program.dependsOn.subarray(program.dependsOnStart[row], program.dependsOnStart[row + 1])] };
    switch (program.kind[row]) {
      case SEND: return { kind: SEND, ...common, peer: program.peerTile[row]!, channel: program.channel[row]!, bytes: program.bytes[row]!, messages: program.label[row]! };
      case RECEIVE: return { kind: RECEIVE, ...common, channel: program.channel[row]!, bytes: program.bytes[row]! };
      case WAIT: return { kind: WAIT, ...common };
      default: return { kind: COMPUTE, ...common, label: program.label[row]!, rows: program.rows[row]!, flops: program.flops[row]!, memoryBytes: program.bytes[row]! };
    }
  });
}

test('what the builder was given is what the table says, however long it grows', () => {
  fc.assert(fc.property(rows, (list) => {
    const program = build(list, 3);
    expect(program).toMatchObject({ dieId: 3, channels: CHANNELS, operations: list.length });
    expect(read(program)).toEqual(list);
  }));
});

test('columns are cut to size', () => {
  const { kind, dependsOnStart, dependsOn } = build([{ kind: WAIT, tile: 0, after: [] }, { kind: WAIT, tile: 0, after: [0, 0] }]);
  expect([kind.length, dependsOnStart.length, dependsOn.length]).toEqual([2, 3, 2]);
});

test('operations that wait for earlier ones only are never refused, but for a second receive', () => {
  fc.assert(fc.property(rows, (list) => {
    const seen = new Set<string>();
    const once = list.filter((row) => row.kind !== RECEIVE || (!seen.has(`${row.tile} ${row.channel}`) && seen.add(`${row.tile} ${row.channel}`) !== undefined));
    checkProgram(build(once.map((row, index) => ({ ...row, after: row.after.filter((earlier) => earlier < index) }))), hardware);
  }));
});

const send: Row = { kind: SEND, tile: 1, peer: 2, channel: 0, bytes: 10, messages: 1, after: [] };
const receive: Row = { kind: RECEIVE, tile: 2, channel: 0, bytes: 10, after: [] };
const compute: Row = { kind: COMPUTE, tile: 3, label: 0, rows: 1, flops: 10, memoryBytes: 0, after: [] };

test.each<[string, Row[], (program: ProgramTable) => void, string]>([
  ['a kind that there is not', [send], ({ kind }) => void (kind[0] = 4), 'Operation 0 (unknown) of die 0 has kind 4; kinds are 0..3.'],
  ['a tile that the die lacks', [send], ({ localTile }) => void (localTile[0] = 64), 'runs on tile 64 of a die with 64 tiles'],
  ['half a byte', [send], ({ bytes: column }) => void (column[0] = 0.5), 'moves 0.5 bytes; a whole number ≥ 0 is needed'],
  ['bytes below zero', [receive], ({ bytes: column }) => void (column[0] = -1), 'Operation 0 (receive) of die 0 moves -1 bytes'],
  ['no number of bytes', [compute], ({ bytes: column }) => void (column[0] = NaN), 'moves NaN bytes'],
  ['a channel without a name', [send], ({ channel: column }) => void (column[0] = 2), 'uses channel 2 of 2'],
  ['a channel without a name to receive', [receive], ({ channel: column }) => void (column[0] = 2), 'uses channel 2 of 2'],
  ['a destination off the wafer', [send], ({ peerTile }) => void (peerTile[0] = 64), 'sends to tile 64 of a wafer with 64 tiles'],
  ['work below zero', [compute], ({ flops }) => void (flops[0] = -1), 'computes -1 operations'],
  ['endless work', [compute], ({ flops }) => void (flops[0] = Infinity), 'computes Infinity operations'],
  ['a second receive', [receive, send, receive], () => undefined, 'Operation 2 (receive) of die 0 is the second receive of channel out on tile 2.'],
])('%s is refused, and the operation named', (_, list, spoil, message) => {
  const program = build(list);
  spoil(program);
  expect(() => checkProgram(program, hardware)).toThrow(expect.objectContaining({ code: 'PROGRAM_BAD_OPERATION', message: expect.stringContaining(message) }));
});

test('the last tile of die and wafer is a tile', () => {
  checkProgram(build([{ ...send, tile: 63, peer: 63 }]), hardware);
});

test('an operation that waits for none of the table is refused', () => {
  const program = build([send, { kind: WAIT, tile: 0, after: [0] }]);
  program.dependsOn[0] = 2;
  expect(() => checkProgram(program, hardware)).toThrow(expect.objectContaining({ code: 'PROGRAM_BAD_DEPENDENCY', context: { row: 1, earlier: 2, operations: 2 } }));
});

test('a ring of any length is found, and a chain of that length is none', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100 }), (length) => {
    const chain = build(Array.from({ length }, (_, row): Row => ({ kind: WAIT, tile: 0, after: [Math.max(0, row - 1)].slice(row === 0 ? 1 : 0) })));
    checkProgram(chain, hardware);
    const builder = new ProgramBuilder(0, CHANNELS);
    for (let row = 0; row < length; row++) builder.wait(0, [(row + 1) % length]);
    builder.wait(0, []);
    expect(() => checkProgram(builder.finish(), hardware)).toThrow(expect.objectContaining({ code: 'PROGRAM_CYCLE', context: { row: 0 } }));
  }));
});

test('what is sent must be received, byte for byte, on its tile and channel, across dies', () => {
  const perDie = wafer.die.tilesX * wafer.die.tilesY;
  const there = build([{ ...send, peer: perDie + 2, bytes: 7 }, { ...send, peer: perDie + 2, bytes: 3 }], 0);
  checkTraffic([there, build([receive], 1)], wafer);
  const unmatched = (message: string): unknown => expect.objectContaining({ code: 'PROGRAM_UNMATCHED_RECEIVE', message });
  expect(() => checkTraffic([there, build([], 1)], wafer)).toThrow(unmatched(`Tile ${perDie + 2} is sent 10 bytes more than it receives on channel out.`));
  expect(() => checkTraffic([there, build([{ ...receive, bytes: 11 }], 1)], wafer)).toThrow(unmatched(`Tile ${perDie + 2} waits for 1 bytes that nobody sends on channel out.`));
  expect(() => checkTraffic([there, build([{ ...receive, channel: 1 }], 1)], wafer)).toThrow(expect.objectContaining({ code: 'PROGRAM_UNMATCHED_RECEIVE' }));
});
