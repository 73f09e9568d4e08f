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
