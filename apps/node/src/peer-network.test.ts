import { expect, test } from 'vitest';
import { memoryNetworks, webSocketNetwork, type PeerNetwork } from './peer-network.ts';

const RANKS = 3;

test.each<[string, () => Promise<PeerNetwork[]>]>([
  ['memory', async () => memoryNetworks(RANKS)],
  ['WebSockets', () => Promise.all(Array.from({ length: RANKS }, (_, rank) => webSocketNetwork(rank, 'a token')))],
])('over %s every process gets a channel to each neighbour, and that neighbour is at the other end', async (_, make) => {
  const networks = await make();
  const neighbours = [[1, 2], [0], [0]];
  const urls = networks.map(({ url }) => url);
  const channels = await Promise.all(networks.map((network, rank) => network.connect(neighbours[rank]!, urls)));
  channels.forEach((peers, rank) => expect([...peers.keys()].sort()).toEqual(neighbours[rank]));
  const got = await Promise.all(channels.flatMap((peers, rank) => [...peers].map(([peer, channel]) => {
    channel.send(Uint8Array.of(rank));
    return new Promise<boolean>((resolve) => channel.onMessage(([from]) => resolve(from === peer)));
  })));
  expect(got).toEqual([true, true, true, true]);
  await Promise.all(networks.map((network) => network.close()));
});

test('a process that nobody beside it can reach says so', async () => {
  const lower = await webSocketNetwork(0, 'one token');
  const higher = await webSocketNetwork(1, 'another');
  await expect(higher.connect([0], [lower.url, higher.url])).rejects.toMatchObject({ code: 'CLUSTER_CONNECT' });
  await Promise.all([lower.close(), higher.close()]);
});
