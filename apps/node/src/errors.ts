import { KerfError } from '@kerf/checks';

export type NodeErrorCode =
  | 'NODE_BAD_ENVIRONMENT'
  | 'NODE_VERSION'
  | 'FILE_NOT_FOUND'
  | 'FILE_UNREADABLE' // exists, but is a folder, forbidden, or fails on reading
  | 'FILE_UNWRITABLE'
  | 'DISK_FULL';

/** What can go wrong around the simulation: environment, versions, files. */
export class NodeError extends KerfError<NodeErrorCode> {
  override readonly name = 'NodeError';
}
