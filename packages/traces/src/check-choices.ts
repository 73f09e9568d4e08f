import { TraceError, type TraceErrorCode } from './errors.ts';

/** What a recorded array must agree with, and where its errors point. */
export interface ChoiceShape {
  /** File that is named in errors. */
  readonly file: string;
  readonly layers: number;
  readonly experts: number;
  readonly topK: number;
}

/**
 * How far the weights of a token may be from 1 in sum: each is rounded to bfloat16 on its own, which moves it by at most 2^-8 of
 * itself, so the sum moves by at most 2^-8 as well (and a little for the arithmetic that made them).
 */
export const WEIGHT_SUM_TOLERANCE = 2 ** -8 + 2 ** -14;

/**
 * Checks the choices of one token in one layer, `ids[at … at + topK - 1]`: whole ids of existing experts, each once.
 *
 * @throws TraceError `TRACE_PADDING`, `TRACE_EXPERT_RANGE`, `TRACE_EXPERT_DUPLICATE` with row, layer and slot
 */
export function checkExpertIds(shape: ChoiceShape, ids: ArrayLike<number>, at: number, row: number, layer: number): void {
  const { topK, experts } = shape;
  for (let slot = 0; slot < topK; slot++) {
    const id = ids[at + slot]!;
    if (!(id >= 0 && id < experts)) {
      if (id === -1) throw choiceError(shape, 'TRACE_PADDING', row, layer, slot, 'an expert in every slot', '-1, the mark of an unused slot (padding)');
      throw choiceError(shape, 'TRACE_EXPERT_RANGE', row, layer, slot, `an expert id from 0 to ${experts - 1}`, id);
    }
    for (let other = 0; other < slot; other++) {
      if (ids[at + other] === id) throw choiceError(shape, 'TRACE_EXPERT_DUPLICATE', row, layer, slot, 'each expert at most once per token and layer', `expert ${id} again, already in slot ${other}`);
    }
  }
}

/**
 * Checks the weights of one token in one layer and returns how far their sum is from 1.
 *
 * @throws TraceError `TRACE_WEIGHT`, `TRACE_WEIGHT_ORDER`, `TRACE_WEIGHT_SUM` with row, layer and slot
 */
export function checkWeights(shape: ChoiceShape, weights: ArrayLike<number>, at: number, row: number, layer: number): number {
  let sum = 0;
  for (let slot = 0; slot < shape.topK; slot++) {
    const weight = weights[at + slot]!;
    if (!(weight >= 0 && weight < Infinity)) throw choiceError(shape, 'TRACE_WEIGHT', row, layer, slot, 'a finite weight ≥ 0', weight);
    if (slot > 0 && weight > weights[at + slot - 1]!) {
      throw choiceError(shape, 'TRACE_WEIGHT_ORDER', row, layer, slot, `weights in falling order, so at most ${weights[at + slot - 1]}`, weight);
    }
    sum += weight;
  }
  const deviation = Math.abs(sum - 1);
  if (deviation > WEIGHT_SUM_TOLERANCE) {
    throw choiceError(shape, 'TRACE_WEIGHT_SUM', row, layer, 0, `weights that sum to 1 ± ${WEIGHT_SUM_TOLERANCE.toFixed(4)} (bfloat16 rounding)`, `a sum of ${sum}`);
  }
  return deviation;
}

function choiceError({ file }: ChoiceShape, code: TraceErrorCode, row: number, layer: number, slot: number, expected: string, got: number | string): TraceError {
  return new TraceError(code, `${file}: row ${row}, layer ${layer}, slot ${slot}: expected ${expected}, got ${got}.`, { file, row, layer, slot, expected, got });
}
