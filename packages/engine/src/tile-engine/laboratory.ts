import { TileProgramBuilder, type RowId, type TileProgram } from '@kerf/program';

// Small programs for tests and benchmarks.

/** Z = X · W by SUMMA over a group, m, n and k divided evenly into blocks of `tileK` steps; row and column multicasts, two buffers. */
export function summa(group: { readonly width: number; readonly height: number }, [m, n, k]: readonly [number, number, number], tileK: number): TileProgram {
  const { width, height } = group;
  const [tileM, tileN] = [m / height, n / width];
  const p = new TileProgramBuilder('summa', group);
  const X = p.tensor('X', m, k, 'fp16', 'input');
  const W = p.tensor('W', k, n, 'fp16', 'input');
  const Z = p.tensor('Z', m, n, 'fp16', 'output');
  const x = p.doubleBuffer('x', tileM, tileK, 'fp16');
  const w = p.doubleBuffer('w', tileK, tileN, 'fp16');
  const z = p.buffer('z', tileM, tileN, 'fp16');
  const steps = Array.from({ length: k / tileK }, (_, step) => step);
  const rowOfX = steps.map((step) => p.collective(`X of step ${step}`, 'multicast', 'row'));
  const columnOfW = steps.map((step) => p.collective(`W of step ${step}`, 'multicast', 'column'));
  const together = steps.map((step) => p.collective(`step ${step}`, 'barrier', 'group'));
  p.roles((tileX, tileY) => ({ loads: tileX === tileY % width, loadsW: tileY === tileX % height }), (r, { loads, loadsW }) => {
    const fetch = (step: number, after: readonly RowId[]): RowId[] => {
      const gotX = loads ? [r.load(x[step % 2]!, X.at(p.y.times(tileM), step * tileK, tileM, tileK), after)] : after;
      const gotW = loadsW ? [r.load(w[step % 2]!, W.at(step * tileK, p.x.times(tileN), tileK, tileN), after)] : after;
      return [
        ...(width > 1 ? [r.multicast(rowOfX[step]!, x[step % 2]!, gotX)] : gotX),
        ...(height > 1 ? [r.multicast(columnOfW[step]!, w[step % 2]!, gotW)] : gotW),
      ];
    };
    let fetched = fetch(0, []);
    let work: RowId[] = [];
    for (const step of steps) {
      const ready = r.barrier(together[step]!, [...fetched, ...work]);
      work = [r.matmul(z, x[step % 2]!, w[step % 2]!, [ready], { accumulate: step > 0 })];
      if (step + 1 < steps.length) fetched = fetch(step + 1, [ready]);
    }
    r.store(Z.at(p.y.times(tileM), p.x.times(tileN), tileM, tileN), z, work);
  });
  return p.finish();
}

/** A column of sums over each row of a matrix: every tile loads a part, adds it up, a reduction joins the parts, and the root tells its row. */
export function rowSums(group: { readonly width: number; readonly height: number }, rows: number, columns: number, rounds: number): TileProgram {
  const { width, height } = group;
  const p = new TileProgramBuilder('row sums', group);
  const A = p.tensor('A', rows * height, columns * width, 'fp16', 'input');
  const S = p.tensor('S', rows * height, rounds, 'fp16', 'output');
  const a = p.buffer('a', rows, columns, 'fp16');
  const sum = p.buffer('sum', rows, 1, 'fp16');
  const total = p.buffer('total', rows, 1, 'fp16');
  const joins = Array.from({ length: rounds }, (_, i) => p.collective(`join ${i}`, 'reduceSum', 'row', 'diagonal'));
  const tells = Array.from({ length: rounds }, (_, i) => p.collective(`tell ${i}`, 'multicast', 'row', 'diagonal'));
  const ends = Array.from({ length: rounds }, (_, i) => p.collective(`end ${i}`, 'barrier', 'row'));
  p.roles((x, y) => ({ root: x === y % width }), (r, { root }) => {
    let before: RowId[] = [];
    for (let round = 0; round < rounds; round++) {
      const loaded = r.load(a, A.at(p.y.times(rows), p.x.times(columns), rows, columns), before);
      const cleared = r.clear(total, before);
      const part = r.vector('rowSum', sum, a, null, [loaded, cleared]);
      const joined = width > 1 ? r.reduce(joins[round]!, sum, total, [part]) : part;
      const told = width > 1 ? r.multicast(tells[round]!, total, [joined]) : joined;
      const stored = root ? r.store(S.at(p.y.times(rows), round, rows, 1), total, [told]) : told;
      before = [r.barrier(ends[round]!, [stored])];
    }
  });
  return p.finish();
}

/** Every tile passes a block to its right neighbour, round the ring of its row, so often that all have seen all. */
export function ring(group: { readonly width: number; readonly height: number }, rows: number, columns: number): TileProgram {
  const { width } = group;
  const p = new TileProgramBuilder('ring', group);
  const blocks = Array.from({ length: width }, (_, i) => p.buffer(`block ${i}`, rows, columns, 'fp16'));
  const messages = p.messages(width - 1);
  p.role('all', () => true, (r) => {
    let got = [r.clear(blocks[0]!)];
    for (let step = 0; step < width - 1; step++) {
      r.send(messages[step]!, blocks[step]!, { kind: 'wrapped', dx: 1, dy: 0 }, got);
      got = [r.receive(messages[step]!, blocks[step + 1]!)];
    }
    r.wait(got);
  });
  return p.finish();
}
