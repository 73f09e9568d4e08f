import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';

/** Control messages are small; the largest carries a scenario with its hardware and the summary of a die's tables. */
export const MAX_CONTROL_BYTES = 64 * 1024 * 1024;

export interface ControlServerEvents {
  /** A node process with the right token has connected. */
  onConnected(rank: number): void;
  onMessage(rank: number, bytes: Uint8Array): void;
  /** The connection of a rank has closed, by whichever side. */
  onClosed(rank: number): void;
}

/**
 * Where node processes report to: a WebSocket server on loopback, on a port that the system picks. Rank r connects to
 * `/nodes/r` with `authorization: Bearer token`; the token lives for one run. Whoever lacks it gets 401 and learns nothing.
 */
export class ControlServer {
  readonly token = randomBytes(32).toString('base64url');
  readonly #http: Server;
  readonly #sockets: (WebSocket | undefined)[];
  readonly #events: ControlServerEvents;
  #closing = false;

  private constructor(nodes: number, events: ControlServerEvents) {
    this.#sockets = Array.from({ length: nodes }, () => undefined);
    this.#events = events;
    const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_CONTROL_BYTES });
    this.#http = createServer((_, response) => void response.writeHead(426).end());
    this.#http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const refusal = this.#refusal(request);
      if (refusal !== undefined) {
        socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\n\r\n`);
        return;
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#join(rankOf(request), webSocket));
    });
  }

  static async listen(nodes: number, events: ControlServerEvents): Promise<ControlServer> {
    const server = new ControlServer(nodes, events);
    await new Promise<void>((resolve, reject) => {
      server.#http.once('error', reject);
      server.#http.listen({ host: '127.0.0.1', port: 0 }, resolve);
    });
    return server;
  }

  url(rank: number): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/nodes/${rank}`;
  }

  /** Hands a message to a rank; one whose connection has gone is somebody else's to notice. */
  send(rank: number, bytes: Uint8Array): void {
    this.#sockets[rank]?.send(bytes, () => undefined);
  }

  close(): void {
    this.#closing = true;
    for (const socket of this.#sockets) socket?.terminate();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  /** The status line for a connection that does not get in, or undefined. The token is asked for first. */
  #refusal(request: IncomingMessage): string | undefined {
    const got = Buffer.from(request.headers.authorization ?? '');
    const expected = Buffer.from(`Bearer ${this.token}`);
    if (got.length !== expected.length || !timingSafeEqual(got, expected)) return '401 Unauthorized';
    const rank = rankOf(request);
    if (!(rank < this.#sockets.length)) return '404 Not Found';
    return this.#closing || this.#sockets[rank] !== undefined ? '409 Conflict' : undefined;
  }

  #join(rank: number, socket: WebSocket): void {
    this.#sockets[rank] = socket;
    socket.on('message', (data: Buffer) => {
      // A payload is a view somewhere into a pooled buffer: copied, so that nobody depends on what the pool does next.
      if (!this.#closing) this.#events.onMessage(rank, new Uint8Array(data));
    });
    // An error is always followed by close.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#closing) this.#events.onClosed(rank);
    });
    this.#events.onConnected(rank);
  }
}

function rankOf(request: IncomingMessage): number {
  const match = /^\/nodes\/(\d{1,5})$/.exec(request.url ?? '');
  return match === null ? NaN : Number(match[1]);
}
