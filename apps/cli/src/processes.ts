import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { ControlServer } from './control-server.ts';
import { CliError } from './errors.ts';

export interface NodeProcessesOptions {
  readonly nodes: number;
  /** The script of a node process. */
  readonly main: string;
  /** What rank r simulates, for messages: `dies 4 to 7`. */
  readonly work: (rank: number) => string;
  readonly onMessage: (rank: number, bytes: Uint8Array) => void;
  /** Called once, for the first thing that goes wrong with a process. */
  readonly onLost: (error: CliError) => void;
  /** How long a process may take from its start to its first message. */
  readonly helloMilliseconds?: number;
}

/** From asking to insisting, when processes are told to end. */
const TERM_MILLISECONDS = 1500;
/** A dying process closes its connection before its exit is known; the exit says more. */
const EXIT_MILLISECONDS = 1000;
const TAIL_CHARACTERS = 4000;

interface Node {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  /** The last that it wrote to standard output and error: what a crash says. */
  tail: string;
  said: boolean;
  ended: boolean;
}

/**
 * The node processes of one run on this machine. While they run, whichever ends, falls silent or cannot be started is
 * reported once; after `stop` none is left.
 */
export class NodeProcesses {
  readonly #options: NodeProcessesOptions;
  readonly #server: ControlServer;
  readonly #nodes: Node[] = [];
  #watching = true;
  #helloTimer: NodeJS.Timeout | undefined;
  readonly #killAll = (): void => {
    for (const { child, ended } of this.#nodes) if (!ended) child.kill('SIGKILL');
  };

  private constructor(options: NodeProcessesOptions, server: ControlServer) {
    this.#options = options;
    this.#server = server;
  }

  static async start(options: NodeProcessesOptions): Promise<NodeProcesses> {
    const server = await ControlServer.listen(options.nodes, {
      onConnected: () => undefined,
      onMessage: (rank, bytes) => {
        processes.#nodes[rank]!.said = true;
        options.onMessage(rank, bytes);
      },
      onClosed: (rank) => void processes.#connectionClosed(rank),
    });
    const processes: NodeProcesses = new NodeProcesses(options, server);
    process.on('exit', processes.#killAll);
    for (let rank = 0; rank < options.nodes; rank++) processes.#nodes.push(processes.#spawn(rank));
    processes.#helloTimer = setTimeout(() => processes.#checkHello(), options.helloMilliseconds ?? 15_000);
    return processes;
  }

  get pids(): (number | undefined)[] {
    return this.#nodes.map(({ child }) => child.pid);
  }

  send(rank: number, bytes: Uint8Array): void {
    this.#server.send(rank, bytes);
  }

  /** Their work is done: from here on an exit with code 0 and a closed connection are what one expects. */
  finish(): void {
    this.#watching = false;
    clearTimeout(this.#helloTimer);
  }

  /** Ends all processes, politely and then not, and returns when the last is gone. */
  async stop(): Promise<void> {
    this.finish();
    this.#server.close();
    for (const { child, ended } of this.#nodes) if (!ended) child.kill('SIGTERM');
    const allExited = Promise.all(this.#nodes.map(({ exited }) => exited));
    const timeout = new AbortController();
    await Promise.race([allExited, wait(TERM_MILLISECONDS, undefined, { signal: timeout.signal }).catch(() => undefined)]);
    timeout.abort();
    this.#killAll();
    await allExited;
    process.off('exit', this.#killAll);
  }

  #spawn(rank: number): Node {
    // A process group of its own: Ctrl-C in a terminal then reaches only this process, which tells the others.
    const child = spawn(process.execPath, [this.#options.main], {
      env: { ...process.env, KERF_CONTROL_URL: this.#server.url(rank), KERF_TOKEN: this.#server.token, KERF_RANK: String(rank) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        node.ended = true;
        // What it said last may still be on its way.
        setTimeout(() => this.#lose(rank, 'NODE_LOST', signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`, { exitCode: code ?? -1, signal: signal ?? '' }), 20);
        resolve();
      });
      child.once('error', (error) => {
        node.ended = child.exitCode !== null || child.pid === undefined;
        this.#lose(rank, 'NODE_LOST', `could not be started: ${error.message}`);
        if (node.ended) resolve();
      });
    });
    const node: Node = { child, exited, tail: '', said: false, ended: false };
    const keep = (text: string): void => {
      node.tail = (node.tail + text).slice(-TAIL_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    return node;
  }

  async #connectionClosed(rank: number): Promise<void> {
    const node = this.#nodes[rank]!;
    await Promise.race([node.exited, wait(EXIT_MILLISECONDS, undefined, { ref: false })]);
    if (!node.ended) this.#lose(rank, 'NODE_LOST', 'closed its connection');
  }

  #checkHello(): void {
    const rank = this.#nodes.findIndex(({ said }) => !said);
    const seconds = (this.#options.helloMilliseconds ?? 15_000) / 1000;
    if (rank >= 0) this.#lose(rank, 'NODE_SILENT', `did not say hello within ${seconds} s`);
  }

  #lose(rank: number, code: 'NODE_LOST' | 'NODE_SILENT', what: string, more: Record<string, number | string> = {}): void {
    if (!this.#watching) return;
    this.finish();
    const { child, tail } = this.#nodes[rank]!;
    const who = `Node process ${rank} (pid ${child.pid ?? 'none'}, ${this.#options.work(rank)})`;
    const said = tail.trim() === '' ? '' : ` It last said:\n${tail.trim()}`;
    this.#options.onLost(new CliError(code, `${who} ${what}.${said}`, { rank, pid: child.pid ?? -1, work: this.#options.work(rank), ...more }));
  }
}
