import { readTable, type ByteSource, type NumberArray, type TableBatch, type TableReader } from '@kerf/arrow';
import { suggestion } from '@kerf/checks';
import { checkExpertIds, checkWeights, type ChoiceShape } from './check-choices.ts';
import { TraceError, type TraceErrorCode } from './errors.ts';
import type { RoutingTrace, TraceRequest } from './routing-trace.ts';
import { phases, PROVENANCE, traceColumns, TRACE_FORMAT_VERSION, TRACE_TABLE } from './trace-table.ts';

/**
 * Reads Kerf's own trace, an Arrow file or stream with one row per token and layer (see {@link traceColumns}).
 *
 * @throws ArrowTableError for a table that is damaged or cut off; TraceError for one that is no trace, or a wrong one
 */
export function readArrowTrace(name: string, source: ByteSource): RoutingTrace {
  const table = readTable(source);
  const facts = readFacts(source.name, table);
  const { tokens, shape: { layers, topK } } = facts;
  const fail = failure(source.name);
  if (table.rows === 0) throw fail('TRACE_EMPTY', 'at least one token', 'no rows');
  if (table.rows !== tokens * layers) throw fail('TRACE_TRUNCATED', `${tokens * layers} rows, for each of ${tokens} tokens one per layer`, `${table.rows} rows`);
  const rows = new TraceRows(facts, tokens, source.name);
  let row = 0;
  for (const batch of table.batches()) {
    rows.take(batch, row);
    row += batch.rows;
  }
  const requests = rows.requests();
  const alone = requests.every(({ firstRow, tokens: own }) => rows.forwardPasses.subarray(firstRow, firstRow + own).every((pass, token) => pass === token));
  return {
    name, model: facts.model, layers, experts: facts.shape.experts, topK, tokens,
    expertIds: rows.expertIds, weights: rows.weights, requests,
    ...(alone ? {} : { forwardPasses: rows.forwardPasses }),
    ...(rows.sourceRanks === undefined ? {} : { sourceRanks: rows.sourceRanks }),
    origin: facts.origin, provenance: facts.provenance,
  };
}

interface TraceFacts {
  readonly model: string;
  readonly origin: RoutingTrace['origin'];
  readonly provenance: Readonly<Record<string, string>>;
  readonly tokens: number;
  readonly shape: ChoiceShape;
  readonly withWeights: boolean;
  readonly withRanks: boolean;
}

/** What the schema says: that this is a trace, of which model and shape, and that it has the columns for it. */
function readFacts(file: string, { spec }: TableReader): TraceFacts {
  const { metadata } = spec;
  const fail = failure(file);
  if (spec.name !== TRACE_TABLE) throw fail('TRACE_TABLE', `an Arrow table named "${TRACE_TABLE}"`, spec.name === '' ? 'one without a name' : `"${spec.name}"`);
  if (metadata['formatVersion'] !== TRACE_FORMAT_VERSION) throw fail('TRACE_VERSION', `format version ${TRACE_FORMAT_VERSION}`, metadata['formatVersion'] ?? 'none');
  const number = (key: string, most: number, least = 1): number => {
    const text = metadata[key] ?? '';
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (value < least || value > most) throw fail('TRACE_TABLE', `a number from ${least} to ${most} as "${key}" in its metadata`, text === '' ? 'none' : JSON.stringify(text));
    return value;
  };
  const { model, origin } = metadata;
  if (model === undefined || model === '') throw fail('TRACE_TABLE', 'a model in its metadata', 'none');
  if (origin !== 'recorded' && origin !== 'synthetic') throw fail('TRACE_TABLE', 'the origin "recorded" or "synthetic" in its metadata', JSON.stringify(origin ?? 'none'));
  const shape = { file, layers: number('layers', 65_535), experts: number('experts', 65_535), topK: number('topK', 256) };
  if (shape.topK > shape.experts) throw fail('TRACE_TABLE', `a topK of at most ${shape.experts}, the experts`, `${shape.topK}`);
  const has = (name: string): boolean => spec.columns.some((column) => column.name === name);
  const [withWeights, withRanks] = [has('weight0'), has('sourceRank')];
  checkColumns(file, spec.columns, traceColumns(shape.topK, withWeights, withRanks));
  const provenance = Object.entries(metadata).filter(([key]) => key.startsWith(PROVENANCE)).map(([key, value]) => [key.slice(PROVENANCE.length), value] as const);
  return { model, origin, tokens: number('tokens', 2 ** 32 - 1, 0), provenance: Object.fromEntries(provenance), shape, withWeights, withRanks };
}

function checkColumns(file: string, found: TableReader['spec']['columns'], expected: ReturnType<typeof traceColumns>): void {
  const fail = failure(file);
  const names = expected.map(({ name }) => name);
  for (const { name } of found) {
    if (!names.includes(name)) throw fail('TRACE_TABLE', `the columns ${names.join(', ')}`, `an unknown column ${name}.${suggestion(name, names)}`);
  }
  for (const { name, type } of expected) {
    const column = found.find((candidate) => candidate.name === name);
    if (column?.type !== type) throw fail('TRACE_TABLE', `a column ${name} of type ${type}`, column === undefined ? 'none' : `type ${column.type}`);
  }
  if (found.length !== expected.length) throw fail('TRACE_TABLE', `${expected.length} columns`, `${found.length}: one comes twice`);
}

/** Rows on their way from batches into the arrays of a trace; a token's layers, and a request's tokens, may be cut by a batch. */
class TraceRows {
  readonly expertIds: Uint16Array;
  readonly weights: Float32Array | undefined;
  readonly forwardPasses: Uint32Array;
  readonly sourceRanks: Uint16Array | undefined;
  readonly #facts: TraceFacts;
  readonly #file: string;
  /** [tokens] what all layers of a token must agree on. */
  readonly #request: Uint32Array;
  readonly #position: Uint32Array;
  readonly #decode: Uint8Array;

  constructor(facts: TraceFacts, tokens: number, file: string) {
    const choices = tokens * facts.shape.layers * facts.shape.topK;
    this.#facts = facts;
    this.#file = file;
    this.expertIds = new Uint16Array(choices);
    this.weights = facts.withWeights ? new Float32Array(choices) : undefined;
    this.forwardPasses = new Uint32Array(tokens);
    this.sourceRanks = facts.withRanks ? new Uint16Array(tokens) : undefined;
    this.#request = new Uint32Array(tokens);
    this.#position = new Uint32Array(tokens);
    this.#decode = new Uint8Array(tokens);
  }

  take(batch: TableBatch, firstRow: number): void {
    const { shape } = this.#facts;
    const { layers, topK } = shape;
    this.#takeLayers(batch.numbers('layer'), firstRow);
    this.#takeOfToken(batch.numbers('request'), firstRow, this.#request, 'request');
    this.#takeOfToken(batch.numbers('position'), firstRow, this.#position, 'position');
    this.#takeOfToken(batch.numbers('forwardPass'), firstRow, this.forwardPasses, 'forwardPass');
    this.#takeOfToken(batch.names('phase').map((phase) => this.#phase(phase)), firstRow, this.#decode, 'phase');
    if (this.sourceRanks !== undefined) this.#takeOfToken(batch.numbers('sourceRank'), firstRow, this.sourceRanks, 'sourceRank');
    for (let slot = 0; slot < topK; slot++) {
      spread(batch.numbers(`expert${slot}`), this.expertIds, firstRow, slot, topK);
      if (this.weights !== undefined) spread(batch.numbers(`weight${slot}`), this.weights, firstRow, slot, topK);
    }
    for (let row = firstRow; row < firstRow + batch.rows; row++) {
      checkExpertIds(shape, this.expertIds, row * topK, Math.floor(row / layers), row % layers);
      if (this.weights !== undefined) checkWeights(shape, this.weights, row * topK, Math.floor(row / layers), row % layers);
    }
  }

  /** The requests that the rows make up: consecutive, positions rising by one, prompt before answer. */
  requests(): TraceRequest[] {
    const requests: TraceRequest[] = [];
    const seen = new Set<number>();
    const tokens = this.#request.length;
    for (let firstRow = 0; firstRow < tokens;) {
      const request = this.#request[firstRow]!;
      if (seen.has(request)) throw this.#fail(firstRow, 'the rows of a request together', `request ${request} again after another one`);
      seen.add(request);
      let end = firstRow + 1;
      let prefillTokens = 1 - this.#decode[firstRow]!;
      for (; end < tokens && this.#request[end] === request; end++) {
        if (this.#position[end] !== this.#position[end - 1]! + 1) throw this.#fail(end, `position ${this.#position[end - 1]! + 1}, one after the row before`, `${this.#position[end]}`);
        if (this.#decode[end] === 1) continue;
        if (this.#decode[end - 1] === 1) throw this.#fail(end, 'prefill before decode', 'prefill after decode');
        prefillTokens++;
      }
      requests.push({ request, firstRow, tokens: end - firstRow, firstPosition: this.#position[firstRow]!, ...(prefillTokens > 0 ? { prefillTokens } : {}) });
      firstRow = end;
    }
    return requests;
  }

  #takeLayers(layer: NumberArray, firstRow: number): void {
    const { layers } = this.#facts.shape;
    for (let i = 0; i < layer.length; i++) {
      const expected = (firstRow + i) % layers;
      if (layer[i] !== expected) throw this.#fail(Math.floor((firstRow + i) / layers), `layer ${expected} in row ${firstRow + i} of the table (each token has all ${layers} layers, rising)`, `layer ${layer[i]}`);
    }
  }

  #takeOfToken(values: ArrayLike<number>, firstRow: number, out: Uint32Array | Uint16Array | Uint8Array, column: string): void {
    const { layers } = this.#facts.shape;
    for (let i = 0; i < values.length; i++) {
      const token = Math.floor((firstRow + i) / layers);
      if ((firstRow + i) % layers === 0) out[token] = values[i]!;
      else if (out[token] !== values[i]) throw this.#fail(token, `${column} ${out[token]} in all layers of the token`, `${values[i]} in layer ${(firstRow + i) % layers}`);
    }
  }

  #phase(phase: string): number {
    if (phase !== phases[0] && phase !== phases[1]) throw this.#fail(0, `the phase ${phases.join(' or ')}`, JSON.stringify(phase));
    return phase === 'decode' ? 1 : 0;
  }

  #fail(row: number, expected: string, got: string): TraceError {
    return new TraceError('TRACE_REQUESTS', `${this.#file}: token ${row}: expected ${expected}, got ${got}.`, { file: this.#file, row, expected, got });
  }
}

/** Puts a column of one slot into [rows, topK]. */
function spread(values: NumberArray, out: Uint16Array | Float32Array, firstRow: number, slot: number, topK: number): void {
  for (let i = 0, at = firstRow * topK + slot; i < values.length; i++, at += topK) out[at] = values[i]!;
}

function failure(file: string): (code: TraceErrorCode, expected: string, got: string) => TraceError {
  return (code, expected, got) => new TraceError(code, `${file}: expected ${expected}, got ${got}.`, { file, expected, got });
}
