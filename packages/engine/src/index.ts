export * from './costs/index.ts';
export { computeCycles, computeRates, type ComputeRates } from './costs.ts';
export { DieEngine, type DieSnapshot, type EngineOptions, type LinkRow } from './die-engine.ts';
export { Region, type RegionPort } from './region.ts';
