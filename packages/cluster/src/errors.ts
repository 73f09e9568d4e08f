import { KerfError } from '@kerf/checks';

export type ClusterErrorCode =
  | 'CLUSTER_TOO_MANY_NODES'
  | 'CLUSTER_BAD_FRAME'
  | 'CLUSTER_BROKEN_PROMISE'
  | 'CLUSTER_PEER_LOST'
  | 'CLUSTER_NODE_LOST'
  | 'CLUSTER_NODE_FAILED'
  | 'CLUSTER_DEADLOCK'
  | 'CLUSTER_BAD_MESSAGE'
  | 'CLUSTER_ABORTED'
  | 'CLUSTER_CONNECT';

/** What can go wrong between node processes. */
export class ClusterError extends KerfError<ClusterErrorCode> {
  override readonly name = 'ClusterError';
}
