import { indexBatch, moeLayerProgram, type BatchIndex } from '@kerf/moe';
import type { ProgramTable } from '@kerf/program';
import { kernelStepLayer, type ReplayPlan } from './replay-plan.ts';
import { tokensOfStep, type StepTokens } from './slot-schedule.ts';

/** What was worked out last for a plan: its dies ask for one kernel after another, and the layers of a step share its tokens. */
interface Recent {
  step: number;
  tokens: StepTokens;
  tile: Uint32Array;
  kernel: number;
  index: BatchIndex | undefined;
}

/** Only remembers: answers do not depend on it. */
const recent = new WeakMap<ReplayPlan, Recent>();

function stepOf(plan: ReplayPlan, step: number): Recent {
  let last = recent.get(plan);
  if (last?.step !== step) {
    const tokens = tokensOfStep(plan.schedule, step);
    last = { step, tokens, tile: tokens.slot.map((slot) => plan.slotTile[slot]!), kernel: -1, index: undefined };
    recent.set(plan, last);
  }
  return last;
}

/** The tokens of a kernel, sorted by source and destination. The last kernel asked for is kept. */
export function indexKernel(plan: ReplayPlan, kernel: number): BatchIndex {
  const { step, layer } = kernelStepLayer(plan, kernel);
  const last = stepOf(plan, step);
  if (last.kernel !== kernel || last.index === undefined) {
    last.index = indexBatch(plan.layout, {
      tokens: last.tokens.slot.length,
      topK: plan.model.topK,
      slot: last.tokens.slot,
      tile: last.tile,
      expertIds: choices(plan, last.tokens.row, layer - plan.model.firstMoeLayer),
    });
    last.kernel = kernel;
  }
  return last.index;
}

/** [tokens, topK] the experts that rows of the trace chose in one of its layers. */
function choices(plan: ReplayPlan, row: Uint32Array, traceLayer: number): Uint16Array {
  const { layers, topK, expertIds } = plan.trace;
  const chosen = new Uint16Array(row.length * topK);
  for (let token = 0; token < row.length; token++) {
    const from = (row[token]! * layers + traceLayer) * topK;
    for (let rank = 0; rank < topK; rank++) chosen[token * topK + rank] = expertIds[from + rank]!;
  }
  return chosen;
}

/** What one die does in one kernel; channels are `dispatch` and `combine`. */
export function dieProgram(plan: ReplayPlan, kernel: number, dieId: number): ProgramTable {
  return moeLayerProgram(plan.layout, indexKernel(plan, kernel), plan.model, dieId);
}

/** Tokens of a kernel, wafer-wide, and the copies they are sent to experts in, from the trace alone. */
export function kernelFacts(plan: ReplayPlan, kernel: number): { tokens: number; copies: number } {
  const tokens = stepOf(plan, kernelStepLayer(plan, kernel).step).tokens.slot.length;
  return { tokens, copies: tokens * plan.model.topK };
}
