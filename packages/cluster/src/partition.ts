import { dies, type Hardware } from '@kerf/hardware';
import { ClusterError } from './errors.ts';

/** Which node process simulates which dies. */
export interface Partition {
  /** [ranks] the dies of each process, ascending. */
  readonly diesOfRank: readonly (readonly number[])[];
  /** [dies] the process of each die. */
  readonly rankOfDie: readonly number[];
}

/**
 * Cuts the wafer into `nodes` runs of dies, nearly equal in number, in the order of die ids.
 *
 * @throws ClusterError `CLUSTER_TOO_MANY_NODES`: a process needs a die
 */
export function partitionWafer(hardware: Hardware, nodes: number): Partition {
  const count = dies(hardware);
  if (!Number.isSafeInteger(nodes) || nodes < 1 || nodes > count) {
    const message = `The wafer of ${hardware.name} has ${count} ${count === 1 ? 'die' : 'dies'}, so 1 to ${count} node processes can share it, got ${nodes}.`;
    throw new ClusterError('CLUSTER_TOO_MANY_NODES', message, { dies: count, nodes });
  }
  return partitionOf(Array.from({ length: nodes }, (_, rank) => {
    const first = Math.floor((rank * count) / nodes);
    return Array.from({ length: Math.floor(((rank + 1) * count) / nodes) - first }, (_, i) => first + i);
  }));
}

/** The partition with given dies per rank; each die must occur exactly once. */
export function partitionOf(diesOfRank: readonly (readonly number[])[]): Partition {
  const rankOfDie: number[] = [];
  diesOfRank.forEach((list, rank) => list.forEach((die) => (rankOfDie[die] = rank)));
  if (rankOfDie.length !== diesOfRank.flat().length || rankOfDie.includes(undefined as never)) throw new Error('A partition holds each die exactly once.');
  return { diesOfRank, rankOfDie };
}
