import { elementBytes, l1BytesOf, TileOperation, type TileProgram } from '@kerf/program';
import { bytesText, countText, plural } from '../hardware/units-text.ts';

/** What a program consists of, for people and for programs. */
export interface ProgramSummary {
  readonly name: string;
  readonly group: { readonly width: number; readonly height: number };
  readonly parameters: readonly string[];
  readonly phases: readonly string[];
  readonly tensors: readonly { readonly name: string; readonly rows: number; readonly columns: number; readonly elementType: string; readonly use: string; readonly bytes: number }[];
  readonly buffers: number;
  readonly l1Bytes: number;
  readonly collectives: number;
  readonly messages: number;
  readonly operations: number;
  readonly multiplyAdds: number;
  readonly roles: readonly { readonly name: string; readonly tiles: number; readonly operations: number; readonly l1Bytes: number }[];
}

/** Operations and multiply-adds are those of one group. */
export function summaryOf(program: TileProgram): ProgramSummary {
  const { name, group, parameters, phases, tensors, buffers, collectives, messages, roles, roleOf, views } = program;
  const l1 = l1BytesOf(program);
  const tilesOf = new Uint32Array(roles.length);
  for (const role of roleOf) tilesOf[role]!++;
  let multiplyAdds = 0;
  roles.forEach(({ table }, role) => {
    for (let row = 0; row < table.operations; row++) {
      if (table.kind[row] === TileOperation.MATMUL) multiplyAdds += tilesOf[role]! * views.rows[table.out[row]!]! * views.columns[table.out[row]!]! * views.columns[table.a[row]!]!;
    }
  });
  return {
    name, group, parameters, phases,
    tensors: tensors.map((tensor) => ({ ...tensor, bytes: tensor.rows * tensor.columns * elementBytes[tensor.elementType] })),
    buffers: buffers.length,
    l1Bytes: Math.max(0, ...l1),
    collectives: collectives.length,
    messages,
    operations: roles.reduce((sum, { table }, role) => sum + table.operations * tilesOf[role]!, 0),
    multiplyAdds,
    roles: roles.map((role, id) => ({ name: role.name, tiles: tilesOf[id]!, operations: role.table.operations, l1Bytes: l1[id]! })),
  };
}

export function summaryText(summary: ProgramSummary): [label: string, value: string][] {
  const { name, group, parameters, tensors, l1Bytes, collectives, messages, operations, multiplyAdds, roles, phases, buffers } = summary;
  return [
    ['Program', `${name}, for groups of ${group.width} × ${group.height} tiles${parameters.length === 0 ? '' : `, with ${parameters.join(', ')}`}`],
    ...tensors.map((tensor): [string, string] => ['Tensor', `${tensor.name} [${tensor.rows} × ${tensor.columns}] ${tensor.elementType}, ${tensor.use}, ${bytesText(tensor.bytes)}`]),
    ['L1', `${bytesText(l1Bytes)} in ${plural(buffers, 'buffer')} at most`],
    ['Phases', phases.join(', ')],
    ['Work', `${countText(operations)} operations and ${countText(multiplyAdds)} multiply-adds of a group; ${plural(collectives, 'collective')}, ${plural(messages, 'message')}`],
    ...roles.slice(0, 12).map((role): [string, string] => ['Role', `${role.name}: ${plural(role.tiles, 'tile')}, ${plural(role.operations, 'operation')}, ${bytesText(role.l1Bytes)}`]),
    ...(roles.length > 12 ? [['Role', `… and ${roles.length - 12} more`] as [string, string]] : []),
  ];
}
