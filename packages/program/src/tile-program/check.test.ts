import { presetHardware, type Hardware } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flatAttention, ringAllReduce, summa } from '../testing/dataflows.ts';
import { TileProgramBuilder, type RoleWriter, type RowId, type View } from './builder.ts';
import { checkTileProgram, l1BytesOf } from './check.ts';
import { instantiate } from './instances.ts';
import { compileProgram, queuesOf } from './queues.ts';
import type { OperationTable } from './tile-program.ts';
import { ENGINES, tileEngines, type TileEngine } from './vocabulary.ts';

const hardware = presetHardware('mesh-8x8');

interface Setting {
  readonly p: TileProgramBuilder;
  readonly a: View;
  readonly b: View;
}

/** A program of a group of 2 × 2 with two buffers of 8 × 4. */
function program(write: (setting: Setting) => void, group = { width: 2, height: 2 }) {
  const p = new TileProgramBuilder('it', group);
  const [a, b] = [p.buffer('a', 8, 4, 'fp16'), p.buffer('b', 8, 4, 'fp16')];
  write({ p, a, b });
  return p.finish();
}

/** A program in which all tiles do the same. */
const all = (write: (r: RoleWriter, setting: Setting) => void) => program((setting) => setting.p.role('all', () => true, (r) => write(r, setting)));

test.each<[string, () => unknown, string, string]>([
  ['a view past the end of its buffer', () => checkTileProgram(all((r, { a }) => r.clear(a.part(1, 0, 8, 4)))), 'PROGRAM_BAD_VIEW', 'Row 0 (clear) of role all reaches out of buffer a [8, 4]: a[1+8, 0+4].'],
  ['a copy between shapes', () => checkTileProgram(all((r, { a, b }) => r.copy(b.first(4, 4), a))), 'PROGRAM_SHAPE_MISMATCH', 'Row 0 (copy) of role all takes a[0+8, 0+4] to b[0+4, 0+4].'],
  ['a copy that converts', () => checkTileProgram(all((r, { a, p }) => r.copy(p.buffer('c', 8, 4, 'fp32'), a))), 'PROGRAM_SHAPE_MISMATCH', 'in fp16 to c[0+8, 0+4] in fp32; vector convert does that'],
  ['a transpose that does not turn', () => checkTileProgram(all((r, { a, b }) => r.transpose(b, a))), 'PROGRAM_SHAPE_MISMATCH', 'turns a[0+8, 0+4] into b[0+8, 0+4]'],
  ['a product of shapes that do not meet', () => checkTileProgram(all((r, { a, b, p }) => r.matmul(p.buffer('c', 8, 4, 'fp16'), a, b))), 'PROGRAM_SHAPE_MISMATCH', 'multiplies a[0+8, 0+4] by b[0+8, 0+4] into c[0+8, 0+4]'],
  ['a product into its own operand', () => checkTileProgram(all((r, { a, b }) => r.matmul(a, a, b.first(4, 4)))), 'PROGRAM_BAD_VIEW', 'writes a[0+8, 0+4] while it reads a[0+8, 0+4]'],
  ['a row that is spread over nothing like it', () => checkTileProgram(all((r, { a, b }) => r.vector('add', a, a, b.first(1, 2)))), 'PROGRAM_SHAPE_MISMATCH', 'spreads b[0+1, 0+2] over a[0+8, 0+4]'],
  ['a sum without a second operand', () => checkTileProgram(all((r, { a, b }) => r.vector('add', b, a, null))), 'PROGRAM_SHAPE_MISMATCH', 'lacks a second operand for add'],
  ['a row maximum of two columns', () => checkTileProgram(all((r, { a, b }) => r.vector('rowMax', b.first(8, 2), a, null))), 'PROGRAM_SHAPE_MISMATCH', 'takes a[0+8, 0+4] to b[0+8, 0+2] by rowMax'],
  ['an engine that cannot', () => all((r, { a }) => r.clear(a, [], { on: 'matrix' })), 'PROGRAM_BAD_OPERATION', 'Role all: the matrix engine does no clear.'],
  ['a value that is none', () => checkTileProgram(all((r, { a }) => r.clear(a, [], { value: NaN }))), 'PROGRAM_BAD_OPERATION', 'has the factor NaN; a finite number is needed'],
  ['a row that waits for a later one', () => checkTileProgram(all((r) => r.wait([1]))), 'PROGRAM_BAD_DEPENDENCY', 'Row 0 (wait) of role all waits for row 1; a row can wait only for rows above it.'],
  ['a slice past the end of its tensor, on one tile', () => checkTileProgram(all((r, { a, p }) => r.load(a, p.tensor('T', 15, 4, 'fp16', 'input').at(p.x.times(8), 0, 8, 4)))), 'PROGRAM_BAD_SLICE', 'Row 0 (load) of role all reaches out of T [15, 4]: tile (1, 0) takes rows 8 to 15.'],
  ['a store into an input', () => checkTileProgram(all((r, { a, p }) => r.store(p.tensor('T', 8, 4, 'fp16', 'input').at(0, 0, 8, 4), a))), 'PROGRAM_BAD_SLICE', 'stores into the input T'],
  ['a load that converts', () => checkTileProgram(all((r, { a, p }) => r.load(a, p.tensor('T', 8, 4, 'fp32', 'input').at(0, 0, 8, 4)))), 'PROGRAM_SHAPE_MISMATCH', 'moves T in fp32 and a[0+8, 0+4] in fp16'],
  ['two buffers of a name', () => checkTileProgram(all((r, { a, p }) => r.copy(p.buffer('b', 8, 4, 'fp16'), a))), 'PROGRAM_BAD_NAME', 'Program it: two buffers are called b.'],
  ['a tile without a role', () => program(({ p }) => p.role('one', (x) => x === 0, (r) => r.wait([]))), 'PROGRAM_BAD_GROUP', 'Tile (1, 0) of group 2 × 2 has no role in program it.'],
  ['a tile in two roles', () => program(({ p }) => ['one', 'two'].forEach((name) => p.role(name, () => true, (r) => r.wait([])))), 'PROGRAM_BAD_GROUP', 'Tile (0, 0) is in role two and in role one.'],
  ['a parameter that there is not', () => program(({ p }) => p.parameter('head')), 'PROGRAM_UNKNOWN_NAME', 'Program it has no parameter head; it has none.'],
])('%s is refused', (_, run, code, message) => {
  expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
});

test('an L1 that is too small is told with every buffer and its bytes; at its size it is enough', () => {
  const p = summa({ width: 2, height: 2 }, [256, 256, 256], [128, 128, 128]);
  const bytes = 5 * 128 * 128 * 2;
  expect(l1BytesOf(p)).toEqual([bytes, bytes]);
  const small = (l1Bytes: number) => ({ ...hardware, tile: { ...hardware.tile, l1Bytes } });
  checkTileProgram(p, small(bytes));
  expect(() => checkTileProgram(p, small(bytes - 1))).toThrow(expect.objectContaining({
    code: 'PROGRAM_L1_OVERFLOW', context: { role: 'rowLoader columnLoader rows=128 columns=128', bytes, l1Bytes: bytes - 1 },
    message: `The buffers of role rowLoader columnLoader rows=128 columns=128 need ${bytes} bytes of L1, a tile has ${bytes - 1}: x[0] 32768, x[1] 32768, w[0] 32768, w[1] 32768, z 32768.`,
  }));
});

describe('collectives', () => {
  const row = (kind: 'multicast' | 'reduceSum' | 'barrier', body: (r: RoleWriter, id: number, setting: Setting, diagonal: boolean) => void, group = { width: 2, height: 2 }) => program((setting) => {
    const id = setting.p.collective('it', kind, 'row');
    setting.p.roles((x, y) => ({ diagonal: x === y % group.width }), (r, { diagonal }) => body(r, id, setting, diagonal));
  }, group);
  test.each<[string, () => unknown, string, string]>([
    ['a member that takes no part', () => checkTileProgram(row('multicast', (r, id, { a }, diagonal) => void (diagonal ? r.multicast(id, a) : r.wait([])))), 'PROGRAM_COLLECTIVE_MEMBERS', 'Collective it is awaited by role diagonal in row 0, but role other takes no part.'],
    ['a member that takes part twice', () => checkTileProgram(row('multicast', (r, id, { a }) => void [r.multicast(id, a), r.multicast(id, a)])), 'PROGRAM_COLLECTIVE_TWICE', 'is in rows 0 and 1 of role diagonal; a collective is used once'],
    ['a member with another shape', () => checkTileProgram(row('multicast', (r, id, { a }, diagonal) => void r.multicast(id, diagonal ? a : a.first(4, 4)))), 'PROGRAM_SHAPE_MISMATCH', 'has a[0+8, 0+4] and, in role other, a[0+4, 0+4] in row 0'],
    ['a multicast without receivers', () => checkTileProgram(row('multicast', (r, id, { a }) => void r.multicast(id, a), { width: 1, height: 2 })), 'PROGRAM_COLLECTIVE_ALONE', 'has one tile per row, so nobody receives'],
    ['a reduction of one', () => checkTileProgram(row('reduceSum', (r, id, { a, b }) => void r.reduce(id, a, b), { width: 1, height: 2 })), 'PROGRAM_COLLECTIVE_ALONE', 'there is nothing to join'],
    ['a reduction that is written as a barrier', () => checkTileProgram(row('reduceSum', (r, id) => void r.barrier(id))), 'PROGRAM_BAD_OPERATION', 'is a reduceSum, but row 0 of role diagonal is a barrier'],
    ['a role of which some are root', () => program(({ p, a }) => {
      const id = p.collective('it', 'multicast', 'row');
      p.role('all', () => true, (r) => r.multicast(id, a));
    }), 'PROGRAM_COLLECTIVE_ROOT', 'Some tiles of role all are roots of it and some are not: make two roles.'],
    ['a root outside the group', () => checkTileProgram(program(({ p, a }) => {
      const id = p.collective('it', 'multicast', 'row', { x: 2, y: 0 });
      p.role('all', () => true, (r) => r.multicast(id, a));
    })), 'PROGRAM_COLLECTIVE_ROOT', 'has its root at (2, 0), outside the group of 2 × 2'],
  ])('%s is refused', (_, run, code, message) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  test('routers must hold as many reductions as may be open at once: two scopes by one engine, two entries', () => {
    const p = program(({ p, a, b }) => {
      const [rows, columns] = [p.collective('rows', 'reduceSum', 'row'), p.collective('columns', 'reduceMax', 'column')];
      p.roles((x, y) => ({ root: x === y }), (r) => void r.reduce(columns, b, b, [r.reduce(rows, a, a)]));
    });
    const routers = (tableEntries: number): Hardware => ({ ...hardware, reduction: { inputsPerCycle: 2, latencyCycles: 1, tableEntries } });
    checkTileProgram(p, routers(2));
    expect(() => checkTileProgram(p, routers(1))).toThrow(expect.objectContaining({
      code: 'PROGRAM_TABLE_OVERFLOW', message: 'Program it may have 2 reductions in one router at once (row by fabric, column by fabric), whose table holds 1.',
    }));
  });
});

describe('messages', () => {
  const pair = (body: (r: RoleWriter, x: number, message: number, setting: Setting) => void) => program((setting) => {
    const message = setting.p.message();
    setting.p.roles((x) => ({ x }), (r, { x }) => body(r, x, message, setting));
  }, { width: 2, height: 1 });
  const east = { kind: 'relative', dx: 1, dy: 0 } as const;
  test.each<[string, () => unknown, string, string]>([
    ['that nobody receives', () => checkTileProgram(pair((r, x, message, { a }) => void (x === 0 ? r.send(message, a, east) : r.wait([])))), 'PROGRAM_UNMATCHED_SEND', 'Tile (0, 0) sends message 0 to tile (1, 0), whose role x=1 does not receive it.'],
    ['that nobody sends', () => checkTileProgram(pair((r, x, message, { a }) => void (x === 0 ? r.wait([]) : r.receive(message, a)))), 'PROGRAM_UNMATCHED_RECEIVE', 'Tile (1, 0) waits for message 0, which nobody sends to it.'],
    ['out of the group', () => checkTileProgram(pair((r, x, message, { a }) => void (x === 1 ? r.send(message, a, east) : r.wait([])))), 'PROGRAM_UNMATCHED_SEND', 'goes out of the group from tile (1, 0)'],
    ['of another shape', () => checkTileProgram(pair((r, x, message, { a }) => void (x === 0 ? r.send(message, a, east) : r.receive(message, a.first(2, 2))))), 'PROGRAM_SHAPE_MISMATCH', 'Message 0 takes a[0+8, 0+4] to a[0+2, 0+2].'],
    ['twice', () => checkTileProgram(pair((r, x, message, { a }) => void (x === 0 ? [r.send(message, a, east), r.send(message, a, east)] : r.receive(message, a)))), 'PROGRAM_MESSAGE_TWICE', 'Message 0 is in rows 0 and 1 of role x=0.'],
  ])('%s are refused', (_, run, code, message) => {
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});

describe('deadlock', () => {
  test('two barriers that two roles meet in other order, with operations and tiles that wait for each other', () => {
    const p = program(({ p }) => {
      const [one, two] = [p.collective('one', 'barrier', 'row'), p.collective('two', 'barrier', 'row')];
      p.roles((x) => ({ x }), (r, { x }) => (x === 0 ? [one, two] : [two, one]).forEach((id) => r.barrier(id)));
    });
    expect(() => checkTileProgram(p)).toThrow(expect.objectContaining({
      code: 'PROGRAM_CYCLE',
      message: 'barrier one (row 0 of role x=0) on tile (0, 0) waits for barrier one (row 1 of role x=1) on tile (1, 0) waits for barrier two (row 0 of role x=1) on tile (1, 0) waits for barrier two (row 1 of role x=0) on tile (0, 0), which waits for the first of these.',
    }));
  });

  test('a ring in which everyone receives before sending; with one who sends first it is none, though all are of one role or two', () => {
    const ring = (first: (x: number) => boolean) => program(({ p, a }) => {
      const message = p.message();
      p.roles((x) => ({ first: first(x) }), (r, { first }) => {
        const send = (after: RowId[]) => r.send(message, a, { kind: 'wrapped', dx: 1, dy: 0 }, after);
        if (first) r.receive(message, a, [send([])]);
        else send([r.receive(message, a)]);
      });
    }, { width: 5, height: 1 });
    checkTileProgram(ring((x) => x === 3));
    expect(() => checkTileProgram(ring(() => false))).toThrow(expect.objectContaining({ code: 'PROGRAM_CYCLE', context: expect.objectContaining({ tiles: 10 }) }));
  });

  test('a receive that holds up, on the same engine, the send that its sender waits for', () => {
    const swap = (on: TileEngine) => program(({ p, a, b }) => {
      const message = p.message();
      p.role('all', () => true, (r) => {
        r.receive(message, b, [], { on });
        r.send(message, a, { kind: 'wrapped', dx: 1, dy: 0 });
      });
    }, { width: 2, height: 1 });
    checkTileProgram(swap('control'));
    expect(() => checkTileProgram(swap('fabric'))).toThrow(expect.objectContaining({ code: 'PROGRAM_CYCLE' }));
  });

  test('across groups it is found when they are placed', () => {
    const ring = (sendFirst: boolean) => {
      const p = new TileProgramBuilder('ring of groups', { width: 1, height: 1 }, ['next']);
      const a = p.buffer('a', 1, 1, 'fp16');
      const message = p.message();
      const tile = p.affine(p.parameter('next'));
      p.role('all', () => true, (r) => {
        if (sendFirst) r.receive(message, a, [r.send(message, a, { kind: 'tile', tile })]);
        else r.send(message, a, { kind: 'tile', tile }, [r.receive(message, a)]);
      });
      const program = p.finish();
      checkTileProgram(program);
      return instantiate(program, hardware, { groups: [0, 1, 2].map((x) => ({ die: 0, x, y: 0, parameters: { next: (x + 1) % 3 } })) });
    };
    expect(ring(true).instances).toBe(3);
    expect(() => ring(false)).toThrow(expect.objectContaining({ code: 'PROGRAM_CYCLE' }));
  });
});

test('queues: every row once, in the order of its engine, and started by counts exactly when its dependencies are done', () => {
  const tables: OperationTable[] = [summa({ width: 2, height: 2 }, [4, 4, 8], [2, 2, 2]), flatAttention({ width: 2, height: 2 }, 1, { queries: 4, sliceRows: 2, keys: 8, sliceKeys: 2, width: 2 }), ringAllReduce(4, 1)].flatMap(({ roles }) => roles.map(({ table }) => table));
  fc.assert(fc.property(fc.constantFrom(...tables), fc.array(fc.nat(ENGINES - 1), { maxLength: 300 }), (table, turns) => {
    const { start, rows, needs, placeInQueue } = queuesOf(table);
    expect([...rows].sort((p, q) => p - q)).toEqual(Array.from({ length: table.operations }, (_, row) => row));
    const completed = new Uint32Array(ENGINES);
    const done = new Set<number>();
    for (const engine of turns) {
      const entry = start[engine]! + completed[engine]!;
      if (entry === start[engine + 1]) continue;
      const row = rows[entry]!;
      expect([table.engine[row], placeInQueue[row]]).toEqual([engine, completed[engine]]);
      const byCounts = Array.from(completed, (count, e) => count >= needs[entry * ENGINES + e]!).every(Boolean);
      const byRows = Array.from(table.dependsOn.subarray(table.dependsOnStart[row], table.dependsOnStart[row + 1]), (earlier) => done.has(earlier)).every(Boolean);
      expect(byCounts).toBe(byRows);
      if (!byRows) continue;
      completed[engine]!++;
      done.add(row);
    }
  }));
});

test('a compiled program knows roots and members of every scope', () => {
  const { root, firstScope, members, scopes, collectiveRow } = compileProgram(summa({ width: 3, height: 2 }, [4, 6, 2], [2, 2, 2]));
  // X along 2 rows, W down 3 columns, one barrier.
  expect([...firstScope]).toEqual([0, 2, 5]);
  expect(scopes).toBe(6);
  expect([...members]).toEqual([3, 2, 6]);
  expect([...root.subarray(0, 5)]).toEqual([0, 4, 0, 4, 2]);
  expect(collectiveRow).toHaveLength(3 * 3);
  expect(tileEngines).toHaveLength(ENGINES);
});
