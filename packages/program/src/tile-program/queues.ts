import { membersOf, rootPlace, scopesOf } from './group.ts';
import type { OperationTable, TileProgram } from './tile-program.ts';
import { collectiveScopes, ENGINES, NONE, TileOperation } from './vocabulary.ts';

/**
 * The rows of one role as a queue per engine, for whoever runs it. A tile's state is then how many entries of each queue
 * are done: the head of a queue may start when the tile has done at least `needs` entries of every other one.
 */
export interface RoleQueues {
  readonly table: OperationTable;
  /** [engines + 1] where the queue of an engine begins in `rows`. */
  readonly start: Uint32Array;
  /** [operations] rows of the table, queue after queue, each in order of issue. */
  readonly rows: Uint32Array;
  /** [operations × engines] by entry of `rows`: entries of each engine's queue that must be done before; 0 for the own one, which is in order anyway. */
  readonly needs: Uint32Array;
  /** [operations] by row of the table: its place in the queue of its engine. */
  readonly placeInQueue: Uint32Array;
}

/** A program with what runs it: nothing here grows with the number of tiles or instances. */
export interface CompiledProgram {
  readonly program: TileProgram;
  readonly roles: readonly RoleQueues[];
  /** Scopes of all collectives, one after another: how many there are in a group. */
  readonly scopes: number;
  /** [collectives] number of its first scope. */
  readonly firstScope: Uint32Array;
  /** [collectives] index into `collectiveScopes`. */
  readonly scope: Uint8Array;
  /** [collectives] tiles in each of its scopes. */
  readonly members: Uint32Array;
  /** [scopes] place of the root in the group, y × width + x; `NONE` without one. */
  readonly root: Uint32Array;
  /** [roles × collectives] row of the role's operation for a collective, or `NONE`. */
  readonly collectiveRow: Uint32Array;
  /** [roles × messages] row of the role's receive of a message, or `NONE`. */
  readonly receiveRow: Uint32Array;
}

/** Turns a table into queues. Rows must depend on rows above them only. */
export function queuesOf(table: OperationTable): RoleQueues {
  const { operations, engine, dependsOn, dependsOnStart } = table;
  const start = new Uint32Array(ENGINES + 1);
  for (let row = 0; row < operations; row++) start[engine[row]! + 1]!++;
  for (let e = 0; e < ENGINES; e++) start[e + 1]! += start[e]!;
  const rows = new Uint32Array(operations);
  const placeInQueue = new Uint32Array(operations);
  const filled = new Uint32Array(ENGINES);
  for (let row = 0; row < operations; row++) {
    const e = engine[row]!;
    placeInQueue[row] = filled[e]!;
    rows[start[e]! + filled[e]!++] = row;
  }
  const needs = new Uint32Array(operations * ENGINES);
  for (let entry = 0; entry < operations; entry++) {
    const row = rows[entry]!;
    for (let d = dependsOnStart[row]!; d < dependsOnStart[row + 1]!; d++) {
      const earlier = dependsOn[d]!;
      const e = engine[earlier]!;
      if (e !== engine[row]) needs[entry * ENGINES + e] = Math.max(needs[entry * ENGINES + e]!, placeInQueue[earlier]! + 1);
    }
  }
  return { table, start, rows, needs, placeInQueue };
}

/** Queues of every role, and who takes part in what. The program must have passed its checks. */
export function compileProgram(program: TileProgram): CompiledProgram {
  const { group, collectives, messages, roles } = program;
  const firstScope = new Uint32Array(collectives.length);
  const roots: number[] = [];
  collectives.forEach((collective, id) => {
    firstScope[id] = roots.length;
    for (let s = 0; s < scopesOf(group, collective.scope); s++) roots.push(collective.root === null ? NONE : rootPlace(group, collective, s));
  });
  const collectiveRow = new Uint32Array(roles.length * collectives.length).fill(NONE);
  const receiveRow = new Uint32Array(roles.length * messages).fill(NONE);
  roles.forEach(({ table }, role) => {
    for (let row = 0; row < table.operations; row++) {
      if (table.collective[row] !== NONE) collectiveRow[role * collectives.length + table.collective[row]!] = row;
      if (table.kind[row] === TileOperation.RECEIVE) receiveRow[role * messages + table.message[row]!] = row;
    }
  });
  return {
    program,
    roles: roles.map(({ table }) => queuesOf(table)),
    scopes: roots.length,
    firstScope,
    scope: Uint8Array.from(collectives, ({ scope }) => collectiveScopes.indexOf(scope)),
    members: Uint32Array.from(collectives, ({ scope }) => membersOf(group, scope)),
    root: Uint32Array.from(roots),
    collectiveRow,
    receiveRow,
  };
}
