export { ProgramBuilder, type OperationId } from './builder.ts';
export { checkProgram, checkTraffic } from './check.ts';
export { ProgramError, type ProgramErrorCode } from './errors.ts';
export { COMPUTE, operationKinds, RECEIVE, SEND, WAIT, type OperationKind, type ProgramTable } from './program.ts';
