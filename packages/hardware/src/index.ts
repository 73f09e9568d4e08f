export { dieIdOf, dieOfTile, dies, dieXY, localTileOf, manhattan, tileIdOf, tileIdOnWafer, tiles, tilesPerDie, tileXYOnDie, tileXYOnWafer, type Grid, type XY } from './coordinates.ts';
export { crossCheckHardware } from './cross-checks.ts';
export {
  absentLinks, absentTiles, countDefects, directions, hasDefects, isAbsentDie, isAbsentHubLink, isAbsentLink, isAbsentTile, neighbouringDie, neighbouringTile, presentTiles, type DefectCounts,
} from './defects.ts';
export { edgeNodes, type EdgeNode } from './edge-nodes.ts';
export { HardwareError, type HardwareErrorCode } from './errors.ts';
export { figuresOf, remarksOn, type Figures, type LinkFigures, type PartFigures } from './figures.ts';
export { firstLook } from './first-look.ts';
export { parseHardware } from './parse.ts';
export { presetHardware, presets } from './presets.ts';
export { rateOf, rationalOf, type Rate, type Rational } from './rational.ts';
export { contains, dieRectangle, overlap, tilesOf, waferRectangle, type Rectangle } from './regions.ts';
export { creditCyclesOf, ejectionLinkOf, memoryOf, reductionOf, setupCyclesOf, virtualChannelsOf } from './settings.ts';
export {
  HARDWARE_FORMAT_VERSION, hardwareSchema, hardwareSchemaFile, MAX_VIRTUAL_CHANNELS,
  type DefectsSpec, type DieToDieSpec, type DirectionName, type ElementType, type Hardware, type LinkSpec, type MemorySpec, type ReductionSpec, type SyncLinkSpec, type TileLinkSpec,
} from './spec.ts';
export { bytesPerCycleFromGigabytesPerSecond, cyclesFromNanoseconds, nanosecondsFromCycles } from './units.ts';
