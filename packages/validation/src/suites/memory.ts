import { Type } from '@sinclair/typebox';
import type { Suite } from '../suite.ts';
import { ProgramFile, type FileSlice, type FileView } from '../tile-programs/program-file.ts';
import { columnsOf, referenceOptions, SMALL_PROGRAM, softhierCases, softhierRepeats, type Plan, type Tolerance } from './softhier-cases.ts';

const TOLERANCE: Tolerance = { share: 0.15, cycles: 0 };

const schema = Type.Object({
  op: Type.String({ description: 'What was done.' }),
  bytes: Type.Integer({ minimum: 2, maximum: 2 ** 20, description: 'Bytes of a tile.' }),
});

/** Bytes of a store at once; longer ones were queued in pieces. */
const MOST_STORED = 262_144;
const LOADED_AFTER = 4096;
const LINE_BYTES = 256;

/** Which tiles take part, counted as the reference does: from the south-west corner. */
const selections: Readonly<Record<string, (x: number, y: number, edge: number) => boolean>> = {
  one_tile00: (x, y) => x + y === 0,
  one_corner: (x, y, edge) => x === edge - 1 && y === edge - 1,
  row0: (_, y) => y === 0,
  diag: (x, y) => x === y,
  all: () => true,
};

/** Loads from and stores to the memory channels of a die. Repeats of a region differ by refreshes that nobody sees: their mean is predicted. */
export const memory: Suite = {
  name: 'memory',
  title: 'loads from and stores to memory channels',
  built: true,
  fidelities: ['packet'],
  tolerances: '15 % each, of the mean of repeats',
  medianTolerance: 0.06,
  referenceOptions,
  sources: [softhierRepeats('softhier-runs.json', ['hbm'], schema, planOf), softhierCases('softhier-components.json', ['hbm_store'], schema, planOf)],
};

function planOf({ op, bytes }: { readonly op: string; readonly bytes: number }, edge: number): Plan {
  const plain = /^hbm_(load|store)(_then_load4k)?_(one_tile00|one_corner|row0|diag|all)(?:_(own|same|interleaved256))?_(south|west)$/.exec(op);
  const name = `${op.replaceAll('_', '-')}-${bytes}-${edge}x${edge}`;
  const frame = { list: 'reference-options', tolerance: TOLERANCE, set: SMALL_PROGRAM, name, costSeconds: 0.3 + (edge * edge * bytes) / 4e7 } as const;
  const idleLoads = 1;
  if (plain !== null) {
    const [, kind, then, tiles, layout = 'own', side] = plain as unknown as [string, string, string | undefined, string, string | undefined, string];
    if (kind === 'load' && bytes > MOST_STORED) return 'More than a tile has room for.';
    return {
      ...frame, ...(kind === 'load' ? { idleLoads } : {}), edges: { data: side, ...(then === undefined ? {} : { more: side }) },
      content: () => accesses({ edge, bytes, kind: (x, y) => (selections[tiles]!(x, y, edge) ? 'data' : 'idle'), stores: kind === 'store', layout, then: then !== undefined, tensors: ['data'] }),
    };
  }
  if (op === 'hbm_load_half_west_half_south') {
    return { ...frame, idleLoads, edges: { west: 'west', south: 'south' }, content: () => accesses({ edge, bytes, kind: (x) => (x < edge / 2 ? 'west' : 'south'), stores: false, layout: 'own', then: false, tensors: ['west', 'south'] }) };
  }
  if (op === 'hbm_load_all_both_sides') {
    return { ...frame, idleLoads, edges: { west: 'west', south: 'south' }, content: () => accesses({ edge, bytes, kind: () => 'west south', stores: false, layout: 'own', then: false, tensors: ['west', 'south'] }) };
  }
  return `Kerf does not know the operation ${op}.`;
}

interface Accesses {
  readonly edge: number;
  readonly bytes: number;
  /** Tensors that a tile uses, one after the other; `idle` for none. The tile as the reference counts. */
  readonly kind: (x: number, y: number) => string;
  readonly stores: boolean;
  /** `own`: a piece for each tile; `same`: all tiles the same; `interleaved256`: lines of 256 B dealt out to the tiles in turn. */
  readonly layout: string;
  /** A load of 4 KiB behind the store. */
  readonly then: boolean;
  readonly tensors: readonly string[];
}

function accesses({ edge, bytes, kind, stores, layout, then, tensors }: Accesses): unknown {
  const p = new ProgramFile(stores ? 'stores' : 'loads', edge, edge);
  const tiles = edge * edge;
  const pieces = stores ? Math.ceil(bytes / MOST_STORED) : 1;
  const columns = columnsOf(bytes / pieces);
  const line = LINE_BYTES / 2;
  const lines = Math.max(1, Math.floor(bytes / LINE_BYTES));
  const dealt = layout === 'interleaved256';
  const buffer: FileView = dealt ? p.buffer('buffer', lines, line) : p.buffer('buffer', 1, columns);
  for (const name of tensors) {
    if (dealt) p.tensor(name, lines, tiles * line, 'input');
    else p.tensor(name, layout === 'same' ? 1 : tiles * pieces, columns, stores ? 'output' : 'input');
  }
  const after = then ? p.buffer('after', 1, LOADED_AFTER / 2) : undefined;
  if (then) p.tensor('more', tiles, LOADED_AFTER / 2, 'input');
  const slice = (tensor: string, piece: number): FileSlice => {
    if (dealt) return { tensor, row: 0, column: numbered(edge, line, 0), rows: lines, columns: line };
    return { tensor, row: layout === 'same' ? 0 : numbered(edge, pieces, piece), column: 0, rows: 1, columns };
  };
  return p.finish((x, y) => kind(x, edge - 1 - y), (r, used) => {
    let last: number[] = [];
    for (const tensor of used === 'idle' ? [] : used.split(' ')) {
      for (let piece = 0; piece < pieces; piece++) last = [stores ? r.store(slice(tensor, piece), buffer, last) : r.load(buffer, slice(tensor, piece), last)];
    }
    if (after !== undefined && used !== 'idle') r.load(after, { tensor: 'more', row: numbered(edge, 1, 0), column: 0, rows: 1, columns: LOADED_AFTER / 2 }, last);
  });
}

/** `times` × the number that the reference gives a tile, + `base`. */
function numbered(edge: number, times: number, base: number): FileSlice['row'] {
  return { base: base + times * edge * (edge - 1), x: times, y: -times * edge };
}
