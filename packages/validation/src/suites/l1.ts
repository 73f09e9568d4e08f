import { Type } from '@sinclair/typebox';
import type { Suite } from '../suite.ts';
import { ProgramFile } from '../tile-programs/program-file.ts';
import { columnsOf, OTHERS, OTHERS_TEXT, softhierCases, type Plan } from './softhier-cases.ts';

const schema = Type.Object({
  op: Type.String({ description: 'What was done.' }),
  bytes: Type.Integer({ minimum: 1, maximum: 2 ** 31, description: 'Bytes of the transfer.' }),
});

/** Clears of L1 and copies inside it. Nothing in them depends on a choice of the reference simulator. */
export const l1: Suite = {
  name: 'l1',
  title: 'transfers inside a tile',
  built: true,
  fidelities: ['packet'],
  tolerances: OTHERS_TEXT,
  medianTolerance: 0.05,
  sources: [softhierCases('softhier-runs.json', ['l1'], schema, ({ op, bytes }): Plan => {
    if (op !== 'l1_zero_fill' && op !== 'l1_copy') return `Kerf does not know the operation ${op}.`;
    return { list: 'ours', tolerance: OTHERS, name: `${op.replaceAll('_', '-')}-${bytes}`, content: () => insideL1(op === 'l1_copy', [bytes]) };
  })],
};

/** One tile clears or copies so many bytes, again and again. */
export function insideL1(copies: boolean, transfers: readonly number[]): unknown {
  const p = new ProgramFile(copies ? 'copies inside L1' : 'clears of L1', 1, 1);
  const most = columnsOf(Math.max(...transfers));
  const to = p.buffer('to', 1, most);
  const from = copies ? p.buffer('from', 1, most) : to;
  return p.finish(() => 'tile', (r) => {
    let last: number[] = [];
    for (const bytes of transfers) {
      const out = [to[0], 0, 0, 1, columnsOf(bytes)] as const;
      last = [copies ? r.copy(out, [from[0], 0, 0, 1, columnsOf(bytes)], last) : r.clear(out, last)];
    }
  });
}
