import { readRoutingTrace, type RecordedModel, type RoutingTrace, type TraceFiles } from '@kerf/traces';
import { hashOf, sha256, traceFiles, type FileSource } from '@kerf/node';

export interface LoadedTrace {
  readonly trace: RoutingTrace;
  /**
   * Of a trace in one file, the SHA-256 of that file; of one in several, the SHA-256 of the text that `sha256sum` prints for the
   * files that were read, by name. What else lies in a folder does not count.
   */
  readonly sha256: string;
}

/**
 * Reads and checks a routing trace, and says what exactly was read.
 *
 * @param recorded what a bare array cannot say of itself
 *
 * @throws TraceError, ArrowTableError, CliError
 */
export function loadTrace(path: string, recorded?: RecordedModel): LoadedTrace {
  const files = traceFiles(path);
  const sources = new Map<string, FileSource>();
  const watched: TraceFiles = {
    name: files.name,
    list: () => files.list(),
    open: (name) => {
      const source = files.open(name);
      sources.set(name, source);
      return source;
    },
  };
  try {
    const trace = readRoutingTrace(watched, recorded);
    const hashes = [...sources].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, source]) => ({ name, hash: hashOf(source) }));
    if (hashes.length === 1) return { trace, sha256: hashes[0]!.hash };
    const all = sha256();
    for (const { name, hash } of hashes) all.update(new TextEncoder().encode(`${hash}  ${name}\n`));
    return { trace, sha256: all.hex() };
  } finally {
    files.close();
  }
}
