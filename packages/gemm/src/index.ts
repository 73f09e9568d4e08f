export { GemmError, type GemmErrorCode } from './errors.ts';
export { summaLayout, summaProgram, type Grain, type SummaLayout, type SummaOptions } from './summa.ts';
export { checkMapping, checkShape, gemmTypes, type GemmMapping, type GemmShape, type GemmTypes } from './mapping.ts';
