export interface StatusStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const TTY_MILLISECONDS = 100;
const PLAIN_MILLISECONDS = 10_000;
const ERASE = '\r\u001b[2K';

/** One line on standard error that says how far a measurement is: rewritten in place on a terminal, else a new line now and then. */
export class StatusLine {
  readonly #stream: StatusStream;
  readonly #now: () => number;
  #last: number;
  #drawn = false;

  constructor(stream: StatusStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
    this.#last = stream.isTTY === true ? -Infinity : now();
  }

  show(text: () => string): void {
    const terminal = this.#stream.isTTY === true;
    const now = this.#now();
    if (now - this.#last < (terminal ? TTY_MILLISECONDS : PLAIN_MILLISECONDS)) return;
    this.#last = now;
    this.#stream.write(terminal ? ERASE + text().slice(0, (this.#stream.columns ?? 80) - 1) : `${text()}\n`);
    this.#drawn = terminal;
  }

  /** Takes the line away, before anything else is written to the terminal. */
  clear(): void {
    if (this.#drawn) this.#stream.write(ERASE);
    this.#drawn = false;
  }
}
