export { type Channel } from './channel.ts';
export {
  CONTROL_VERSION, controlLink, decodeControl, type ControlLink, type FromNode, type NodeStatistics, type StartMessage, type ToNode, type WrittenFile,
} from './control.ts';
export { Coordinator, type CoordinatorOptions } from './coordinator.ts';
export { ClusterError, type ClusterErrorCode } from './errors.ts';
export { decodeFrame, encodeFrame, FRAME_VERSION, type BoundaryFrame, type FrameSection } from './frame.ts';
export { KernelRunner, type RunnerHost, type RunnerOptions, type RunnerSnapshot, type RunnerStatistics } from './kernel-runner.ts';
export { partitionOf, partitionWafer, type Partition } from './partition.ts';
export { memoryChannelPair, type Deliver } from './transport/memory.ts';
export { connectChannel, serveChannels, type ChannelServer } from './transport/websocket.ts';
