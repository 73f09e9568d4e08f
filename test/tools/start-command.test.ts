import { expect, test } from 'vitest';
import { describeCut, firstRun } from '../../tools/start.mjs';

test('a first run goes to runs/first and may be repeated', () => {
  const { args, out } = firstRun([]);
  expect(out).toBe('runs/first');
  expect(args.join(' ')).toBe('run --trace traces/gpt-oss-20b-synthetic --model gpt-oss-20b --hardware flat-wafer-8 --nodes 2 --steps 4 --out runs/first --force');
});

test('given flags come last, and a folder of one\'s own is not forced', () => {
  expect(firstRun(['--nodes', '4', '--out', 'runs/four'])).toMatchObject({ out: 'runs/four' });
  expect(firstRun(['--out=elsewhere']).args).not.toContain('--force');
  expect(firstRun(['--nodes', '4']).args.slice(-2)).toEqual(['--nodes', '4']);
});

function manifest(transport: string, ...packets: [sent: number, received: number][]) {
  return { execution: { nodes: packets.length, transport, processes: packets.map(([boundaryPacketsSent, boundaryPacketsReceived]) => ({ boundaryPacketsSent, boundaryPacketsReceived })) } };
}

test('a cut that carried packets is described', () => {
  expect(describeCut(manifest('websocket', [1200, 1300], [1300, 1200]))).toBe('2 processes exchanged 2,500 boundary packets over WebSockets');
  expect(describeCut(manifest('memory', [0, 0]))).toBe('1 process, nothing to exchange');
});

test('a cut over which nothing went, or not everything arrived, is refused', () => {
  expect(() => describeCut(manifest('websocket', [5, 0], [0, 5]))).toThrow('Process 0 of 2 exchanged no boundary packets.');
  expect(() => describeCut(manifest('websocket', [5, 6], [5, 5]))).toThrow('10 boundary packets were sent and 11 received.');
  expect(() => describeCut({ execution: { nodes: 2, transport: 'websocket', processes: [] } })).toThrow('the manifest describes 0');
  expect(() => describeCut({})).toThrow('does not say');
});
