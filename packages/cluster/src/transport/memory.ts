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

/** Sent and not yet handed over: messages, and last of all the end of the connection. */
type Parcel = { readonly message: Uint8Array } | { readonly closedFor: string };

class MemoryChannel implements Channel {
  peer: MemoryChannel | undefined;
  readonly #deliver: Deliver;
  readonly #inbox: Parcel[] = [];
  #early: Uint8Array[] = [];
  #onMessage: ((message: Uint8Array) => void) | undefined;
  #onClose: ((reason: string) => void) | undefined;
  #closedFor: string | undefined;
  bufferedBytes = 0;

  constructor(deliver: Deliver) {
    this.#deliver = deliver;
  }

  send(message: Uint8Array): void {
    if (this.#closedFor !== undefined) return;
    this.bufferedBytes += message.byteLength;
    this.#post({ message: new Uint8Array(message) });
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
    if (this.#closedFor !== undefined) return;
    this.#early = [];
    this.#end(reason);
    this.#post({ closedFor: reason });
  }

  /** Whatever order the deliveries run in, each hands over the oldest parcel: order is the transport's promise. */
  #post(parcel: Parcel): void {
    const peer = this.peer!;
    peer.#inbox.push(parcel);
    this.#deliver(() => {
      const next = peer.#inbox.shift()!;
      if ('closedFor' in next) {
        peer.#end(next.closedFor);
        return;
      }
      this.bufferedBytes -= next.message.byteLength;
      if (peer.#closedFor !== undefined) return;
      if (peer.#onMessage === undefined) peer.#early.push(next.message);
      else peer.#onMessage(next.message);
    });
  }

  #end(reason: string): void {
    if (this.#closedFor !== undefined) return;
    this.#closedFor = reason;
    this.#onClose?.(reason);
  }
}
