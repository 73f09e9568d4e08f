import { expect, test } from 'vitest';
import { controlLink, decodeControl, type FromNode, type ToNode } from './control.ts';
import { memoryChannelPair } from './transport/memory.ts';

const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('messages keep their values, Infinity and large numbers among them', async () => {
  const [a, b] = memoryChannelPair();
  const got: ToNode[] = [];
  controlLink<FromNode, ToNode>(b).onMessage((message) => got.push(message));
  const messages: ToNode[] = [
    { type: 'jump', kernel: 3, cycle: Infinity },
    { type: 'kernel', kernel: 2 ** 32, startCycle: 2 ** 53 - 1, previousEndCycle: 0.5 },
    { type: 'start', version: 1, scenario: { a: [1, null, 'é'], b: {} }, tracePath: 't', runDirectory: 'r', diesOfRank: [[0], [1, 2]], peers: ['', 'ws://127.0.0.1:1'] },
  ];
  for (const message of messages) controlLink<ToNode, FromNode>(a).send(message);
  await turns();
  expect(got).toEqual(messages);
});

test.each([['nothing', new Uint8Array(0)], ['half a string', Uint8Array.of(0xd9, 40, 65)], ['a number', Uint8Array.of(7)], ['an object without a type', Uint8Array.of(0x80)], ['null', Uint8Array.of(0xc0)]])('%s is no control message', (_, bytes) => {
  expect(() => decodeControl(bytes)).toThrow(expect.objectContaining({ code: 'CLUSTER_BAD_MESSAGE' }) as Error);
});

test('a malformed message closes the connection, and each side is told once', async () => {
  const [a, b] = memoryChannelPair();
  const link = controlLink<FromNode, ToNode>(b);
  const messages: ToNode[] = [];
  const here: string[] = [];
  const there: string[] = [];
  link.onMessage((message) => messages.push(message));
  link.onClose((reason) => here.push(reason));
  a.onClose((reason) => there.push(reason));
  a.send(Uint8Array.of(7));
  controlLink<ToNode, FromNode>(a).send({ type: 'finish', previousEndCycle: 0 });
  await turns();
  expect(messages).toEqual([]);
  expect(here).toEqual([expect.stringContaining('control message')]);
  expect(there).toEqual(['malformed control message']);
});
