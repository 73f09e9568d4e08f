import { KerfError } from '@kerf/checks';

export type GemmErrorCode = 'GEMM_BAD_SHAPE' | 'GEMM_BAD_MAPPING' | 'GEMM_DOES_NOT_FIT' | 'GEMM_TOO_LARGE';

/** A matrix product that cannot be laid out as asked. */
export class GemmError extends KerfError<GemmErrorCode> {
  override readonly name = 'GemmError';
}
