import { KerfError } from '@kerf/checks';

export type ProgramErrorCode =
  | 'PROGRAM_BAD_OPERATION'
  | 'PROGRAM_BAD_DEPENDENCY'
  | 'PROGRAM_CYCLE'
  | 'PROGRAM_UNMATCHED_RECEIVE';

/** A program that cannot be run as written. */
export class ProgramError extends KerfError<ProgramErrorCode> {
  override readonly name = 'ProgramError';
}
