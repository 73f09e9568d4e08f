import { runCase, type LedgerRow, type PlannedCase } from '@kerf/validation';
import type { CommandRunner } from './command-runners.ts';

export interface CasesProgress {
  readonly done: number;
  readonly cases: number;
  /** Stated cost of what is done, and of all, seconds. */
  readonly doneCost: number;
  readonly cost: number;
  /** The case that was begun last. */
  readonly now: PlannedCase | undefined;
  readonly failed: number;
}

/**
 * Runs all cases over some runners, dearest first so that none is left alone at the end. Rows come back in the order of the
 * cases, whoever ran them.
 *
 * @throws the reason of `signal`, after the runners were closed
 */
export async function runCases(cases: readonly PlannedCase[], runners: readonly CommandRunner[], signal: AbortSignal, onProgress: (progress: CasesProgress) => void): Promise<LedgerRow[]> {
  const rows: LedgerRow[][] = cases.map(() => []);
  const queue = cases.map((planned, index) => ({ planned, index })).sort((a, b) => b.planned.costSeconds - a.planned.costSeconds || a.index - b.index);
  const cost = cases.reduce((sum, { costSeconds }) => sum + costSeconds, 0);
  let done = 0;
  let doneCost = 0;
  let failed = 0;
  let next = 0;
  const work = async ({ run }: CommandRunner): Promise<void> => {
    while (next < queue.length && !signal.aborted) {
      const { planned, index } = queue[next++]!;
      onProgress({ done, cases: cases.length, doneCost, cost, now: planned, failed });
      rows[index] = await runCase(planned, run);
      failed += rows[index].filter(({ verdict }) => verdict === 'fail').length;
      done++;
      doneCost += planned.costSeconds;
      onProgress({ done, cases: cases.length, doneCost, cost, now: undefined, failed });
    }
  };
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  stopped.catch(() => undefined);
  try {
    await Promise.race([Promise.all(runners.map(work)), stopped]);
    signal.throwIfAborted();
  } finally {
    await Promise.all(runners.map((runner) => runner.close()));
  }
  return rows.flat();
}
