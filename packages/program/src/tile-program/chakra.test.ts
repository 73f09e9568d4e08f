import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { KerfError } from '@kerf/checks';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { testWithReference } from '../../../../test/support/needs.ts';
import { flatAttention, ringAllReduce, summa, treeBroadcast } from '../testing/dataflows.ts';
import { chakraTraces, programFromChakra } from './chakra-program.ts';
import { chakraNodeTypes, readChakra, writeChakra, type ChakraAttribute, type ChakraNode, type ChakraTrace } from './chakra.ts';
import type { TileProgram } from './tile-program.ts';
import { NONE, TileOperation } from './vocabulary.ts';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const i64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const u32 = fc.nat(2 ** 32 - 1);
const i32 = fc.integer();
const text = fc.string({ unit: 'grapheme' });
const scalars = {
  double: fc.double(), float: fc.float(), int32: i32, int64: i64, uint32: u32, uint64: u64, sint32: i32, sint64: i64,
  fixed32: u32, fixed64: u64, sfixed32: i32, sfixed64: i64, bool: fc.boolean(), string: text, bytes: fc.uint8Array({ maxLength: 5 }),
};
const attribute: fc.Arbitrary<ChakraAttribute> = fc.oneof(...Object.entries(scalars).map(([type, value]) =>
  fc.record({ name: text, doc: text, type: fc.constant(type as keyof typeof scalars), value: fc.oneof(value as fc.Arbitrary<number>, fc.array(value as fc.Arbitrary<number>, { maxLength: 4 })) }, { requiredKeys: ['name', 'type', 'value'] })));
const attributes = fc.array(attribute, { maxLength: 4 });
const operands = fc.record({ values: text, shapes: text, types: text });
const node: fc.Arbitrary<ChakraNode> = fc.record({
  id: u64, name: text, type: fc.constantFrom(...chakraNodeTypes), controlDependencies: fc.array(u64, { maxLength: 3 }), dataDependencies: fc.array(u64, { maxLength: 3 }),
  startMicroseconds: u64, durationMicroseconds: u64, inputs: operands, outputs: operands, attributes,
}, { requiredKeys: ['id', 'name', 'type', 'controlDependencies', 'dataDependencies', 'startMicroseconds', 'durationMicroseconds', 'attributes'] });
const trace: fc.Arbitrary<ChakraTrace> = fc.record({ version: text, attributes, nodes: fc.array(node, { maxLength: 4 }) });

test('any trace is read as it was written', () => {
  fc.assert(fc.property(trace, (given) => void expect(readChakra(writeChakra(given), 't.et')).toEqual(given)), { numRuns: 200 });
});

test('a trace that was cut or overwritten is read, or refused with a code', () => {
  fc.assert(fc.property(trace, fc.nat(), fc.uint8Array({ maxLength: 6 }), fc.boolean(), (given, at, noise, cut) => {
    const bytes = Uint8Array.from(writeChakra(given));
    const from = at % bytes.length;
    bytes.set(noise.subarray(0, bytes.length - from), from);
    try {
      const read = readChakra(cut ? bytes.subarray(0, from) : bytes, 't.et');
      programFromChakra('spoiled', [read]);
    } catch (error) {
      if (!(error instanceof KerfError)) throw error;
    }
  }), { numRuns: 500 });
}, 60_000);

/** Bytes that go over the fabric or to memory, by kind. */
function traffic(program: TileProgram): Record<string, number> {
  const total: Record<string, number> = {};
  for (const role of program.roleOf) {
    const { table } = program.roles[role]!;
    for (let row = 0; row < table.operations; row++) {
      const kind = table.kind[row]!;
      const view = table.a[row] === NONE ? table.out[row]! : table.a[row]!;
      if (kind > TileOperation.REDUCE && kind !== TileOperation.BARRIER) continue;
      const bytes = view === NONE ? 0 : program.views.rows[view]! * program.views.columns[view]! * (program.buffers[program.views.buffer[view]!]!.elementType === 'fp32' ? 4 : 2);
      total[kind] = (total[kind] ?? 0) + bytes + 1;
    }
  }
  return total;
}

test.each([
  summa({ width: 3, height: 2 }, [7, 8, 9], [4, 3, 4]), ringAllReduce(4, 3), treeBroadcast(6, 2),
  flatAttention({ width: 2, height: 3 }, 1, { queries: 6, sliceRows: 2, keys: 8, sliceKeys: 2, width: 4 }),
])('$name: the communication of a program comes back from its traces', (program) => {
  const traces = chakraTraces(program).map((written, rank) => readChakra(writeChakra(written), `rank ${rank}`));
  const again = programFromChakra(program.name, traces, program.group);
  // One byte is one element there.
  const elements = { ...again, buffers: again.buffers.map((buffer) => ({ ...buffer, elementType: 'fp8e4m3' as const })) };
  const bytes = Object.fromEntries(Object.entries(traffic(program)));
  const got: Record<string, number> = {};
  for (const role of elements.roleOf) {
    const { table } = elements.roles[role]!;
    for (let row = 0; row < table.operations; row++) {
      const kind = table.kind[row]!;
      if (kind > TileOperation.REDUCE && kind !== TileOperation.BARRIER) continue;
      const view = table.a[row] === NONE ? table.out[row]! : table.a[row]!;
      got[kind] = (got[kind] ?? 0) + (view === NONE ? 0 : elements.views.columns[view]!) + 1;
    }
  }
  expect(got).toEqual(bytes);
  expect(chakraTraces(again).map(({ nodes }) => nodes.map(({ type }) => type))).toEqual(traces.map(({ nodes }) => nodes.map(({ type }) => type)));
});

test('a dependency through computing is one between transfers, and mere order of a queue a control dependency', () => {
  const { nodes } = chakraTraces(summa({ width: 1, height: 1 }, [2, 2, 4], [2, 2, 2]))[0]!;
  expect(nodes.map(({ name, controlDependencies, dataDependencies }) => [name, controlDependencies, dataDependencies])).toEqual([
    ['multicast: load X', [], []],
    ['multicast: load W', [0n], []],
    ['multicast: barrier step 0', [], [0n, 1n]],
    ['multicast: load X', [1n], [2n]],
    ['multicast: load W', [4n], [2n]],
    ['multicast: barrier step 1', [], [4n, 5n, 2n]],
    ['store: store Z', [5n], [6n, 2n]],
  ]);
});

const bare = (node: Partial<ChakraNode>): ChakraTrace => ({
  version: '', attributes: [], nodes: [{ id: 0n, name: 'it', type: 'collective', controlDependencies: [], dataDependencies: [], startMicroseconds: 0n, durationMicroseconds: 0n, attributes: [], ...node }],
});
const type = (value: number, size = 8): ChakraAttribute[] => [{ name: 'comm_type', type: 'int64', value: BigInt(value) }, { name: 'comm_size', type: 'int64', value: BigInt(size) }];

test.each<[string, ChakraTrace[], string]>([
  ['a collective that we lack', [bare({ attributes: type(3) }), bare({ attributes: type(3) })], 'Rank 0: node 0 (collective it) is a gather, which tile programs cannot tell.'],
  ['a dependency on nothing', [bare({ type: 'compute', dataDependencies: [7n] })], 'Rank 0: node 0 (compute it) waits for node 7, which is not in the trace.'],
  ['a ring', [bare({ type: 'compute', dataDependencies: [0n] })], 'waits for itself through its dependencies'],
  ['a message to a rank that is not there', [bare({ type: 'send', attributes: [{ name: 'comm_src', type: 'int32', value: 0 }, { name: 'comm_dst', type: 'int32', value: 1 }] })], 'goes from rank 0 to 1 of 1'],
  ['a collective without a kind', [bare({}), bare({})], 'has no comm_type'],
])('%s is refused with rank and node', (_, traces, message) => {
  expect(() => programFromChakra('x', traces)).toThrow(expect.objectContaining({ code: 'PROGRAM_BAD_CHAKRA', message: expect.stringContaining(message) }));
});

test('collectives that tile programs lack are made of those that they have', () => {
  const kinds = (value: number) => {
    const { roles } = programFromChakra('x', Array.from({ length: 4 }, () => bare({ attributes: type(value) })));
    return [...roles[1]!.table.kind];
  };
  expect(kinds(0)).toEqual([TileOperation.REDUCE, TileOperation.MULTICAST]);
  expect(kinds(2)).toEqual([TileOperation.MULTICAST, TileOperation.MULTICAST, TileOperation.MULTICAST, TileOperation.MULTICAST]);
  expect(kinds(7)).toEqual([TileOperation.REDUCE, TileOperation.REDUCE, TileOperation.REDUCE, TileOperation.REDUCE]);
  expect(kinds(6)).toEqual([TileOperation.SEND, TileOperation.RECEIVE, TileOperation.SEND, TileOperation.RECEIVE, TileOperation.SEND, TileOperation.RECEIVE]);
  expect(kinds(9)).toEqual([TileOperation.BARRIER]);
});

testWithReference('ASTRA-sim: its all-gather of four ranks becomes a program, its ring of messages and a converted PyTorch trace are read, and all are written byte for byte', (folder) => {
  const at = join(folder, 'traces/chakra');
  const same = (bytes: Uint8Array, source: string): ChakraTrace => {
    const read = readChakra(bytes, source);
    expect(Buffer.compare(writeChakra(read), bytes)).toBe(0);
    return read;
  };
  const ranks = [0, 1, 2, 3].map((rank) => same(readFileSync(join(at, `astra-sim-all_gather-4npus_1MB/all_gather.${rank}.et`)), `rank ${rank}`));
  const program = programFromChakra('all-gather', ranks);
  expect(program.collectives.map(({ kind, scope, root }) => [kind, scope, root])).toEqual([0, 1, 2, 3].map((x) => ['multicast', 'group', { x, y: 0 }]));
  expect(program.buffers[0]!.columns).toBe(2 ** 20);

  const ring = same(readFileSync(join(at, 'astra-sim-custom-ring-allreduce/custom_allreduce.0.et')), 'ring');
  expect(new Set(ring.nodes.map(({ type }) => type))).toEqual(new Set(['send', 'receive', 'compute']));

  const archive = gunzipSync(readFileSync(join(at, 'feeder_tests_trace.tar.gz')));
  const size = Number.parseInt(archive.toString('latin1', 124, 135), 8);
  const pytorch = readChakra(archive.subarray(512, 512 + size), 'chakra.0.et');
  expect(pytorch.nodes.length).toBeGreaterThan(1000);
  expect(readChakra(writeChakra(pytorch), 'again')).toEqual(pytorch);
}, 60_000);
