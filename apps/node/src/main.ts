#!/usr/bin/env node
import { connectChannel, controlLink, type FromNode, type ToNode } from '@kerf/cluster';
import { readRoutingTrace } from '@kerf/traces';
import { NodeError } from './errors.ts';
import { webSocketNetwork } from './peer-network.ts';
import { runNode } from './run-node.ts';
import { traceFiles } from './trace-files.ts';

/** One node process, started by a coordinator: where it listens, the run's token, and this process's rank. */
function environment(): { url: string; token: string; rank: number } {
  const { KERF_CONTROL_URL: url, KERF_TOKEN: token, KERF_RANK: rank } = process.env;
  if (url === undefined || token === undefined || rank === undefined || !/^\d+$/.test(rank)) {
    throw new NodeError('NODE_BAD_ENVIRONMENT', 'kerf-node is started by kerf: it needs KERF_CONTROL_URL, KERF_TOKEN and KERF_RANK in its environment.');
  }
  return { url, token, rank: Number(rank) };
}

try {
  const { url, token, rank } = environment();
  const channel = await connectChannel(url, token);
  const network = await webSocketNetwork(rank, token);
  const control = controlLink<FromNode, ToNode>(channel);
  // Whatever this process is doing: without a coordinator nobody wants it.
  channel.onClose(() => process.exit(3));
  await runNode({ rank, control, network, loadTrace: (path) => {
    const files = traceFiles(path);
    try {
      return readRoutingTrace(files);
    } finally {
      files.close();
    }
  } });
  // The coordinator closes the connection when it has read the last word.
} catch (error) {
  process.stderr.write(`kerf-node: ${error instanceof NodeError ? `${error.code}: ${error.message}` : (error as Error).message}\n`);
  process.exit(2);
}
