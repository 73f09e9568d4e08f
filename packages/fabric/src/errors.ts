import { KerfError } from '@kerf/checks';

export type FabricErrorCode = 'FABRIC_BAD_PAYLOAD' | 'FABRIC_TILE_OFF_WAFER' | 'FABRIC_BUFFER_TOO_SMALL' | 'FABRIC_BAD_OPTION';

/** Traffic or options that the fabric cannot carry. */
export class FabricError extends KerfError<FabricErrorCode> {
  override readonly name = 'FabricError';
}
