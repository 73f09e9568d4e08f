import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { CliError } from './errors.ts';
import { NodeProcesses } from './node-processes.ts';

const ws = JSON.stringify(createRequire(import.meta.url).resolve('ws'));
/** A process that says hello, and leaves when its connection closes. */
const polite = `const WebSocket = require(${ws});
const { KERF_CONTROL_URL, KERF_TOKEN } = process.env;
const socket = new WebSocket(KERF_CONTROL_URL, 'kerf.1', { headers: { authorization: 'Bearer ' + KERF_TOKEN } });
socket.on('open', () => socket.send('hello'));
socket.on('close', () => process.exit(0));
`;
const clinging = `${polite.replace('process.exit(0)', 'undefined')} setInterval(() => {}, 1000);`;

// Real runs and real processes; a busy machine may take its time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
const running: NodeProcesses[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-'));
});
afterEach(async () => {
  for (const processes of running.splice(0)) await processes.stop();
  rmSync(folder, { recursive: true });
});

/** Starts two processes that run `script`; `greetings` resolves when both have said hello. */
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
    onChannel: (rank, channel) => {
      channel.onClose(() => processes.disconnected(rank));
      channel.onMessage((bytes) => {
        processes.greeted(rank);
        heard.push(`${rank} ${new TextDecoder().decode(bytes)}`);
        if (heard.length === 2) greeted();
      });
    },
  });
  running.push(processes);
  return { processes, heard, loss, greetings };
}

function lives(pid: number | undefined): boolean {
  try {
    process.kill(pid!, 0);
    return true;
  } catch {
    return false;
  }
}

test('processes connect with their rank and the token, and none is left after stop', async () => {
  const { processes, heard, greetings } = await start(polite);
  await greetings;
  expect(heard.sort()).toEqual(['0 hello', '1 hello']);
  await processes.stop();
  expect(processes.pids.map(lives)).toEqual([false, false]);
});

test('a process that ignores SIGTERM is ended all the same', async () => {
  const { processes, greetings } = await start(`process.on('SIGTERM', () => {}); ${clinging}`);
  await greetings;
  await processes.stop();
  expect(processes.pids.map(lives)).toEqual([false, false]);
});

test('a process that is killed is named with rank, pid, dies and signal', async () => {
  const { processes, loss, greetings } = await start(polite);
  await greetings;
  process.kill(processes.pids[1]!, 'SIGKILL');
  const error = await loss;
  expect(error.code).toBe('NODE_LOST');
  expect(error.message).toBe(`Node process 1 (pid ${processes.pids[1]}, dies 4 to 7) was ended by SIGKILL.`);
});

test('a process that crashes is quoted', async () => {
  const { loss } = await start('if (process.env.KERF_RANK === "0") setInterval(() => {}, 1000); else { console.error("no such luck"); process.exit(7); }');
  expect((await loss).message).toContain('dies 4 to 7) ended with exit code 7. It last said:\nno such luck');
});

test('a process that never says hello is named', async () => {
  const { loss } = await start('setInterval(() => {}, 1000)', 200);
  expect((await loss).message).toContain('did not say hello within 0.2 s');
  expect((await loss).code).toBe('NODE_SILENT');
});

test('a process that closes its connection and lives on is named', async () => {
  const { loss, greetings } = await start(`${clinging} setTimeout(() => socket.close(), 500)`);
  await greetings;
  expect((await loss).message).toContain('closed its connection');
});

test('a second connection under one rank, or one under no rank, is turned away', async () => {
  const intruder = polite.replaceAll('socket', 'intruder').replace(/const (WebSocket|\{.*).*\n/g, '').replace("'hello'", "'nobody'").replace('process.exit(0)', 'undefined');
  const { heard, greetings, processes } = await start(`${polite}socket.on('open', () => { ${intruder} ${intruder.replaceAll('intruder', 'nameless').replace('KERF_CONTROL_URL', "KERF_CONTROL_URL + 'x'")} });`);
  await greetings;
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(heard.sort()).toEqual(['0 hello', '1 hello']);
  expect(processes.pids.map(lives)).toEqual([true, true]);
});
