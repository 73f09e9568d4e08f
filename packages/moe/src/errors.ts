import { KerfError } from '@kerf/checks';

export type MoeErrorCode = 'MOE_BAD_PLACEMENT' | 'MOE_BAD_BATCH';

/** A placement or a batch of tokens that no MoE layer of this wafer can run. */
export class MoeError extends KerfError<MoeErrorCode> {
  override readonly name = 'MoeError';
}
