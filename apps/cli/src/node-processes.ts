import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { serveChannels, type Channel, type ChannelServer } from '@kerf/cluster';
import { CliError } from './errors.ts';

/** The nodes of one run, wherever they live. */
export interface Nodes {
  /** A node has said hello. */
  greeted(rank: number): void;
  /** Its connection is gone, for whatever reason. */
  disconnected(rank: number): void;
  /** The work is done: from here on an end is what one expects. */
  finish(): void;
  /** Ends all nodes and returns when the last is gone. */
  stop(): Promise<void>;
}

export interface NodeEvents {
  /** A node has connected; it has not said who it is beyond its rank. */
  readonly onChannel: (rank: number, channel: Channel) => void;
  /** Called once, for the first thing that goes wrong with a node. */
  readonly onLost: (error: CliError) => void;
}

export interface NodeProcessesOptions extends NodeEvents {
  readonly nodes: number;
  /** The script of a node process. */
  readonly main: string;
  /** What rank r simulates, for messages: `dies 4 to 7`. */
  readonly work: (rank: number) => string;
  /** How long a process may take from its start to its hello. */
  readonly helloMilliseconds?: number;
}

/** From asking to insisting, when processes are told to end. */
const TERM_MILLISECONDS = 1500;
/** A dying process closes its connection before its exit is known; the exit says more. */
const EXIT_MILLISECONDS = 1000;
/** What a process said last may reach us after its exit does. */
const TAIL_MILLISECONDS = 20;
const TAIL_CHARACTERS = 4000;

interface Node {
  readonly child: ChildProcess;
  readonly exited: Promise<void>;
  /** The last that it wrote to standard output and error: what a crash says. */
  tail: string;
  connected: boolean;
  greeted: boolean;
  ended: boolean;
}

/**
 * Node processes on this machine, joined by a WebSocket server on loopback, on a port that the system picks, with a token that
 * lives for one run. While they run, whichever ends, falls silent or cannot be started is reported; after `stop` none is left.
 */
export class NodeProcesses implements Nodes {
  readonly #options: NodeProcessesOptions;
  readonly #token = randomBytes(32).toString('base64url');
  readonly #nodes: Node[] = [];
  #server: ChannelServer | undefined;
  #helloTimer: NodeJS.Timeout | undefined;
  #watching = true;
  readonly #killAll = (): void => {
    for (const { child, ended } of this.#nodes) if (!ended) child.kill('SIGKILL');
  };

  private constructor(options: NodeProcessesOptions) {
    this.#options = options;
  }

  static async start(options: NodeProcessesOptions): Promise<NodeProcesses> {
    const processes = new NodeProcesses(options);
    const server = await serveChannels(processes.#token, (name, channel) => processes.#connect(name, channel));
    processes.#server = server;
    process.on('exit', processes.#killAll);
    for (let rank = 0; rank < options.nodes; rank++) processes.#nodes.push(processes.#spawn(rank, server.url));
    processes.#helloTimer = setTimeout(() => processes.#checkHello(), processes.#helloMilliseconds);
    return processes;
  }

  get pids(): (number | undefined)[] {
    return this.#nodes.map(({ child }) => child.pid);
  }

  greeted(rank: number): void {
    this.#nodes[rank]!.greeted = true;
    if (this.#nodes.every(({ greeted }) => greeted)) clearTimeout(this.#helloTimer);
  }

  disconnected(rank: number): void {
    const node = this.#nodes[rank]!;
    void Promise.race([node.exited, wait(EXIT_MILLISECONDS, undefined, { ref: false })]).then(() => {
      if (!node.ended) this.#lose(rank, 'NODE_LOST', 'closed its connection');
    });
  }

  finish(): void {
    this.#watching = false;
    clearTimeout(this.#helloTimer);
  }

  async stop(): Promise<void> {
    this.finish();
    for (const { child, ended } of this.#nodes) if (!ended) child.kill('SIGTERM');
    const allExited = Promise.all(this.#nodes.map(({ exited }) => exited));
    const timeout = new AbortController();
    await Promise.race([allExited, wait(TERM_MILLISECONDS, undefined, { signal: timeout.signal }).catch(() => undefined)]);
    timeout.abort();
    this.#killAll();
    await allExited;
    process.off('exit', this.#killAll);
    await this.#server?.close();
  }

  get #helloMilliseconds(): number {
    return this.#options.helloMilliseconds ?? 15_000;
  }

  #connect(name: string, channel: Channel): void {
    const node = /^\d{1,5}$/.test(name) ? this.#nodes[Number(name)] : undefined;
    if (node === undefined || node.connected || !this.#watching) {
      channel.close('nobody is expected under this name');
      return;
    }
    node.connected = true;
    this.#options.onChannel(Number(name), channel);
  }

  #spawn(rank: number, url: string): Node {
    // A process group of its own: Ctrl-C in a terminal then reaches only this process, which tells the others.
    const child = spawn(process.execPath, [this.#options.main], {
      env: { ...process.env, KERF_CONTROL_URL: `${url}/${rank}`, KERF_TOKEN: this.#token, KERF_RANK: String(rank) },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      windowsHide: true,
    });
    const exited = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        node.ended = true;
        const what = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
        setTimeout(() => this.#lose(rank, 'NODE_LOST', what, { exitCode: code ?? -1, signal: signal ?? '' }), TAIL_MILLISECONDS);
        resolve();
      });
      child.once('error', (error) => {
        node.ended ||= child.pid === undefined;
        this.#lose(rank, 'NODE_LOST', `could not be started: ${error.message}`);
        if (node.ended) resolve();
      });
    });
    const node: Node = { child, exited, tail: '', connected: false, greeted: false, ended: false };
    const keep = (text: string): void => {
      node.tail = (node.tail + text).slice(-TAIL_CHARACTERS);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    return node;
  }

  #checkHello(): void {
    const rank = this.#nodes.findIndex(({ greeted }) => !greeted);
    if (rank >= 0) this.#lose(rank, 'NODE_SILENT', `did not say hello within ${this.#helloMilliseconds / 1000} s`);
  }

  #lose(rank: number, code: 'NODE_LOST' | 'NODE_SILENT', what: string, more: Record<string, number | string> = {}): void {
    if (!this.#watching) return;
    this.finish();
    const { child, tail } = this.#nodes[rank]!;
    const work = this.#options.work(rank);
    const said = tail.trim() === '' ? '' : ` It last said:\n${tail.trim()}`;
    const message = `Node process ${rank} (pid ${child.pid ?? 'none'}, ${work}) ${what}.${said}`;
    this.#options.onLost(new CliError(code, message, { rank, pid: child.pid ?? -1, work, ...more }));
  }
}
