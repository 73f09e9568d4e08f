import type { TileProgram } from './tile-program.ts';
import { ACCUMULATE, NONE, tileEngines, tileOperationKinds, TileOperation, TRANSPOSE_B, vectorKinds } from './vocabulary.ts';

/** One column of a table as an Arrow writer needs it; in index columns 4294967295 says that there is none. */
export interface ProgramColumn {
  readonly name: string;
  readonly type: 'u8' | 'u32' | 'f64' | 'name';
  readonly unit: string;
  readonly description: string;
  /** The words of a `name` column in the order of their indices. */
  readonly names?: readonly string[];
  readonly values: Uint8Array | Uint32Array | Float64Array;
}

/** A table of a program: a spec as tables have, with its rows. */
export interface ProgramTableData {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly rows: number;
  readonly columns: readonly ProgramColumn[];
}

/**
 * A program as two flat tables: `program_operations`, one row per operation of each role, and `program_dependencies`, one
 * row per dependency. Tensors, buffers, collectives and addresses are those of the JSON file, which is the whole of it.
 */
export function programTables(program: TileProgram): [operations: ProgramTableData, dependencies: ProgramTableData] {
  const { roles, phases, views, buffers, slices, tensors, collectives } = program;
  const rows = roles.reduce((sum, { table }) => sum + table.operations, 0);
  const dependencies = roles.reduce((sum, { table }) => sum + table.dependsOn.length, 0);
  const words = (names: readonly string[]): readonly string[] => ['none', ...names.map((name) => (name === 'none' ? 'none (its name)' : name))];
  const at = { role: new Uint32Array(rows), row: new Uint32Array(rows) };
  const index = (pick: (role: number, row: number) => number): Uint32Array => Uint32Array.from({ length: rows }, (_, i) => pick(at.role[i]!, at.row[i]!));
  let next = 0;
  roles.forEach(({ table }, role) => {
    for (let row = 0; row < table.operations; row++) {
      at.role[next] = role;
      at.row[next++] = row;
    }
  });
  const roleNames = roles.map(({ name }) => name);
  const operand = (slot: 'out' | 'a' | 'b', what: string): ProgramColumn[] => {
    const view = index((role, row) => roles[role]!.table[slot][row]!);
    const of = (column: Uint32Array): Uint32Array => view.map((id) => (id === NONE ? 0 : column[id]!));
    return [
      { name: slot, type: 'name', unit: '', description: `Buffer ${what}.`, names: words(buffers.map(({ name }) => name)), values: view.map((id) => (id === NONE ? 0 : views.buffer[id]! + 1)) },
      { name: `${slot}_row`, type: 'u32', unit: 'elements', description: `First row of the view ${what}.`, values: of(views.row) },
      { name: `${slot}_column`, type: 'u32', unit: 'elements', description: `First column of the view ${what}.`, values: of(views.column) },
      { name: `${slot}_rows`, type: 'u32', unit: 'elements', description: `Rows of the view ${what}; 0 without one.`, values: of(views.rows) },
      { name: `${slot}_columns`, type: 'u32', unit: 'elements', description: `Columns of the view ${what}; 0 without one.`, values: of(views.columns) },
    ];
  };
  const flag = (bit: number): Uint8Array => Uint8Array.from({ length: rows }, (_, i) => ((roles[at.role[i]!]!.table.flags[at.row[i]!]! & bit) === 0 ? 0 : 1));
  const metadata = { formatVersion: '1', program: program.name };
  const role = (values: Uint32Array): ProgramColumn => ({ name: 'role', type: 'name', unit: '', description: 'What some tiles of the group do.', names: roleNames, values });
  return [
    {
      name: 'program_operations',
      metadata,
      rows,
      columns: [
        role(at.role),
        { name: 'operation', type: 'u32', unit: '', description: 'Row of the operation in its role.', values: at.row },
        { name: 'kind', type: 'name', unit: '', description: 'What it does.', names: tileOperationKinds, values: index((r, row) => roles[r]!.table.kind[row]!) },
        { name: 'engine', type: 'name', unit: '', description: 'Engine that does it.', names: tileEngines, values: index((r, row) => roles[r]!.table.engine[row]!) },
        { name: 'phase', type: 'name', unit: '', description: 'Part of the work that it belongs to.', names: phases, values: index((r, row) => roles[r]!.table.phase[row]!) },
        ...operand('out', 'that is written'),
        ...operand('a', 'that is read first'),
        ...operand('b', 'that is read second'),
        { name: 'tensor', type: 'name', unit: '', description: 'Tensor that is loaded or stored.', names: words(tensors.map(({ name }) => name)), values: index((r, row) => (roles[r]!.table.slice[row] === NONE ? 0 : slices.tensor[roles[r]!.table.slice[row]!]! + 1)) },
        { name: 'collective', type: 'u32', unit: '', description: `Collective, one of ${collectives.length}; 4294967295 without one.`, values: index((r, row) => roles[r]!.table.collective[row]!) },
        { name: 'message', type: 'u32', unit: '', description: 'Number of the message; 4294967295 without one.', values: index((r, row) => roles[r]!.table.message[row]!) },
        { name: 'vector', type: 'name', unit: '', description: 'What a vector operation computes.', names: words(vectorKinds), values: index((r, row) => (roles[r]!.table.kind[row] === TileOperation.VECTOR ? roles[r]!.table.vector[row]! + 1 : 0)) },
        { name: 'scalar', type: 'f64', unit: '', description: 'Factor of a vector operation, value of a clear.', values: Float64Array.from({ length: rows }, (_, i) => roles[at.role[i]!]!.table.scalar[at.row[i]!]!) },
        { name: 'accumulate', type: 'u8', unit: '', description: '1: adds to what is there.', values: flag(ACCUMULATE) },
        { name: 'transpose_b', type: 'u8', unit: '', description: '1: the second operand of a matmul is stored turned.', values: flag(TRANSPOSE_B) },
      ],
    },
    {
      name: 'program_dependencies',
      metadata,
      rows: dependencies,
      columns: [
        role(Uint32Array.from(roles.flatMap(({ table }, r) => Array.from(table.dependsOn, () => r)))),
        { name: 'operation', type: 'u32', unit: '', description: 'Row that waits.', values: Uint32Array.from(roles.flatMap(({ table }) => Array.from({ length: table.operations }, (_, row) => Array.from(table.dependsOn.subarray(table.dependsOnStart[row], table.dependsOnStart[row + 1]), () => row)).flat())) },
        { name: 'depends_on', type: 'u32', unit: '', description: 'Row of the same role that must be done first.', values: Uint32Array.from(roles.flatMap(({ table }) => [...table.dependsOn])) },
      ],
    },
  ];
}
