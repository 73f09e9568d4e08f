import { expect, test } from 'vitest';
import { machine } from '../laboratory.ts';
import { planReduction } from './collective-plans.ts';
import { checkConcurrentReductions } from './concurrent-reductions.ts';

const mesh = machine({ tilesX: 8, tilesY: 8 });
const rows = Array.from({ length: 8 }, (_, y) => ({ plan: planReduction(mesh, 0, 9 * y, { x: 0, y, width: 8, height: 1 }) }));

test('reductions over disjoint rows can run at once, with one entry', () => {
  checkConcurrentReductions(mesh, rows, 1);
  checkConcurrentReductions(mesh, rows.map((row) => ({ ...row, openPackets: 8 })), 1);
  checkConcurrentReductions(mesh, [], 1);
});

test('overlapping regions are refused, with both and the tile', () => {
  const column = { plan: planReduction(mesh, 0, 0, { x: 3, y: 0, width: 1, height: 8 }) };
  expect(() => checkConcurrentReductions(mesh, [...rows, column], 16)).toThrow(expect.objectContaining({
    code: 'FABRIC_OVERLAPPING_REDUCTIONS',
    message: 'The reductions of 8 x 1 tiles at (0, 0) into (0, 0) and of 1 x 8 tiles at (3, 0) into (0, 0) overlap: tile (3, 0) contributes to both at once. Reductions that run at the same time have disjoint regions; run one after the other.',
  }));
});

test('trees that meet where only one of them joins need one entry', () => {
  // Columns {0, 4}, {1, 5}, {2, 6}, {3, 7}, into the north-west corner: along row 0 each passes through the others' columns.
  const combs = [0, 1, 2, 3].map((x) => ({ plan: planReduction(mesh, 0, 0, { x, y: 0, columnMask: 4, rowMask: 7 }), openPackets: 4 }));
  checkConcurrentReductions(mesh, combs, 1);
});

test('a table is closed at one open reduction too many, and open at as many as it has entries', () => {
  const halves = [[1, 8], [2, 16], [3, 24]].map((tiles) => ({ plan: planReduction(mesh, 0, 0, tiles) }));
  checkConcurrentReductions(mesh, halves, 3);
  expect(() => checkConcurrentReductions(mesh, halves, 2)).toThrow(expect.objectContaining({ code: 'FABRIC_REDUCTION_TABLE', context: { router: 0, open: 3, tableEntries: 2 } }));
  const ahead = halves.slice(0, 2).map((half) => ({ ...half, openPackets: 3 }));
  checkConcurrentReductions(mesh, ahead, 6);
  expect(() => checkConcurrentReductions(mesh, ahead, 5)).toThrow(
    'Router (0, 0) would join 6 open reductions at once, and its table has 5 entries (reduction.tableEntries): of the tiles 1, 8 into (0, 0); of the tiles 2, 16 into (0, 0). Run fewer at a time, or let tiles send fewer packets ahead.',
  );
});
