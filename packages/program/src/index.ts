export { ProgramBuilder, type OperationId } from './builder.ts';
export { checkProgram, checkTraffic } from './check.ts';
export { ProgramError, type ProgramErrorCode } from './errors.ts';
export { COMPUTE, operationKinds, RECEIVE, SEND, WAIT, type OperationKind, type ProgramTable } from './program.ts';
export { Affine, affineValue } from './tile-program/affine.ts';
export { RoleWriter, TensorRef, TileProgramBuilder, View, type OperationFields, type OperationOptions, type RowId, type Slice } from './tile-program/builder.ts';
export { chakraTraces, programFromChakra } from './tile-program/chakra-program.ts';
export { chakraCollectives, chakraNodeTypes, readChakra, writeChakra, type ChakraAttribute, type ChakraNode, type ChakraNodeType, type ChakraOperands, type ChakraScalar, type ChakraScalarType, type ChakraTrace } from './tile-program/chakra.ts';
export { buffersOf, checkTileProgram, l1BytesOf, MAX_GROUP_TILES } from './tile-program/check.ts';
export { elementBytes, elementTypes, roundTo, type NumberFormat } from './tile-program/element-types.ts';
export { formatTileProgram, parseTileProgram, readTileProgram, tileProgramFile, tileProgramSchema, type TileProgramFile } from './tile-program/file.ts';
export { isRoot, memberPlace, membersOf, peerPlace, rootPlace, scopeAt, scopesOf } from './tile-program/group.ts';
export { checkSideBySide, instantiate, memberOfPeer, placeInGroup, tileOfPlace, type GroupPlace, type ParameterRule, type Placement, type ProgramInstances } from './tile-program/instances.ts';
export { execute, type ExecuteOptions, type Execution } from './tile-program/interpreter.ts';
export { compileProgram, queuesOf, type CompiledProgram, type RoleQueues } from './tile-program/queues.ts';
export { programTables, type ProgramColumn, type ProgramTableData } from './tile-program/tables.ts';
export {
  TILE_PROGRAM_FORMAT_VERSION, type AffineTable, type Buffer, type Collective, type OperationTable, type Peer, type Role, type RootRule, type SliceTable, type Tensor, type TileProgram, type ViewTable,
} from './tile-program/tile-program.ts';
export {
  ACCUMULATE, collectiveKinds, collectiveScopes, ENGINES, enginesOfKind, NONE, tensorUses, TileEngineId, tileEngines, TileOperation, tileOperationKinds, TRANSPOSE_B, Vector, vectorKinds,
  type CollectiveKind, type CollectiveScope, type TensorUse, type TileEngine, type TileOperationKind, type VectorKind,
} from './tile-program/vocabulary.ts';
