import { KerfError } from '@kerf/checks';

export type FabricErrorCode = 'FABRIC_BAD_PAYLOAD' | 'FABRIC_TILE_OFF_WAFER' | 'FABRIC_BUFFER_TOO_SMALL' | 'FABRIC_BAD_OPTION' | 'FABRIC_BAD_TREE' | 'FABRIC_UNREACHABLE' | 'FABRIC_MESH_TOO_LARGE' | 'FABRIC_EMPTY_SET' | 'FABRIC_TILE_OFF_DIE' | 'FABRIC_CROSSES_DIES' | 'FABRIC_ABSENT_TILE' | 'FABRIC_NO_TREE' | 'FABRIC_OVERLAPPING_REDUCTIONS' | 'FABRIC_REDUCTION_TABLE' | 'FABRIC_CYCLIC_ROUTES' | 'FABRIC_UNKNOWN_PATTERN' | 'FABRIC_BAD_PATTERN' | 'FABRIC_BAD_RATE' | 'FABRIC_BAD_EVENT';

/** Traffic or options that the fabric cannot carry. */
export class FabricError extends KerfError<FabricErrorCode> {
  override readonly name = 'FabricError';
}
