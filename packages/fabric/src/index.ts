export { dieLinkCycles, dieTopology, type DieTopology } from './die-topology.ts';
export { FabricError, type FabricErrorCode } from './errors.ts';
export { ItemList } from './item-list.ts';
export {
  BOUNDARY_STRIDE, COUNT_ARBITRATION_STALL, COUNT_BUSY, COUNT_BYTES, COUNT_CREDIT_STALL, COUNT_PACKETS, ITEM_ARRIVAL, ITEM_BYTES, ITEM_FINAL, ITEM_META, ITEM_POSITION, ITEM_SOURCE, ITEM_TAIL, NEVER, type KernelSnapshot,
} from './kernel-state.ts';
export { allToAllBisectionCycles, busiestLinkFlits, flitsOf, zeroLoadCycles } from './latency.ts';
export { PacketKernel, portName, type PacketKernelOptions } from './packet-kernel.ts';
export { DIRECTIONS, FIRST_GATEWAY, MAX_GATEWAYS, opposite, PORT_STRIDE } from './ports.ts';
