import {
  BOUNDARY_STRIDE, ITEM_ARRIVAL, ITEM_BYTES, ITEM_ENTERED, ITEM_FINAL, ITEM_META, ITEM_POSITION, ITEM_SOURCE, ITEM_TAIL, NEVER, type ItemList, type PacketKernel,
} from '@kerf/fabric';
import { ClusterError } from './errors.ts';

/**
 * Checks what another process sent over one die edge before the fabric takes it: every field in its range, and nothing
 * earlier than promised.
 *
 * @throws ClusterError `CLUSTER_BAD_FRAME`, `CLUSTER_BROKEN_PROMISE`
 */
export function checkItems(fabric: PacketKernel, direction: number, packets: ItemList, credits: ItemList, promiseCycle: number, waferTiles: number): void {
  const { topology, lanes, channels } = fabric;
  const positions = topology.hasNeighbour[direction] ? topology.boundaryPorts[direction]!.length : 0;
  const check = (holds: boolean, what: string, value: number): void => {
    if (holds) return;
    throw new ClusterError('CLUSTER_BAD_FRAME', `An item for die ${topology.dieId} has ${what} ${value}.`, { dieId: topology.dieId, what, value });
  };
  const promised = (arrival: number): void => {
    if (arrival >= promiseCycle) return;
    const message = `An item reaches die ${topology.dieId} at cycle ${arrival}, but its sender promised nothing before ${promiseCycle}.`;
    throw new ClusterError('CLUSTER_BROKEN_PROMISE', message, { dieId: topology.dieId, arrival, promiseCycle });
  };
  for (let row = 0; row < packets.rows; row++) {
    const at = row * BOUNDARY_STRIDE;
    const { data } = packets;
    const meta = data[at + ITEM_META]!;
    const flits = meta & 0xffff;
    promised(data[at + ITEM_ARRIVAL]!);
    check(data[at + ITEM_ARRIVAL]! < NEVER, 'the cycle', data[at + ITEM_ARRIVAL]!);
    check(data[at + ITEM_POSITION]! >>> 0 < positions, 'the lane', data[at + ITEM_POSITION]!);
    check(flits >= 1 && flits <= topology.maxPacketFlits, 'a length in flits of', flits);
    check(((meta >>> 16) & 0xff) < lanes, 'the traffic class', (meta >>> 16) & 0xff);
    check(meta >>> 24 < channels, 'the channel', meta >>> 24);
    check(data[at + ITEM_TAIL]! >= data[at + ITEM_ARRIVAL]!, 'a tail before its head, at cycle', data[at + ITEM_TAIL]!);
    check(data[at + ITEM_TAIL]! < NEVER, 'a tail long after its head, at cycle', data[at + ITEM_TAIL]!);
    check(data[at + ITEM_ENTERED]! >= 0 && data[at + ITEM_ENTERED]! < data[at + ITEM_ARRIVAL]!, 'a start after its arrival, at cycle', data[at + ITEM_ENTERED]!);
    check(data[at + ITEM_BYTES]! >>> 0 <= topology.maxPacketBytes, 'a payload of', data[at + ITEM_BYTES]!);
    check(data[at + ITEM_FINAL]! >>> 0 < waferTiles, 'the destination', data[at + ITEM_FINAL]!);
    check(data[at + ITEM_SOURCE]! >>> 0 < waferTiles, 'the source', data[at + ITEM_SOURCE]!);
  }
  for (let row = 0; row < credits.rows; row++) {
    const at = row * BOUNDARY_STRIDE;
    const { data } = credits;
    promised(data[at + ITEM_ARRIVAL]!);
    check(data[at + ITEM_ARRIVAL]! < NEVER, 'the cycle', data[at + ITEM_ARRIVAL]!);
    check((data[at + ITEM_POSITION]! & 0xffff) < positions, 'the lane', data[at + ITEM_POSITION]! & 0xffff);
    check(data[at + ITEM_POSITION]! >>> 16 < lanes, 'the traffic class', data[at + ITEM_POSITION]! >>> 16);
    check(data[at + ITEM_META]! >= 1 && data[at + ITEM_META]! <= topology.maxPacketFlits, 'a credit in flits of', data[at + ITEM_META]!);
  }
}
