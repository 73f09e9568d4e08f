import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Channel } from '../channel.ts';
import { ClusterError } from '../errors.ts';
import { memoryChannelPair } from './memory.ts';
import { connectChannel, serveChannels, type ChannelServer } from './websocket.ts';

// One contract, every transport.

const TOKEN = 'a token of the tests';
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
let server: ChannelServer;
let arrive: (channel: Channel) => void = () => undefined;
let arrivals = 0;

beforeAll(async () => {
  server = await serveChannels(TOKEN, (_, channel) => {
    arrivals++;
    arrive(channel);
  });
});
afterAll(() => server.close());

async function webSocketPair(): Promise<[Channel, Channel]> {
  const served = new Promise<Channel>((resolve) => (arrive = resolve));
  const called = await connectChannel(`${server.url}/7`, TOKEN);
  return [called, await served];
}

/** Deliveries run in any order, each some turns late. */
async function delayedMemoryPair(): Promise<[Channel, Channel]> {
  let state = 1;
  const draw = (below: number): number => ((state = Math.imul(state, 1_103_515_245) + 12_345) >>> 8) % below;
  const waiting: (() => void)[] = [];
  return memoryChannelPair((hand) => {
    waiting.push(hand);
    const later = (): void => {
      if (draw(3) === 0) setImmediate(later);
      else waiting.splice(draw(waiting.length), 1)[0]!();
    };
    setImmediate(later);
  });
}

/** Both ends of a connection, and how to end it. */
function transport(name: string): () => Promise<[Channel, Channel]> {
  if (name === 'memory') return async () => memoryChannelPair();
  return name === 'delayed memory' ? delayedMemoryPair : webSocketPair;
}

function received(channel: Channel, count: number): Promise<Uint8Array[]> {
  return new Promise((resolve) => {
    const messages: Uint8Array[] = [];
    if (count === 0) resolve(messages);
    channel.onMessage((message) => {
      messages.push(message);
      if (messages.length === count) resolve(messages);
    });
  });
}

const closed = (channel: Channel): Promise<string> => new Promise((resolve) => channel.onClose(resolve));

function payload(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => Math.imul(at + 1, seed) >>> 11);
}

/** Cheap to compare, unlike two megabytes element by element. */
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe.each(['memory', 'delayed memory', 'WebSocket'])('over %s', (name) => {
  const pair = transport(name);
  const messages = fc.array(fc.record({ bytes: fc.oneof(fc.nat(300), fc.nat(70_000), fc.constantFrom(0, 125, 126, 65_535, 65_536, 1_000_000)), seed: fc.nat() }), { maxLength: 12 });

  test('messages arrive whole, unchanged, once, and in the order sent, both ways at once', () =>
    fc.assert(fc.asyncProperty(messages, messages, async (there, back) => {
      const [a, b] = await pair();
      const atB = received(b, there.length);
      const atA = received(a, back.length);
      for (const { bytes, seed } of there) a.send(payload(bytes, seed));
      for (const { bytes, seed } of back) b.send(payload(bytes, seed));
      const got = [...(await atB), ...(await atA)];
      [...there, ...back].forEach(({ bytes, seed }, i) => expect(same(got[i]!, payload(bytes, seed))).toBe(true));
      a.close();
    }), { numRuns: 12 }));

  test.each([['bytes', (bytes: number) => new Uint8Array(bytes)], ['a Buffer', (bytes: number) => Buffer.alloc(bytes)]])('%s may be overwritten as soon as they are sent', async (_, allocate) => {
    const [a, b] = await pair();
    const atB = received(b, 20);
    const message = allocate(200_000);
    for (let i = 1; i <= 20; i++) a.send(message.fill(i));
    message.fill(0);
    (await atB).forEach((got, i) => expect(same(got, new Uint8Array(200_000).fill(i + 1))).toBe(true));
    a.close();
  });

  test('what is received is plain bytes, whose slice is a copy', async () => {
    const [a, b] = await pair();
    const atB = received(b, 1);
    a.send(Uint8Array.of(1, 2, 3));
    const [message] = await atB;
    const copy = message!.slice();
    copy[0] = 9;
    expect([...message!]).toEqual([1, 2, 3]);
    expect(copy.buffer.byteLength).toBe(3);
    a.close();
  });

  test('messages that come before there is a handler wait for it', async () => {
    const [a, b] = await pair();
    for (let i = 0; i < 5; i++) a.send(Uint8Array.of(i));
    for (let i = 0; i < 40; i++) await turn();
    const atB = received(b, 6);
    a.send(Uint8Array.of(5));
    expect((await atB).map(([first]) => first)).toEqual([0, 1, 2, 3, 4, 5]);
    a.close();
  });

  test('a close comes after what was sent before it, once on each side, with its reason', async () => {
    for (let repeat = 0; repeat < 5; repeat++) {
      const [a, b] = await pair();
      const events: string[] = [];
      b.onMessage(([first]) => events.push(`message ${first}`));
      let reports = 0;
      a.onClose(() => reports++);
      const atA = closed(a);
      const atB = new Promise<void>((resolve) => b.onClose((reason) => {
        events.push(reason);
        resolve();
      }));
      for (let i = 0; i < 3; i++) a.send(Uint8Array.of(i));
      a.close('the run is over');
      a.close('a second time');
      expect(await atA).toBe('the run is over');
      await atB;
      b.close('late');
      for (let i = 0; i < 10; i++) await turn();
      expect(events).toEqual(['message 0', 'message 1', 'message 2', 'the run is over']);
      expect(reports).toBe(0); // the handler set last is the one that is told
    }
  });

  test('after a close nothing arrives, neither here nor there', async () => {
    const [a, b] = await pair();
    const late: Uint8Array[] = [];
    a.onMessage((message) => late.push(message));
    b.onMessage((message) => late.push(message));
    const ends = Promise.all([closed(a), closed(b)]);
    b.send(Uint8Array.of(1)); // on its way when a closes
    a.close();
    a.send(Uint8Array.of(2));
    await ends;
    b.send(Uint8Array.of(3));
    for (let i = 0; i < 20; i++) await turn();
    expect(late).toEqual([]);
  });

  test('whoever asks late is told that the connection is closed', async () => {
    const [a, b] = await pair();
    a.close('early');
    for (let i = 0; i < 200 && name !== 'WebSocket'; i++) await turn();
    if (name === 'WebSocket') await closed(b);
    expect(await closed(b)).toBe('early');
  });

  test('a reason of any length and script can be given', async () => {
    const [a, b] = await pair();
    const reason = `a${'—'.repeat(300)}`;
    const atB = closed(b);
    a.close(reason);
    expect(reason.startsWith(await atB)).toBe(true);
  });

  test('nothing is left in the buffer when all has arrived', async () => {
    const [a, b] = await pair();
    const atB = received(b, 3);
    for (let i = 0; i < 3; i++) a.send(new Uint8Array(1000));
    await atB;
    expect(a.bufferedBytes).toBe(0);
    a.close();
  });
});

describe('a WebSocket server', () => {
  test('refuses who does not know the token', async () => {
    const before = arrivals;
    for (const token of ['another token', '', `${TOKEN} `.repeat(2)]) {
      const error = await connectChannel(`${server.url}/1`, token).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ClusterError);
      expect(error).toMatchObject({ code: 'CLUSTER_CONNECT', message: expect.stringContaining('401') });
    }
    expect(arrivals).toBe(before);
  });

  test('answers plain requests with 404', async () => {
    expect((await fetch(server.url.replace('ws', 'http'))).status).toBe(404);
  });

  test('says so when its port is in use', async () => {
    const port = Number(new URL(server.url).port);
    await expect(serveChannels(TOKEN, () => undefined, port)).rejects.toMatchObject({ code: 'CLUSTER_CONNECT', message: expect.stringContaining('in use'), context: { port } });
  });

  test('listens on loopback and on nothing else', () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
  });

  test('is missed with an error when nobody listens', async () => {
    const other = await serveChannels(TOKEN, () => undefined);
    await other.close();
    await expect(connectChannel(other.url, TOKEN)).rejects.toMatchObject({ code: 'CLUSTER_CONNECT', message: expect.stringContaining('ECONNREFUSED') });
  });

  test('gives its channels the name that came in the address', async () => {
    const names: string[] = [];
    const named = await serveChannels(TOKEN, (channelName) => names.push(channelName));
    await connectChannel(`${named.url}/12`, TOKEN);
    await named.close();
    expect(names).toEqual(['12']);
  });

  test('ends a connection that announces a message beyond 256 MiB, before any of it is kept', async () => {
    const served = new Promise<Channel>((resolve) => (arrive = resolve));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write([
      'GET /3 HTTP/1.1', 'Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`, 'Sec-WebSocket-Protocol: kerf.1', `Authorization: Bearer ${TOKEN}`, '', '',
    ].join('\r\n'));
    const channel = await served;
    const atServer = closed(channel);
    const header = Buffer.alloc(14);
    header[0] = 0x82; // one binary frame
    header[1] = 0x80 | 127; // masked, 64 bits of length
    header.writeBigUInt64BE(256n * 1024n * 1024n + 1n, 2);
    socket.write(header);
    expect(await atServer).toMatch(/payload size exceeded/i);
    socket.destroy();
  });
});
