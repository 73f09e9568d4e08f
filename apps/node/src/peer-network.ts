import { connectChannel, memoryChannelPair, serveChannels, ClusterError, type Channel, type ChannelServer, type Deliver } from '@kerf/cluster';

/** How a node process reaches its neighbours. */
export interface PeerNetwork {
  /** Where others find this process; empty where no address is needed. */
  readonly url: string;
  /** One channel to each of the given ranks. `urls` are the addresses of all ranks. */
  connect(neighbours: readonly number[], urls: readonly string[]): Promise<Map<number, Channel>>;
  close(): Promise<void>;
}

const CONNECT_MILLISECONDS = 15_000;

/** Over WebSockets on loopback: a process calls the neighbours of lower rank and is called by those of higher rank. */
export async function webSocketNetwork(rank: number, token: string): Promise<PeerNetwork> {
  const arrived = new Map<number, Channel>();
  let onArrival: () => void = () => undefined;
  const server: ChannelServer = await serveChannels(token, (name, channel) => {
    arrived.set(Number(name), channel);
    onArrival();
  });
  return {
    url: server.url,
    connect: async (neighbours, urls) => {
      const channels = new Map<number, Channel>();
      for (const peer of neighbours) if (peer < rank) channels.set(peer, await connectChannel(`${urls[peer]}/${rank}`, token));
      const expected = neighbours.filter((peer) => peer > rank);
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          const missing = expected.filter((peer) => !arrived.has(peer)).join(', ');
          reject(new ClusterError('CLUSTER_CONNECT', `Node process ${rank} waited ${CONNECT_MILLISECONDS / 1000} s for process ${missing} to connect.`, { rank, missing }));
        }, CONNECT_MILLISECONDS);
        onArrival = () => {
          if (!expected.every((peer) => arrived.has(peer))) return;
          clearTimeout(timer);
          resolve();
        };
        onArrival();
      });
      for (const peer of expected) channels.set(peer, arrived.get(peer)!);
      return channels;
    },
    close: () => server.close(),
  };
}

/** Inside one process: one network per rank, which find each other here. */
export function memoryNetworks(ranks: number, deliver?: Deliver): PeerNetwork[] {
  const pairs = new Map<string, [Channel, Channel]>();
  const channel = (from: number, to: number): Channel => {
    const key = `${Math.min(from, to)} ${Math.max(from, to)}`;
    let pair = pairs.get(key);
    if (pair === undefined) pairs.set(key, (pair = memoryChannelPair(deliver)));
    return pair[from < to ? 0 : 1];
  };
  return Array.from({ length: ranks }, (_, rank) => ({
    url: '',
    connect: (neighbours) => Promise.resolve(new Map(neighbours.map((peer) => [peer, channel(rank, peer)]))),
    close: () => Promise.resolve(),
  }));
}
