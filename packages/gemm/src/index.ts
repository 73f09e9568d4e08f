export { chooseGemm, gemmCandidates, publishedMappings, type GemmCandidate, type GemmWishes } from './choose.ts';
export { GemmError, type GemmErrorCode } from './errors.ts';
export { estimateGemm, type GemmEstimate } from './estimate.ts';
export { grainOf } from './grain.ts';
export { checkMapping, checkShape, gemmTypes, type GemmMapping, type GemmShape, type GemmTypes } from './mapping.ts';
export { gemmPrograms, placeGemm, type GemmProgram } from './programs.ts';
export { summaLayout, summaProgram, type Grain, type SummaLayout, type SummaOptions } from './summa.ts';
