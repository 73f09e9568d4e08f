import { duration } from '../progress.ts';
import type { CasesProgress } from './run-cases.ts';

const TTY_MILLISECONDS = 100;
const PLAIN_MILLISECONDS = 10_000;
const ERASE = '\r\u001b[2K';

/** One line on standard error: rewritten in place on a terminal, else a new line now and then. */
export class LedgerProgress {
  readonly #stream: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };
  readonly #now: () => number;
  readonly #start: number;
  #last: number;
  #drawn = false;
  #current = '';

  /** @param now a clock in milliseconds that never goes back */
  constructor(stream: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown }, now: () => number) {
    this.#stream = stream;
    this.#now = now;
    this.#start = now();
    this.#last = stream.isTTY === true ? -Infinity : this.#start;
  }

  show(progress: CasesProgress): void {
    if (progress.now !== undefined) this.#current = `${progress.now.suite}: ${progress.now.name}`;
    const milliseconds = this.#now();
    const terminal = this.#stream.isTTY === true;
    if (milliseconds - this.#last < (terminal ? TTY_MILLISECONDS : PLAIN_MILLISECONDS)) return;
    this.#last = milliseconds;
    const line = casesText(progress, this.#current, (milliseconds - this.#start) / 1000);
    this.#stream.write(terminal ? ERASE + line.slice(0, (this.#stream.columns ?? 80) - 1) : `${line}\n`);
    this.#drawn = terminal;
  }

  /** Takes the line away, before anything else is written to the terminal. */
  clear(): void {
    if (this.#drawn) this.#stream.write(ERASE);
    this.#drawn = false;
  }
}

/** Time left is the stated cost of what is to come at the pace so far: unknown until something with a cost is done. */
export function casesText({ done, cases, doneCost, cost, failed }: CasesProgress, current: string, wallSeconds: number): string {
  const left = doneCost > 0 ? ` · about ${duration((wallSeconds / doneCost) * (cost - doneCost))} left` : '';
  return `case ${done}/${cases}${failed === 0 ? '' : ` · ${failed} failed`}${left} · ${current}`;
}
