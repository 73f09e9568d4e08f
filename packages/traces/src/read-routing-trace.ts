import type { ByteSource } from '@kerf/arrow';
import { TraceError } from './errors.ts';
import { readArrowTrace } from './read-arrow-trace.ts';
import { readDenseFolder } from './read-dense-folder.ts';
import { readNpyArrayTrace, type RecordedModel } from './read-npy-array.ts';
import type { RoutingTrace, TraceFiles } from './routing-trace.ts';
import { sniff, SNIFF_BYTES } from './sniff.ts';

const LOOKED_FOR = 'a folder with requests.json ("format": "dense-npy") and its arrays, one Arrow table of routing (.arrow), or one array [tokens, layers, topK] of routed experts (.npy)';
/** Names of these come first: what else lies beside a trace (a README, say) is not even opened. */
const LIKELY = /\.(arrow|arrows|feather|npy)$/i;
const MOST_FILES = 64;

/**
 * Reads and checks a routing trace. Its kind is recognised from the content:
 *
 * - a folder with `requests.json` of format `dense-npy` (see {@link readDenseFolder});
 * - Kerf's own Arrow trace, by itself or the only one in a folder (see {@link readArrowTrace});
 * - a bare array of routed experts, by itself or the only one in a folder; it needs `recordedModel` (see {@link readNpyArrayTrace}).
 *
 * @param recordedModel facts of the model; what a trace says about itself goes before them
 * @throws TraceError, SchemaError (`requests.json`) or ArrowTableError (the Arrow container), all of them KerfErrors
 */
export function readRoutingTrace(files: TraceFiles, recordedModel?: RecordedModel): RoutingTrace {
  const names = files.list();
  if (names.length === 0) throw new TraceError('TRACE_EMPTY', `${files.name}: expected ${LOOKED_FOR}; got an empty folder.`, { file: files.name });
  if (names.includes('requests.json')) return readDenseFolder(files);
  const likely = names.filter((name) => LIKELY.test(name));
  const found: FoundFile[] = [];
  for (const group of [likely, names.filter((name) => !likely.includes(name))]) {
    found.push(...group.slice(0, MOST_FILES - found.length).map((name) => look(files, name)));
    const arrow = found.filter(({ kind }) => kind === 'arrow');
    const arrays = found.filter(({ kind }) => kind === 'npy');
    if (arrow.length === 1) return readArrowTrace(files.name, arrow[0]!.source);
    if (arrow.length === 0 && arrays.length === 1) return readNpyArrayTrace(files.name, arrays[0]!.source, recordedModel);
    if (arrow.length + arrays.length > 0) break;
  }
  const got = found.slice(0, 8).map(({ name, description }) => `${name} (${description})`).join(', ') + (names.length > 8 ? `, and ${names.length - 8} more files` : '');
  throw new TraceError('TRACE_UNKNOWN_KIND', `${files.name}: expected ${LOOKED_FOR}; got ${got}.`, { file: files.name, expected: LOOKED_FOR, got });
}

interface FoundFile extends ReturnType<typeof sniff> {
  readonly name: string;
  readonly source: ByteSource;
}

function look(files: TraceFiles, name: string): FoundFile {
  const source = files.open(name);
  return { name, source, ...sniff(source.read(0, Math.min(SNIFF_BYTES, source.byteLength))) };
}
