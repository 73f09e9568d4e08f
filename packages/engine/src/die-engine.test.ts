import { flitsOf, zeroLoadCycles } from '@kerf/fabric';
import { manhattan } from '@kerf/hardware';
import { ProgramBuilder } from '@kerf/program';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LinkRow } from './die-engine.ts';
import { DIE_LINK, machine, outcome, programsOf, regionOf, run } from './laboratory.ts';
import { Region } from './region.ts';

const one = machine(4, 4);
const wafers = fc.constantFrom(
  machine(3, 2),
  machine(2, 3, 3, { shape: 'edge', link: DIE_LINK }),
  machine(3, 2, 2, { shape: 'hub', link: DIE_LINK, gatewayLink: { ...DIE_LINK, bytesPerCycle: 16, cycles: 2 }, gateways: [{ x: 1, y: 0 }] }),
);
const messages = fc.array(fc.record({ from: fc.nat(17), to: fc.nat(17), bytes: fc.nat(400), flops: fc.oneof(fc.constant(0), fc.nat(6000)) }), { minLength: 1, maxLength: 20 });

/** A builder for the one-die machine, and its run. */
function played(build: (program: ProgramBuilder) => void): { start: number[]; end: number[] } {
  const builder = new ProgramBuilder(0, ['data']);
  build(builder);
  const region = regionOf(one);
  region.startKernel([builder.finish()]);
  run(region).finishKernel();
  const [{ startCycle, endCycle }] = region.engines as unknown as [{ startCycle: Float64Array; endCycle: Float64Array }];
  return { start: [...startCycle], end: [...endCycle] };
}

test('a message on an idle die arrives with its last byte: zero-load latency, its packets back to back', () => {
  fc.assert(fc.property(fc.nat(15), fc.nat(15), fc.nat(1000), (from, to, bytes) => {
    const flits = [...Array<number>(Math.floor(bytes / 64)).fill(64), ...(bytes % 64 === 0 && bytes > 0 ? [] : [bytes % 64])].reduce((sum, part) => sum + flitsOf(part, 16), 0);
    const { end } = played((program) => {
      program.receive(to, 0, bytes);
      program.send(from, to, 0, bytes, 1);
    });
    expect(end[1]).toBe(0);
    expect(end[0]).toBe(bytes === 0 ? 0 : zeroLoadCycles(manhattan(one, from, to), flits, 2, 1));
  }));
});

test('a receive is done with the last of several messages, and not if a byte is missing', () => {
  const { end } = played((program) => {
    program.receive(5, 0, 64 + 16);
    program.send(0, 5, 0, 64, 1);
    program.send(15, 5, 0, 16, 1);
  });
  expect(end[0]).toBe(Math.max(zeroLoadCycles(2, 4, 2, 1), zeroLoadCycles(4, 1, 2, 1)));
  expect(() => played((program) => {
    program.receive(5, 0, 65);
    program.send(0, 5, 0, 64, 1);
  })).toThrow(/Deadlock: die 0, tile 5: operation 0 \(receive\) waits for 1 bytes on channel data/);
});

test('a byte more than the program expects stops the run at once', () => {
  expect(() => played((program) => {
    program.receive(5, 0, 63);
    program.send(0, 5, 0, 64, 1);
  })).toThrow(/Tile 5 of die 0 received 1 bytes on channel data that its program does not expect/);
});

test('bytes may come before their receive is asked for: it is then done at once', () => {
  const { start, end } = played((program) => {
    const work = program.compute(5, { label: 0, rows: 1, flops: 64_000, memoryBytes: 0 }, []);
    program.receive(5, 0, 64, [work]);
    program.send(0, 5, 0, 64, 1);
  });
  expect([start[1], end[1]]).toEqual([1000, 1000]);
});

test('a matrix engine works in the order in which work becomes ready, one at a time; tiles do not wait for each other', () => {
  const { start, end } = played((program) => {
    const work = (tile: number, flops: number, after: number[] = []): number => program.compute(tile, { label: 0, rows: 1, flops, memoryBytes: 0 }, after);
    const first = work(0, 640);
    work(0, 64, [first]);
    work(0, 1280);
    work(1, 64);
  });
  expect(start).toEqual([0, 30, 10, 0]);
  expect(end).toEqual([10, 31, 30, 1]);
});

test('weights stream from a memory that the computing tiles share', () => {
  const cyclesOf = (tiles: number): number => played((program) => {
    for (let tile = 0; tile < tiles; tile++) program.compute(tile, { label: 0, rows: 1, flops: 0, memoryBytes: 1600 }, []);
  }).end[0]!;
  expect([1, 2, 4].map(cyclesOf)).toEqual([100, 200, 400]);
});

test('a wait joins: it is done with the last of those it waits for', () => {
  const { end } = played((program) => {
    const parts = [640, 6400, 64].map((flops, tile) => program.compute(tile, { label: 0, rows: 1, flops, memoryBytes: 0 }, []));
    program.wait(9, parts);
    program.wait(9, []);
  });
  expect(end).toEqual([10, 100, 1, 100, 0]);
});

test('nothing starts before what it depends on has ended', () => {
  fc.assert(fc.property(wafers, messages, (hardware, list) => {
    const programs = programsOf(hardware, list);
    const region = regionOf(hardware);
    region.startKernel(programs);
    const end = run(region).finishKernel();
    expect(end).toBe(Math.max(0, ...region.engines.flatMap(({ endCycle }) => [...endCycle])));
    region.engines.forEach(({ startCycle, endCycle }, die) => {
      const { dependsOn, dependsOnStart, operations } = programs[die]!;
      for (let row = 0; row < operations; row++) {
        expect(endCycle[row]).toBeGreaterThanOrEqual(startCycle[row]!);
        for (let d = dependsOnStart[row]!; d < dependsOnStart[row + 1]!; d++) expect(startCycle[row]).toBeGreaterThanOrEqual(endCycle[dependsOn[d]!]!);
      }
    });
  }), { numRuns: 50 });
});

test('saved at any cycle, in any kernel, and restored in a fresh region, it ends alike', () => {
  fc.assert(fc.property(wafers, messages, fc.nat(200), fc.boolean(), (hardware, list, cycle, second) => {
    const programs = programsOf(hardware, list);
    const rows: LinkRow[] = [];
    const region = regionOf(hardware, rows, { binCycles: 16 });
    if (second) {
      region.startKernel(programs);
      run(region).finishKernel();
    }
    region.startKernel(programs);
    run(region, cycle);
    const saved = structuredClone(region.save());
    const freshRows: LinkRow[] = rows.slice();
    run(region).finishKernel();
    const fresh = regionOf(hardware, freshRows, { binCycles: 16 });
    fresh.restore(programs, saved);
    expect(run(fresh).done).toBe(true);
    fresh.finishKernel();
    expect(outcome(fresh)).toEqual(outcome(region));
    expect(freshRows).toEqual(rows);
  }), { numRuns: 60 });
});

test('a second kernel takes as long as the first', () => {
  fc.assert(fc.property(wafers, messages, (hardware, list) => {
    const programs = programsOf(hardware, list);
    const region = regionOf(hardware);
    const ends = [0, 1].map(() => {
      region.startKernel(programs);
      run(region).finishKernel();
      return region.engines.map(({ endCycle }) => [...endCycle]);
    });
    expect(ends[1]).toEqual(ends[0]);
  }), { numRuns: 30 });
});

test('link rows add up to the same for any length of bin, no bin is busier than it is long, and rows come in order', () => {
  fc.assert(fc.property(wafers, messages, fc.integer({ min: 1, max: 60 }), (hardware, list, binCycles) => {
    const programs = programsOf(hardware, list);
    const sums = (bin: number): unknown => {
      const rows: LinkRow[] = [];
      const region = regionOf(hardware, rows, { binCycles: bin });
      region.startKernel(programs);
      run(region).finishKernel();
      const totals = new Map<string, number[]>();
      const last = new Map<number, string>();
      for (const row of rows) {
        expect(row.busyCycles).toBeLessThanOrEqual(bin);
        const key = [row.dieId, row.router, row.port, row.channel].join();
        const total = totals.get(key) ?? [0, 0, 0];
        totals.set(key, total);
        [row.bytes, row.packets, row.busyCycles].forEach((value, i) => (total[i]! += value));
        const order = [row.bin, row.router, row.port, row.channel].map((part) => String(part).padStart(9, '0')).join();
        expect(order > (last.get(row.dieId) ?? '')).toBe(true);
        last.set(row.dieId, order);
      }
      return totals;
    };
    expect(sums(binCycles)).toEqual(sums(2 ** 30));
  }), { numRuns: 60 });
});

test.each([
  ['between tiles', machine(2, 1), 4],
  ['between dies', machine(1, 1, 2, { shape: 'edge', link: DIE_LINK }), 7],
  ['slow, between dies', machine(1, 1, 2, { shape: 'edge', link: { ...DIE_LINK, bytesPerCycle: 1 } }), 64],
])('a packet that holds a link %s after the last event is spread over the bins that it holds', (_, hardware, busy) => {
  const rows: LinkRow[] = [];
  const region = regionOf(hardware, rows, { binCycles: 2 });
  region.startKernel(programsOf(hardware, [{ from: 0, to: 1, bytes: 64, flops: 0 }]));
  run(region).finishKernel();
  // The only link that tile 0 uses, in all and bin by bin: full ones, then the rest.
  const link = rows.filter(({ dieId, router }) => dieId === 0 && router === 0).map(({ busyCycles }) => busyCycles);
  expect(link.reduce((sum, cycles) => sum + cycles, 0)).toBe(busy);
  expect(link.slice(1, -1).every((cycles) => cycles === 2)).toBe(true);
  expect(Math.max(...link)).toBe(2);
});

test('what waits for what is said, at most as many sentences as asked for', () => {
  const hardware = machine(2, 2);
  const program = new ProgramBuilder(0, ['data']);
  const first = program.receive(3, 0, 10);
  program.wait(3, [first]);
  program.receive(2, 0, 5, [first]);
  const region = regionOf(hardware);
  region.startKernel([program.finish()]);
  run(region);
  expect(region.done).toBe(false);
  expect(region.engines[0]!.explainWaiting(5)).toEqual([
    'die 0, tile 3: operation 0 (receive) waits for 10 bytes on channel data',
    'die 0, tile 3: operation 1 (wait) waits for 1 operations',
    'die 0, tile 2: operation 2 (receive) waits for 1 operations',
  ]);
  expect(region.engines[0]!.explainWaiting(1)).toHaveLength(1);
  expect(() => region.finishKernel()).toThrow(/^Deadlock: /);
});

test('a region with items waiting for another process is not saved', () => {
  const hardware = machine(2, 2, 2, { shape: 'edge', link: DIE_LINK });
  expect(regionOf(hardware).ports).toEqual([]);
  const half = new Region(hardware, [0], { channels: ['data'], elementType: 'fp16', binCycles: 100, onLinkRow: () => undefined });
  half.startKernel([programsOf(hardware, [{ from: 0, to: 7, bytes: 64, flops: 0 }])[0]!]);
  run(half, 100);
  expect(half.ports.reduce((sum, { packets }) => sum + packets.rows, 0)).toBe(1);
  expect(() => half.save()).toThrow(/boundary items/);
});
