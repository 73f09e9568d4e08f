import { KerfError } from '@kerf/checks';

export type NodeErrorCode = 'NODE_BAD_ENVIRONMENT' | 'NODE_FILE' | 'DISK_FULL' | 'NODE_VERSION';

/** What can go wrong around the simulation in one node process. */
export class NodeError extends KerfError<NodeErrorCode> {
  override readonly name = 'NodeError';
}
