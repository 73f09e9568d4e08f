import { CliError } from './errors.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Turns the first Ctrl-C (or SIGTERM, SIGHUP) into an abort whose reason is `INTERRUPTED`, so that a run can stop its processes
 * and say in its manifest what happened. A second one gives up at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.signal.aborted) process.exit(signal === 'SIGTERM' ? this.#terminated : 130);
    this.#controller.abort(new CliError('INTERRUPTED', `The run was interrupted by ${signal}.`, { signal }));
  };

  readonly #terminated: number;

  /** @param terminated exit code of a second SIGTERM */
  constructor(terminated = 130) {
    this.#terminated = terminated;
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the signals their usual meaning back. */
  end(): void {
    for (const signal of signals) process.off(signal, this.#onSignal);
  }
}
