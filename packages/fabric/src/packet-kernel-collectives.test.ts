import type { Hardware, ReductionSpec } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE } from './fabric.ts';
import { NEVER } from './kernel-state.ts';
import { kernelOf, machine, outcome, randomTraffic, runWafer, type Shipment } from './laboratory.ts';
import type { PacketKernel } from './packet-kernel.ts';
import { EAST, LOCAL, SOUTH } from './ports.ts';
import { planMulticast, planReduction } from './routes/collective-plans.ts';

const classes = [CLASS_RESPONSE, CLASS_REDUCTION];
const combine = (choice: Partial<ReductionSpec> = {}): { reduction: ReductionSpec } => ({ reduction: { inputsPerCycle: 2, latencyCycles: 0, tableEntries: 16, ...choice } });

/** Clusters joined by 512-bit links, one cycle per hop, bursts of 4 KiB. */
const clusters = (c: number, r: number, reduction: Partial<ReductionSpec> = {}): Hardware =>
  machine({ tilesX: c, tilesY: r, link: { bytesPerCycle: 64 }, localLink: { bytesPerCycle: 64 }, more: combine(reduction) });

interface Seen {
  readonly cycle: number;
  readonly tile: number;
  readonly bytes: number;
  readonly source: number;
  readonly sequence: number;
  readonly trafficClass: number;
  readonly tree: number;
  readonly entered: number;
}

/** Lets `send` act at cycle 0 and runs until the fabric is empty. */
function deliveriesOf(kernel: PacketKernel, send: () => void): Seen[] {
  const seen: Seen[] = [];
  for (let cycle = 0; cycle !== NEVER; cycle = kernel.nextCycle()) {
    kernel.beginCycle(cycle);
    for (let row = 0; row < kernel.delivered; row++) {
      seen.push({
        cycle, tile: kernel.deliveredTile[row]!, bytes: kernel.deliveredBytes[row]!, source: kernel.deliveredSource[row]!, sequence: kernel.deliveredSequence[row]!,
        trafficClass: kernel.deliveredClass[row]!, tree: kernel.deliveredTree[row]!, entered: kernel.deliveredEntered[row]!,
      });
    }
    if (cycle === 0) send();
    kernel.decide();
  }
  kernel.assertQuiescent();
  return seen;
}

/** Sizes of the packets that carry so many bytes. */
const bursts = (bytes: number): number[] => Array.from({ length: Math.ceil(bytes / 4096) }, (_, i) => Math.min(4096, bytes - i * 4096));
const whole = (c: number, r: number) => ({ x: 0, y: 0, width: c, height: r });
const last = (seen: readonly Seen[]): number => Math.max(...seen.map(({ cycle }) => cycle));

function multicastCycles(c: number, r: number, bytes: number): number {
  const hardware = clusters(c, r);
  const kernel = kernelOf(hardware);
  const tree = kernel.defineMulticast(planMulticast(hardware, 0, 0, whole(c, r)));
  const seen = deliveriesOf(kernel, () => bursts(bytes).forEach((size, i) => kernel.multicast(tree, 0, size, i)));
  expect(seen.length).toBe(c * r * bursts(bytes).length);
  return last(seen);
}

function reductionCycles(c: number, r: number, bytes: number, choice: Partial<ReductionSpec> = {}): number {
  const hardware = clusters(c, r, choice);
  const kernel = kernelOf(hardware, 0, { classes });
  const tree = kernel.defineReduction(planReduction(hardware, 0, 0, whole(c, r)));
  const seen = deliveriesOf(kernel, () => bursts(bytes).forEach((size, i) => {
    for (let tile = 0; tile < c * r; tile++) kernel.contribute(tree, tile, 0, size, i);
  }));
  expect(seen.map(({ bytes: size, sequence }) => [size, sequence])).toEqual(bursts(bytes).map((size, i) => [size, i]));
  return last(seen);
}

describe('a multicast', () => {
  test.each([[1, 1], [4, 1], [1, 4], [4, 4], [7, 3], [16, 16]])('to %i x %i clusters takes L + (c - 1) + (r - 1) cycles and a constant', (c, r) => {
    for (const bytes of [64, 1024, 4096, 32_768]) expect(multicastCycles(c, r, bytes)).toBe(1 + bytes / 64 + (c - 1) + (r - 1));
  });

  test('leaves a router by several outputs in the same cycle, and crosses each link of its tree once', () => {
    const hardware = clusters(3, 3);
    const kernel = kernelOf(hardware);
    const tree = kernel.defineMulticast(planMulticast(hardware, 0, 4, whole(3, 3)));
    const seen = deliveriesOf(kernel, () => kernel.multicast(tree, 0, 64, 0));
    expect(seen.map(({ tile, cycle }) => [tile, cycle]).sort((a, b) => a[0]! - b[0]!)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8].map((tile) => [tile, 2 + Math.abs((tile % 3) - 1) + Math.abs(Math.floor(tile / 3) - 1)]));
    expect(kernel.linkHops).toBe(8);
    expect(kernel.flitHops).toBe(8);
  });

  test('has branches that advance independently: one waits, the others do not', () => {
    // Tile 1 of a row of 4 multicasts to all; the link east of tile 1 is held up by traffic to tile 3.
    const hardware = machine({ tilesX: 4, tilesY: 1, link: { credits: 32, creditCycles: 500 } });
    const kernel = kernelOf(hardware);
    const tree = kernel.defineMulticast(planMulticast(hardware, 0, 1, whole(4, 1)));
    const seen = deliveriesOf(kernel, () => {
      for (let i = 0; i < 2; i++) kernel.inject(1, 3, 0, 4096, i);
      kernel.multicast(tree, 0, 4096, 2);
    }).filter(({ sequence }) => sequence === 2);
    const at = (tile: number): number => seen.find((row) => row.tile === tile)!.cycle;
    expect(at(0)).toBeLessThan(at(2) - 400);
    expect(at(0)).toBe(at(1) + 1);
  });

  test('is acknowledged once, after the last receiver has it, on the response class', () => {
    for (const [c, r] of [[1, 1], [4, 1], [4, 4], [3, 5]] as const) {
      const hardware = clusters(c, r);
      const kernel = kernelOf(hardware, 0, { classes: [CLASS_RESPONSE] });
      const tree = kernel.defineMulticast(planMulticast(hardware, 0, 0, whole(c, r)), { acknowledged: true });
      const isAcknowledgement = ({ trafficClass }: Seen): boolean => trafficClass === CLASS_RESPONSE;
      const once = deliveriesOf(kernel, () => kernel.multicast(tree, 0, 4096, 0));
      expect(once.filter(isAcknowledgement).length).toBe(1);
      const arrived = last(once.filter((row) => !isAcknowledgement(row)));
      // Back over as many links as the farthest receiver is away, and twice the link of a tile.
      expect(once.find(isAcknowledgement)!.cycle).toBe(arrived + 2 + (c - 1) + (r - 1));
      kernel.startKernel();
      const seen = deliveriesOf(kernel, () => [0, 1, 2].forEach((i) => kernel.multicast(tree, 0, 4096, i)));
      expect(seen.filter(isAcknowledgement).map(({ tile, tree: id, source, sequence, bytes }) => [tile, id, source, sequence, bytes])).toEqual([0, 1, 2].map((i) => [0, tree, 0, i, 0]));
      for (const { sequence, cycle } of seen.filter(isAcknowledgement)) {
        expect(cycle).toBeGreaterThan(last(seen.filter((row) => row.sequence === sequence && !isAcknowledgement(row))));
      }
    }
  });
});

describe('a reduction', () => {
  test.each([2, 4, 16])('along a row of %i runs at one beat per cycle', (c) => {
    for (const bytes of [64, 2048, 4096, 32_768]) expect(reductionCycles(c, 1, bytes)).toBe(1 + bytes / 64 + (c - 1));
  });

  test('in two dimensions runs at one beat per two cycles', () => {
    for (const n of [2, 4, 8]) {
      const slope = (reductionCycles(n, n, 65_536) - reductionCycles(n, n, 32_768)) / 512;
      expect(slope).toBe(2);
    }
    const ratio = (reductionCycles(4, 4, 32_768) + 28) / (reductionCycles(4, 1, 32_768) + 28); // 30 cycles of a transfer's fixed cost
    expect(ratio).toBeGreaterThan(1.85);
    expect(ratio).toBeLessThan(1.95);
  });

  test('adds the latency of each router that joins', () => {
    expect(reductionCycles(5, 1, 1024, { latencyCycles: 3 }) - reductionCycles(5, 1, 1024)).toBe(5 * 3 - 3); // the far end has one input
  });

  test('starts late and pauses after every page where the hardware says so', () => {
    const plain = reductionCycles(4, 1, 32_768);
    expect(reductionCycles(4, 1, 32_768, { startCycles: 21, pageBytes: 4096, pageGapCycles: 7 })).toBe(plain + 21 + 7 * 7);
    expect(reductionCycles(4, 1, 2048, { startCycles: 21, pageBytes: 4096, pageGapCycles: 7 })).toBe(reductionCycles(4, 1, 2048) + 21);
  });

  test('pauses from the end of the join of a page, so that a slow join does not hide the gap', () => {
    const gap = { startCycles: 21, pageBytes: 4096, pageGapCycles: 7 };
    const pages = 8;
    // 3 inputs of 64 flits take 128 cycles and 7 more before the next page of the tile itself.
    expect(reductionCycles(4, 4, pages * 4096, gap) - reductionCycles(4, 4, 4096, gap)).toBe((pages - 1) * (128 + 7));
    expect(reductionCycles(4, 1, pages * 4096, gap) - reductionCycles(4, 1, 4096, gap)).toBe((pages - 1) * (64 + 7));
    expect(reductionCycles(1, 4, pages * 4096, gap) - reductionCycles(1, 4, 4096, gap)).toBe((pages - 1) * (64 + 7));
    expect(reductionCycles(4, 4, 4 * 4096, { ...gap, tableEntries: 1 })).toBeLessThanOrEqual(1.1 * reductionCycles(4, 4, 4 * 4096, gap));
  });

  test('lands packet by packet, each once it is complete, where the hardware says so', () => {
    for (const bytes of [64, 2048, 4096, 10_000, 32_768]) {
      const last = bytes % 4096 === 0 ? 4096 : bytes % 4096;
      expect(reductionCycles(4, 1, bytes, { landingBytesPerCycle: 512 })).toBe(reductionCycles(4, 1, bytes) + Math.ceil(last / 512));
    }
    const kernel = kernelOf(clusters(2, 2, { landingBytesPerCycle: 1 }), 0, { classes });
    const tree = kernel.defineMulticast(planMulticast(clusters(2, 2), 0, 0, whole(2, 2)));
    expect(last(deliveriesOf(kernel, () => kernel.multicast(tree, 0, 4096, 0)))).toBe(multicastCycles(2, 2, 4096));
  });

  test('with a table of one place goes on at the same pace', () => {
    expect(reductionCycles(4, 1, 32_768, { tableEntries: 1 })).toBe(reductionCycles(4, 1, 32_768));
    expect(reductionCycles(4, 4, 32_768, { tableEntries: 1 })).toBeLessThan(1.1 * reductionCycles(4, 4, 32_768));
  });

  test('waits for the last contribution, and names the root as its source', () => {
    const hardware = clusters(3, 1);
    const kernel = kernelOf(hardware, 0, { classes });
    const tree = kernel.defineReduction(planReduction(hardware, 0, 2, whole(3, 1)));
    kernel.beginCycle(0);
    kernel.contribute(tree, 0, 0, 64, 5);
    kernel.contribute(tree, 1, 0, 64, 5);
    kernel.decide();
    for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
      kernel.beginCycle(cycle);
      expect(kernel.delivered).toBe(0);
      kernel.decide();
    }
    expect(kernel.livePackets).toBe(1);
    kernel.beginCycle(100);
    kernel.contribute(tree, 2, 0, 64, 5);
    kernel.decide();
    for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
      kernel.beginCycle(cycle);
      if (kernel.delivered > 0) expect([cycle, kernel.deliveredTile[0], kernel.deliveredSource[0], kernel.deliveredSequence[0], kernel.deliveredTree[0]]).toEqual([102, 2, 2, 5, tree]);
      kernel.decide();
    }
    expect(kernel.deliveredPackets).toBe(1);
    kernel.assertQuiescent();
  });
});

describe('a barrier', () => {
  test.each([[1, 1], [4, 1], [4, 4], [8, 8]])('of %i x %i clusters releases all of them, once the last has come', (c, r) => {
    const hardware = clusters(c, r);
    const kernel = kernelOf(hardware, 0, { classes });
    const root = Math.floor(r / 2) * c + Math.floor(c / 2);
    const barrier = kernel.defineBarrier(planReduction(hardware, 0, root, whole(c, r)), planMulticast(hardware, 0, root, whole(c, r)));
    const seen = deliveriesOf(kernel, () => {
      for (let tile = 0; tile < c * r; tile++) kernel.contribute(barrier, tile, 0, 0, 9);
    });
    expect(seen.map(({ tile }) => tile).sort((a, b) => a - b)).toEqual(Array.from({ length: c * r }, (_, tile) => tile));
    expect(seen.every(({ tree, sequence, bytes }) => tree === barrier && sequence === 9 && bytes === 0)).toBe(true);
    const far = Math.floor(c / 2) + Math.floor(r / 2);
    expect(last(seen)).toBeGreaterThanOrEqual(4 + 2 * far);
    expect(last(seen)).toBeLessThanOrEqual(4 + 3 * far); // routers with three inputs take two cycles
  });
});

describe.each([1, 2, 8])('with %i virtual channels, collectives amid other traffic', (virtualChannels) => {
  const side = 5;
  const link = { virtualChannels, maxPacketBytes: 512, credits: 6 };
  const plain = machine({ tilesX: side, tilesY: side, link, more: { ...combine({ latencyCycles: 2, tableEntries: 6 }), router: { setupCycles: 1 } } });
  // Rows are reduced to any place in them; columns are multicast to, from any place; both with sizes of their own.
  const roots = [3, 7, 10, 18, 22];
  const trees = (kernel: PacketKernel): void => {
    roots.forEach((root, row) => kernel.defineReduction(planReduction(plain, 0, root, { x: 0, y: row, width: side, height: 1 })));
    roots.forEach((root, i) => kernel.defineMulticast(planMulticast(plain, 0, root, { x: i, y: 0, width: side - i, height: side })));
    kernel.defineMulticast(planMulticast(plain, 0, 12, { x: 1, y: 1, width: 3, height: 4 }), { acknowledged: true });
  };
  const acknowledged = 11;

  /** Each tree is used several times, at random cycles; every tile contributes in the order of sequences. */
  function collectives(seed: number): Shipment[] {
    const draws = randomTraffic(seed, 400, side * side, { cycles: 150, maxBytes: 512 });
    const sizeOf = (tree: number, sequence: number): number => 1 + ((tree * 131 + sequence * 57 + seed) % 512);
    const next = new Map<number, number>();
    return draws.flatMap((shipment, i): Shipment[] => {
      if (i % 4 > 0) return [{ ...shipment, trafficClass: i % 4 === 1 ? CLASS_RESPONSE : CLASS_REQUEST }];
      const tree = shipment.to % 11 === 10 ? acknowledged : shipment.to % 11;
      const sequence = next.get(tree) ?? 0;
      next.set(tree, sequence + 1);
      const bytes = sizeOf(tree, sequence);
      const { cycle } = shipment;
      if (tree >= 5) return [{ cycle, from: 0, to: 0, bytes, channel: 0, collective: { kind: 'multicast', tree, sequence } }];
      return Array.from({ length: side }, (_, x) => ({ cycle: cycle + ((x * 13) % 7), from: tree * side + x, to: 0, bytes, channel: 0, collective: { kind: 'contribute' as const, tree, sequence } }));
    }).sort((a, b) => a.cycle - b.cycle);
  }

  test('each receiver gets one copy and each root one result, and neither visits, nor a save, nor small buffers show', () => {
    fc.assert(fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 250 }), (seed, saveAt) => {
      const traffic = collectives(seed);
      const choice = { classes, trees };
      const run = runWafer(plain, traffic, choice);
      const copies = (tree: number): number => (tree < 5 ? 1 / side : tree < 10 ? (side - (tree - 5)) * side : 3 * 4 + 1);
      const expected = traffic.reduce((sum, { collective }) => sum + (collective === undefined ? 1 : copies(collective.tree)), 0);
      expect(run.deliveries.length).toBe(Math.round(expected));
      for (const kernel of run.kernels) kernel.assertQuiescent();
      const before = outcome(run);
      expect(outcome(runWafer(plain, traffic, { ...choice, reverseVisits: true }))).toEqual(before);
      expect(outcome(runWafer(plain, traffic, { ...choice, saveAt }))).toEqual(before);
    }), { numRuns: 6 });
  });
});

describe('a tree that is none is refused:', () => {
  const hardware = clusters(3, 2);
  const kernel = kernelOf(hardware, 0, { classes });
  const { root, forks, receivers } = planMulticast(hardware, 0, 0, whole(3, 2));
  const { inputs, out, contributors } = planReduction(hardware, 0, 0, whole(3, 2));
  const changed = (column: Uint8Array, at: number, value: number): Uint8Array => column.with(at, value);

  test.each([
    ['a root off the die', { root: 6, forks, receivers }],
    ['a row too few', { root, forks: forks.slice(1), receivers }],
    ['a router that is not reached', { root: 1, forks: new Uint8Array(6).fill(1 << LOCAL), receivers }],
    ['one that is reached twice', { root, forks: changed(forks, 3, forks[3]! | (1 << EAST)), receivers }],
    ['a branch off the die', { root, forks: changed(forks, 2, forks[2]! | (1 << EAST)), receivers }],
    ['a branch that ends nowhere', { root, forks: changed(forks, 5, 0), receivers }],
    ['a number of receivers that it has not', { root, forks, receivers: receivers - 1 }],
  ])('a multicast with %s', (_what, plan) => {
    expect(() => kernel.defineMulticast(plan)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_TREE' }));
  });

  test.each([
    ['no root', { root, inputs, out: changed(out, 0, EAST), contributors }],
    ['an input that nobody sends to', { root, inputs: changed(inputs, 3, inputs[3]! | (1 << SOUTH)), out, contributors }],
    ['an output that nobody expects', { root, inputs, out: changed(out, 4, EAST), contributors }],
    ['inputs without an output', { root, inputs, out: changed(out, 5, 255), contributors }],
  ])('a reduction with %s', (_what, plan) => {
    expect(() => kernel.defineReduction(plan)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_TREE' }));
  });

  test('and so are classes without buffers, tiles that do not contribute, ids of something else', () => {
    const plainKernel = kernelOf(hardware);
    expect(() => plainKernel.defineReduction({ root, inputs, out, contributors })).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
    expect(() => plainKernel.defineMulticast({ root, forks, receivers }, { acknowledged: true })).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_OPTION' }));
    kernel.beginCycle(0);
    const tree = kernel.defineReduction(planReduction(hardware, 0, 0, { x: 0, y: 0, width: 2, height: 1 }));
    for (const tile of [2, 6, -1]) expect(() => kernel.contribute(tree, tile, 0, 64, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_TREE' }));
    expect(() => kernel.multicast(tree, 0, 64, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_TREE' }));
    expect(() => kernel.contribute(99, 0, 0, 64, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_TREE' }));
    expect(() => kernel.contribute(tree, 0, 0, 5000, 0)).toThrow(expect.objectContaining({ code: 'FABRIC_BAD_PAYLOAD' }));
    kernel.decide();
    kernel.assertQuiescent();
  });
});
