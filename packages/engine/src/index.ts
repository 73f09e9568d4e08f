export { computeCycles, tileRates, type TileRates } from './costs.ts';
export { DieEngine, type DieSnapshot, type EngineOptions, type LinkRow } from './die-engine.ts';
export { Region, type RegionPort } from './region.ts';
