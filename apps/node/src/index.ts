export { NodeError, type NodeErrorCode } from './errors.ts';
export { assertFile, FileSink, FileSource, hashOf, readError, sha256, systemCode, traceFiles, writeError, type OpenTraceFiles } from './files.ts';
export { memoryNetworks, webSocketNetwork, type PeerNetwork } from './peer-network.ts';
export { runNode, type RunNodeOptions } from './run-node.ts';
export { writeTableFile } from './table-files.ts';
