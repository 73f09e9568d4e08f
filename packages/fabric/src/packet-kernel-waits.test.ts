import type { Hardware } from '@kerf/hardware';
import { describe, expect, test } from 'vitest';
import { dieTopology, type DieTopology } from './die-topology.ts';
import { CLASS_REDUCTION } from './fabric.ts';
import { NEVER } from './kernel-state.ts';
import { kernelOf, machine } from './laboratory.ts';
import { linkWarnings } from './link-warnings.ts';
import { PacketKernel } from './packet-kernel.ts';
import { EAST, LOCAL, NORTH, SOUTH, WEST } from './ports.ts';
import { planReduction } from './routes/collective-plans.ts';

function runOut(kernel: PacketKernel, until = NEVER): void {
  for (let cycle = kernel.nextCycle(); cycle < until; cycle = kernel.nextCycle()) {
    kernel.beginCycle(cycle);
    kernel.decide();
  }
}

/** Four tiles in a ring that all turn clockwise: the plainest circle of channels. */
function ring(virtualChannels: number): DieTopology {
  const hardware = machine({ tilesX: 2, tilesY: 2, link: { credits: 4, maxPacketBytes: 512, virtualChannels } });
  const clockwise = [EAST, SOUTH, NORTH, WEST];
  return { ...dieTopology(hardware, 0), routes: { port: (router, target) => (router === target ? LOCAL : clockwise[router]!), reaches: () => true } };
}

test.each([1, 2])('packets that wait for each other in a circle are named in its order, with %i virtual channels', (virtualChannels) => {
  const kernel = new PacketKernel(ring(virtualChannels), { channels: 1 });
  kernel.beginCycle(0);
  for (let tile = 0; tile < 4; tile++) for (let packet = 0; packet < 9; packet++) kernel.inject(tile, [2, 0, 3, 1][tile]!, 0, 512, packet);
  kernel.decide();
  runOut(kernel);
  expect(kernel.livePackets).toBeGreaterThan(0);
  const lines = kernel.explainWaiting(20);
  expect(lines[0]).toBe('4 packets wait for each other in a circle');
  const places = lines.slice(1, 5).map((line) => /^(tile \(\d,\d\), from \w+(?:, lane 0)?): (packet \d of tile \d) waits for a credit on \w+ \(needs 4, has 0\), held by (packet \d of tile \d) at (.+)$/.exec(line)!.slice(1));
  places.forEach(([place, packet], i) => {
    const before = places[(i + 3) % 4]!;
    expect([before[2], before[3]]).toEqual([packet, place]);
  });
  expect(kernel.explainWaiting(3).length).toBe(3);
  expect(kernel.explainWaiting(0)).toEqual([]);
});

test('a chain is followed to who holds it', () => {
  const kernel = kernelOf(machine({ tilesX: 4, tilesY: 1, link: { credits: 32, creditCycles: 5000 } }));
  kernel.beginCycle(0);
  for (let packet = 0; packet < 4; packet++) kernel.inject(0, 3, 0, 4096, packet);
  kernel.decide();
  runOut(kernel, 3000);
  expect(kernel.explainWaiting(9)).toEqual(['tile (0,0): packet 1 of tile 0 waits for a credit on east (needs 32, has 0)']);
});

test('a reduction that lacks a contribution says whose', () => {
  const hardware = machine({ tilesX: 3, tilesY: 1 });
  const kernel = kernelOf(hardware, 0, { classes: [CLASS_REDUCTION] });
  const tree = kernel.defineReduction(planReduction(hardware, 0, 0, { x: 0, y: 0, width: 3, height: 1 }));
  kernel.beginCycle(0);
  kernel.contribute(tree, 0, 0, 64, 4);
  kernel.contribute(tree, 1, 0, 64, 4);
  kernel.decide();
  runOut(kernel);
  expect(kernel.explainWaiting(9)).toEqual([
    `tile (0,0): packet 4 of the reduction ${tree} to tile 0 waits for the contribution of east`,
    `tile (1,0): packet 4 of the reduction ${tree} to tile 0 waits for the contribution of east`,
  ]);
});

test('a full table of reductions says so', () => {
  const hardware = machine({ tilesX: 2, tilesY: 1, more: { reduction: { inputsPerCycle: 2, latencyCycles: 0, tableEntries: 1 } } });
  const kernel = kernelOf(hardware, 0, { classes: [CLASS_REDUCTION] });
  const trees = [0, 1].map((root) => kernel.defineReduction(planReduction(hardware, 0, root, { x: 0, y: 0, width: 2, height: 1 })));
  kernel.beginCycle(0);
  kernel.contribute(trees[0]!, 0, 0, 64, 0);
  kernel.contribute(trees[1]!, 0, 0, 64, 1);
  kernel.contribute(trees[1]!, 1, 0, 64, 1);
  kernel.decide();
  runOut(kernel);
  // At tile 0 nothing of the second is joined: it passes through.
  expect(kernel.deliveredPackets).toBe(1);
  kernel.beginCycle(100);
  const third = kernel.defineReduction(planReduction(hardware, 0, 0, { x: 0, y: 0, width: 2, height: 1 }));
  kernel.contribute(third, 0, 0, 64, 2);
  kernel.decide();
  runOut(kernel);
  expect(kernel.explainWaiting(1)).toEqual([expect.stringMatching(/^tile \(0,0\), lane 1: packet 2 of the reduction 2 to tile 0 waits for room in the table of reductions, where 1 are open$/)]);
});

test('a packet that others pass again and again is noticed, and none that simply waits', () => {
  // The link east of tile 1 has room for one large packet, but small ones always take a part of it first.
  const hardware = machine({ tilesX: 3, tilesY: 1, link: { credits: 32 } });
  const kernel = kernelOf(hardware);
  let sequence = 0;
  for (let cycle = 0; cycle < 3000; cycle++) {
    kernel.beginCycle(cycle);
    if (cycle === 20) kernel.inject(0, 2, 0, 4096, 999_999);
    kernel.inject(1, 2, 0, 128, sequence++);
    kernel.decide();
  }
  expect(kernel.explainStarvation(2000, 5)).toEqual([expect.stringMatching(/^tile \(1,0\), from west: packet 999999 of tile 0 has waited 29\d\d cycles for east, which served others meanwhile$/)]);
  expect(kernel.explainStarvation(3000, 5)).toEqual([]);
  expect(kernel.explainStarvation(2000, 0)).toEqual([]);
});

describe('a credit window', () => {
  const dies = (credits: number | undefined, creditCycles?: number): Hardware => machine({
    tilesX: 1, tilesY: 1, diesX: 2, link: { maxPacketBytes: 256 },
    d2d: { shape: 'edge', link: { bytesPerCycle: 64, cycles: 100, picojoulesPerByteHop: 1, ...(credits === undefined ? {} : { credits }), ...(creditCycles === undefined ? {} : { creditCycles }) } },
  });

  test('of bandwidth x round trip and a packet is enough, one flit less is warned of', () => {
    // 200 cycles at half a flit per cycle, and two flits.
    expect(linkWarnings(dies(undefined))).toEqual([]);
    expect(linkWarnings(dies(102))).toEqual([]);
    expect(linkWarnings(dies(101))).toEqual([expect.objectContaining({ path: 'd2d.link', creditFlits: 101, enoughFlits: 102 })]);
    expect(linkWarnings(dies(51))[0]!.message).toMatch(/at most 50 % of the bandwidth/);
    expect(linkWarnings(dies(62, 20))).toEqual([]);
    expect(linkWarnings(machine({ tilesX: 2, tilesY: 2 }))).toEqual([]);
  });
});
