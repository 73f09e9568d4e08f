import type { ByteSource } from '@kerf/arrow';
import { checkExpertIds, checkWeights } from './check-choices.ts';
import { TraceError } from './errors.ts';
import { npyTypes, readNpyHeader } from './npy-header.ts';
import { readNpyValues } from './npy-values.ts';

/** [rows, layers, topK] as found in the header of an array. */
export interface ChoiceArrayShape {
  readonly rows: number;
  readonly layers: number;
  readonly topK: number;
}

/** Rows read at a time, so that a large array is held once, in its final form. */
const CHUNK_VALUES = 1 << 18;
const MOST_LAYERS = 1024;
const MOST_CHOICES = 256;

/**
 * Shape of an array of routed experts or their weights.
 *
 * @throws TraceError as {@link readNpyHeader}; `TRACE_SHAPE` unless it is [tokens, layers, topK]; `TRACE_EMPTY`; `TRACE_NPY_TYPE`
 */
export function readChoiceShape(source: ByteSource, kind: 'ids' | 'weights'): ChoiceArrayShape {
  const { shape, type } = readNpyHeader(source);
  const [rows, layers, topK] = shape;
  if (npyTypes[type].integer !== (kind === 'ids')) {
    const expected = kind === 'ids' ? 'whole numbers (expert ids)' : 'floating-point numbers (weights)';
    throw new TraceError('TRACE_NPY_TYPE', `${source.name}: expected ${expected}, got ${type}.`, { file: source.name, expected, got: type });
  }
  if (shape.length !== 3 || rows === undefined || layers === undefined || topK === undefined) {
    throw new TraceError('TRACE_SHAPE', `${source.name}: expected an array [tokens, layers, topK], got ${shape.length} ${shape.length === 1 ? 'axis' : 'axes'}: [${shape.join(', ')}].`, { file: source.name, expected: 3, got: shape.length });
  }
  if (rows === 0 || layers === 0 || topK === 0) {
    throw new TraceError('TRACE_EMPTY', `${source.name}: expected at least one token, layer and choice, got [${shape.join(', ')}].`, { file: source.name, got: shape.join(', ') });
  }
  if (layers > MOST_LAYERS || topK > MOST_CHOICES) {
    throw new TraceError('TRACE_SHAPE', `${source.name}: expected [tokens, layers ≤ ${MOST_LAYERS}, topK ≤ ${MOST_CHOICES}], got [${shape.join(', ')}]. Are the axes in another order?`, { file: source.name, got: shape.join(', ') });
  }
  return { rows, layers, topK };
}

/** Reads and checks all expert ids of an array whose shape is known. */
export function readExpertIds(source: ByteSource, shape: ChoiceArrayShape, experts: number): Uint16Array {
  const expertIds = new Uint16Array(shape.rows * shape.layers * shape.topK);
  const where = { file: source.name, layers: shape.layers, experts, topK: shape.topK };
  eachChoice(source, shape, (values, at, row, layer) => checkExpertIds(where, values, at, row, layer), (values, from) => expertIds.set(values, from));
  return expertIds;
}

/** Reads and checks all weights, and says how far the sums of a token's weights are from 1 at most. */
export function readWeights(source: ByteSource, shape: ChoiceArrayShape, experts: number): { weights: Float32Array; largestDeviation: number } {
  const weights = new Float32Array(shape.rows * shape.layers * shape.topK);
  const where = { file: source.name, layers: shape.layers, experts, topK: shape.topK };
  let largestDeviation = 0;
  eachChoice(source, shape, (values, at, row, layer) => {
    largestDeviation = Math.max(largestDeviation, checkWeights(where, values, at, row, layer));
  }, (values, from) => weights.set(values, from));
  return { weights, largestDeviation };
}

function eachChoice(
  source: ByteSource, { rows, layers, topK }: ChoiceArrayShape,
  check: (values: Float64Array, at: number, row: number, layer: number) => void, keep: (values: Float64Array, from: number) => void,
): void {
  const header = readNpyHeader(source);
  const rowValues = layers * topK;
  const chunkRows = Math.max(1, Math.floor(CHUNK_VALUES / rowValues));
  for (let row = 0; row < rows; row += chunkRows) {
    const count = Math.min(chunkRows, rows - row);
    const values = readNpyValues(source, header, row * rowValues, count * rowValues);
    for (let i = 0; i < count * layers; i++) check(values, i * topK, row + Math.floor(i / layers), i % layers);
    keep(values, row * rowValues);
  }
}
