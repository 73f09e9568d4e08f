import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import WebSocket from 'ws';
import { ControlServer } from './control-server.ts';
import type { CliError } from './errors.ts';
import { NodeProcesses } from './processes.ts';

const ws = JSON.stringify(createRequire(import.meta.url).resolve('ws'));
const connect = `const WebSocket = require(${ws});
const socket = new WebSocket(process.env.KERF_CONTROL_URL, { headers: { authorization: 'Bearer ' + process.env.KERF_TOKEN } });
socket.on('open', () => socket.send('hello'));
socket.on('close', () => process.exit(0));
`;

let folder: string;
const running: NodeProcesses[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-'));
});
afterEach(async () => {
  for (const processes of running.splice(0)) await processes.stop();
  rmSync(folder, { recursive: true });
});

/** Starts two processes that run `script`, and returns with the first loss, or after both have said hello. */
async function start(script: string, helloMilliseconds = 10_000) {
  writeFileSync(join(folder, 'main.cjs'), script);
  const heard: string[] = [];
  let lost: (error: CliError) => void = () => undefined;
  let greeted: () => void = () => undefined;
  const loss = new Promise<CliError>((resolve) => (lost = resolve));
  const greetings = new Promise<void>((resolve) => (greeted = resolve));
  const processes = await NodeProcesses.start({
    nodes: 2, main: join(folder, 'main.cjs'), work: (rank) => `dies ${4 * rank} to ${4 * rank + 3}`, helloMilliseconds,
    onLost: lost,
    onMessage: (rank, bytes) => {
      heard.push(`${rank} ${new TextDecoder().decode(bytes)}`);
      if (heard.length === 2) greeted();
    },
  });
  running.push(processes);
  return { processes, heard, loss, greetings };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('processes connect with their rank and the token, and none is left after stop', async () => {
  const { processes, heard, greetings } = await start(connect);
  await greetings;
  expect(heard.sort()).toEqual(['0 hello', '1 hello']);
  await processes.stop();
  for (const pid of processes.pids) expect(lives(pid!)).toBe(false);
});

test('a process that ignores SIGTERM is ended all the same', async () => {
  const { processes, greetings } = await start(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); ${connect.replace('process.exit(0)', '0')}`);
  await greetings;
  await processes.stop();
  for (const pid of processes.pids) expect(lives(pid!)).toBe(false);
});

test('a process that is killed is named with rank, pid, dies and signal', async () => {
  const { processes, loss, greetings } = await start(connect);
  await greetings;
  process.kill(processes.pids[1]!, 'SIGKILL');
  const error = await loss;
  expect(error.code).toBe('NODE_LOST');
  expect(error.message).toBe(`Node process 1 (pid ${processes.pids[1]}, dies 4 to 7) was ended by SIGKILL.`);
});

test('a process that crashes is quoted', async () => {
  const { loss } = await start('if (process.env.KERF_RANK === "0") setInterval(() => {}, 1000); else { console.error("no such luck"); process.exit(7); }');
  const error = await loss;
  expect(error.message).toContain('dies 4 to 7) ended with exit code 7. It last said:\nno such luck');
});

test('a process that never says hello is named', async () => {
  const { loss } = await start('setInterval(() => {}, 1000)', 200);
  expect((await loss).message).toContain('Node process 0');
  expect((await loss).code).toBe('NODE_SILENT');
});

test('a process that closes its connection and lives on is named', async () => {
  const { loss, greetings } = await start(`${connect.replace('process.exit(0)', '0')} setInterval(() => {}, 1000); setTimeout(() => socket.close(), 500)`);
  await greetings;
  expect((await loss).message).toContain('closed its connection');
});

test('without the token, with another rank, or a second time nobody gets in', async () => {
  const server = await ControlServer.listen(1, { onConnected: () => undefined, onMessage: () => undefined, onClosed: () => undefined });
  const status = (url: string, token: string) =>
    new Promise<number | undefined>((resolve) => {
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode));
      socket.on('open', () => resolve(101));
      socket.on('error', () => undefined);
    });
  expect(await status(server.url(0), 'guess')).toBe(401);
  expect(await status(server.url(0), '')).toBe(401);
  expect(await status(server.url(1), server.token)).toBe(404);
  expect(await status(`${server.url(0)}/../x`, server.token)).toBe(404);
  expect(await status(server.url(0), server.token)).toBe(101);
  expect(await status(server.url(0), server.token)).toBe(409);
  server.close();
});
