import fc from 'fast-check';
import { presetHardware, type Hardware } from '@kerf/hardware';
import { checkProgram, checkTraffic, COMPUTE, SEND } from '@kerf/program';
import { defaultScenario, type ModelCard, type Scenario } from '@kerf/scenario';
import type { RoutingTrace } from '@kerf/traces';
import { expect, test } from 'vitest';
import { conservation, type CopyCount } from './conservation.ts';
import { dieProgram, indexKernel, kernelFacts } from './kernel-programs.ts';
import { collectiveRows, expertRows } from './kernel-rows.ts';
import { modelCard } from './model-cards.ts';
import { kernelStepLayer, planReplay, type ReplayPlan } from './replay-plan.ts';

/** A small model with one dense layer before two with experts. */
const model: ModelCard = { ...modelCard('gpt-oss-20b'), name: 'small', layers: 3, firstMoeLayer: 1, moeLayers: 2, experts: 6, topK: 2, hiddenWidth: 10, expertIntermediateWidth: 5 };

function traceOf(lengths: readonly number[], choose: (row: number, layer: number, rank: number) => number = (row, layer, rank) => (row + layer + rank * 3) % 6): RoutingTrace {
  let firstRow = 0;
  const requests = lengths.map((tokens, request) => {
    const entry = { request, firstRow, tokens, firstPosition: 0 };
    firstRow += tokens;
    return entry;
  });
  const expertIds = Uint16Array.from({ length: firstRow * 4 }, (_, i) => choose(i >> 2, (i >> 1) & 1, i & 1));
  return { name: 'small-trace', model: 'small', layers: 2, experts: 6, topK: 2, tokens: firstRow, expertIds, weights: undefined, requests, origin: 'synthetic', provenance: {} };
}

function scenarioOf(steps: number, tokensPerDie: number, seed = 1): Scenario {
  const scenario = defaultScenario();
  return { ...scenario, seed, workload: { ...scenario.workload, steps, tokensPerDie } };
}

const hardwareOf = (diesX: number, diesY: number, tilesX: number, tilesY: number): Hardware => ({ ...presetHardware('flat-wafer-8'), wafer: { diesX, diesY }, die: { tilesX, tilesY } });
const twoDies = hardwareOf(2, 1, 2, 2);
const diesOf = (plan: ReplayPlan): number => plan.hardware.wafer.diesX * plan.hardware.wafer.diesY;
const programsOf = (plan: ReplayPlan, kernel: number) => Array.from({ length: diesOf(plan) }, (_, dieId) => dieProgram(plan, kernel, dieId));

/** What a run would count, had every operation ended at once. */
function countCopies(plan: ReplayPlan): CopyCount[] {
  const counts: CopyCount[] = [];
  for (let kernel = 0; kernel < plan.kernels; kernel++) {
    for (const program of programsOf(plan, kernel)) {
      const cycles = new Float64Array(program.operations);
      for (const { phase, copiesSent, copiesReceived } of collectiveRows(plan, kernel, program, cycles, cycles)) counts.push({ kernel, phase, copiesSent, copiesReceived });
    }
  }
  return counts;
}

const plans: fc.Arbitrary<ReplayPlan> = fc.record({
  wafer: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 2 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
  lengths: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }),
  tokensPerDie: fc.integer({ min: 1, max: 7 }), seed: fc.maxSafeNat(), shift: fc.nat(5),
}).map(({ wafer, lengths, tokensPerDie, seed, shift }) => {
  const trace = traceOf(lengths, (row, layer, rank) => (row * 7 + layer * shift + rank * (1 + (row % 5))) % 6);
  return planReplay(scenarioOf(1, tokensPerDie, seed), hardwareOf(...wafer), model, trace);
});

test('the programs of every kernel pass their checks, and all copies of all layers are conserved', () => {
  fc.assert(fc.property(plans, (plan) => {
    for (let kernel = 0; kernel < plan.kernels; kernel++) {
      const programs = programsOf(plan, kernel);
      for (const program of programs) checkProgram(program, plan.hardware);
      checkTraffic(programs, plan.hardware);
    }
    const layers = conservation(plan, countCopies(plan));
    expect(layers.map(({ layer }) => layer)).toEqual([1, 2]);
    for (const { tokens, topK, dispatched, combined, conserved } of layers) {
      expect([dispatched, combined, conserved]).toEqual([tokens * topK, tokens * topK, true]);
    }
  }));
});

test('kernels are asked for in any order and give the same programs', () => {
  const trace = traceOf([3, 2, 4, 2]);
  const plan = planReplay(scenarioOf(2, 1), twoDies, model, trace);
  const forward = [0, 1, 2, 3].map((kernel) => programsOf(plan, kernel));
  const again = planReplay(scenarioOf(2, 1), twoDies, model, trace);
  for (const kernel of [3, 0, 2, 1, 3]) expect(programsOf(again, kernel)).toEqual(forward[kernel]);
});

test('a kernel is one MoE layer of one step, dense layers counted in its number', () => {
  const plan = planReplay(scenarioOf(2, 1), twoDies, model, traceOf([3, 3]));
  expect(plan.kernels).toBe(4);
  expect([0, 1, 2, 3].map((kernel) => kernelStepLayer(plan, kernel))).toEqual([
    { step: 0, layer: 1 }, { step: 0, layer: 2 }, { step: 1, layer: 1 }, { step: 1, layer: 2 },
  ]);
  expect(() => kernelStepLayer(plan, 4)).toThrow(RangeError);
});

test('each token is sent to the experts that its row of the trace names in that layer', () => {
  const trace = traceOf([4, 4]);
  const plan = planReplay(scenarioOf(4, 1), twoDies, model, trace);
  for (let kernel = 0; kernel < plan.kernels; kernel++) {
    const { step, layer } = kernelStepLayer(plan, kernel);
    const { expertIds } = indexKernel(plan, kernel).batch;
    const rows = [step, 4 + step];
    expect([...expertIds]).toEqual(rows.flatMap((row) => [0, 1].map((rank) => (row + layer - 1 + rank * 3) % 6)));
  }
});

test('slots empty when their requests end, and the tokens of a kernel follow', () => {
  const plan = planReplay(scenarioOf(5, 1), twoDies, model, traceOf([2, 1, 3, 1]));
  // Slot 0 serves requests of 2 and 3 tokens, slot 1 of 1 and 1.
  expect([0, 2, 4, 6, 8].map((kernel) => kernelFacts(plan, kernel))).toEqual([2, 2, 1, 1, 1].map((tokens) => ({ tokens, copies: tokens * 2 })));
  expect([plan.cycled, plan.remarks]).toEqual([false, []]);
});

test('the last live step is accepted, the next one refused with the number of steps there are', () => {
  const trace = traceOf([2, 1, 3, 1]);
  expect(planReplay(scenarioOf(5, 1), twoDies, model, trace).kernels).toBe(10);
  expect(() => planReplay(scenarioOf(6, 1), twoDies, model, trace)).toThrow('Trace small-trace gives 5 steps without cycling when 2 slots serve its 4 requests, but 6 are asked for.');
});

test('more slots than requests cycle the trace, without end and with a remark', () => {
  const plan = planReplay(scenarioOf(1000, 3), twoDies, model, traceOf([2, 1, 3, 1]));
  expect(plan.cycled).toBe(true);
  expect(plan.remarks).toEqual(['The trace has 4 requests and the wafer 6 slots, so requests are repeated: slots from 4 on start at an offset drawn from seed 1, and every request starts again when it ends.']);
  expect(kernelFacts(plan, plan.kernels - 1)).toEqual({ tokens: 6, copies: 12 });
});

test('a trace of another model is refused before anything is planned', () => {
  expect(() => planReplay(scenarioOf(1, 1), twoDies, { ...model, moeLayers: 1 }, traceOf([2, 2]))).toThrow('the model has 1 MoE layers, the trace 2');
  expect(() => planReplay(scenarioOf(1, 1), twoDies, { ...model, experts: 5 }, traceOf([2, 2]))).toThrow('the model has 5 experts per layer, the trace 6');
});

test('what is absent gets no token and no expert: they are laid out on what is there, and the plan says so', () => {
  const trace = traceOf([3, 3, 3, 3]);
  const broken = { ...twoDies, defects: { tiles: [{ die: { x: 1, y: 0 }, x: 0, y: 0 }] } };
  const plan = planReplay(scenarioOf(1, 2), broken, model, trace);
  expect([...plan.slotTile]).toEqual([0, 2, 5, 6]);
  expect([...plan.placement]).toEqual([0, 0, 0, 1, 1, 1]);
  expect([...plan.layout.seatTile.subarray(plan.layout.dieSeatStart[1], plan.layout.dieSeatStart[2])]).toEqual([1, 2, 3]);
  expect(plan.remarks).toEqual(['Of 8 tiles on 2 dies 7 on 2 are there: tokens and experts are laid out on those.']);
  for (let dieId = 0; dieId < 2; dieId++) {
    const program = dieProgram(plan, 0, dieId);
    expect([...program.localTile].some((tile) => dieId === 1 && tile === 0)).toBe(false);
    expect([...program.peerTile].includes(4)).toBe(false);
  }

  const oneDie = planReplay(scenarioOf(1, 2), { ...twoDies, defects: { dies: [{ x: 0, y: 0 }] } }, model, trace);
  expect([oneDie.slots, [...oneDie.slotTile], new Set(oneDie.placement)]).toEqual([2, [4, 6], new Set([1])]);
});

test('a machine without memory channels cannot stream weights', () => {
  expect(() => planReplay(scenarioOf(1, 1), { ...twoDies, memory: null }, model, traceOf([3]))).toThrow(expect.objectContaining({ code: 'HARDWARE_NO_MEMORY', message: expect.stringContaining('A replay of expert layers, which streams weights, needs memory channels') }));
});

test('rows of experts and phases add up the operations of a die and take their times', () => {
  const plan = planReplay(scenarioOf(1, 4), twoDies, model, traceOf(new Array<number>(8).fill(2)));
  const program = dieProgram(plan, 0, 0);
  const start = Float64Array.from({ length: program.operations }, (_, operation) => 10 + operation);
  const end = start.map((cycle) => cycle + 5);
  const rowsOf = (kind: number) => [...program.kind.keys()].filter((operation) => program.kind[operation] === kind);

  const experts = expertRows(plan, 0, program, start, end);
  expect(experts.map(({ expert }) => expert)).toEqual([...new Set(rowsOf(COMPUTE).map((operation) => program.label[operation]!))].sort((a, b) => a - b));
  for (const row of experts) {
    const mine = rowsOf(COMPUTE).filter((operation) => program.label[operation] === row.expert);
    const tokens = mine.reduce((sum, operation) => sum + program.rows[operation]!, 0);
    expect(row).toEqual({ expert: row.expert, tokens, tiles: mine.length, startCycle: 10 + mine[0]!, endCycle: 15 + mine.at(-1)!, busyCycles: 5 * mine.length, flops: tokens * 2 * 3 * 10 * 5 });
  }

  const [dispatch, combine] = collectiveRows(plan, 0, program, start, end);
  expect(dispatch).toMatchObject({ phase: 'dispatch', startCycle: 10, copiesSent: 8, bytesSent: 8 * 20, messagesSent: 8 });
  expect(combine).toMatchObject({ phase: 'combine', copiesReceived: 8, bytesReceived: 8 * 20, endCycle: 15 + program.operations - 1 });
  expect(combine!.startCycle).toBe(10 + rowsOf(SEND).find((operation) => program.channel[operation] === 1)!);
  expect(dispatch!.copiesReceived).toBe(combine!.copiesSent);
});

test('a die that only receives starts with its first receive, and one that does neither has no row', () => {
  // One request; slot 0 on die 0 holds it until its end, slot 1 on die 1 serves the other one and is then empty.
  const plan = planReplay(scenarioOf(2, 1), twoDies, model, traceOf([2, 1], (_, __, rank) => 3 + rank));
  const cyclesOf = (operations: number) => new Float64Array(operations).fill(7);
  const receiver = dieProgram(plan, 2, 1);
  expect(collectiveRows(plan, 2, receiver, cyclesOf(receiver.operations), cyclesOf(receiver.operations))).toMatchObject([
    { phase: 'dispatch', startCycle: 7, copiesSent: 0, copiesReceived: 2 },
    { phase: 'combine', startCycle: 7, copiesSent: 2, copiesReceived: 0 },
  ]);
  const local = planReplay(scenarioOf(2, 1), twoDies, model, traceOf([2, 1], (_, __, rank) => rank));
  const idle = dieProgram(local, 2, 1);
  expect(idle.operations).toBe(0);
  expect(collectiveRows(local, 2, idle, cyclesOf(0), cyclesOf(0))).toEqual([]);
});

test('a copy that was lost shows in its layer and only there', () => {
  const plan = planReplay(scenarioOf(1, 1), twoDies, model, traceOf([2, 2]));
  const counts = countCopies(plan);
  const lost = counts.findIndex(({ kernel, phase, copiesReceived }) => kernel === 1 && phase === 'combine' && copiesReceived > 0);
  counts[lost] = { ...counts[lost]!, copiesReceived: counts[lost]!.copiesReceived - 1 };
  expect(conservation(plan, counts)).toMatchObject([{ layer: 1, conserved: true, combined: 4 }, { layer: 2, conserved: false, dispatched: 4, combined: 3 }]);
});
