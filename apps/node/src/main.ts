#!/usr/bin/env node
import { KerfError } from '@kerf/checks';
import { connectChannel, controlLink, type FromNode, type ToNode } from '@kerf/cluster';
import { readRoutingTrace } from '@kerf/traces';
import { NodeError } from './errors.ts';
import { webSocketNetwork } from './peer-network.ts';
import { runNode } from './run-node.ts';
import { traceFiles } from './files.ts';

/** What a process without a coordinator has left to close its files. */
const LAST_MILLISECONDS = 500;

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
  const link = controlLink<FromNode, ToNode>(channel);
  const control = {
    ...link,
    // Whatever this process is doing then: without a coordinator nobody wants it.
    onClose: (handler: (reason: string) => void) => link.onClose((reason) => {
      handler(reason);
      setTimeout(() => process.exit(3), LAST_MILLISECONDS);
    }),
  };
  await runNode({ rank, control, network, loadTrace: (path, { name, experts }) => {
    const files = traceFiles(path);
    try {
      return readRoutingTrace(files, { model: name, experts });
    } finally {
      files.close();
    }
  } });
  // The last word is said; the coordinator closes the connection when it has read it.
  channel.onClose(() => process.exit(0));
} catch (error) {
  process.stderr.write(`kerf-node: ${error instanceof KerfError ? `${String(error.code)}: ${error.message}` : (error as Error).message}\n`);
  process.exit(2);
}
