export { dieLinkCycles, dieTopology, edgeNodeOf, nodeId, type DieTopology, type Network } from './die-topology.ts';
export { FabricError, type FabricErrorCode } from './errors.ts';
export {
  CLASS_FROM_HUB, CLASS_REDUCTION, CLASS_REQUEST, CLASS_RESPONSE, CLASS_TO_HUB, CLASSES, type Fabric, type Fidelity, type MulticastPlan, type ReductionPlan,
} from './fabric.ts';
export { ItemList } from './item-list.ts';
export {
  BOUNDARY_STRIDE, COUNT_ARBITRATION_STALL, COUNT_BUSY, COUNT_BYTES, COUNT_CREDIT_STALL, COUNT_PACKETS, ITEM_ARRIVAL, ITEM_BYTES, ITEM_ENTERED, ITEM_FINAL, ITEM_META, ITEM_POSITION, ITEM_SOURCE, ITEM_TAIL, NEVER, type KernelSnapshot,
} from './kernel-state.ts';
export { allToAllBisectionCycles, busiestLinkFlits, flitsOf, zeroLoadCycles } from './latency.ts';
export { linkWarnings, type LinkWarning } from './link-warnings.ts';
export { PacketKernel, type MulticastOptions, type PacketKernelOptions } from './packet-kernel.ts';
export { DIRECTIONS, FIRST_GATEWAY, MAX_GATEWAYS, opposite, PORT_STRIDE } from './ports.ts';
export { checkDeadlockFreedom, requireDeadlockFreedom, requiringDeadlockFreedom, type DeadlockReport } from './routes/deadlock-freedom.ts';
export { checkReachable, cutOffTiles } from './routes/reachable.ts';
export { AnalyticFabric, type AnalyticFabricOptions, type AnalyticSnapshot } from './analytic/analytic-fabric.ts';
export { bisectionBytesPerCycle, ringAllReduceCycles, singleFlowCycles } from './analytic/closed-forms.ts';
export { estimateTraffic, estimatingTraffic, type TrafficEstimate } from './analytic/estimate.ts';
export { checkEvents, eventColumns, parseEvents, type RawEvents, type TrafficEvents } from './traffic/events.ts';
export { MESH_FLIT_BYTES, meshMachine, type MeshChoice } from './traffic/mesh-machine.ts';
export { patternName, patternNames, trafficPattern, type PatternGrid, type PatternName, type TrafficPattern } from './traffic/patterns.ts';
export { runStream, StreamRun, type StreamOptions, type StreamResult } from './traffic/stream.ts';
export { defaultLatencyLimit, runTraffic, TrafficRun, type TrafficOptions, type TrafficResult } from './traffic/traffic-run.ts';
export { longestIdleCycles, waferFabric, type WaferFabric } from './traffic/wafer-fabric.ts';
export { flitPipelines, parseFlitPipeline, routerCycles, type FlitPipeline } from './flit/pipeline.ts';
export { FlitKernel, type FlitKernelOptions } from './flit/flit-kernel.ts';
export { collectiveNames, CollectiveRun, runCollective, type CollectiveChoice, type CollectiveName, type CollectiveResult } from './traffic/collective-run.ts';
export { planMulticast, planReduction, type CollectiveOptions, type PlannedSet } from './routes/collective-plans.ts';
export { checkConcurrentReductions, type ConcurrentReduction } from './routes/concurrent-reductions.ts';
export { MAX_DAMAGED_ROUTERS } from './routes/route-table.ts';
export type { RouteTable } from './routes/routes.ts';
export { onOneDie, type MaskedTiles, type TileSet } from './routes/tile-set.ts';
export { portName } from './wait-explanations.ts';
