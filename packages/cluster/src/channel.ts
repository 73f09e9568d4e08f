/**
 * A connection that carries whole messages, in order, either way. What every transport promises (one contract test for
 * all): a message arrives whole, unchanged, exactly once, in the order sent; a close comes after what was sent before it, and
 * after a close nothing arrives; it is reported once on each side, with a reason. A message sent may be reused by the
 * sender at once.
 */
export interface Channel {
  send(message: Uint8Array): void;
  /** Messages that came before a handler was set are kept for it. */
  onMessage(handler: (message: Uint8Array) => void): void;
  onClose(handler: (reason: string) => void): void;
  close(reason?: string): void;
  /** Bytes accepted but not yet handed to the system. */
  readonly bufferedBytes: number;
}
