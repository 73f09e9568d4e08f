import { TileProgramBuilder, type Affine, type RowId, type TileProgram, type View } from '@kerf/program';
import { GemmError } from './errors.ts';
import { checkMapping, type GemmMapping, type GemmShape, type GemmTypes } from './mapping.ts';
import { largestOf, partition, rangeOf, type Range } from './partition.ts';

/** Elements that pieces are a multiple of, where that is possible: rows of the matrix engine, bytes of a memory access. */
export interface Grain {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Roles of a program are numbered by a byte. */
const MAX_ROLES = 255;
/** Rows of all roles together: some hundred megabytes. */
const MAX_ROWS = 6_000_000;

/** How a program of {@link summaProgram} is cut: numbers that also estimates and checks need. */
export interface SummaLayout {
  /** Blocks of Z that the group computes one after another. */
  readonly blocksM: number;
  readonly blocksN: number;
  /** Steps over the inner dimension for each block. */
  readonly steps: number;
  /** Largest piece of a tile, elements. */
  readonly pieceM: number;
  readonly pieceN: number;
  readonly pieceK: number;
  /** Bytes of L1 that the buffers of a tile need at most. */
  readonly l1Bytes: number;
}

/** What a tile has to know that others do not. Plain data: tiles with the same are one role. */
interface TileKind {
  /** Rows and columns of its piece of Z in each block; the start is linear in the place of the tile. */
  readonly rows: readonly Range[];
  readonly columns: readonly Range[];
  readonly loadsX: boolean;
  readonly loadsW: boolean;
  /** Its part of the inner dimension. */
  readonly inner: Range;
  /** Which part that is, where more than the range depends on it. */
  readonly part: number | null;
  /** Its place in the chain that hands W down inside a part. */
  readonly chain: 'first' | 'middle' | 'last' | null;
  /** Whether the sum of all parts ends here. */
  readonly sums: boolean;
  /** Step of the next block beside which it stores. */
  readonly storeStep: number;
}

/**
 * Numbers of a layout.
 *
 * @param shape what one group computes
 */
export function summaLayout(shape: GemmShape, mapping: GemmMapping, types: GemmTypes, grain: Grain, bytesOf: Readonly<Record<GemmTypes['input'], number>>): SummaLayout {
  const { groupWidth, groupHeight, splitK, tileM, tileN, stages } = mapping;
  const blocksM = blocksOf(shape.m, tileM, groupHeight);
  const blocksN = blocksOf(shape.n, tileN, groupWidth);
  const pieceM = largestOf(tileRows(shape, mapping, blocksM, grain));
  const pieceN = largestOf(tileColumns(shape, mapping, blocksN, grain));
  const part = largestOf(partition(shape.k, splitK, grain.k));
  const steps = stepsOf(shape, mapping, grain);
  const pieceK = largestOf(partition(part, steps, grain.k));
  const outputs = outputsOf(mapping, blocksM * blocksN);
  const landing = splitK > 1 && groupHeight > 1 ? (splitK - 1) * Math.ceil(pieceM / splitK) * pieceN : 0;
  const converted = types.sum === types.output ? 0 : pieceM * pieceN * bytesOf[types.output];
  const l1Bytes = stages * (pieceM + pieceN) * pieceK * bytesOf[types.input] + (outputs * pieceM * pieceN + landing) * bytesOf[types.sum] + converted;
  return { blocksM, blocksN, steps, pieceM, pieceN, pieceK, l1Bytes };
}

/** Blocks along one dimension: pieces of at most `tile`, unless that would leave a tile without one. */
function blocksOf(length: number, tile: number, tiles: number): number {
  return Math.min(Math.ceil(length / (tile * tiles)), Math.floor(length / tiles));
}

/** Pieces of Z that a tile holds: with several blocks one is stored while the next one grows. The published kernel always has two. */
function outputsOf({ schedule }: GemmMapping, blocks: number): number {
  return blocks > 1 || schedule === 'blockwise' ? 2 : 1;
}

function tileRows({ m }: GemmShape, { groupHeight }: GemmMapping, blocksM: number, grain: Grain) {
  return partition(m, blocksM * groupHeight, grain.m);
}

function tileColumns({ n }: GemmShape, { groupWidth }: GemmMapping, blocksN: number, grain: Grain) {
  return partition(n, blocksN * groupWidth, grain.n);
}

/** All parts take the same number of steps; the smallest has at least one element for each. */
function stepsOf({ k }: GemmShape, { splitK, tileK }: GemmMapping, grain: Grain): number {
  const parts = partition(k, splitK, grain.k);
  const smallest = Math.min(largestOf(parts), rangeOf(parts, splitK - 1).size);
  return Math.min(Math.ceil(largestOf(parts) / tileK), smallest);
}

export interface SummaOptions {
  readonly types: GemmTypes;
  readonly grain: Grain;
  /** Shape of the tensors in memory, when the group computes a part of them: from parameters `row` and `column` on. */
  readonly whole?: GemmShape;
  readonly name?: string;
}

/**
 * Z = X · W by SUMMA on one group of tiles, groupWidth wide and groupHeight × splitK high. Every tile keeps its piece of Z in L1; in
 * each step over the inner dimension some tiles load a piece of X or W and multicast it along their row or down their
 * column, while the matrix engines work on the pieces before.
 *
 * With splitK, every part of the inner dimension is computed by a group of its own. They lie below each other. With one row of tiles per part the columns are
 * summed in the fabric; otherwise every tile sends each part's tile below it the rows that this one sums and stores, and W goes down from tile to tile by
 * messages. Uneven sizes are spread: pieces of one dimension differ by at most one grain.
 *
 * @throws GemmError `GEMM_BAD_SHAPE`, `GEMM_BAD_MAPPING`, `GEMM_TOO_LARGE`
 * @see R. A. van de Geijn & J. Watts, SUMMA: scalable universal matrix multiplication algorithm, Concurrency 9(4), 1997
 */
export function summaProgram(shape: GemmShape, mapping: GemmMapping, { types, grain, whole = shape, name = 'gemm' }: SummaOptions): TileProgram {
  checkMapping(shape, { ...mapping, splitM: 1, splitN: 1 });
  const { groupWidth, groupHeight, splitK, tileM, tileN, stages, schedule, loaders } = mapping;
  const width = groupWidth;
  const height = groupHeight * splitK;
  const blocksM = blocksOf(shape.m, tileM, groupHeight);
  const blocksN = blocksOf(shape.n, tileN, groupWidth);
  const blocks = Array.from({ length: blocksM * blocksN }, (_, b) => ({ row: Math.floor(b / blocksN), column: b % blocksN }));
  const rowsCut = tileRows(shape, mapping, blocksM, grain);
  const columnsCut = tileColumns(shape, mapping, blocksN, grain);
  const partsCut = partition(shape.k, splitK, grain.k);
  const steps = stepsOf(shape, mapping, grain);
  const total = blocks.length * steps;
  const [pieceM, pieceN] = [largestOf(rowsCut), largestOf(columnsCut)];
  const pieceK = largestOf(partition(largestOf(partsCut), steps, grain.k));
  const split = splitK > 1;
  /** Tiles of one part share W by messages, since a column of the group holds all parts. */
  const chained = split && groupHeight > 1;
  const sharesX = width > 1;
  const sharesW = !split && height > 1;
  const blockwise = schedule === 'blockwise';

  const p = new TileProgramBuilder(name, { width, height }, ['row', 'column']);
  const X = p.tensor('X', whole.m, whole.k, types.input, 'input');
  const W = p.tensor('W', whole.k, whole.n, types.input, 'input');
  const Z = p.tensor('Z', whole.m, whole.n, types.output, 'output');
  const buffers = (count: number, of: string, rows: number, columns: number, type: GemmTypes['input']) => Array.from({ length: count }, (_, i) => p.buffer(`${of}[${i}]`, rows, columns, type));
  const xs = buffers(stages, 'x', pieceM, pieceK, types.input);
  const ws = buffers(stages, 'w', pieceK, pieceN, types.input);
  const zs = buffers(outputsOf(mapping, blocks.length), 'z', pieceM, pieceN, types.sum);
  const chunk = Math.ceil(pieceM / splitK);
  const landings = buffers(chained ? splitK - 1 : 0, 'other parts', chunk, pieceN, types.sum);
  const converted = types.sum === types.output ? undefined : p.buffer('converted', pieceM, pieceN, types.output);

  // Whoever a piece is shared with must be done with the one it overwrites.
  const scope = chained || (sharesX && sharesW) ? 'group' : sharesX ? 'row' : 'column';
  const shared = sharesX || sharesW || chained;
  const names = (count: number, make: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => make(i));
  const rootX = loaders === 'edges' ? { x: 0, y: 0 } : 'diagonal';
  const rootW = loaders === 'edges' ? { x: 0, y: height - 1 } : 'diagonal';
  const shareX = sharesX ? names(total, (s) => p.collective(`X ${s}`, 'multicast', 'row', rootX)) : [];
  const shareW = sharesW ? names(total, (s) => p.collective(`W ${s}`, 'multicast', 'column', rootW)) : [];
  const freed = shared ? names(total, (s) => p.collective(`free ${s}`, 'barrier', scope)) : [];
  const arrived = blockwise ? [...names(total, (s) => p.collective(`step ${s}`, 'barrier', 'group')), ...blocks.map((_, b) => p.collective(`end of block ${b}`, 'barrier', 'group'))] : [];
  const around = blockwise ? ['start', 'begin', 'end'].map((of) => p.collective(of, 'barrier', 'group')) : [];
  const handW = chained ? p.messages(total) : [];
  const handZ = chained ? p.messages(blocks.length * splitK) : [];
  const emptied = chained ? names(blocks.length, (b) => p.collective(`parts ${b}`, 'barrier', 'group')) : [];
  const sums = split && !chained ? names(blocks.length, (b) => p.collective(`sum ${b}`, 'reduceSum', 'column')) : [];

  const kinds = spread((stores) => (x: number, y: number): TileKind => {
    const part = Math.floor(y / groupHeight);
    const inPart = y % groupHeight;
    return {
      rows: blocks.map(({ row }) => rangeOf(rowsCut, row * groupHeight + inPart)),
      columns: blocks.map(({ column }) => rangeOf(columnsCut, column * groupWidth + x)),
      loadsX: !sharesX || (loaders === 'edges' ? x === 0 : x === y % width),
      loadsW: chained ? inPart === 0 : !sharesW || (loaders === 'edges' ? y === height - 1 : y === x % height),
      inner: rangeOf(partsCut, part),
      part: chained ? part : null,
      chain: chained ? (inPart === 0 ? 'first' : inPart === groupHeight - 1 ? 'last' : 'middle') : null,
      sums: split && !chained && y === x % height,
      storeStep: split || blocks.length === 1 ? 0 : storeStepOf(x, y, width, steps, stores),
    };
  }, { width, height, most: steps });
  checkRows({ kinds: kinds.length, total, blocks: blocks.length });

  for (const { name: role, kind, places } of kinds) p.roleAt(role, places, (r) => {
    const { loadsX, loadsW, inner, chain } = kind;
    const innerCut = partition(inner.size, steps, grain.k);
    const depth = (s: number): number => rangeOf(innerCut, s % steps).size;
    const blockOf = (s: number): number => Math.floor(s / steps);
    // Places in the group, as the addresses need them: the part is y where every part is one row.
    const part: Affine = kind.part === null ? (split ? p.y : p.y.times(0)) : p.y.times(0).plus(kind.part);
    const inPart: Affine = kind.part === null ? (split ? p.y.times(0) : p.y) : p.y.plus(-kind.part * groupHeight);
    const rowAt = (b: number): Affine => p.parameter('row').plus(kind.rows[b]!.base + kind.rows[b]!.step * groupHeight * blocks[b]!.row).plus(inPart.times(kind.rows[b]!.step));
    const columnAt = (b: number): Affine => p.parameter('column').plus(kind.columns[b]!.base + kind.columns[b]!.step * groupWidth * blocks[b]!.column).plus(p.x.times(kind.columns[b]!.step));
    const innerAt = (s: number): Affine => part.times(inner.step).plus(inner.base + rangeOf(innerCut, s % steps).base + rangeOf(innerCut, s % steps).step * (s % steps));
    const zOf = (b: number): View => zs[b % zs.length]!.first(kind.rows[b]!.size, kind.columns[b]!.size);
    const xOf = (s: number): View => xs[s % stages]!.first(kind.rows[blockOf(s)]!.size, depth(s));
    const wOf = (s: number): View => ws[s % stages]!.first(depth(s), kind.columns[blockOf(s)]!.size);

    const work: RowId[] = [];
    /** By step: rows after which its pieces are here, and after which they have also been handed on. */
    const here: RowId[][] = [];
    const sent: RowId[][] = [];
    /** By block: rows after which its buffer may be used again. */
    const emptyZ: RowId[][] = [];

    const fetch = (s: number, after: readonly RowId[], oneByOne: boolean): void => {
      const b = blockOf(s);
      // What is overwritten has been multiplied and handed on.
      const done = s >= stages ? [work[s - stages]!, ...sent[s - stages]!] : [];
      const before = [...after, ...done];
      r.phase('barrier');
      const free = shared && s >= stages ? [r.barrier(freed[s]!, done)] : [];
      r.phase('load');
      const loadX = (): RowId[] => (loadsX ? [r.load(xOf(s), X.at(rowAt(b), innerAt(s), kind.rows[b]!.size, depth(s)), before)] : []);
      const loadW = (then: readonly RowId[]): RowId[] => (loadsW ? [r.load(wOf(s), W.at(innerAt(s), columnAt(b), depth(s), kind.columns[b]!.size), [...before, ...then])] : []);
      const giveX = (loaded: RowId[]): RowId[] => {
        r.phase('multicast');
        return sharesX ? [r.multicast(shareX[s]!, xOf(s), loadsX ? [...loaded, ...free] : [])] : [];
      };
      const giveW = (loaded: RowId[]): RowId[] => {
        r.phase('multicast');
        if (sharesW) return [r.multicast(shareW[s]!, wOf(s), loadsW ? [...loaded, ...free] : [])];
        if (chain === null) return [];
        const got = chain === 'first' ? [...loaded, ...free] : [r.receive(handW[s]!, wOf(s))];
        return chain === 'last' ? got : [...(chain === 'first' ? [] : got), r.send(handW[s]!, wOf(s), { kind: 'relative', dx: 0, dy: 1 }, got)];
      };
      const loadedX = loadX();
      let [loadedW, gaveX, gaveW] = [[] as RowId[], [] as RowId[], [] as RowId[]];
      if (oneByOne) {
        gaveX = giveX(loadedX);
        r.phase('load');
        loadedW = loadW(loadsX ? gaveX : []);
        gaveW = giveW(loadedW);
      } else {
        loadedW = loadW([]);
        gaveX = giveX(loadedX);
        gaveW = giveW(loadedW);
      }
      here[s] = [...(loadsX ? loadedX : gaveX), ...(loadsW ? loadedW : gaveW.slice(0, 1))];
      sent[s] = [...gaveX, ...gaveW];
    };

    const multiply = (s: number, after: readonly RowId[]): void => {
      const b = blockOf(s);
      const first = s % steps === 0;
      const free = first && b >= zs.length ? emptyZ[b - zs.length]! : [];
      r.phase('multiply');
      work[s] = r.matmul(zOf(b), xOf(s), wOf(s), [...here[s]!, ...after, ...free], { accumulate: blockwise || !first });
    };

    const store = (b: number, view: View, row: Affine, after: readonly RowId[]): RowId => {
      let from = view;
      let ready = after;
      if (converted !== undefined) {
        r.phase('convert');
        from = converted.first(view.rows, view.columns);
        ready = [r.vector('convert', from, view, null, [...after, ...(b > 0 ? emptyZ[b - 1]! : [])])];
      }
      r.phase('store');
      return r.store(Z.at(row, columnAt(b), view.rows, view.columns), from, ready);
    };

    /** Sums over the parts, and Z to memory. */
    const finish = (b: number, clears: boolean, after: readonly RowId[]): void => {
      const ready = [work[(b + 1) * steps - 1]!, ...after];
      const z = zOf(b);
      let last: RowId[];
      if (!split) last = [store(b, z, rowAt(b), ready)];
      else if (!chained) {
        r.phase('reduce');
        const summed = r.reduce(sums[b]!, z, z, ready);
        last = [kind.sums ? store(b, z, rowAt(b), [summed]) : summed];
      } else last = exchange(b, z, ready);
      if (clears) {
        r.phase('clear');
        last = [r.clear(zs[b % zs.length]!, last)];
      }
      emptyZ[b] = last;
    };

    /** Every part's tile gets the rows that it sums from all others, and stores them. */
    const exchange = (b: number, z: View, ready: readonly RowId[]): RowId[] => {
      const own = kind.part!;
      const cut = partition(z.rows, Math.min(splitK, z.rows));
      const rowsOf = (q: number): View | undefined => (q < cut.parts ? z.part(rangeOf(cut, q).base + rangeOf(cut, q).step * q, 0, rangeOf(cut, q).size, z.columns) : undefined);
      r.phase('reduce');
      const free = b > 0 ? [r.barrier(emptied[b]!, emptyZ[b - 1])] : [];
      const away: RowId[] = [];
      const summed: RowId[] = [];
      const mine = rowsOf(own);
      for (let d = 1; d < splitK; d++) {
        const to = (own + d) % splitK;
        const theirs = rowsOf(to);
        if (theirs !== undefined) away.push(r.send(handZ[b * splitK + d]!, theirs, { kind: 'relative', dx: 0, dy: (to - own) * groupHeight }, [...ready, ...free]));
        if (mine === undefined) continue;
        const landing = landings[d - 1]!.first(mine.rows, mine.columns);
        summed.push(r.vector('add', mine, mine, landing, [...ready, r.receive(handZ[b * splitK + d]!, landing, free)]));
      }
      if (mine === undefined) return [...ready, ...away];
      return [store(b, mine, rowAt(b).plus(rangeOf(cut, own).base + rangeOf(cut, own).step * own), summed), ...away, ...summed];
    };

    if (!blockwise) {
      for (let s = 0; s < Math.min(stages - 1, total); s++) fetch(s, [], false);
      for (let s = 0; s < total; s++) {
        if (s + stages - 1 < total) fetch(s + stages - 1, [], false);
        // A tile that loads nothing would store at once: its turn comes with the step before.
        if (blockOf(s) > 0 && s % steps === kind.storeStep) finish(blockOf(s) - 1, false, [work[s - 1]!]);
        multiply(s, []);
      }
      finish(blocks.length - 1, false, []);
      return;
    }
    // The published kernel begins with two barriers and ends with one.
    r.phase('barrier');
    const begun = r.barrier(around[1]!, [r.barrier(around[0]!)]);
    r.phase('clear');
    let before: RowId[] = zs.map((z) => r.clear(z, [begun]));
    let cleared = before;
    blocks.forEach((_, b) => {
      const from = b * steps;
      fetch(from, before, true);
      for (let t = 0; t < steps; t++) {
        const s = from + t;
        r.phase('barrier');
        const go = r.barrier(arrived[s]!, [...here[s]!, ...sent[s]!]);
        multiply(s, [go, ...cleared]);
        cleared = [];
        if (t + 1 < steps) fetch(s + 1, [go, ...(s > 0 ? [work[s - 1]!] : [])], true);
        if (b > 0 && t === kind.storeStep) finish(b - 1, true, [go]);
      }
      r.phase('barrier');
      before = [r.barrier(arrived[total + b]!, sent[from + steps - 1]), work[from + steps - 1]!];
    });
    finish(blocks.length - 1, false, []);
    r.phase('barrier');
    r.barrier(around[2]!, emptyZ[blocks.length - 1]);
  });
  return p.finish();
}

/** As in the published kernel: in each step as many neighbouring tiles of a row as needed, shifted from row to row. */
function storeStepOf(x: number, y: number, width: number, steps: number, most: number): number {
  const turn = (((x - y) % width) + width) % width;
  return Math.floor((width - 1 - turn) / Math.ceil(width / Math.min(steps, most)));
}

interface Kind {
  readonly name: string;
  readonly kind: TileKind;
  readonly places: number[];
}

/** Kinds of tiles, with their places. Stores are spread over as many steps as the number of roles allows. */
function spread(kindOf: (stores: number) => (x: number, y: number) => TileKind, { width, height, most }: { width: number; height: number; most: number }): Kind[] {
  for (let stores = Math.min(most, width); ; stores = Math.floor(stores / 2)) {
    const of = kindOf(stores);
    const kinds = new Map<string, Kind>();
    const names = new Map<string, number>();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const kind = of(x, y);
        const key = JSON.stringify(kind);
        const known = kinds.get(key);
        if (known !== undefined) known.places.push(y * width + x);
        else {
          const name = nameOf(kind);
          const count = (names.get(name) ?? 0) + 1;
          names.set(name, count);
          kinds.set(key, { name: count === 1 ? name : `${name} ${count}`, kind, places: [y * width + x] });
        }
      }
    }
    if (kinds.size <= MAX_ROLES) return [...kinds.values()];
    if (stores <= 1) throw new GemmError('GEMM_TOO_LARGE', `A group of ${width} × ${height} tiles needs ${kinds.size} kinds of tiles; a program has at most ${MAX_ROLES}.`, { roles: kinds.size });
  }
}

function nameOf({ loadsX, loadsW, part, sums }: TileKind): string {
  const loads = loadsX || loadsW ? `loads ${loadsX ? 'X' : ''}${loadsX && loadsW ? ' and ' : ''}${loadsW ? 'W' : ''}` : 'multiplies';
  return `${loads}${sums ? ', sums' : ''}${part === null ? '' : `, part ${part}`}`;
}

function checkRows({ kinds, total, blocks }: { kinds: number; total: number; blocks: number }): void {
  const rows = kinds * (total * 6 + blocks * 4);
  if (rows > MAX_ROWS) throw new GemmError('GEMM_TOO_LARGE', `The program would have about ${rows} operations, since it is unrolled; ${MAX_ROWS} is the limit. Larger pieces or groups make it shorter.`, { rows });
}
