import { manhattan } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dieTopology } from '../die-topology.ts';
import { CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE, type MulticastPlan } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { machine } from '../laboratory.ts';
import { EAST, LOCAL, NORTH, SOUTH, WEST } from '../ports.ts';
import { hash32 } from '../uniform-traffic.ts';
import { FlitKernel } from './flit-kernel.ts';
import { meshKernel, runOpenLoop } from './laboratory.ts';
import { flitPipelines, parseFlitPipeline, routerCycles, type FlitPipeline } from './pipeline.ts';

const few = { numRuns: 60 };
const stage = (least: number): fc.Arbitrary<number> => fc.integer({ min: least, max: 4 });
const pipelines: fc.Arbitrary<FlitPipeline> = fc.oneof(
  fc.constantFrom(flitPipelines.A, flitPipelines.B),
  fc.record({ routing: stage(0), vcAllocation: stage(1), switchAllocation: stage(1), switchTraversal: stage(0), creditDelay: stage(0), lookAhead: fc.boolean(), speculative: fc.boolean() }),
);
const holds = fc.constantFrom('flit' as const, 'packet' as const);

/** A machine and traffic for it: buffers hold a packet where they must. */
const cases = fc.record({
  side: fc.integer({ min: 1, max: 6 }), tilesY: fc.integer({ min: 1, max: 6 }), pipeline: pipelines, virtualChannels: fc.integer({ min: 1, max: 6 }), switchHold: holds,
  classes: fc.constantFrom([CLASS_REQUEST], [CLASS_REQUEST, CLASS_RESPONSE], [CLASS_RESPONSE, CLASS_REDUCTION, CLASS_REQUEST]), mostFlits: fc.integer({ min: 1, max: 6 }),
  spare: fc.nat(3), seed: fc.nat(1_000_000), cycles: fc.integer({ min: 1, max: 150 }), multicasts: fc.nat(20),
}).map((given) => ({ ...given, channels: 2, bufferFlits: given.switchHold === 'packet' || given.multicasts > 0 ? given.mostFlits + given.spare : 1 + given.spare }));
type Case = (typeof cases extends fc.Arbitrary<infer T> ? T : never) & { readonly packets?: number };

interface Sending {
  readonly cycle: number;
  readonly from: number;
  /** Destination, or ~tree. */
  readonly to: number;
  readonly bytes: number;
  readonly channel: number;
  readonly trafficClass: number;
}

/** From a root to all tiles of a rectangle, along x in the root's row, then along y. */
function treeOf(side: number, tilesY: number, root: number, a: number, b: number): MulticastPlan {
  const xy = (tile: number): [number, number] => [tile % side, Math.floor(tile / side)];
  const [rootX, rootY] = xy(root);
  const [ax, ay] = xy(a);
  const [bx, by] = xy(b);
  const forks = new Uint8Array(side * tilesY);
  let receivers = 0;
  for (let y = Math.min(ay, by); y <= Math.max(ay, by); y++) {
    for (let x = Math.min(ax, bx); x <= Math.max(ax, bx); x++) {
      receivers++;
      forks[y * side + x]! |= 1 << LOCAL;
      for (let at = rootX; at !== x; at += Math.sign(x - at)) forks[rootY * side + at]! |= 1 << (x > at ? EAST : WEST);
      for (let at = rootY; at !== y; at += Math.sign(y - at)) forks[at * side + x]! |= 1 << (y > at ? SOUTH : NORTH);
    }
  }
  return { root, forks, receivers };
}

function trafficOf({ side, tilesY, seed, cycles, multicasts, mostFlits, classes, packets = 150 }: Case): { sendings: Sending[]; trees: MulticastPlan[] } {
  const tiles = side * tilesY;
  const draw = (packet: number, what: number, below: number): number => hash32(seed, packet, what) % below;
  const trees = Array.from({ length: Math.min(multicasts, 4) }, (_, tree) => treeOf(side, tilesY, draw(tree, 7, tiles), draw(tree, 8, tiles), draw(tree, 9, tiles)));
  const sendings = Array.from({ length: packets + multicasts }, (_, packet) => {
    const tree = packet < multicasts ? packet % trees.length : -1;
    return {
      cycle: draw(packet, 0, cycles), from: tree >= 0 ? trees[tree]!.root : draw(packet, 1, tiles), to: tree >= 0 ? ~tree : draw(packet, 2, tiles),
      bytes: draw(packet, 3, mostFlits * 128) + 1, channel: draw(packet, 4, 2), trafficClass: tree >= 0 ? CLASS_REQUEST : classes[draw(packet, 5, classes.length)]!,
    };
  });
  return { sendings: sendings.sort((a, b) => a.cycle - b.cycle), trees };
}

/** Runs all traffic of a case; what arrived, and what the counters say. */
function run(given: Case, { reverseVisits = false, saveAt = NEVER, everyCycle = false } = {}): { kernel: FlitKernel; deliveries: number[][]; counters: number[][]; hash: number[] } {
  const { sendings, trees } = trafficOf(given);
  const make = (): FlitKernel => {
    const kernel = meshKernel({ ...given, reverseVisits });
    for (const tree of trees) kernel.defineMulticast(tree);
    return kernel;
  };
  let kernel = make();
  const deliveries: number[][] = [];
  let sent = 0;
  const next = (): number => (everyCycle && (kernel.livePackets > 0 || sent < sendings.length) ? kernel.now + 1 : Math.min(kernel.nextCycle(), sendings[sent]?.cycle ?? NEVER));
  for (let cycle = next(); cycle !== NEVER; cycle = next()) {
    if (cycle > 100_000) throw new Error(`Nothing ends. ${kernel.explainWaiting(5).join('\n')}`);
    kernel.beginCycle(cycle);
    for (let row = 0; row < kernel.delivered; row++) {
      deliveries.push([cycle, kernel.deliveredTile[row]!, kernel.deliveredSource[row]!, kernel.deliveredSequence[row]!, kernel.deliveredChannel[row]!, kernel.deliveredBytes[row]!, kernel.deliveredEntered[row]!]);
    }
    for (; sendings[sent]?.cycle === cycle; sent++) {
      const { from, to, bytes, channel, trafficClass } = sendings[sent]!;
      if (to < 0) kernel.multicast(~to, channel, bytes, sent);
      else kernel.inject(from, to, channel, bytes, sent, trafficClass);
    }
    kernel.decide();
    if (cycle >= saveAt) {
      const fresh = make();
      fresh.restore(structuredClone(kernel.save()));
      kernel = fresh;
      saveAt = NEVER;
    }
  }
  const counters: number[][] = [];
  kernel.drainCounters(NEVER, (port, channel, values, at) => counters.push([port, channel, ...values.subarray(at, at + 5)]));
  return { kernel, deliveries: deliveries.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!), counters, hash: [...kernel.deliveryHash] };
}

const visible = ({ deliveries, counters, hash, kernel }: ReturnType<typeof run>): unknown => ({ deliveries, counters, hash, hops: [kernel.linkHops, kernel.flitHops, kernel.deliveredPackets] });

describe('an idle mesh', () => {
  test('costs a single packet (H + 1) t_r + H + 3 + (P - 1) cycles', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 8 }), pipelines, fc.integer({ min: 1, max: 16 }), holds, (side, tilesY, a, b, flits, pipeline, virtualChannels, switchHold) => {
      const kernel = meshKernel({ side, tilesY, pipeline, virtualChannels, switchHold, bufferFlits: 40 });
      const [from, to] = [a % (side * tilesY), b % (side * tilesY)];
      kernel.beginCycle(7);
      kernel.inject(from, to, 0, flits * 128, 3);
      kernel.decide();
      for (let cycle = kernel.nextCycle(); kernel.delivered === 0; cycle = kernel.nextCycle()) {
        kernel.beginCycle(cycle);
        kernel.decide();
      }
      const links = manhattan(machine({ tilesX: side, tilesY }), from, to);
      expect(kernel.now - 7).toBe((links + 1) * routerCycles(pipeline) + links + 3 + (flits - 1));
      expect([kernel.deliveredTile[0], kernel.deliveredSource[0], kernel.deliveredSequence[0], kernel.deliveredEntered[0], kernel.linkHops, kernel.flitHops]).toEqual([to, from, 3, 7, links, links * flits]);
      expect(kernel.nextCycle()).toBe(NEVER);
      kernel.assertQuiescent();
    }), { numRuns: 300 });
  });

  test('reaches every tile of a multicast as if it were alone', () => {
    fc.assert(fc.property(cases, fc.nat(), fc.nat(), fc.nat(), (given, a, b, c) => {
      const { side, tilesY, mostFlits } = given;
      const tiles = side * tilesY;
      const kernel = meshKernel({ ...given, classes: [CLASS_REQUEST], bufferFlits: 40 });
      const plan = treeOf(side, tilesY, a % tiles, b % tiles, c % tiles);
      kernel.defineMulticast(plan);
      kernel.beginCycle(0);
      kernel.multicast(0, 1, mostFlits * 128, 9);
      kernel.decide();
      let arrived = 0;
      for (let cycle = kernel.nextCycle(); cycle !== NEVER; cycle = kernel.nextCycle()) {
        kernel.beginCycle(cycle);
        for (let row = 0; row < kernel.delivered; row++, arrived++) {
          const links = manhattan(machine({ tilesX: side, tilesY }), plan.root, kernel.deliveredTile[row]!);
          expect(cycle).toBe((links + 1) * routerCycles(given.pipeline) + links + 3 + (mostFlits - 1));
        }
        kernel.decide();
      }
      expect(arrived).toBe(plan.receivers);
      kernel.assertQuiescent();
    }), few);
  });

  test('costs nothing', () => {
    const kernel = meshKernel({ side: 64, virtualChannels: 8 });
    expect(kernel.nextCycle()).toBe(NEVER);
    for (let cycle = 0; cycle < 1000; cycle++) {
      kernel.beginCycle(cycle);
      kernel.decide();
    }
    expect(kernel.nextCycle()).toBe(NEVER);
  });
});

describe('random traffic', () => {
  test('is conserved: all that was sent arrives once where it was sent, and every credit returns', () => {
    fc.assert(fc.property(cases, (given) => {
      const { sendings, trees } = trafficOf(given);
      const { kernel, deliveries, counters } = run(given);
      const expected = sendings.flatMap(({ from, to, bytes, channel }, sequence) => {
        const receivers = to >= 0 ? [to] : [...trees[~to]!.forks.entries()].filter(([, forks]) => (forks >> LOCAL) & 1).map(([tile]) => tile);
        return receivers.map((tile) => [tile, from, sequence, channel, bytes].join());
      });
      expect(deliveries.map(([, tile, from, sequence, channel, bytes]) => [tile, from, sequence, channel, bytes].join()).sort()).toEqual(expected.sort());
      kernel.assertQuiescent();
      // What the links carried is what crossed them, and no link carried more than a flit per cycle.
      const onLinks = counters.filter(([port]) => port! % 8 !== LOCAL);
      expect(onLinks.reduce((sum, row) => sum + row[3]!, 0)).toBe(kernel.flitHops);
      expect(onLinks.reduce((sum, row) => sum + row[4]!, 0)).toBe(kernel.linkHops);
      const busy = new Map<number, number>();
      for (const row of counters) busy.set(row[0]!, (busy.get(row[0]!) ?? 0) + row[3]!);
      for (const cycles of busy.values()) expect(cycles).toBeLessThanOrEqual(kernel.now + 1);
    }), few);
  });

  test('shows neither the order of visits, nor a save in flight, nor idle cycles that were begun', () => {
    fc.assert(fc.property(cases, fc.integer({ min: 1, max: 250 }), (given, saveAt) => {
      const plain = visible(run(given));
      expect(visible(run(given, { reverseVisits: true }))).toEqual(plain);
      expect(visible(run(given, { saveAt }))).toEqual(plain);
      expect(visible(run(given, { everyCycle: true }))).toEqual(plain);
    }), few);
  });

  test('shows no order of strips on a mesh that has several', () => {
    const given: Case = {
      side: 40, tilesY: 60, pipeline: flitPipelines.A, virtualChannels: 3, switchHold: 'flit', classes: [CLASS_REQUEST], mostFlits: 3, spare: 0, seed: 5, cycles: 2, multicasts: 4,
      channels: 2, bufferFlits: 3,
    };
    const dense = { ...given, packets: 6000 };
    const plain = visible(run(dense));
    expect(visible(run(dense, { reverseVisits: true }))).toEqual(plain);
    expect(visible(run(dense, { saveAt: 40 }))).toEqual(plain);
  });

  // With packets of one flit, holding an output until the tail changes nothing; but credits then return on time, never early.
  test('of one flit does not show whether a link is held until the tail, nor whether a credit that cannot matter returned early', () => {
    fc.assert(fc.property(cases, (given) => {
      const oneFlit = { ...given, mostFlits: 1, packets: 600 };
      expect(visible(run({ ...oneFlit, switchHold: 'packet' }))).toEqual(visible(run({ ...oneFlit, switchHold: 'flit' })));
    }), few);
  });

  test('is the same in a second kernel as in a first', () => {
    fc.assert(fc.property(cases, (given) => {
      const { kernel, hash } = run({ ...given, multicasts: 0 });
      kernel.startKernel();
      kernel.deliveryHash.fill(0);
      let sent = 0;
      const { sendings } = trafficOf({ ...given, multicasts: 0 });
      for (let cycle = 0; kernel.livePackets > 0 || sent < sendings.length; cycle++) {
        kernel.beginCycle(cycle);
        for (; sendings[sent]?.cycle === cycle; sent++) kernel.inject(sendings[sent]!.from, sendings[sent]!.to, sendings[sent]!.channel, sendings[sent]!.bytes, sent, sendings[sent]!.trafficClass);
        kernel.decide();
      }
      expect([...kernel.deliveryHash]).toEqual(hash);
    }), { numRuns: 20 });
  });
});

describe('a die with defects', () => {
  test('carries what can be carried around them, and refuses the rest', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 6 }), fc.nat(1_000_000), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), (side, tilesY, seed, virtualChannels, holes) => {
      const at = (hole: number): { x: number; y: number } => ({ x: hash32(seed, hole, 0) % side, y: hash32(seed, hole, 1) % tilesY });
      const tiles = [...new Map(Array.from({ length: holes }, (_, hole) => at(hole)).map((tile) => [`${tile.x},${tile.y}`, tile])).values()].slice(0, side * tilesY - 1);
      const kernel = meshKernel({ side, tilesY, virtualChannels, bufferFlits: 2, classes: [CLASS_REQUEST, CLASS_RESPONSE], more: { defects: { tiles } } });
      let [sent, refused, arrived] = [0, 0, 0];
      for (let cycle = 0; cycle < 60 || kernel.livePackets > 0; cycle++) {
        if (cycle > 50_000) throw new Error(kernel.explainWaiting(5).join('\n'));
        kernel.beginCycle(cycle);
        arrived += kernel.delivered;
        for (let tile = 0; tile < side * tilesY && cycle < 60; tile++) {
          const to = hash32(seed, cycle, tile + 10) % (side * tilesY);
          const inject = (): void => { kernel.inject(tile, to, 0, 384, cycle, cycle % 2 === 0 ? CLASS_REQUEST : CLASS_RESPONSE); };
          if (kernel.topology.routes!.reaches(tile, to)) {
            inject();
            sent++;
          } else {
            expect(inject).toThrow('No way leads from tile');
            refused++;
          }
        }
        kernel.decide();
      }
      expect([arrived, refused > 0]).toEqual([sent, true]);
      kernel.assertQuiescent();
    }), { numRuns: 20 });
  });
});

describe('past saturation', () => {
  const neighbour = (side: number) => (tile: number): number => ((Math.floor(tile / side) + 1) % side) * side + ((tile + 1) % side);
  const accepted = (pipeline: FlitPipeline, flits: number, virtualChannels = 1): number => runOpenLoop(meshKernel({ side: 8, pipeline, virtualChannels }), {
    seed: 1, packetsPerCycle: 1 / flits - 1e-9, flits, destination: neighbour(8), warmupCycles: 1000, measuredCycles: 3000, drain: false,
  }).acceptedFlitRate;

  // Neighbouring tiles: what the busiest links carry is what a virtual channel lets through, P / (P + RC + VA) flits per cycle.
  test.each([[flitPipelines.A, 1, 1 / 3], [flitPipelines.A, 4, 2 / 3], [flitPipelines.B, 1, 1], [flitPipelines.B, 4, 1]] as const)('one virtual channel carries P / (P + RC + VA) flits per cycle (%#)', (pipeline, flits, expected) => {
    expect(accepted(pipeline, flits)).toBeGreaterThan(0.98 * expected);
    expect(accepted(pipeline, flits)).toBeLessThan(1.01 * expected);
  });
});

describe('who waits', () => {
  test('is told in terms of tiles, ports, virtual channels and packets', () => {
    const kernel = meshKernel({ side: 2, tilesY: 1 });
    for (let cycle = 0; cycle < 9; cycle++) {
      kernel.beginCycle(cycle);
      if (cycle === 0) for (let packet = 0; packet < 3; packet++) kernel.inject(0, 1, 0, 128 * 20, packet);
      kernel.decide();
    }
    const lines = kernel.explainWaiting(9);
    expect(lines[0]).toMatch(/^tile \(0,0\), virtual channel 0 of local: packet 0 of tile 0 waits for /);
    expect(kernel.explainWaiting(1)).toHaveLength(1);
  });
});

describe('bad input', () => {
  const plan = treeOf(4, 4, 0, 0, 15);
  test.each([
    ['virtualChannels is a whole number, 1 to 16', () => meshKernel({ side: 2, virtualChannels: 17 })],
    ['bufferFlits is a whole number, 1 to 254', () => meshKernel({ side: 2, bufferFlits: 0 })],
    ['Traffic classes × virtual channels is 1 to 32', () => meshKernel({ side: 2, virtualChannels: 16, classes: [0, 1, 2] })],
    ['linkCycles (a hop: router and wire) is a whole number, 4 to 4096', () => meshKernel({ side: 2, linkCycles: 3 })],
    ['packets go from tile to tile, 0 to 3, got 0 to 4', () => { meshKernel({ side: 2 }).inject(0, 4, 0, 1, 0); }],
    ['A packet has at most 4095 flits', () => { meshKernel({ side: 2 }).inject(0, 1, 0, 4096 * 128, 0); }],
    ['A packet has at most 8 flits', () => { meshKernel({ side: 2, switchHold: 'packet' }).inject(0, 1, 0, 9 * 128, 0); }],
    ['Traffic class 1 has no virtual channels', () => { meshKernel({ side: 2 }).inject(0, 1, 0, 1, 0, CLASS_RESPONSE); }],
    ['A multicast needs buffers that hold its packets whole', () => { const kernel = meshKernel({ side: 4 }); kernel.multicast(kernel.defineMulticast(plan), 0, 9 * 128, 0); }],
    ['Multicast tree 0 has not been defined', () => { meshKernel({ side: 2 }).multicast(0, 0, 1, 0); }],
    ['not supported at flit fidelity', () => { meshKernel({ side: 2 }).defineReduction({ root: 0, inputs: new Uint8Array(4), out: new Uint8Array(4), contributors: 0 }); }],
    ['a single die', () => new FlitKernel(dieTopology(machine({ tilesX: 2, tilesY: 2, diesX: 2, d2d: { shape: 'edge', link: { bytesPerCycle: 128, cycles: 9, picojoulesPerByteHop: 1 } } }), 0), { channels: 1, pipeline: flitPipelines.A, virtualChannels: 1, bufferFlits: 8 })],
    ['got "C"', () => parseFlitPipeline('C')],
    ['A router pipeline has no routeing', () => parseFlitPipeline({ routeing: 1 })],
    ['vcAllocation of a router pipeline is a whole number of cycles, 1 to 64, got 0', () => parseFlitPipeline({ vcAllocation: 0 })],
    ['speculative of a router pipeline is true or false', () => parseFlitPipeline({ speculative: 1 })],
  ])('is refused: %s', (message, act) => {
    expect(act).toThrow(message);
  });
});
