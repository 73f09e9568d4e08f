export { kerf } from './program.ts';
export { exitCodes, type Output } from './errors.ts';
