import { controlLink, memoryChannelPair, type FromNode, type StartMessage, type ToNode } from '@kerf/cluster';
import { expect, test } from 'vitest';
import { memoryNetworks } from './peer-network.ts';
import { runNode } from './run-node.ts';

/** What a node says when it hears one message after its hello. */
async function answerTo(message: ToNode): Promise<FromNode[]> {
  const [ours, its] = memoryChannelPair();
  const heard: FromNode[] = [];
  const control = controlLink<ToNode, FromNode>(ours);
  control.onMessage((answer) => {
    heard.push(answer);
    if (answer.type === 'hello') control.send(message);
  });
  await runNode({ rank: 0, control: controlLink<FromNode, ToNode>(its), network: memoryNetworks(1)[0]!, loadTrace: () => {
    throw new Error('no trace in this test');
  } });
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  return heard;
}

const start: StartMessage = { type: 'start', version: 1, scenario: {}, tracePath: '', runDirectory: '', diesOfRank: [[0]], peers: [''] };

test('a node says hello first, with its rank and version', async () => {
  expect((await answerTo({ type: 'abort', reason: 'not needed' }))).toEqual([{ type: 'hello', version: 1, rank: 0, pid: process.pid, url: '' }]);
});

test.each<[string, ToNode, string]>([
  ['another version', { ...start, version: 2 }, 'NODE_VERSION'],
  ['anything but a start', { type: 'finish', previousEndCycle: 0 }, 'CLUSTER_BAD_MESSAGE'],
  ['a scenario that is none', start, 'SCHEMA_MISSING_KEY'],
])('%s is reported as failed, and not as a bug', async (_, message, code) => {
  expect((await answerTo(message))[1]).toMatchObject({ type: 'failed', code, bug: false });
});
