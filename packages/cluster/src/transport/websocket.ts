import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Channel } from '../channel.ts';
import { ClusterError } from '../errors.ts';

/** Largest message of a connection, bytes: a frame of about eight million packets. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;
const PROTOCOL = 'kerf.1';
const LOOPBACK = '127.0.0.1';

/** A server on loopback that admits only who knows the token. */
export interface ChannelServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens on loopback, on a port that the system picks or a given one.
 *
 * @param onChannel a peer was let in; `name` is the last part of the path it asked for
 * @throws ClusterError `CLUSTER_CONNECT` when the port is in use
 */
export async function serveChannels(token: string, onChannel: (name: string, channel: Channel) => void, port = 0): Promise<ChannelServer> {
  const http: Server = createServer((_, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES, handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false) });
  http.on('upgrade', (request: IncomingMessage, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (!sameToken(request.headers.authorization, `Bearer ${token}`)) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      onChannel((request.url ?? '').split('/').pop()!, new WebSocketChannel(webSocket));
    });
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'it is in use' : error.message;
      reject(new ClusterError('CLUSTER_CONNECT', `Cannot listen on ${LOOPBACK}, port ${port}: ${why}.`, { port }, error));
    });
    http.listen(port, LOOPBACK, resolve);
  });
  const { port: bound } = http.address() as AddressInfo;
  return {
    url: `ws://${LOOPBACK}:${bound}`,
    close: () => {
      for (const client of sockets.clients) client.terminate();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}

/**
 * Connects to a {@link serveChannels} server; the last part of the address says who comes.
 *
 * @throws ClusterError `CLUSTER_CONNECT`: nobody listens, wrong token, no answer in time
 */
export function connectChannel(url: string, token: string, timeoutMilliseconds = 10_000): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new ClusterError('CLUSTER_CONNECT', `Cannot connect to ${url}: ${error.message}.`, { url }, error));
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, PROTOCOL, {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
        maxPayload: MAX_MESSAGE_BYTES,
        skipUTF8Validation: true,
        handshakeTimeout: timeoutMilliseconds,
      });
    } catch (error) {
      // No address, or a token that no header can carry.
      fail(error as Error);
      return;
    }
    socket.once('error', fail);
    socket.once('open', () => {
      socket.off('error', fail);
      resolve(new WebSocketChannel(socket));
    });
  });
}

/** Compared by digest, so that neither length nor first difference can be timed. */
function sameToken(given: string | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given ?? ''), digest(expected));
}

/** A close frame has room for 123 bytes of reason. */
function shortened(reason: string): string {
  const bytes = new TextEncoder().encode(reason);
  return bytes.length <= 123 ? reason : new TextDecoder().decode(bytes.subarray(0, 120)).replace(/\uFFFD+$/, '');
}

class WebSocketChannel implements Channel {
  readonly #socket: WebSocket;
  #early: Uint8Array[] = [];
  #onMessage: ((message: Uint8Array) => void) | undefined;
  #onClose: ((reason: string) => void) | undefined;
  #closedFor: string | undefined;
  /** Closed from this side: what the peer has sent meanwhile is no longer wanted. */
  #closing = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      if (this.#closing) return;
      // Plain bytes: a Buffer's `slice` is a view, where everybody else's is a copy.
      const message = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      if (this.#onMessage === undefined) this.#early.push(message);
      else this.#onMessage(message);
    });
    socket.on('error', (error) => this.#end(error.message));
    socket.on('close', (code, reason) => this.#end(reason.toString() || `connection closed (${code})`));
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    if (this.#closing || this.#closedFor !== undefined) return;
    // The socket may keep a large message past this call; the sender may not touch it then, so it gets a copy.
    this.#socket.send(new Uint8Array(message), { binary: true });
  }

  onMessage(handler: (message: Uint8Array) => void): void {
    this.#onMessage = handler;
    const early = this.#early;
    this.#early = [];
    for (const message of early) handler(message);
  }

  onClose(handler: (reason: string) => void): void {
    this.#onClose = handler;
    if (this.#closedFor !== undefined) handler(this.#closedFor);
  }

  close(reason = 'closed'): void {
    this.#closing = true;
    this.#early = [];
    this.#socket.close(1000, shortened(reason));
  }

  #end(reason: string): void {
    if (this.#closedFor !== undefined) return;
    this.#closedFor = reason;
    this.#onClose?.(reason);
  }
}
