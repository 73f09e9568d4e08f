import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkProgram, checkTraffic } from '@kerf/program';
import { ClusterError } from './errors.ts';
import { decodeFrame, encodeFrame } from './frame.ts';
import { errandPrograms, runInMemory, wafer, type Errand, type RunOutcome, type WaferChoice } from './laboratory.ts';

// The law that guards the whole: however a wafer is cut into processes, and however late their messages are, one result.

const size = (from: number, to: number): fc.Arbitrary<number> => fc.integer({ min: from, max: to });

const wafers: fc.Arbitrary<WaferChoice> = fc.record({
  diesX: size(1, 3),
  diesY: size(1, 2),
  tilesX: size(2, 4),
  tilesY: size(2, 4),
  shape: fc.constantFrom('edge', 'hub'),
  dieLinkCycles: size(1, 12),
  packetFlits: size(1, 5),
  spareCredits: size(0, 6),
});

const errands: fc.Arbitrary<Errand[]> = fc.array(fc.record({
  from: fc.nat(95),
  to: fc.nat(95),
  bytes: fc.oneof(fc.nat(40), fc.nat(600)),
  flops: fc.oneof(fc.constant(0), fc.nat(5000), fc.nat(60_000)),
  answerBytes: fc.oneof(fc.constant(0), fc.nat(200)),
}), { minLength: 1, maxLength: 24 });

/** Each die to one of `ranks` processes, at random; no process without a die. */
function assignment(dies: number, ranks: number, draws: readonly number[]): number[][] {
  const cut = Array.from({ length: Math.min(ranks, dies) }, (): number[] => []);
  const order = Array.from({ length: dies }, (_, die) => die).sort((a, b) => draws[a]! - draws[b]!);
  order.forEach((die, index) => cut[index < cut.length ? index : draws[die]! % cut.length]!.push(die));
  return cut.map((list) => list.sort((a, b) => a - b));
}

const draws = fc.array(fc.nat(1_000_000), { minLength: 6, maxLength: 6 });

/** What a user could see of a run. */
const visible = ({ dies, kernelEnds }: RunOutcome): unknown => ({ dies, kernelEnds });

function setUp(choice: WaferChoice, list: readonly Errand[]): { hardware: ReturnType<typeof wafer>; programs: ReturnType<typeof errandPrograms>; count: number } {
  const hardware = wafer(choice);
  const programs = errandPrograms(hardware, list);
  for (const program of programs) checkProgram(program, hardware);
  checkTraffic(programs, hardware);
  return { hardware, programs, count: choice.diesX * choice.diesY };
}

const whole = (count: number): number[][] => [Array.from({ length: count }, (_, die) => die)];

test('1, 2, 3 or 4 processes with any dies, any delays, and routers visited in any order give the same result', async () => {
  await fc.assert(fc.asyncProperty(wafers, errands, draws, fc.nat(), fc.boolean(), async (choice, list, order, seed, reverseVisits) => {
    const { hardware, programs, count } = setUp(choice, list);
    const expected = visible(await runInMemory(hardware, programs, { diesOfRank: whole(count), kernels: 2 }));
    for (const ranks of [1, 2, 3, 4]) {
      const run = await runInMemory(hardware, programs, { diesOfRank: assignment(count, ranks, order), kernels: 2, seed: seed + ranks, reverseVisits });
      expect(visible(run)).toEqual(expected);
    }
  }), { numRuns: 25 });
}, 60_000);

test('processes that save at any round and go on in fresh ones give the same result', async () => {
  let resumed = 0;
  await fc.assert(fc.asyncProperty(wafers, errands, draws, size(1, 4), fc.nat(), fc.double({ min: 0, max: 0.9, noNaN: true }), async (choice, list, order, ranks, seed, when) => {
    const { hardware, programs, count } = setUp(choice, list);
    const diesOfRank = assignment(count, ranks, order);
    const expected = await runInMemory(hardware, programs, { diesOfRank: whole(count) });
    const rounds = Math.floor((when * expected.kernelEnds[0]!) / choice.dieLinkCycles);
    const first = await runInMemory(hardware, programs, { diesOfRank, seed, saveAtRound: ranks === 1 ? 0 : rounds });
    expect(visible(first)).toEqual(visible(expected));
    const saved = first.saved.filter((one) => one !== undefined);
    if (saved.length < diesOfRank.length) return; // a jump took the processes past that round
    resumed++;
    const second = await runInMemory(hardware, programs, { diesOfRank, seed: seed + 1, resume: saved });
    for (const { rows } of saved) for (const [die, written] of rows) second.dies[die]!.links.unshift(...first.dies[die]!.links.slice(0, written));
    expect(visible(second)).toEqual(visible(expected));
  }), { numRuns: 40 });
  expect(resumed).toBeGreaterThan(10);
}, 60_000);

const wide: WaferChoice = { diesX: 2, diesY: 1, tilesX: 2, tilesY: 2, shape: 'edge', dieLinkCycles: 5, packetFlits: 2, spareCredits: 0 };
const there: Errand = { from: 0, to: 7, bytes: 320, flops: 0, answerBytes: 64 };

test('long computing is jumped over: rounds of promises do not grow with it', async () => {
  const rounds = async (flops: number): Promise<number> => {
    const { hardware, programs } = setUp(wide, [{ ...there, flops }]);
    let frames = 0;
    const { jumps } = await runInMemory(hardware, programs, { diesOfRank: [[0], [1]], tamper: (_from, _to, bytes) => (frames++, bytes) });
    expect(jumps).toBeGreaterThan(0);
    return frames;
  };
  const short = await rounds(100_000);
  expect(await rounds(100_000_000)).toBeLessThan(short * 3 + 200);
});

test('processes that save around a jump, heard here and not yet there, keep what they may count on', async () => {
  const { hardware, programs } = setUp(wide, [{ ...there, flops: 100_000 }]);
  const expected = visible(await runInMemory(hardware, programs, { diesOfRank: [[0, 1]] }));
  let apart = 0;
  for (let seed = 1; seed <= 12; seed++) {
    for (let round = 3; round < 12; round++) {
      const { saved, dies } = await runInMemory(hardware, programs, { diesOfRank: [[0], [1]], seed, saveAtRound: round });
      const both = saved.filter((one) => one !== undefined);
      if (both.length < 2) continue;
      if ((both[0]!.snapshot.promised[0]![2] > 0) !== (both[1]!.snapshot.promised[0]![2] > 0)) apart++;
      const second = await runInMemory(hardware, programs, { diesOfRank: [[0], [1]], seed: seed + 100, resume: both });
      for (const { rows } of both) for (const [die, written] of rows) second.dies[die]!.links.unshift(...dies[die]!.links.slice(0, written));
      expect(visible(second)).toEqual(expected);
    }
  }
  expect(apart).toBeGreaterThan(0);
}, 30_000);

test('an item that comes earlier than its sender promised ends the run', async () => {
  const { hardware, programs } = setUp(wide, [there]);
  const run = runInMemory(hardware, programs, { diesOfRank: [[0], [1]], tamper: (from, _, bytes) => {
    const frame = decodeFrame(bytes);
    const items = frame.sections[0]?.packets;
    if (from === 0 && items !== undefined && items.rows > 0) items.data[0] = items.data[0]! - 5;
    return encodeFrame(frame);
  } });
  await expect(run).rejects.toMatchObject({ code: 'CLUSTER_BROKEN_PROMISE', message: expect.stringContaining('promised nothing before') });
});

test('a promise that is taken back ends the run', async () => {
  const { hardware, programs } = setUp(wide, [there]);
  const run = runInMemory(hardware, programs, { diesOfRank: [[0], [1]], tamper: (from, _, bytes) => {
    const frame = decodeFrame(bytes);
    return encodeFrame(from === 1 && frame.round === 3 ? { ...frame, promiseCycle: 1 } : frame);
  } });
  await expect(run).rejects.toMatchObject({ code: 'CLUSTER_BROKEN_PROMISE', message: expect.stringContaining('took back its promise') });
});

test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
  ['is cut short', (bytes) => bytes.subarray(0, 20)],
  ['is of another round', (bytes) => encodeFrame({ ...decodeFrame(bytes), round: 77 })],
  ['addresses a die elsewhere', (bytes) => {
    const frame = decodeFrame(bytes);
    return encodeFrame({ ...frame, sections: frame.sections.map((section) => ({ ...section, dieId: 0 })) });
  }],
])('a frame that %s ends the run', async (_, spoil) => {
  const { hardware, programs } = setUp(wide, [there]);
  const run = runInMemory(hardware, programs, { diesOfRank: [[0], [1]], tamper: (from, _to, bytes) => (from === 0 ? spoil(bytes) : bytes) });
  await expect(run).rejects.toMatchObject({ code: 'CLUSTER_BAD_FRAME' });
});

test('a neighbour whose connection closes is reported as lost, with both ranks', async () => {
  const { hardware, programs } = setUp(wide, [there]);
  const run = runInMemory(hardware, programs, { diesOfRank: [[0], [1]], onPeers: (rank, peers) => {
    if (rank === 1) setImmediate(() => peers.get(0)!.close('its host is gone'));
  } });
  const error: unknown = await run.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ClusterError);
  expect(error).toMatchObject({ code: 'CLUSTER_PEER_LOST', message: expect.stringMatching(/process [01] lost the connection to [01]: its host is gone/) });
});

test('a receive that nobody serves is reported as a deadlock, with who waits for what', async () => {
  const hardware = wafer(wide);
  const programs = errandPrograms(hardware, [there]).map((program) => ({ ...program, bytes: program.bytes.map((bytes, row) => (program.kind[row] === 1 ? bytes + 1 : bytes)) }));
  await expect(runInMemory(hardware, programs, { diesOfRank: [[0], [1]] })).rejects.toMatchObject({
    code: 'CLUSTER_DEADLOCK',
    message: expect.stringMatching(/die 1, tile 3: operation 0 \(receive\) waits for 1 bytes on channel out/),
  });
});
