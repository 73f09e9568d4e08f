import { expect, test } from 'vitest';
import type { ToNode } from './control.ts';
import { Coordinator } from './coordinator.ts';
import type { ClusterError } from './errors.ts';

const LOOKAHEAD = 20;

/** A coordinator whose every word is written down. */
function rehearse(ranks: number, kernels = 1) {
  const sent: [rank: number, message: ToNode][] = [];
  const ended: unknown[] = [];
  const failures: ClusterError[] = [];
  let all = 0;
  const coordinator = new Coordinator({
    ranks,
    kernels,
    lookaheadCycles: LOOKAHEAD,
    send: (rank, message) => sent.push([rank, message]),
    onKernel: (facts) => ended.push(facts),
    onAllKernels: () => all++,
    onFailure: (error) => failures.push(error),
  });
  for (let rank = 0; rank < ranks; rank++) coordinator.receive(rank, { type: 'ready' });
  const idle = (rank: number, facts: { next?: number; end?: number; sent?: number[]; received?: number[]; waiting?: string[]; kernel?: number; hops?: number } = {}): void =>
    coordinator.receive(rank, {
      type: 'idle',
      kernel: facts.kernel ?? coordinator.kernel,
      nextCycle: facts.next ?? Infinity,
      endCycle: facts.end ?? 0,
      packetHops: facts.hops ?? 0,
      sent: facts.sent ?? new Array<number>(ranks).fill(0),
      received: facts.received ?? new Array<number>(ranks).fill(0),
      waiting: facts.waiting ?? [],
    });
  const words = (type: ToNode['type']): [number, ToNode][] => sent.filter(([, message]) => message.type === type);
  return { coordinator, idle, words, ended, failures, all: () => all };
}

test('the first kernel begins when every process is ready, not before', () => {
  const { coordinator, words } = rehearse(0);
  expect(words('kernel')).toEqual([]);
  expect(coordinator.kernel).toBe(-1);
  const sent: number[] = [];
  const two = new Coordinator({ ranks: 2, kernels: 1, lookaheadCycles: LOOKAHEAD, send: (rank) => sent.push(rank), onKernel: () => undefined, onAllKernels: () => undefined, onFailure: () => undefined });
  two.receive(1, { type: 'ready' });
  two.receive(1, { type: 'ready' });
  expect(sent).toEqual([]);
  two.receive(0, { type: 'ready' });
  expect(sent).toEqual([0, 1]);
});

test('a kernel is over when all are idle; the next begins where the longest process ended', () => {
  const { coordinator, idle, words, ended, all } = rehearse(2, 2);
  idle(0, { end: 70, hops: 5 });
  expect(ended).toEqual([]);
  idle(1, { end: 90, hops: 6 });
  expect(ended).toEqual([{ kernel: 0, startCycle: 0, endCycle: 90, packetHops: 11 }]);
  expect(words('kernel').slice(2)).toEqual([0, 1].map((rank) => [rank, { type: 'kernel', kernel: 1, startCycle: 90, previousEndCycle: 90 }]));
  expect(coordinator.startCycle).toBe(90);
  idle(1, { end: 10, hops: 20 });
  idle(0, { end: 0, hops: 8 });
  expect(ended[1]).toEqual({ kernel: 1, startCycle: 90, endCycle: 100, packetHops: 17 });
  expect(words('finish')).toEqual([0, 1].map((rank) => [rank, { type: 'finish', previousEndCycle: 10 }]));
  expect(all()).toBe(1);
});

test('a report of a kernel that is over does not count for the next', () => {
  const { idle, ended } = rehearse(2, 2);
  idle(0);
  idle(1);
  idle(0, { kernel: 0 });
  idle(1);
  expect(ended).toHaveLength(1);
});

test('an item in flight keeps the kernel open', () => {
  const { idle, ended } = rehearse(2);
  idle(0, { sent: [0, 1] });
  idle(1);
  expect(ended).toEqual([]);
  idle(1, { received: [1, 0] });
  expect(ended).toHaveLength(1);
});

test('totals that agree by chance while pairs do not keep the kernel open', () => {
  // A reported before it sent to C. B's item to somebody is still in flight. In all: one sent, one received.
  const { idle, ended, failures } = rehearse(3);
  idle(0);
  idle(1, { sent: [0, 0, 1] });
  idle(2, { received: [1, 0, 0] });
  expect(ended).toEqual([]);
  expect(failures).toEqual([]);
  idle(0, { sent: [0, 0, 1] });
  expect(ended).toEqual([]);
  idle(2, { received: [1, 1, 0] });
  expect(ended).toHaveLength(1);
});

test('idle processes jump to the earliest next cycle and one lookahead more, once', () => {
  const { idle, words } = rehearse(2);
  idle(0, { next: 900 });
  expect(words('jump')).toEqual([]);
  idle(1, { next: 500 });
  expect(words('jump')).toEqual([0, 1].map((rank) => [rank, { type: 'jump', kernel: 0, cycle: 500 + LOOKAHEAD }]));
  idle(0, { next: 900 });
  expect(words('jump')).toHaveLength(2);
  idle(1);
  expect(words('jump').slice(2).map(([, message]) => message)).toEqual([0, 1].map(() => ({ type: 'jump', kernel: 0, cycle: 900 + LOOKAHEAD })));
});

test('nobody jumps while an item is in flight', () => {
  const { idle, words } = rehearse(2);
  idle(0, { next: 900, sent: [0, 3] });
  idle(1, { next: 500, received: [2, 0] });
  expect(words('jump')).toEqual([]);
});

test('nothing to do and work left is a deadlock, and the report says who waits for what', () => {
  const { idle, failures, ended, words } = rehearse(2);
  idle(0, { waiting: ['die 0, tile 1: operation 4 (receive) waits for 64 bytes on channel out'] });
  idle(1);
  expect(failures).toEqual([expect.objectContaining({ code: 'CLUSTER_DEADLOCK', message: expect.stringMatching(/kernel 0, but work is left: die 0, tile 1.*waits for 64 bytes on channel out\.$/) })]);
  expect(ended).toEqual([]);
  idle(0);
  expect(words('finish')).toEqual([]);
});

test('a process that failed ends the run, and only once', () => {
  const { coordinator, idle, failures, ended } = rehearse(2);
  coordinator.receive(1, { type: 'failed', code: 'DISK_FULL', message: 'The disk is full.', context: {}, bug: false });
  coordinator.receive(0, { type: 'failed', code: 'CLUSTER_PEER_LOST', message: 'Lost.', context: {}, bug: false });
  idle(0);
  idle(1);
  expect(failures).toEqual([expect.objectContaining({ code: 'CLUSTER_NODE_FAILED', message: 'Node process 1 failed: DISK_FULL: The disk is full.', context: { rank: 1, code: 'DISK_FULL' } })]);
  expect(ended).toEqual([]);
});
