export { checkTraceAgainstModel, type ModelShape } from './check-model.ts';
export { TraceError, type TraceErrorCode } from './errors.ts';
export type { RoutingTrace, TraceFiles, TraceRequest } from './routing-trace.ts';
