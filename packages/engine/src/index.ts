export * from './costs/index.ts';
export { computeCycles, computeRates, type ComputeRates } from './costs.ts';
export { DieEngine, type DieSnapshot, type EngineOptions, type LinkRow } from './die-engine.ts';
export { Region, type RegionPort } from './region.ts';
export { stallReasons, type StallReason } from './tile-engine/engine-state.ts';
export { breakdownParts, tileChannels, type BreakdownPart, type TileRunOptions } from './tile-engine/options.ts';
export { runTilePrograms, TileRunMemo, type DieRun, type LinkTable, type MemoryTable, type TileRun, type TileRunSetup, type TileTable } from './tile-engine/run-tile-programs.ts';
export { TileEngine, type RecordedOperation, type TileSnapshot } from './tile-engine/tile-engine.ts';
export { tileHardwareOf, type TileHardware } from './tile-engine/tile-hardware.ts';
