import { expect, test } from 'vitest';
import { ProgressLine, progressText } from './progress.ts';

const progress = { kernelsDone: 12, kernels: 48, simulatedCycles: 1_234_000, packetHops: 52_000_000 };

function watch(isTTY: boolean, columns: number, times: readonly number[]): string[] {
  const written: string[] = [];
  let milliseconds = 0;
  const line = new ProgressLine({ stream: { isTTY, columns, write: (text) => written.push(text) }, clockMegahertz: 1000, now: () => milliseconds });
  for (const time of times) {
    milliseconds = time;
    line.show(progress);
  }
  line.clear();
  return written;
}

test('the line says simulated time, kernels, speed and time left', () => {
  expect(progressText(progress, 10, 1000)).toBe('kernel 12/48 · 1.23 ms simulated · 5.20 M packet-hops/s · 30.0 s left');
  expect(progressText({ ...progress, kernelsDone: 0 }, 10, 1000)).not.toContain('left');
});

test('a terminal sees one line, rewritten at most ten times a second, cut to its width, and gone at the end', () => {
  expect(watch(true, 13, [0, 50, 99, 100])).toEqual(['\r\u001b[2Kkernel 12/48', '\r\u001b[2Kkernel 12/48', '\r\u001b[2K']);
});

test('anything else gets a line every ten seconds at most', () => {
  expect(watch(false, 80, [1, 9_999, 10_000, 19_999, 20_000]).length).toBe(2);
});
