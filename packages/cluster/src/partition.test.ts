import { presetHardware } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KernelRunner } from './kernel-runner.ts';
import { wafer } from './laboratory.ts';
import { partitionOf, partitionWafer } from './partition.ts';

const grid = (diesX: number, diesY: number): ReturnType<typeof wafer> => wafer({ diesX, diesY, tilesX: 2, tilesY: 2, shape: 'edge', dieLinkCycles: 5, packetFlits: 1, spareCredits: 0 });

test('every die has one process, runs of dies are contiguous, and no process has two dies more than another', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (diesX, diesY, draw) => {
    const count = diesX * diesY;
    const nodes = 1 + (draw % count);
    const { diesOfRank, rankOfDie } = partitionWafer(grid(diesX, diesY), nodes);
    expect(diesOfRank).toHaveLength(nodes);
    expect(diesOfRank.flat()).toEqual(Array.from({ length: count }, (_, die) => die));
    const sizes = diesOfRank.map((list) => list.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    diesOfRank.forEach((list, rank) => list.forEach((die) => expect(rankOfDie[die]).toBe(rank)));
  }));
});

test('as many processes as dies are possible, one more is not, and the message names both numbers', () => {
  const hardware = presetHardware('flat-wafer-8');
  expect(partitionWafer(hardware, 8).diesOfRank).toHaveLength(8);
  for (const nodes of [9, 0, -1, 1.5, NaN]) {
    expect(() => partitionWafer(hardware, nodes)).toThrow(expect.objectContaining({ code: 'CLUSTER_TOO_MANY_NODES', context: { dies: 8, nodes } }) as Error);
  }
  expect(() => partitionWafer(hardware, 9)).toThrow(/has 8 dies, so 1 to 8 node processes can share it, got 9/);
  expect(() => partitionWafer(presetHardware('mesh-8x8'), 2)).toThrow(/has 1 die, so 1 to 1/);
});

test.each([[[[0, 0], [1]]], [[[0], [2]]], [[[0, 1], [1, 2]]]])('%j is no partition', (lists) => {
  expect(() => partitionOf(lists)).toThrow(/each die exactly once/);
});

test('neighbours are mutual, and are those whose dies touch', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(3), { minLength: 16, maxLength: 16 }), (diesX, diesY, owners) => {
    const lists: number[][] = [[], [], [], []];
    for (let die = 0; die < diesX * diesY; die++) lists[owners[die]!]!.push(die);
    const partition = partitionOf(lists.filter((list) => list.length > 0));
    const hardware = grid(diesX, diesY);
    const expected = partition.diesOfRank.map(() => new Set<number>());
    for (let a = 0; a < diesX * diesY; a++) {
      for (let b = 0; b < diesX * diesY; b++) {
        const steps = Math.abs((a % diesX) - (b % diesX)) + Math.abs(Math.floor(a / diesX) - Math.floor(b / diesX));
        if (steps === 1 && partition.rankOfDie[a] !== partition.rankOfDie[b]) expected[partition.rankOfDie[a]!]!.add(partition.rankOfDie[b]!);
      }
    }
    expected.forEach((ranks, rank) => expect(KernelRunner.neighbours(partition, hardware, rank)).toEqual([...ranks].sort((a, b) => a - b)));
  }));
});
