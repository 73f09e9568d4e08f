/** How far a run is. */
export interface Progress {
  readonly kernelsDone: number;
  readonly kernels: number;
  /** Cycles of the fabric clock since the start of the first kernel. */
  readonly simulatedCycles: number;
  readonly packetHops: number;
}

export interface ProgressLineOptions {
  readonly stream: { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };
  readonly clockMegahertz: number;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
}

const TTY_MILLISECONDS = 100;
const PLAIN_MILLISECONDS = 10_000;
const ERASE = '\r\u001b[2K';

/** One line that says how far a run is: rewritten in place on a terminal, else a new line now and then. */
export class ProgressLine {
  readonly #options: ProgressLineOptions;
  readonly #startMilliseconds: number;
  #lastMilliseconds: number;
  #drawn = false;

  constructor(options: ProgressLineOptions) {
    this.#options = options;
    this.#startMilliseconds = options.now();
    this.#lastMilliseconds = options.stream.isTTY === true ? -Infinity : this.#startMilliseconds;
  }

  show(progress: Progress): void {
    const { stream, now, clockMegahertz } = this.#options;
    const milliseconds = now();
    const terminal = stream.isTTY === true;
    if (milliseconds - this.#lastMilliseconds < (terminal ? TTY_MILLISECONDS : PLAIN_MILLISECONDS)) return;
    this.#lastMilliseconds = milliseconds;
    const line = progressText(progress, (milliseconds - this.#startMilliseconds) / 1000, clockMegahertz);
    stream.write(terminal ? ERASE + line.slice(0, (stream.columns ?? 80) - 1) : `${line}\n`);
    this.#drawn = terminal;
  }

  /** Takes the line away, before anything else is written to the terminal. */
  clear(): void {
    if (this.#drawn) this.#options.stream.write(ERASE);
    this.#drawn = false;
  }
}

/** Time left is the share of kernels to go at the pace so far, unknown until one is done. */
export function progressText({ kernelsDone, kernels, simulatedCycles, packetHops }: Progress, wallSeconds: number, clockMegahertz: number): string {
  const rate = wallSeconds > 0 ? packetHops / wallSeconds : 0;
  const left = kernelsDone === 0 ? '' : ` · ${duration((wallSeconds / kernelsDone) * (kernels - kernelsDone))} left`;
  return `kernel ${kernelsDone}/${kernels} · ${duration(simulatedCycles / clockMegahertz / 1e6)} simulated · ${amount(rate)} packet-hops/s${left}`;
}

/** 0.0000042 → `4.20 µs`; 75 → `1 min 15 s`. */
export function duration(seconds: number): string {
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  if (seconds >= 60) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return seconds === 0 ? '0 s' : `${(seconds * 1e6).toPrecision(3)} µs`;
}

/** 5234567 → `5.23 M`. */
export function amount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)} G`;
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} M`;
  if (count >= 1e3) return `${(count / 1e3).toPrecision(3)} k`;
  return count.toFixed(0);
}
