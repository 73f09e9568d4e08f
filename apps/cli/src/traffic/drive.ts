import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { duration } from '../progress.ts';
import type { StatusLine } from './status-line.ts';

/** A simulation that goes on in steps. */
export interface SteppedRun {
  readonly done: boolean;
  /** Share that has been done, 0 to 1. */
  readonly share: number;
  /** False during a warm-up, whose time does not count. Absent: there is none. */
  readonly warm?: boolean;
  /** Runs at most about so many cycles, stops at the end of the warm-up, and where `pause` says so. */
  advance(cycles: number, pause: () => boolean): void;
}

const MOST_CYCLES = 2 ** 30;

/** What a measurement costs. */
export interface Cost {
  /** After the warm-up. */
  readonly cpuSeconds: number;
  /** Of the whole process. */
  readonly peakRssBytes: number;
}

export interface DriveOptions {
  readonly signal: AbortSignal;
  readonly status: StatusLine;
  /** What is being run, in the status line; or the whole line, by the share of the run that has been done. */
  readonly label: string | ((share: number) => string);
}

/** How long a step should take: signals are heard in between. */
const STEP_MILLISECONDS = 40;

/**
 * Lets signals be heard between two pieces of work, before and beside a run: building a large machine, an estimate.
 *
 * @throws the reason of an abort
 */
export async function breathe(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

/** Does work that comes in small pieces, hearing signals in between. */
export async function inPieces<T>(work: Generator<void, T>, signal: AbortSignal): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    if (performance.now() - since < STEP_MILLISECONDS) continue;
    await breathe(signal);
    since = performance.now();
  }
}

/**
 * Runs to the end, hearing signals between steps and saying how far it is.
 *
 * @throws the reason of an abort
 */
export async function drive(run: SteppedRun, { signal, status, label }: DriveOptions): Promise<Cost> {
  const started = performance.now();
  let cpu = process.cpuUsage();
  let warm = run.warm === true;
  let before = started;
  const pause = (): boolean => performance.now() - before >= STEP_MILLISECONDS;
  while (!run.done) {
    signal.throwIfAborted();
    before = performance.now();
    run.advance(MOST_CYCLES, pause);
    if (!warm && run.warm === true) {
      warm = true;
      cpu = process.cpuUsage();
    }
    status.show(() => (typeof label === 'string' ? statusText(label, run.share, (performance.now() - started) / 1000) : label(run.share)));
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(cpu);
  signal.throwIfAborted();
  status.clear();
  return { cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRssBytes() };
}

export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

function statusText(label: string, share: number, seconds: number): string {
  if (share >= 1) return `${label} · measured packets drain · ${duration(seconds)}`;
  const left = share > 0.02 && seconds > 0.5 ? ` · ${duration((seconds / share) * (1 - share))} left` : '';
  return `${label} · ${Math.floor(share * 100)} %${left}`;
}
