import { controlLink, memoryChannelPair, type FromNode, type ToNode } from '@kerf/cluster';
import { memoryNetworks, runNode } from '@kerf/node';
import type { RoutingTrace } from '@kerf/traces';
import type { NodeEvents, Nodes } from './node-processes.ts';

/** The same nodes inside this process, joined in memory: one core, no sockets, the same bytes. */
export class MemoryNodes implements Nodes {
  #running: Promise<unknown> = Promise.resolve();

  static async start(nodes: number, trace: RoutingTrace, events: NodeEvents): Promise<MemoryNodes> {
    const self = new MemoryNodes();
    const runs = memoryNetworks(nodes).map((network, rank) => {
      const [ours, theirs] = memoryChannelPair();
      events.onChannel(rank, ours);
      return runNode({ rank, network, control: controlLink<FromNode, ToNode>(theirs), loadTrace: () => trace });
    });
    // `runNode` reports what goes wrong; it does not throw.
    self.#running = Promise.all(runs);
    return self;
  }

  greeted(): void {}

  disconnected(): void {}

  finish(): void {}

  async stop(): Promise<void> {
    await this.#running;
  }
}
