import { NONE, Vector, vectorKinds, tileEngines, TileOperation, tileOperationKinds, type TileProgram } from '@kerf/program';

/** An operation in a line: `matmul z[0] ← x[0] × w[0]`. */
export function operationText(program: TileProgram, role: number, row: number): string {
  const { collectives, slices, tensors } = program;
  const { table } = program.roles[role]!;
  const kind = tileOperationKinds[table.kind[row]!]!;
  const [out, a, b] = [viewText(program, table.out[row]!), viewText(program, table.a[row]!), viewText(program, table.b[row]!)];
  const slice = table.slice[row] === NONE ? '' : `${tensors[slices.tensor[table.slice[row]!]!]!.name} [${slices.rows[table.slice[row]!]} × ${slices.columns[table.slice[row]!]}]`;
  const collective = table.collective[row] === NONE ? '' : collectives[table.collective[row]!]!.name;
  switch (table.kind[row]) {
    case TileOperation.LOAD: return `load ${out} ← ${slice}`;
    case TileOperation.STORE: return `store ${slice} ← ${a}`;
    case TileOperation.SEND: return `send ${a}, message ${table.message[row]}`;
    case TileOperation.RECEIVE: return `receive ${out}, message ${table.message[row]}`;
    case TileOperation.MULTICAST: return a === '' ? `receive ${out}, multicast ${collective}` : `multicast ${collective}: ${a}`;
    case TileOperation.REDUCE: return `reduce ${collective}: ${out === '' ? '' : `${out} ← `}${a}`;
    case TileOperation.BARRIER: return `barrier ${collective}`;
    case TileOperation.MATMUL: return `matmul ${out} ${(table.flags[row]! & 1) === 0 ? '←' : '+='} ${a} × ${b}`;
    case TileOperation.VECTOR: {
      const name = vectorKinds[table.vector[row]!]!;
      return `${name} ${out} ← ${a}${b === '' ? '' : `, ${b}`}${table.scalar[row] !== 1 && table.vector[row] !== Vector.CONVERT ? ` · ${table.scalar[row]}` : ''}`;
    }
    case TileOperation.CLEAR: return `clear ${out}`;
    case TileOperation.WAIT: return 'wait';
    default: return `${kind} ${out} ← ${a}`;
  }
}

function viewText({ views, buffers }: TileProgram, view: number): string {
  if (view === NONE) return '';
  const buffer = buffers[views.buffer[view]!]!;
  const [row, column, rows, columns] = [views.row[view]!, views.column[view]!, views.rows[view]!, views.columns[view]!];
  return row === 0 && column === 0 && rows === buffer.rows && columns === buffer.columns ? buffer.name : `${buffer.name}(${row}+${rows}, ${column}+${columns})`;
}

/** The operations of a role, one a line, with engine, phase and what they wait for. */
export function roleText(program: TileProgram, role: number, most: number): string[] {
  const { table } = program.roles[role]!;
  const rows = Math.min(most, table.operations);
  const lines = Array.from({ length: rows }, (_, row) => {
    const after = [...table.dependsOn.subarray(table.dependsOnStart[row], table.dependsOnStart[row + 1])];
    return `  ${String(row).padStart(5)}  ${tileEngines[table.engine[row]!]!.padEnd(8)}${program.phases[table.phase[row]!]!.padEnd(12)}${operationText(program, role, row)}${after.length === 0 ? '' : `  after ${after.join(', ')}`}`;
  });
  return rows < table.operations ? [...lines, `         … ${table.operations - rows} more (--all)`] : lines;
}
