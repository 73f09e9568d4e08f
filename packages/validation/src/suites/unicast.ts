import { Type } from '@sinclair/typebox';
import type { RowList } from '../ledger-row.ts';
import type { Suite } from '../suite.ts';
import { ProgramFile } from '../tile-programs/program-file.ts';
import { columnsOf, referenceOptions, softhierCases, type Plan, type Tolerance } from './softhier-cases.ts';

const TOLERANCE: Tolerance = { share: 0.05, cycles: 0 };

const ROW_BYTES = 512;
const BURST_BYTES = 4096;

const schema = Type.Object({
  op: Type.String({ description: 'What was done.' }),
  bytes: Type.Integer({ minimum: 2, maximum: 2 ** 18, description: 'Bytes of a transfer.' }),
});

/**
 * Transfers between the L1 of two tiles, alone and in patterns. Answers of the reference take no time, and its routers hand a tile what
 * comes from all sides at once, up to the rate of L1: second list. There a write of one burst keeps one row of L1 in flight, which a read
 * does not: a read of several rows and one burst, as a send of the other tile, is in the first list, where answers travel instead.
 */
export const unicast: Suite = {
  name: 'unicast',
  title: 'transfers between tiles',
  built: true,
  fidelities: ['packet'],
  tolerances: '5 % each',
  medianTolerance: 0.03,
  referenceOptions: [...referenceOptions, '--set', 'hardware.localLink.bytesPerCycle=512'],
  sources: [softhierCases('softhier-runs.json', ['unicast', 'pattern'], schema, ({ op, bytes }, edge): Plan => {
    const pulls = listOfPulls(bytes);
    const single = /^unicast_(push|pull)_(1hop|corner)$/.exec(op);
    if (single !== null) {
      const [, way, to] = single as unknown as [string, 'push' | 'pull', '1hop' | 'corner'];
      return { tolerance: TOLERANCE, list: way === 'pull' ? pulls : 'reference-options', ...transfers(way, to, edge, [bytes]) };
    }
    const file = { name: `${op.replaceAll('_', '-')}-${bytes}-${edge}x${edge}`, tolerance: TOLERANCE };
    switch (op) {
      case 'shift_right_pull_all': return { ...file, list: pulls, content: () => pattern(edge, bytes, (x) => (x === edge - 1 ? [1 - edge, 0] : [1, 0])) };
      case 'transpose_pull_all': return { ...file, list: pulls, content: () => pattern(edge, bytes, (x, y) => (x === y ? null : [y - x, x - y])) };
      case 'all_to_one_push': return { ...file, list: 'reference-options', content: () => pattern(edge, bytes, (x, y) => (x + y === 0 ? null : [-x, -y])) };
      case 'all_to_one_pull': return 'A read of the L1 of another tile is no operation of a tile program, and one tile does not send to many at once.';
      default: return `Kerf does not know the operation ${op}.`;
    }
  })],
};

/** Where a read of so many bytes of another tile belongs, see {@link unicast}. */
export function listOfPulls(bytes: number): RowList {
  return bytes > ROW_BYTES && bytes <= BURST_BYTES ? 'ours' : 'reference-options';
}

/**
 * Tile (0, 0) and its neighbour to the east or the opposite corner, one transfer after the other: from the tile, or to it. A pull is the
 * other tile's send.
 */
export function transfers(way: 'push' | 'pull', to: '1hop' | 'corner', edge: number, list: readonly number[], lines?: { readonly count: number; readonly columns: number }): { readonly name: string; readonly content: () => unknown } {
  const far = to === 'corner' ? { x: edge - 1, y: edge - 1 } : { x: 1, y: 0 };
  const sign = way === 'push' ? 1 : -1;
  return {
    name: `${way}-${to}-${edge}x${edge}-${[...new Set(list)].join('-')}-n${list.length}${lines === undefined ? '' : '-2d'}`,
    content: () => {
      const p = new ProgramFile(`${way}, ${to}`, edge, edge);
      const most = columnsOf(Math.max(...list));
      const [from, into] = lines === undefined ? [p.buffer('from', 1, most), p.buffer('to', 1, most)] : [p.buffer('from', lines.count, 2 * lines.columns), p.buffer('to', lines.count, 2 * lines.columns)];
      const messages = list.map(() => p.message());
      const [sender, receiver] = way === 'push' ? ['near', 'far'] : ['far', 'near'];
      return p.finish((x, y) => (x + y === 0 ? 'near' : x === far.x && y === far.y ? 'far' : 'idle'), (r, kind) => {
        let last: number[] = [];
        list.forEach((bytes, i) => {
          const [rows, columns] = lines === undefined ? [1, columnsOf(bytes)] : [lines.count, lines.columns];
          if (kind === sender) last = [r.send(messages[i]!, [from[0], 0, 0, rows, columns], sign * far.x, sign * far.y, last)];
          if (kind === receiver) last = [r.receive(messages[i]!, [into[0], 0, 0, rows, columns], last)];
        });
      });
    },
  };
}

/** Every tile sends once, to where `to` says from its place. */
function pattern(edge: number, bytes: number, to: (x: number, y: number) => readonly [dx: number, dy: number] | null): unknown {
  const p = new ProgramFile('pattern', edge, edge);
  const from = p.buffer('from', 1, columnsOf(bytes));
  const places = Array.from({ length: edge * edge }, (_, i) => [i % edge, Math.floor(i / edge)] as const);
  const comingTo = (x: number, y: number) => places.filter(([sx, sy]) => {
    const way = to(sx, sy);
    return way !== null && sx + way[0] === x && sy + way[1] === y;
  }).length;
  const most = Math.max(...places.map(([x, y]) => comingTo(x, y)));
  const message = Array.from({ length: most }, () => p.message());
  const into = p.buffer('to', 1, columnsOf(bytes));
  /** Which of the messages that come to the same tile. */
  const turn = (x: number, y: number): number => {
    const way = to(x, y)!;
    const before = places.filter(([sx, sy]) => {
      const other = to(sx, sy);
      return other !== null && sx + other[0] === x + way[0] && sy + other[1] === y + way[1];
    });
    return before.findIndex(([sx, sy]) => sx === x && sy === y);
  };
  return p.finish((x, y) => JSON.stringify({ to: to(x, y), turn: to(x, y) === null ? 0 : turn(x, y), from: comingTo(x, y) }), (r, kind) => {
    const { to: way, turn: mine, from: coming } = JSON.parse(kind) as { to: [number, number] | null; turn: number; from: number };
    if (way !== null) r.send(message[mine]!, from, way[0], way[1]);
    for (let i = 0; i < coming; i++) r.receive(message[i]!, into);
  });
}
