import { KerfError } from '@kerf/checks';

export type InferenceErrorCode = 'INFERENCE_UNKNOWN_MODEL' | 'INFERENCE_NO_DECODE' | 'INFERENCE_TOO_MANY_STEPS';

/** A scenario, model and trace that do not make a run together. */
export class InferenceError extends KerfError<InferenceErrorCode> {
  override readonly name = 'InferenceError';
}
