import { readFileSync } from 'node:fs';
import { REFERENCE_FILES, type ReferenceFileName, type References } from '../reference/references.ts';

/** The figures that ship with the package. */
export function shippedFigures(): References {
  const files = new Map(REFERENCE_FILES.map((name): [ReferenceFileName, unknown] => [name, JSON.parse(readFileSync(new URL(`../../figures/${name}`, import.meta.url), 'utf8'))]));
  return { folder: '', files, tracePath: (name) => name, programPath: (name) => `programs/${name}.json`, hasRecording: () => false };
}

/** A folder `further` with some reference files. */
export function furtherFigures(files: Partial<Record<ReferenceFileName, unknown>>, recordings: readonly string[] = []): References {
  return { folder: 'further', files: new Map(Object.entries(files) as [ReferenceFileName, unknown][]), tracePath: (name) => name, programPath: (name) => `programs/${name}.json`, hasRecording: (path) => recordings.includes(path) };
}

/** A row of `booksim2-mesh.json` as it comes, with some keys changed; `undefined` takes one away. */
export function booksimRow(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const row: Record<string, unknown> = {
    size: '8x8', pipeline: 'A', num_vcs: 1, packet_size: 1, pattern: 'uniform', offered_flit_rate: 0.05, mode: 'latency', status: 'stable', ideal_bound: 0.5,
    packet_latency: 34, cycles: 12_090, sample_period: 2000, wall_s: 1, ...changes,
  };
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}

/** A whole `booksim2-mesh.json` around some rows. */
export function booksimFile(rows: readonly unknown[]): Record<string, unknown> {
  const stages = { routing_delay: 1, vc_alloc_delay: 1, sw_alloc_delay: 1, st_prepare_delay: 0, st_final_delay: 1, credit_delay: 1, speculative: 0 };
  return { source: { tool: 'BookSim 2', parameters: { vc_buf_size: 8, pipelines: { A: stages, slow: { ...stages, routing_delay: 3 } } } }, rows };
}
