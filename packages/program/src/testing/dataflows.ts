import type { TileProgram } from '../tile-program/tile-program.ts';
import { TileProgramBuilder, type RowId } from '../tile-program/builder.ts';
import type { NumberFormat } from '../tile-program/element-types.ts';

// Small dataflows, written as a dataflow package would write them.

export interface Group {
  readonly width: number;
  readonly height: number;
}

/** Blocks of `block` that cover `length`; the last may be smaller. */
function blocks(length: number, block: number): number[] {
  return Array.from({ length: Math.ceil(length / block) }, (_, i) => Math.min(block, length - i * block));
}

/**
 * Z = X · W by SUMMA: each tile keeps a block of Z; in every step diagonal tiles load a block of X and of W and multicast
 * them along their row and down their column, while the matrix engines work on the blocks before. The last row, column
 * and step may be smaller.
 */
export function summa(group: Group, [m, n, k]: readonly [number, number, number], [tileM, tileN, tileK]: readonly [number, number, number], type: NumberFormat = 'fp16'): TileProgram {
  const { width, height } = group;
  const p = new TileProgramBuilder('summa', group);
  const X = p.tensor('X', m, k, type, 'input');
  const W = p.tensor('W', k, n, type, 'input');
  const Z = p.tensor('Z', m, n, type, 'output');
  const x = p.doubleBuffer('x', tileM, tileK, type);
  const w = p.doubleBuffer('w', tileK, tileN, type);
  const z = p.buffer('z', tileM, tileN, type);
  const steps = blocks(k, tileK);
  const rowOfX = steps.map((_, step) => p.collective(`X of step ${step}`, 'multicast', 'row'));
  const columnOfW = steps.map((_, step) => p.collective(`W of step ${step}`, 'multicast', 'column'));
  const together = steps.map((_, step) => p.collective(`step ${step}`, 'barrier', 'group'));
  const kinds = (tileX: number, tileY: number) => ({
    rowLoader: tileX === tileY % width,
    columnLoader: tileY === tileX % height,
    rows: Math.min(tileM, m - tileY * tileM),
    columns: Math.min(tileN, n - tileX * tileN),
  });
  p.roles(kinds, (r, { rowLoader, columnLoader, rows, columns }) => {
    const c = z.first(rows, columns);
    const fetch = (step: number, after: readonly RowId[]): RowId[] => {
      r.phase('multicast');
      const depth = steps[step]!;
      const a = x[step % 2]!.first(rows, depth);
      const b = w[step % 2]!.first(depth, columns);
      const gotX = rowLoader ? [r.load(a, X.at(p.y.times(tileM), step * tileK, rows, depth), after)] : after;
      const gotW = columnLoader ? [r.load(b, W.at(step * tileK, p.x.times(tileN), depth, columns), after)] : after;
      return [
        ...(width > 1 ? [r.multicast(rowOfX[step]!, a, gotX)] : gotX),
        ...(height > 1 ? [r.multicast(columnOfW[step]!, b, gotW)] : gotW),
      ];
    };
    let fetched = fetch(0, []);
    let work: RowId[] = [];
    steps.forEach((depth, step) => {
      // Nobody overwrites a block that a neighbour still multiplies.
      const ready = r.barrier(together[step]!, [...fetched, ...work]);
      r.phase('multiply');
      work = [r.matmul(c, x[step % 2]!.first(rows, depth), w[step % 2]!.first(depth, columns), [ready], { accumulate: step > 0 })];
      if (step + 1 < steps.length) fetched = fetch(step + 1, [ready]);
    });
    r.phase('store');
    r.store(Z.at(p.y.times(tileM), p.x.times(tileN), rows, columns), c, work);
  });
  return p.finish();
}

export interface AttentionShape {
  /** Query rows of one head, and rows of a tile's slice. */
  readonly queries: number;
  readonly sliceRows: number;
  /** Keys of one head, and keys of a tile's slice. */
  readonly keys: number;
  readonly sliceKeys: number;
  readonly width: number;
  readonly type?: NumberFormat;
  /** Running maximum, sum and output. */
  readonly sumType?: NumberFormat;
}

/**
 * FlatAttention without overlap: a group works on one head at a time, block by block; every tile holds a slice of the
 * scores, and rows of tiles share maximum, sum and output. `head` says which rows of Q, K, V and O are meant. A block that
 * is smaller must divide evenly over the group.
 */
export function flatAttention(group: Group, heads: number, shape: AttentionShape): TileProgram {
  const { queries, sliceRows, keys, sliceKeys, width: d, type = 'fp16', sumType = type } = shape;
  const { width, height } = group;
  const p = new TileProgramBuilder('flat attention', group, ['head']);
  const head = p.parameter('head');
  const Q = p.tensor('Q', heads * queries, d, type, 'input');
  const K = p.tensor('K', heads * keys, d, type, 'input');
  const V = p.tensor('V', heads * keys, d, type, 'input');
  const O = p.tensor('O', heads * queries, d, sumType, 'output');
  const qs = p.buffer('q', sliceRows, d, type);
  const ks = p.buffer('k', sliceKeys, d, type);
  const kts = p.buffer('k turned', d, sliceKeys, type);
  const vs = p.buffer('v', sliceKeys, d, type);
  const ss = p.buffer('scores', sliceRows, sliceKeys, sumType);
  const ps = p.buffer('weights', sliceRows, sliceKeys, type);
  const os = p.buffer('o', sliceRows, d, sumType);
  const [ms, ls, msBefore, lsBefore, es] = ['m', 'l', 'm before', 'l before', 'e'].map((name) => p.buffer(name, sliceRows, 1, sumType)) as [typeof qs, typeof qs, typeof qs, typeof qs, typeof qs];
  const rowBlocks = blocks(queries, sliceRows * height);
  const keyBlocks = blocks(keys, sliceKeys * width);

  // The same for all roles, so that each use has its own number: unrolled row block by row block, key block by key block.
  let next = 0;
  const made: number[] = [];
  const once = (...of: Parameters<typeof p.collective>): number => (made[next++] ??= p.collective(...of));

  p.roles((x, y) => ({ rowLoader: x === y % width, columnLoader: y === x % height }), (r, { rowLoader, columnLoader }) => {
    next = 0;
    let last: RowId[] = [];
    const then = (row: RowId): void => void (last = [row]);
    const barrier = (name: string): void => then(r.barrier(once(name, 'barrier', 'group'), last));
    rowBlocks.forEach((blockRows, i) => {
      const rows = blockRows / height;
      const row = head.times(queries).plus(i * sliceRows * height).plus(p.y.times(rows));
      const [q, o, m, l, mBefore, lBefore, e] = [qs, os, ms, ls, msBefore, lsBefore, es].map((view) => view.first(rows, view.columns)) as [typeof qs, typeof qs, typeof qs, typeof qs, typeof qs, typeof qs, typeof qs];
      keyBlocks.forEach((blockKeys, j) => {
        const columns = blockKeys / width;
        const keyRow = head.times(keys).plus(j * sliceKeys * width).plus(p.x.times(columns));
        const [k, kt, v, s, w] = [ks.first(columns, d), kts.first(d, columns), vs.first(columns, d), ss.first(rows, columns), ps.first(rows, columns)];
        r.phase('load');
        if (j === 0) {
          then(r.clear(o, last));
          if (rowLoader) then(r.load(q, Q.at(row, 0, rows, d), last));
        } else {
          then(r.copy(mBefore, m, last));
          then(r.copy(lBefore, l, last));
        }
        if (columnLoader) {
          const loaded = [r.load(v, V.at(keyRow, 0, columns, d), last), r.load(k, K.at(keyRow, 0, columns, d), last)];
          last = [loaded[0]!, r.transpose(kt, k, [loaded[1]!])];
        }
        r.phase('multicast');
        if (j === 0 && width > 1) {
          barrier(`before Q ${i}`);
          then(r.multicast(once(`Q ${i}`, 'multicast', 'row'), q, last));
          barrier(`after Q ${i}`);
        }
        if (height > 1) {
          barrier(`before K, V ${i} ${j}`);
          last = [r.multicast(once(`K ${i} ${j}`, 'multicast', 'column'), kt, last), r.multicast(once(`V ${i} ${j}`, 'multicast', 'column'), v, last)];
          barrier(`after K, V ${i} ${j}`);
        }
        r.phase('scores');
        then(r.matmul(s, q, kt, last));
        r.phase('softmax');
        const scalar = 1 / Math.sqrt(d);
        then(r.vector('rowMax', m, s, null, last, { scalar, accumulate: j > 0 }));
        const share = (name: string, kind: 'reduceMax' | 'reduceSum', view: typeof m): void => {
          if (width === 1) return;
          barrier(`before ${name} ${i} ${j}`);
          then(r.reduce(once(`${name} joined ${i} ${j}`, kind, 'row'), view, view, last));
          barrier(`between ${name} ${i} ${j}`);
          then(r.multicast(once(`${name} ${i} ${j}`, 'multicast', 'row'), view, last));
          barrier(`after ${name} ${i} ${j}`);
        };
        share('m', 'reduceMax', m);
        then(r.vector('exp', w, s, m, last, { scalar }));
        then(r.vector('rowSum', l, w, null, last));
        share('l', 'reduceSum', l);
        if (j > 0) {
          then(r.vector('exp', e, mBefore, m, last));
          then(r.vector('mul', l, e, lBefore, last, { accumulate: true }));
          then(r.vector('mul', o, o, e, last));
        }
        r.phase('output');
        then(r.matmul(o, w, v, last, { accumulate: true }));
      });
      then(r.vector('div', o, o, l, last));
      if (width > 1) {
        barrier(`before O ${i}`);
        then(r.reduce(once(`O ${i}`, 'reduceSum', 'row'), o, o, last));
      }
      if (rowLoader) then(r.store(O.at(row, 0, rows, d), o, last));
    });
  });
  return p.finish();
}

/** The sum of one row per tile, on every tile, by messages round a ring: tiles × chunk columns, in 2 (tiles − 1) steps. */
export function ringAllReduce(tiles: number, chunk: number): TileProgram {
  const p = new TileProgramBuilder('ring all-reduce', { width: tiles, height: 1 });
  const A = p.tensor('A', tiles, tiles * chunk, 'fp32', 'input');
  const S = p.tensor('S', tiles, tiles * chunk, 'fp32', 'output');
  const own = p.buffer('own', 1, tiles * chunk, 'fp32');
  const landing = p.buffer('landing', tiles, chunk, 'fp32');
  const messages = Array.from({ length: 2 * (tiles - 1) }, () => p.message());
  p.roles((x) => ({ x }), (r, { x }) => {
    const piece = (index: number) => own.part(0, (((index % tiles) + tiles) % tiles) * chunk, 1, chunk);
    let last = r.load(own, A.at(p.x, 0, 1, tiles * chunk));
    messages.forEach((message, step) => {
      const reducing = step < tiles - 1;
      const shift = reducing ? step : step - tiles;
      r.send(message, piece(x - shift), { kind: 'wrapped', dx: 1, dy: 0 }, [last]);
      if (reducing) {
        const row = landing.part(step, 0, 1, chunk);
        const target = piece(x - shift - 1);
        last = r.vector('add', target, target, row, [r.receive(message, row, [last])]);
      } else {
        last = r.receive(message, piece(x - shift - 1), [last]);
      }
    });
    r.store(S.at(p.x, 0, 1, tiles * chunk), own, [last]);
  });
  return p.finish();
}

/** One row from tile 0 to all by messages, in the fewest rounds: in each, every tile that has it sends it on. */
export function treeBroadcast(tiles: number, columns: number): TileProgram {
  const p = new TileProgramBuilder('tree broadcast', { width: tiles, height: 1 });
  const A = p.tensor('A', 1, columns, 'fp32', 'input');
  const S = p.tensor('S', tiles, columns, 'fp32', 'output');
  const row = p.buffer('row', 1, columns, 'fp32');
  const distances: number[] = [];
  for (let distance = 1; distance < tiles; distance *= 2) distances.unshift(distance);
  const messages = distances.map(() => p.message());
  p.roles((x) => ({ x }), (r, { x }) => {
    let last: RowId[] = x === 0 ? [r.load(row, A.at(0, 0, 1, columns))] : [];
    distances.forEach((distance, level) => {
      if (x % (2 * distance) === 0 && x + distance < tiles) r.send(messages[level]!, row, { kind: 'relative', dx: distance, dy: 0 }, last);
      else if (x % (2 * distance) === distance) last = [r.receive(messages[level]!, row)];
    });
    r.store(S.at(p.x, 0, 1, columns), row, last);
  });
  return p.finish();
}
