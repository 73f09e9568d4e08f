import type { ByteSource } from '@kerf/arrow';

/** One request of a trace. Its rows are consecutive, in the order of its tokens. */
export interface TraceRequest {
  /** The recorder's number of the request, unique in the trace, < 2^32. */
  readonly request: number;
  /** First row of the request in the arrays of the trace. */
  readonly firstRow: number;
  /** Rows of the request, ≥ 1: one per forward pass of one token. */
  readonly tokens: number;
  /** Position in the sequence of the token at `firstRow`; the next row is one further. */
  readonly firstPosition: number;
  /** How many of the first rows are of the prompt (prefill); absent: none, all are decode. */
  readonly prefillTokens?: number;
}

/** Which experts each token chose in each MoE layer. Everything has been checked when this exists. */
export interface RoutingTrace {
  readonly name: string;
  readonly model: string;
  /** MoE layers; dense layers are not counted. */
  readonly layers: number;
  /** Logical routed experts per layer; shared experts are not counted. */
  readonly experts: number;
  readonly topK: number;
  readonly tokens: number;
  /** [tokens, layers, topK] expert ids in order of falling weight. */
  readonly expertIds: Uint16Array;
  /** [tokens, layers, topK] routing weights, falling, summing to 1 within bfloat16 rounding; undefined: not recorded. */
  readonly weights: Float32Array | undefined;
  readonly requests: readonly TraceRequest[];
  /** [tokens] forward pass that computed the token; absent: requests ran alone, so it is the row within the request. */
  readonly forwardPasses?: Uint32Array;
  /** [tokens] rank whose batch held the token; absent: not recorded. */
  readonly sourceRanks?: Uint16Array;
  readonly origin: 'recorded' | 'synthetic';
  /** Facts about where the trace comes from, by name. Never needed to understand the numbers. */
  readonly provenance: Readonly<Record<string, string>>;
}

/** A folder or a single file, handed in by the app. Names are plain file names, without any path. */
export interface TraceFiles {
  /** What a person calls it: the path that was given. */
  readonly name: string;
  list(): string[];
  open(file: string): ByteSource;
}
