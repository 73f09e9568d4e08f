export { KerfError, type ErrorContext } from './errors.ts';
export { nearestName, suggestion } from './nearest.ts';
export { checkSchema, SchemaError, type SchemaErrorCode } from './schema.ts';
