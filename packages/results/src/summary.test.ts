import { presetHardware } from '@kerf/hardware';
import { expect, test } from 'vitest';
import { duration, linkName, summaryLines, type SummaryInput } from './summary.ts';
import { PORT, ROUTER_KIND } from './tables.ts';

const hardware = presetHardware('flat-wafer-8'); // 1 GHz: a cycle is a nanosecond.
const spans = { kernels: [0, 1, 24], startCycles: [0, 100, 2000], endCycles: [1000, 2100, 5000] };

const input: SummaryInput = {
  hardware, stepCycles: [120_000, 130_000], tokens: 1024, simulatedCycles: 250_000,
  totals: {
    layers: 24, experts: 2, busiestLink: { routerKind: ROUTER_KIND.tile, router: 64 * 2 + 8 * 7 + 3, port: PORT.east, busyCycles: 100_000, bytes: 6_400_000 },
    expertTokens: [1, 3, ...Array.from({ length: 46 }, () => 0)], phases: { dispatch: spans, combine: { kernels: [], startCycles: [], endCycles: [] } },
  },
  packetHops: 12_300_000, boundaryPackets: 45_678, wallSeconds: 2.5, processes: [{ wallSeconds: 2.5, waitSeconds: 0.5 }, { wallSeconds: 2.5, waitSeconds: 1 }],
};

test('the summary reads like this', () => {
  expect(summaryLines(input)).toEqual([
    'Simulated       2 steps with 1,024 tokens in all: 125 µs per step (120 µs to 130 µs)',
    'Dispatch        2 µs per layer on average, 3 µs at most (step 1, layer 0)',
    'Busiest link    tile (3, 7) of die 2, east: busy 40 % of the time, 6.40 MB',
    'Busiest expert  expert 1 of layer 0: 3 tokens, 1.5 times the mean of its layer',
    'Wall time       2.50 s on 2 processes, 4.92 million packet-hops per second',
    '                45,678 packets crossed between processes; 30 % of their time was waiting',
  ]);
});

test('where a cut does not pay, the summary says so; one process is not told about cuts', () => {
  const waiting = { ...input, processes: [{ wallSeconds: 2.5, waitSeconds: 1.3 }, { wallSeconds: 2.5, waitSeconds: 1.2 }] };
  expect(summaryLines(waiting).at(-1)).toBe('                Together they did the work of 1.0 processes: this cut does not pay. One process (--nodes 1) gives the same result.');
  const alone = summaryLines({ ...input, processes: [{ wallSeconds: 2.5, waitSeconds: 0 }] });
  expect(alone.at(-1)).toBe('Wall time       2.50 s on 1 process, 4.92 million packet-hops per second');
});

test('a run without steps, packets or time still has a summary', () => {
  const lines = summaryLines({ ...input, stepCycles: [], simulatedCycles: 0, wallSeconds: 0, packetHops: 0, processes: [{ wallSeconds: 0, waitSeconds: 0 }],
    totals: { layers: 1, experts: 1, busiestLink: null, expertTokens: [0], phases: { dispatch: { kernels: [], startCycles: [], endCycles: [] }, combine: { kernels: [], startCycles: [], endCycles: [] } } } });
  expect(lines).toEqual(['Wall time       0.00 s on 1 process']);
});

test.each([[999, '999 ns'], [1000, '1 µs'], [1234, '1.23 µs'], [45_600, '45.6 µs'], [7.8e6, '7.80 ms'], [3e9, '3 s']])('%d ns is %s', (nanoseconds, text) => {
  expect(duration(nanoseconds)).toBe(text);
});

test('a hub is named by its die and that die’s place', () => {
  expect(linkName({ routerKind: ROUTER_KIND.hub, router: 6, port: PORT.firstGateway + 3 }, hardware)).toBe('hub of die 6 (2, 1), gateway3');
});
