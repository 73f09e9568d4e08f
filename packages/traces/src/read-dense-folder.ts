import type { ByteSource } from '@kerf/arrow';
import { checkSchema } from '@kerf/checks';
import { denseFolderSchema, type DenseFolder } from './dense-folder-schema.ts';
import { TraceError } from './errors.ts';
import { readNpyHeader, type NpyType } from './npy-header.ts';
import { readChoiceShape, readExpertIds, readWeights, type ChoiceArrayShape } from './read-npy-choices.ts';
import type { RoutingTrace, TraceFiles, TraceRequest } from './routing-trace.ts';
import { readJson } from './text.ts';

/** NumPy's names of the types that a folder may announce, and the descriptors in the headers of the arrays. */
const descriptors: Readonly<Record<string, NpyType>> = {
  uint8: '|u1', int8: '|i1', uint16: '<u2', int16: '<i2', int32: '<i4', int64: '<i8', float16: '<f2', float32: '<f4',
};

/**
 * Reads a folder of dense arrays: `requests.json` says which rows of `expert_ids.npy`, and of the weights where there are some,
 * belong to which request.
 *
 * @throws SchemaError for `requests.json`; TraceError for everything else
 */
export function readDenseFolder(files: TraceFiles): RoutingTrace {
  const index = files.open('requests.json');
  const value = readJson(index);
  const format = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (format !== 'dense-npy') {
    const got = format === undefined ? 'no format' : JSON.stringify(format);
    throw new TraceError('TRACE_UNKNOWN_KIND', `${index.name}: expected "format": "dense-npy", got ${got}.`, { file: index.name, expected: 'dense-npy', got });
  }
  const folder = checkSchema(denseFolderSchema, value, index.name);
  if (folder.top_k > folder.num_experts) {
    throw new TraceError('TRACE_SHAPE', `${index.name}: expected a top_k of at most num_experts = ${folder.num_experts}, got ${folder.top_k}.`, { file: index.name, expected: folder.num_experts, got: folder.top_k });
  }
  const requests = checkRequests(folder, index.name);
  const last = requests.at(-1)!;
  const shape = { rows: last.firstRow + last.tokens, layers: folder.num_layers, topK: folder.top_k };
  const ids = openArray(files, index, folder.expert_ids, shape, 'ids');
  const expertIds = readExpertIds(ids, shape, folder.num_experts);
  const weights = folder.expert_weights && readWeights(openArray(files, index, folder.expert_weights, shape, 'weights'), shape, folder.num_experts);
  return {
    name: files.name, model: folder.model, layers: shape.layers, experts: folder.num_experts, topK: shape.topK, tokens: shape.rows,
    expertIds, weights: weights?.weights, requests, origin: 'recorded',
    provenance: {
      format: 'dense-npy',
      loopingRequests: String(folder.requests.filter((request) => request.repetition === true).length),
      ...(weights && { largestWeightSumDeviation: String(weights.largestDeviation) }),
    },
  };
}

/** Rows of requests follow one another without gap or overlap, and no number comes twice. */
function checkRequests(folder: DenseFolder, file: string): TraceRequest[] {
  const seen = new Set<number>();
  let nextRow = 0;
  return folder.requests.map(({ request, row_offset: firstRow, tokens, first_position: firstPosition }, at) => {
    const fail = (expected: string, got: string): never => {
      throw new TraceError('TRACE_REQUESTS', `${file}: requests.${at} (request ${request}): expected ${expected}, got ${got}.`, { file, request, at, expected, got });
    };
    if (seen.has(request)) fail('each request once', `request ${request} again`);
    if (firstRow !== nextRow) fail(`row_offset ${nextRow}, where the request before ends`, `${firstRow}: ${firstRow < nextRow ? 'they overlap' : 'rows between them belong to nobody'}`);
    if (firstPosition + tokens > 2 ** 32) fail('positions below 2^32', `${firstPosition + tokens}`);
    seen.add(request);
    nextRow += tokens;
    return { request, firstRow, tokens, firstPosition, ...(folder.phase === 'prefill' ? { prefillTokens: tokens } : {}) };
  });
}

/** Opens an array and checks it against what `requests.json` says of it and of the requests. */
function openArray(files: TraceFiles, index: ByteSource, { file, dtype, shape: announced }: DenseFolder['expert_ids'], expected: ChoiceArrayShape, kind: 'ids' | 'weights'): ByteSource {
  if (!files.list().includes(file)) {
    throw new TraceError('TRACE_MISSING_FILE', `${index.name} names the array ${JSON.stringify(file)}, which is not in ${files.name}.`, { file: index.name, expected: file });
  }
  const source = files.open(file);
  const found = readChoiceShape(source, kind);
  const { type } = readNpyHeader(source);
  if (descriptors[dtype] !== type) {
    throw new TraceError('TRACE_NPY_TYPE', `${source.name}: expected ${dtype}, as ${index.name} says, got ${type}.`, { file: source.name, expected: dtype, got: type });
  }
  const got = [found.rows, found.layers, found.topK].join(', ');
  if (announced.join(', ') !== got) {
    throw new TraceError('TRACE_SHAPE', `${source.name}: expected [${announced.join(', ')}], as ${index.name} says, got [${got}].`, { file: source.name, expected: announced.join(', '), got });
  }
  const wanted = [expected.rows, expected.layers, expected.topK].join(', ');
  if (wanted !== got) {
    throw new TraceError('TRACE_SHAPE', `${source.name}: expected [${wanted}], the tokens of all requests, num_layers and top_k of ${index.name}, got [${got}].`, { file: source.name, expected: wanted, got });
  }
  return source;
}
