import type { RoutingTrace, TraceRequest } from '@kerf/traces';
import { counterHash } from './counter-hash.ts';
import { InferenceError } from './errors.ts';

/** Which request sits in which slot of the batch, and when. Only decode rows are replayed; prompts are skipped. */
export interface SlotSchedule {
  readonly slots: number;
  /** More slots than requests: requests are repeated, and no slot is ever empty. */
  readonly cycled: boolean;
  /** Steps in which at least one slot has a token; Infinity when cycled. */
  readonly liveSteps: number;
  /** [requests with decode rows] first decode row. */
  readonly firstRow: Uint32Array;
  /** [requests with decode rows] decode rows, ≥ 1. */
  readonly tokens: Uint32Array;
  /** Not cycled, [requests]: step in which the request enters its slot, request mod slots. Cycled, [slots]: rows skipped at step 0. */
  readonly offset: Uint32Array;
}

/** The tokens of one step, as columns, in slot order. */
export interface StepTokens {
  /** [tokens] slot, rising. */
  readonly slot: Uint32Array;
  /** [tokens] row of the trace. */
  readonly row: Uint32Array;
}

/**
 * Puts the requests of a trace into slots. With as many requests as slots or more, slot s serves requests s, s + slots,
 * s + 2 × slots … one after another and is then empty. With fewer, they are cycled: slot s serves request s mod requests
 * for ever, wrapping round at its end; the first `requests` slots begin with the first row, the others at a row drawn
 * from (seed, slot).
 *
 * @throws InferenceError `INFERENCE_NO_DECODE` if the trace has no decode row
 */
export function scheduleSlots(trace: RoutingTrace, slots: number, seed: number): SlotSchedule {
  const decoding = trace.requests.filter((request) => decodeTokens(request) > 0);
  const requests = decoding.length;
  if (requests === 0) {
    throw new InferenceError('INFERENCE_NO_DECODE', `Trace ${trace.name} has ${trace.requests.length} requests and no decode token among them; a replay needs at least one.`, { trace: trace.name });
  }
  const firstRow = Uint32Array.from(decoding, (request) => request.firstRow + (request.prefillTokens ?? 0));
  const tokens = Uint32Array.from(decoding, decodeTokens);
  if (slots > requests) {
    const offset = new Uint32Array(slots);
    for (let slot = requests; slot < slots; slot++) offset[slot] = Math.floor((counterHash(seed, slot) * tokens[slot % requests]!) / 2 ** 32);
    return { slots, cycled: true, liveSteps: Infinity, firstRow, tokens, offset };
  }
  const offset = new Uint32Array(requests);
  let liveSteps = 0;
  for (let request = 0; request < requests; request++) {
    if (request >= slots) offset[request] = offset[request - slots]! + tokens[request - slots]!;
    liveSteps = Math.max(liveSteps, offset[request]! + tokens[request]!);
  }
  return { slots, cycled: false, liveSteps, firstRow, tokens, offset };
}

function decodeTokens(request: TraceRequest): number {
  return request.tokens - (request.prefillTokens ?? 0);
}

/** The tokens that are decoded in `step`: none from step {@link SlotSchedule.liveSteps} on. */
export function tokensOfStep(schedule: SlotSchedule, step: number): StepTokens {
  const { slots, cycled, firstRow, tokens, offset } = schedule;
  const rowOfSlot = new Float64Array(slots).fill(-1);
  let live = 0;
  if (cycled) {
    for (let slot = 0; slot < slots; slot++) {
      const request = slot % tokens.length;
      rowOfSlot[slot] = firstRow[request]! + ((offset[slot]! + step) % tokens[request]!);
    }
    live = slots;
  } else {
    for (let request = 0; request < tokens.length; request++) {
      const position = step - offset[request]!;
      if (position < 0 || position >= tokens[request]!) continue;
      rowOfSlot[request % slots] = firstRow[request]! + position;
      live++;
    }
  }
  const slot = new Uint32Array(live);
  const row = new Uint32Array(live);
  let token = 0;
  for (let s = 0; s < slots; s++) {
    if (rowOfSlot[s]! < 0) continue;
    slot[token] = s;
    row[token++] = rowOfSlot[s]!;
  }
  return { slot, row };
}
