import { KerfError } from '@kerf/checks';

export type ValidationErrorCode =
  | 'REFERENCE_FORM' // a reference file that is not what its name promises
  | 'REFERENCE_ROW' // a row that contradicts itself or asks for what does not exist
  | 'REFERENCE_EMPTY' // a folder without a single reference file
  | 'VALIDATION_UNKNOWN_SUITE'
  | 'VALIDATION_OUTPUT'; // a command that did not print what a suite reads

/** What can be wrong with a reference file, a selection of suites, or what a command printed. */
export class ValidationError extends KerfError<ValidationErrorCode> {
  override readonly name = 'ValidationError';
}
