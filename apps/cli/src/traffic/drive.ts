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
  /** Runs at most about so many cycles, and stops at the end of the warm-up. */
  advance(cycles: number): void;
}

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
  /** What is being run, in the status line. */
  readonly label: string;
}

/** How long a step should take: Ctrl-C is heard in between. */
const STEP_MILLISECONDS = 40;

/**
 * Runs to the end, hearing signals between steps and saying how far it is.
 *
 * @throws the reason of an abort
 */
export async function drive(run: SteppedRun, { signal, status, label }: DriveOptions): Promise<Cost> {
  const started = performance.now();
  let cpu = process.cpuUsage();
  let warm = run.warm === true;
  let cycles = 16;
  while (!run.done) {
    signal.throwIfAborted();
    const before = performance.now();
    run.advance(cycles);
    if (!warm && run.warm === true) {
      warm = true;
      cpu = process.cpuUsage();
    }
    const took = performance.now() - before;
    if (took < STEP_MILLISECONDS / 2) cycles = Math.min(2 ** 30, cycles * 2);
    else if (took > STEP_MILLISECONDS * 2 && cycles > 1) cycles = Math.floor(cycles / 2);
    status.show(() => statusText(label, run.share, (performance.now() - started) / 1000));
    await setImmediate();
  }
  const { user, system } = process.cpuUsage(cpu);
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
