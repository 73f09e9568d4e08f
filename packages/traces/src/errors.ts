import { KerfError } from '@kerf/checks';

export type TraceErrorCode =
  | 'TRACE_NPY_HEADER' // not a header of version 1 or 2, or not the dictionary it must hold
  | 'TRACE_NPY_TYPE' // an element type that this reader, or this place, does not take
  | 'TRACE_NPY_ORDER' // Fortran order
  | 'TRACE_NPY_LENGTH' // fewer or more bytes than shape and type ask for
  | 'TRACE_NPY_VALUE' // a 64-bit integer beyond 2^53
  | 'TRACE_SHAPE' // not [tokens, layers, topK], or not the one announced
  | 'TRACE_EMPTY' // no tokens, no layers, no files
  | 'TRACE_UNKNOWN_KIND' // nothing that a reader recognises
  | 'TRACE_MISSING_FILE'
  | 'TRACE_JSON' // not UTF-8 or not JSON
  | 'TRACE_MODEL_FACTS' // an array without the facts of its model, or with some that contradict the file
  | 'TRACE_EXPERT_RANGE' // an expert id beyond the model's experts, or a negative one
  | 'TRACE_EXPERT_DUPLICATE' // one expert twice among a token's choices
  | 'TRACE_PADDING' // -1, the recorders' mark for an unused slot
  | 'TRACE_WEIGHT' // not finite, or negative
  | 'TRACE_WEIGHT_ORDER'
  | 'TRACE_WEIGHT_SUM'
  | 'TRACE_REQUESTS' // rows of requests overlap, leave a gap, or are out of order
  | 'TRACE_TABLE' // an Arrow table that is not a routing trace, or contradicts itself
  | 'TRACE_VERSION' // a routing trace of another format version
  | 'TRACE_TRUNCATED' // ends within a token
  | 'TRACE_MODEL_MISMATCH' // recorded with another model than it is to be replayed on
  | 'TRACE_UNKNOWN_MODEL' // no calibration of that name
  | 'TRACE_OPTION'; // an option of the generator outside its range

/** A trace, or an order for one, that cannot be taken. The message names file, what was expected and what came. */
export class TraceError extends KerfError<TraceErrorCode> {
  override readonly name = 'TraceError';
}
