import { Packr } from 'msgpackr';
import type { Channel } from './channel.ts';
import { ClusterError } from './errors.ts';

/** Version of the messages between coordinator and node processes. */
export const CONTROL_VERSION = 1;

/** What a node process needs to know to take part; everything else it derives by itself. */
export interface StartMessage {
  readonly type: 'start';
  readonly version: number;
  /** The scenario with hardware and model card written out. */
  readonly scenario: unknown;
  readonly tracePath: string;
  readonly runDirectory: string;
  readonly diesOfRank: number[][];
  /** Address of each rank. */
  readonly peers: string[];
}

/** Coordinator to node. `kernel` begins one, and so ends the one before, which lasted `previousEndCycle` cycles. */
export type ToNode =
  | StartMessage
  | { readonly type: 'kernel'; readonly kernel: number; readonly startCycle: number; readonly previousEndCycle: number }
  | {
      /** Nothing crosses between any processes before `cycle` of the kernel. */
      readonly type: 'jump';
      readonly kernel: number;
      readonly cycle: number;
    }
  | { readonly type: 'finish'; readonly previousEndCycle: number }
  | { readonly type: 'abort'; readonly reason: string };

/** A table file that a node process wrote. */
export interface WrittenFile {
  readonly table: string;
  readonly dieId: number;
  /** Relative to the run folder. */
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** How a node process spent its time. */
export interface NodeStatistics {
  readonly pid: number;
  readonly wallSeconds: number;
  readonly computeSeconds: number;
  readonly waitSeconds: number;
  readonly packetHops: number;
  readonly deliveredPackets: number;
  readonly boundaryPacketsSent: number;
  readonly boundaryPacketsReceived: number;
  readonly framesSent: number;
  readonly rounds: number;
  readonly peakRssBytes: number;
}

/** Node to coordinator. */
export type FromNode =
  | { readonly type: 'hello'; readonly version: number; readonly rank: number; readonly pid: number; readonly url: string }
  | { readonly type: 'ready' }
  | {
      /**
       * Nothing to do before `nextCycle` (Infinity: at all) unless something arrives. `sent` and `received` count items per
       * rank since the kernel began.
       */
      readonly type: 'idle';
      readonly kernel: number;
      readonly nextCycle: number;
      readonly endCycle: number;
      readonly packetHops: number;
      readonly sent: number[];
      readonly received: number[];
      /** Empty when every operation is done; otherwise who waits for what. */
      readonly waiting: string[];
    }
  | { readonly type: 'progress'; readonly kernel: number; readonly cycle: number; readonly packetHops: number }
  | {
      readonly type: 'finished';
      readonly files: WrittenFile[];
      /** Per die of the process, ascending: digest of all deliveries. */
      readonly deliveries: { readonly dieId: number; readonly digest: string }[];
      readonly statistics: NodeStatistics;
      /** What the human summary is made of, mergeable over processes. */
      readonly summary: unknown;
      /** Per layer: copies dispatched by and combined at the dies of this process. */
      readonly conservation: { readonly layer: number; readonly dispatched: number; readonly combined: number }[];
    }
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly context: Record<string, number | string | boolean>; readonly bug: boolean };

// One configuration on both sides; plain values only (no typed arrays), so no extension is needed.
const packr = new Packr({ useRecords: false, mapsAsObjects: true });

/** Sends and receives control messages over a channel. */
export interface ControlLink<Out, In> {
  send(message: Out): void;
  onMessage(handler: (message: In) => void): void;
  onClose(handler: (reason: string) => void): void;
  close(reason?: string): void;
}

/** @throws ClusterError `CLUSTER_BAD_MESSAGE` into `onClose` when the other side sends what is no message */
export function controlLink<Out extends { type: string }, In extends { type: string }>(channel: Channel): ControlLink<Out, In> {
  let closeHandler: (reason: string) => void = () => undefined;
  return {
    send: (message) => channel.send(packr.pack(message)),
    onMessage: (handler) =>
      channel.onMessage((bytes) => {
        let message: In;
        try {
          message = decodeControl<In>(bytes);
        } catch (error) {
          // The channel would report its own close; whoever asked wants to know why.
          channel.onClose(() => undefined);
          channel.close('malformed control message');
          closeHandler((error as Error).message);
          return;
        }
        handler(message);
      }),
    onClose: (handler) => {
      closeHandler = handler;
      channel.onClose(handler);
    },
    close: (reason) => channel.close(reason),
  };
}

export function decodeControl<In extends { type: string }>(bytes: Uint8Array): In {
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (error) {
    throw new ClusterError('CLUSTER_BAD_MESSAGE', `A control message of ${bytes.byteLength} bytes cannot be decoded: ${(error as Error).message}.`, { bytes: bytes.byteLength }, error);
  }
  if (typeof value !== 'object' || value === null || typeof (value as { type?: unknown }).type !== 'string') {
    throw new ClusterError('CLUSTER_BAD_MESSAGE', 'A control message is an object with a type.', {});
  }
  return value as In;
}
