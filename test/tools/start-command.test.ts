import { expect, test } from 'vitest';
import { describeCut, firstRun } from '../../tools/start.mjs';

test('a first run goes to runs/first and may be repeated', () => {
  const { args, out } = firstRun([]);
  expect(out).toBe('runs/first');
  expect(args.join(' ')).toBe('run --trace traces/gpt-oss-20b-synthetic --model gpt-oss-20b --hardware flat-wafer-8 --nodes 2 --transport websocket --steps 4 --out runs/first --force');
});

test('given flags come last, and a folder of one\'s own is not forced', () => {
  expect(firstRun(['--nodes', '4', '--out', 'runs/four'])).toMatchObject({ out: 'runs/four', nodes: '4', transport: 'websocket' });
  expect(firstRun(['--out=elsewhere']).args).not.toContain('--force');
  expect(firstRun(['--nodes', '4']).args.slice(-2)).toEqual(['--nodes', '4']);
});

function manifest(transport: string, ...packets: [sent: number, received: number][]) {
  return { processes: packets.map(([boundaryPacketsSent, boundaryPacketsReceived], rank) => ({ rank, pid: 100 + rank, transport, boundaryPacketsSent, boundaryPacketsReceived })) };
}

const two = { nodes: '2', transport: 'websocket' };

test('a cut that carried packets is described', () => {
  expect(describeCut(manifest('websocket', [1200, 1300], [1300, 1200]), two)).toBe('2 processes exchanged 2,500 boundary packets over WebSockets');
  expect(describeCut(manifest('memory', [1, 2], [2, 1]), { nodes: 'auto', transport: 'auto' })).toBe('2 processes exchanged 3 boundary packets over memory');
  expect(describeCut(manifest('memory', [0, 0]), { nodes: '1', transport: 'auto' })).toBe('1 process, nothing to exchange');
});

test.each<[string, Parameters<typeof describeCut>[0], string]>([
  ['nothing was sent over it', manifest('websocket', [0, 5], [5, 0]), 'Process 0 sent 0 boundary packets and received 5'],
  ['not everything arrived', manifest('websocket', [5, 6], [5, 5]), '10 boundary packets were sent and 11 received.'],
  ['there were fewer processes', manifest('websocket', [0, 0]), '2 processes were asked for, the manifest describes 1.'],
  ['it was not made of WebSockets', manifest('memory', [1, 2], [2, 1]), 'Process 0 was joined by memory, not by websocket.'],
  ['two ranks were one process', { processes: manifest('websocket', [1, 2], [2, 1]).processes.map((process) => ({ ...process, pid: 7 })) }, 'Two ranks are one process.'],
  ['no process is described', {}, 'no process'],
])('a cut is refused when %s', (_case, found, message) => {
  expect(() => describeCut(found, two)).toThrow(message);
});
