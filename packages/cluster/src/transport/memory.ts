import type { Channel } from '../channel.ts';

/** How a message is handed over: by default in a later turn of the event loop. Tests delay and interleave here. */
export type Deliver = (hand: () => void) => void;

/** Two ends of a connection inside one process. */
export function memoryChannelPair(deliver: Deliver = (hand) => void setImmediate(hand)): [Channel, Channel] {
  const a = new MemoryChannel(deliver);
  const b = new MemoryChannel(deliver);
  a.peer = b;
  b.peer = a;
  return [a, b];
}

class MemoryChannel implements Channel {
  peer: MemoryChannel | undefined;
  readonly #deliver: Deliver;
  readonly #inbox: Uint8Array[] = [];
  #early: Uint8Array[] = [];
  #onMessage: ((message: Uint8Array) => void) | undefined;
  #onClose: ((reason: string) => void) | undefined;
  #closedFor: string | undefined;
  bufferedBytes = 0;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  send(message: Uint8Array): void {
    const peer = this.peer!;
    if (this.#closedFor !== undefined) return;
    peer.#inbox.push(message.slice());
    this.bufferedBytes += message.byteLength;
    // Whatever order the deliveries run in, each hands over the oldest message: order is the transport's promise.
    this.#deliver(() => {
      const next = peer.#inbox.shift();
      if (next === undefined) return;
      this.bufferedBytes -= next.byteLength;
      if (peer.#closedFor !== undefined) return;
      if (peer.#onMessage === undefined) peer.#early.push(next);
      else peer.#onMessage(next);
    });
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
    this.#end(reason);
    const peer = this.peer!;
    // What was sent before the close still arrives first.
    this.#deliver(() => this.#deliver(() => peer.#end(reason)));
  }

  #end(reason: string): void {
    if (this.#closedFor !== undefined) return;
    this.#closedFor = reason;
    this.#onClose?.(reason);
  }
}
