import type { Hardware } from '@kerf/hardware';
import { ProgramError, type ProgramErrorCode } from '../errors.ts';
import { affineValue } from './affine.ts';
import { elementBytes } from './element-types.ts';
import { walk } from './execution-order.ts';
import { memberPlace, membersOf, peerPlace, rootPlace, scopesOf } from './group.ts';
import { compileProgram } from './queues.ts';
import type { Collective, OperationTable, TileProgram } from './tile-program.ts';
import {
  ACCUMULATE, collectiveScopes, enginesOfKind, NONE, tileEngines, TileOperation, tileOperationKinds, TRANSPOSE_B, Vector, vectorKinds,
  type CollectiveScope, type TileOperationKind,
} from './vocabulary.ts';

/** Tiles of the largest group, and operations of all its tiles together that the check for deadlock goes through one by one. */
export const MAX_GROUP_TILES = 2 ** 18;
export const MAX_WALKED_OPERATIONS = 50_000_000;

/** Steps of the other checks that go through tiles one by one. */
const MAX_STEPS = 2 ** 30;

/**
 * Checks a program: indices, shapes, element types, dependencies, who takes part in what, and that no order of the queues
 * can deadlock. With `hardware` also that the buffers of each role fit L1 and the reductions the routers' tables. Slices are checked here only in a program
 * without parameters, otherwise by `instantiate`.
 *
 * @throws ProgramError naming role, row and kind of the operation, or the buffers, and what is wrong
 */
export function checkTileProgram(program: TileProgram, hardware?: Hardware): void {
  checkGroup(program);
  for (const role of program.roles.keys()) checkRole(program, role);
  checkCollectives(program);
  checkMessages(program);
  if (hardware !== undefined) {
    checkL1(program, hardware);
    checkJoins(program, hardware);
  }
  if (program.parameters.length === 0) checkSlices(program, new Float64Array(0), 1);
  checkDeadlock(program);
}

/** Bytes of L1 that each role's buffers need. [roles] */
export function l1BytesOf(program: TileProgram): number[] {
  return program.roles.map((_, role) => buffersOf(program, role).reduce((sum, id) => sum + bufferBytes(program, id), 0));
}

/** Buffers that the operations of a role name, in the order of the program. */
export function buffersOf({ roles, views, buffers }: TileProgram, role: number): number[] {
  const used = new Set<number>();
  const { out, a, b, operations } = roles[role]!.table;
  for (let row = 0; row < operations; row++) {
    for (const view of [out[row]!, a[row]!, b[row]!]) if (view !== NONE) used.add(views.buffer[view]!);
  }
  return [...buffers.keys()].filter((id) => used.has(id));
}

function bufferBytes({ buffers }: TileProgram, id: number): number {
  const { rows, columns, elementType } = buffers[id]!;
  return rows * columns * elementBytes[elementType];
}

/** The buffers of each role against the L1 of a tile. */
export function checkL1(program: TileProgram, { tile }: Hardware): void {
  l1BytesOf(program).forEach((bytes, role) => {
    if (bytes <= tile.l1Bytes) return;
    const list = buffersOf(program, role).map((id) => `${program.buffers[id]!.name} ${bufferBytes(program, id)}`).join(', ');
    const { name } = program.roles[role]!;
    throw new ProgramError('PROGRAM_L1_OVERFLOW', `The buffers of role ${name} need ${bytes} bytes of L1, a tile has ${tile.l1Bytes}: ${list}.`, { role: name, bytes, l1Bytes: tile.l1Bytes });
  });
}

function checkGroup({ name, group, roleOf, roles, phases, tensors, buffers, collectives, messages }: TileProgram): void {
  const fail = (what: string, code: ProgramErrorCode = 'PROGRAM_BAD_GROUP'): never => {
    throw new ProgramError(code, `Program ${name}: ${what}.`, { program: name });
  };
  const { width, height } = group;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width >= 1 && height >= 1 && width * height <= MAX_GROUP_TILES)) fail(`a group has 1 to ${MAX_GROUP_TILES} tiles, got ${width} × ${height}`);
  if (roleOf.length !== width * height) fail(`roleOf has ${roleOf.length} entries for ${width * height} tiles`);
  if (phases.length === 0) fail('there is no phase');
  const bad = roleOf.findIndex((role) => role >= roles.length);
  if (bad >= 0) fail(`tile (${bad % width}, ${Math.floor(bad / width)}) has role ${roleOf[bad]} of ${roles.length}`);
  for (const [what, list] of Object.entries({ tensors, buffers, collectives, roles })) {
    const names = new Set<string>();
    for (const one of list) {
      if (names.has(one.name)) fail(`two ${what} are called ${one.name}`, 'PROGRAM_BAD_NAME');
      names.add(one.name);
    }
  }
  const cells = Math.max(roles.length * Math.max(messages, collectives.length), Math.min(messages, 1) * messages * width * height / 4);
  if (cells > 2 ** 26) fail(`${roles.length} roles and ${width * height} tiles with ${messages} messages and ${collectives.length} collectives are too many`, 'PROGRAM_TOO_LARGE');
}

/** Which operands a kind takes: '!' must be there, '?' may, absent must not. */
const operands: Readonly<Record<TileOperationKind, { readonly out?: '!' | '?'; readonly a?: '!' | '?'; readonly b?: '!' | '?' }>> = {
  load: { out: '!' }, store: { a: '!' }, send: { a: '!' }, receive: { out: '!' }, multicast: { out: '?', a: '?' }, reduce: { out: '?', a: '!' },
  matmul: { out: '!', a: '!', b: '!' }, vector: { out: '!', a: '!', b: '?' }, transpose: { out: '!', a: '!' }, clear: { out: '!' }, copy: { out: '!', a: '!' }, barrier: {}, wait: {},
};

function checkRole(program: TileProgram, roleId: number): void {
  const { phases, views, slices, affines, buffers, tensors, collectives, messages, peers } = program;
  const { name, table } = program.roles[roleId]!;
  for (let row = 0; row < table.operations; row++) {
    const kind = tileOperationKinds[table.kind[row]!];
    const fail = (what: string, code: ProgramErrorCode = 'PROGRAM_BAD_OPERATION'): never => {
      throw new ProgramError(code, `Row ${row} (${kind ?? 'unknown'}) of role ${name} ${what}.`, { role: name, row, kind: kind ?? 'unknown' });
    };
    if (kind === undefined) return fail(`has kind ${table.kind[row]}; kinds are 0..${tileOperationKinds.length - 1}`);
    const engine = tileEngines[table.engine[row]!];
    if (engine === undefined || !enginesOfKind[kind].includes(engine)) fail(`is given to the ${engine ?? 'unknown'} engine; ${enginesOfKind[kind].join(', ')} can do it`);
    if (table.phase[row]! >= phases.length) fail(`is in phase ${table.phase[row]} of ${phases.length}`);
    if (!Number.isFinite(table.scalar[row])) fail(`has the factor ${table.scalar[row]}; a finite number is needed`);
    for (const slot of ['out', 'a', 'b'] as const) {
      const view = table[slot][row]!;
      const may = operands[kind][slot];
      if (view === NONE) {
        if (may === '!') fail(`lacks its operand ${slot}`);
        continue;
      }
      if (may === undefined) fail(`has an operand ${slot}, which it does not take`);
      if (view >= views.buffer.length) fail(`has view ${view} of ${views.buffer.length} as ${slot}`, 'PROGRAM_BAD_VIEW');
      const buffer = buffers[views.buffer[view]!];
      if (buffer === undefined) return fail(`has a view of buffer ${views.buffer[view]} of ${buffers.length}`, 'PROGRAM_BAD_VIEW');
      const inside = views.rows[view]! >= 1 && views.columns[view]! >= 1 && views.row[view]! + views.rows[view]! <= buffer.rows && views.column[view]! + views.columns[view]! <= buffer.columns;
      if (!inside) fail(`reaches out of buffer ${buffer.name} [${buffer.rows}, ${buffer.columns}]: ${viewText(program, view)}`, 'PROGRAM_BAD_VIEW');
    }
    const needs = (slot: 'slice' | 'collective' | 'message' | 'peer', wanted: boolean, length: number, what: string): void => {
      const value = table[slot][row]!;
      if (wanted ? value >= length : value !== NONE) fail(wanted ? `names ${what} ${value === NONE ? 'none' : value} of ${length}` : `names a ${what}, which it has no use for`);
    };
    needs('slice', kind === 'load' || kind === 'store', slices.tensor.length, 'slice');
    needs('collective', kind === 'multicast' || kind === 'reduce' || kind === 'barrier', collectives.length, 'collective');
    needs('message', kind === 'send' || kind === 'receive', messages, 'message');
    needs('peer', kind === 'send', peers.length, 'peer');
    if (table.slice[row] !== NONE) {
      const slice = table.slice[row]!;
      if (slices.tensor[slice]! >= tensors.length || slices.row[slice]! >= affines.base.length || slices.column[slice]! >= affines.base.length) fail(`has a slice of a tensor or place that there is not`, 'PROGRAM_BAD_SLICE');
      const { name: tensor, use } = tensors[slices.tensor[slice]!]!;
      if (kind === 'store' && use === 'input') fail(`stores into the input ${tensor}`, 'PROGRAM_BAD_SLICE');
    }
    const peer = table.peer[row] === NONE ? undefined : peers[table.peer[row]!]!;
    if (peer?.kind === 'tile' && peer.tile >= affines.base.length) fail(`goes to the tile of affine ${peer.tile} of ${affines.base.length}`);
    if (kind === 'multicast' && (table.a[row] === NONE) === (table.out[row] === NONE)) fail('must either send a view or receive into one');
    if (table.flags[row]! & ~(ACCUMULATE | TRANSPOSE_B)) fail(`has the unknown flags ${table.flags[row]}`);
    for (let d = table.dependsOnStart[row]!; d < table.dependsOnStart[row + 1]!; d++) {
      if (table.dependsOn[d]! >= row) fail(`waits for row ${table.dependsOn[d]}; a row can wait only for rows above it`, 'PROGRAM_BAD_DEPENDENCY');
    }
    checkShapes(program, table, row, kind, fail);
  }
}

function viewText({ views, buffers }: TileProgram, view: number): string {
  return `${buffers[views.buffer[view]!]!.name}[${views.row[view]}+${views.rows[view]}, ${views.column[view]}+${views.columns[view]}]`;
}

function checkShapes(program: TileProgram, table: OperationTable, row: number, kind: TileOperationKind, fail: (what: string, code: ProgramErrorCode) => never): void {
  const { views, buffers, slices, tensors } = program;
  const shape = (view: number) => ({ rows: views.rows[view]!, columns: views.columns[view]!, type: buffers[views.buffer[view]!]!.elementType, text: viewText(program, view) });
  const mismatch = (what: string): never => fail(what, 'PROGRAM_SHAPE_MISMATCH');
  const flags = table.flags[row]!;
  const vector = table.vector[row]!;
  if ((flags & TRANSPOSE_B) !== 0 && kind !== 'matmul') mismatch('turns an operand; only a matmul can');
  const joins = kind === 'matmul' || (kind === 'vector' && (vector === Vector.MUL || vector === Vector.ROW_MAX || vector === Vector.ROW_SUM));
  if ((flags & ACCUMULATE) !== 0 && !joins) mismatch('accumulates; only matmul and vector mul, rowMax and rowSum can');
  const has = (view: number): boolean => view !== NONE;
  const [o, va, vb] = [table.out[row]!, table.a[row]!, table.b[row]!];
  if (table.slice[row] !== NONE) {
    const view = shape(kind === 'load' ? o : va);
    const slice = table.slice[row]!;
    const tensor = tensors[slices.tensor[slice]!]!;
    if (view.rows !== slices.rows[slice] || view.columns !== slices.columns[slice]) mismatch(`moves [${slices.rows[slice]}, ${slices.columns[slice]}] of ${tensor.name} and ${view.text}`);
    if (view.type !== tensor.elementType) mismatch(`moves ${tensor.name} in ${tensor.elementType} and ${view.text} in ${view.type}; vector convert turns one into the other`);
  }
  if (!has(o) || !has(va)) return;
  const out = shape(o);
  const a = shape(va);
  const sameType = (): void => {
    if (out.type !== a.type) mismatch(`takes ${a.text} in ${a.type} to ${out.text} in ${out.type}; vector convert does that`);
  };
  switch (kind) {
    case 'copy':
    case 'reduce':
      sameType();
      if (out.rows !== a.rows || out.columns !== a.columns) mismatch(`takes ${a.text} to ${out.text}`);
      break;
    case 'transpose':
      sameType();
      if (out.rows !== a.columns || out.columns !== a.rows) mismatch(`turns ${a.text} into ${out.text}`);
      break;
    case 'matmul': {
      const b = shape(vb);
      const turned = (flags & TRANSPOSE_B) !== 0;
      const [k, n] = turned ? [b.columns, b.rows] : [b.rows, b.columns];
      if (a.columns !== k || out.rows !== a.rows || out.columns !== n) mismatch(`multiplies ${a.text} by ${b.text}${turned ? ' turned' : ''} into ${out.text}`);
      if (elementBytes[a.type] !== elementBytes[b.type]) mismatch(`multiplies ${a.text} in ${a.type} by ${b.text} in ${b.type}`);
      break;
    }
    case 'vector': {
      if (vector >= vectorKinds.length) mismatch(`has the vector kind ${vector} of ${vectorKinds.length}`);
      const rowWise = vector === Vector.ROW_MAX || vector === Vector.ROW_SUM;
      if (out.rows !== a.rows || out.columns !== (rowWise ? 1 : a.columns)) mismatch(`takes ${a.text} to ${out.text} by ${vectorKinds[vector]}`);
      const binary = vector <= Vector.MAX;
      if (has(vb) !== binary && !(vector === Vector.EXP)) mismatch(`${binary ? 'lacks' : 'has'} a second operand for ${vectorKinds[vector]}`);
      if (has(vb)) {
        const b = shape(vb);
        if ((b.rows !== a.rows && b.rows !== 1) || (b.columns !== a.columns && b.columns !== 1)) mismatch(`spreads ${b.text} over ${a.text}`);
      }
      break;
    }
    default:
      break;
  }
  // Element by element in place is fine; anything else would read what it has just written.
  const elementwise = kind === 'reduce' || (kind === 'vector' && vector !== Vector.ROW_MAX && vector !== Vector.ROW_SUM);
  for (const view of [va, vb]) {
    if (has(view) && !(elementwise && view === o) && viewsOverlap(program, view, o)) {
      fail(`writes ${viewText(program, o)} while it reads ${viewText(program, view)}`, 'PROGRAM_BAD_VIEW');
    }
  }
}

function viewsOverlap({ views }: TileProgram, p: number, q: number): boolean {
  return views.buffer[p] === views.buffer[q]
    && views.row[p]! < views.row[q]! + views.rows[q]! && views.row[q]! < views.row[p]! + views.rows[p]!
    && views.column[p]! < views.column[q]! + views.columns[q]! && views.column[q]! < views.column[p]! + views.columns[p]!;
}

/** Scopes of a group that look alike: the role of the root, and the roles of the others. */
interface ScopeClass {
  readonly scopeIndex: number;
  readonly rootRole: number;
  readonly otherRoles: readonly number[];
}

function scopeClasses({ group, roleOf }: TileProgram, collective: Pick<Collective, 'scope' | 'root'>): ScopeClass[] {
  const classes = new Map<string, ScopeClass>();
  for (let s = 0; s < scopesOf(group, collective.scope); s++) {
    const root = rootPlace(group, collective, s);
    const others = new Set<number>();
    for (let m = 0; m < membersOf(group, collective.scope); m++) {
      const place = memberPlace(group, collective.scope, s, m);
      if (place !== root) others.add(roleOf[place]!);
    }
    const found = { scopeIndex: s, rootRole: root < 0 ? NONE : roleOf[root]!, otherRoles: [...others].sort((p, q) => p - q) };
    const key = `${found.rootRole} ${found.otherRoles.join(' ')}`;
    if (!classes.has(key)) classes.set(key, found);
  }
  return [...classes.values()];
}

function checkCollectives(program: TileProgram): void {
  const { group, collectives, roles, views, buffers } = program;
  const rowOf = new Uint32Array(roles.length * collectives.length).fill(NONE);
  roles.forEach(({ name, table }, role) => {
    for (let row = 0; row < table.operations; row++) {
      const id = table.collective[row]!;
      if (id === NONE) continue;
      const at = role * collectives.length + id;
      const collective = collectives[id]!;
      if (rowOf[at] !== NONE) throw bad('PROGRAM_COLLECTIVE_TWICE', collective, `is in rows ${rowOf[at]} and ${row} of role ${name}; a collective is used once`);
      rowOf[at] = row;
      const wanted = collective.kind === 'multicast' ? TileOperation.MULTICAST : collective.kind === 'barrier' ? TileOperation.BARRIER : TileOperation.REDUCE;
      if (table.kind[row] !== wanted) throw bad('PROGRAM_BAD_OPERATION', collective, `is a ${collective.kind}, but row ${row} of role ${name} is a ${tileOperationKinds[table.kind[row]!]}`);
    }
  });
  const known = new Map<string, ScopeClass[]>();
  collectives.forEach((collective, id) => {
    const { kind, scope, root } = collective;
    if ((root === null) !== (kind === 'barrier')) throw bad('PROGRAM_COLLECTIVE_ROOT', collective, root === null ? 'has no root' : 'is a barrier and has a root');
    if (root !== null && root !== 'diagonal') {
      const inside = (scope === 'column' || (root.x >= 0 && root.x < group.width)) && (scope === 'row' || (root.y >= 0 && root.y < group.height));
      if (!inside) throw bad('PROGRAM_COLLECTIVE_ROOT', collective, `has its root at (${root.x}, ${root.y}), outside the group of ${group.width} × ${group.height}`);
    }
    const key = `${scope} ${JSON.stringify(root)}`;
    let classes = known.get(key);
    if (classes === undefined) known.set(key, (classes = scopeClasses(program, collective)));
    for (const { scopeIndex, rootRole, otherRoles } of classes) {
      const row = (role: number): number => rowOf[role * collectives.length + id]!;
      const all = rootRole === NONE ? otherRoles : [rootRole, ...otherRoles];
      const takes = all.filter((role) => row(role) !== NONE);
      if (takes.length === 0) continue;
      const where = scope === 'group' ? '' : ` in ${scope} ${scopeIndex}`;
      const missing = all.find((role) => row(role) === NONE);
      if (missing !== undefined) throw bad('PROGRAM_COLLECTIVE_MEMBERS', collective, `is awaited by role ${roles[takes[0]!]!.name}${where}, but role ${roles[missing]!.name} takes no part`);
      if (kind === 'barrier') continue;
      if (membersOf(group, scope) === 1) throw bad('PROGRAM_COLLECTIVE_ALONE', collective, `has one tile per ${scope}, so ${kind === 'multicast' ? 'nobody receives' : 'there is nothing to join'}`);
      let first = NONE;
      const same = (role: number, view: number): void => {
        if (first === NONE) first = view;
        const alike = views.rows[first] === views.rows[view] && views.columns[first] === views.columns[view] && buffers[views.buffer[first]!]!.elementType === buffers[views.buffer[view]!]!.elementType;
        if (!alike) throw bad('PROGRAM_SHAPE_MISMATCH', collective, `has ${viewText(program, first)} and, in role ${roles[role]!.name}, ${viewText(program, view)}${where}`);
      };
      for (const role of all) {
        const { table, name } = roles[role]!;
        const r = row(role);
        const sends = kind === 'multicast' ? table.a[r] !== NONE : table.out[r] !== NONE;
        const isRootHere = role === rootRole;
        if (sends !== isRootHere || (isRootHere && otherRoles.includes(role))) {
          throw bad('PROGRAM_COLLECTIVE_ROOT', collective, `: row ${r} of role ${name} is ${sends ? '' : 'not '}written as the root's${where}, but its tiles are ${isRootHere ? (otherRoles.includes(role) ? 'root and not' : 'the root') : 'not the root'}`);
        }
        if (kind !== 'multicast' || sends) same(role, table.a[r]!);
        else same(role, table.out[r]!);
      }
    }
  });
}

function bad(code: ProgramErrorCode, { name, kind }: Collective, what: string): ProgramError {
  return new ProgramError(code, `Collective ${name} ${what}.`, { collective: name, kind });
}

/** Inside a group every message has one sender and one receiver. Those to tiles of the wafer are matched by `instantiate`. */
function checkMessages(program: TileProgram): void {
  const { group, roles, roleOf, messages, peers } = program;
  if (messages === 0) return;
  /** [roles × messages] row of the send, and of the receive. */
  const sendRow = new Uint32Array(roles.length * messages).fill(NONE);
  const receiveRow = new Uint32Array(roles.length * messages).fill(NONE);
  const wafer = new Uint8Array(messages);
  roles.forEach(({ name, table }, role) => {
    for (let row = 0; row < table.operations; row++) {
      const message = table.message[row]!;
      if (message === NONE) continue;
      const rows = table.kind[row] === TileOperation.SEND ? sendRow : receiveRow;
      const at = role * messages + message;
      if (rows[at] !== NONE) throw new ProgramError('PROGRAM_MESSAGE_TWICE', `Message ${message} is in rows ${rows[at]} and ${row} of role ${name}.`, { message, role: name, row });
      rows[at] = row;
      if (rows === sendRow && peers[table.peer[row]!]!.kind === 'tile') wafer[message] = 1;
    }
  });
  const places = group.width * group.height;
  const senders = new Int32Array(places);
  for (let message = 0; message < messages; message++) {
    if (wafer[message] === 1) continue;
    senders.fill(-1);
    for (let place = 0; place < places; place++) {
      const role = roles[roleOf[place]!]!;
      const row = sendRow[roleOf[place]! * messages + message]!;
      if (row === NONE) continue;
      const [x, y] = [place % group.width, Math.floor(place / group.width)];
      const to = peerPlace(group, peers[role.table.peer[row]!]!, x, y);
      const context = { message, role: role.name, row, x, y };
      if (to < 0) throw new ProgramError('PROGRAM_UNMATCHED_SEND', `Row ${row} (send) of role ${role.name} goes out of the group from tile (${x}, ${y}).`, context);
      const [toX, toY] = [to % group.width, Math.floor(to / group.width)];
      const there = roles[roleOf[to]!]!;
      const receive = receiveRow[roleOf[to]! * messages + message]!;
      if (receive === NONE) throw new ProgramError('PROGRAM_UNMATCHED_SEND', `Tile (${x}, ${y}) sends message ${message} to tile (${toX}, ${toY}), whose role ${there.name} does not receive it.`, context);
      if (senders[to]! >= 0) throw new ProgramError('PROGRAM_MESSAGE_TWICE', `Tile (${toX}, ${toY}) is sent message ${message} by two tiles.`, context);
      senders[to] = place;
      checkMessageShape(program, role.table.a[row]!, there.table.out[receive]!, message);
    }
    for (let place = 0; place < places; place++) {
      if (receiveRow[roleOf[place]! * messages + message] !== NONE && senders[place]! < 0) {
        const [x, y] = [place % group.width, Math.floor(place / group.width)];
        throw new ProgramError('PROGRAM_UNMATCHED_RECEIVE', `Tile (${x}, ${y}) waits for message ${message}, which nobody sends to it.`, { message, x, y });
      }
    }
  }
}

/** What is sent must be what is received. */
export function checkMessageShape(program: TileProgram, from: number, to: number, message: number): void {
  const { views, buffers } = program;
  if (views.rows[from] === views.rows[to] && views.columns[from] === views.columns[to] && buffers[views.buffer[from]!]!.elementType === buffers[views.buffer[to]!]!.elementType) return;
  throw new ProgramError('PROGRAM_SHAPE_MISMATCH', `Message ${message} takes ${viewText(program, from)} to ${viewText(program, to)}.`, { message });
}

/**
 * A reduction is done everywhere before any of its tiles begins the next one of that engine. So through one router go at
 * once at most one reduction of its row, one of its column and one of the group, for each engine that issues them.
 */
export function checkJoins({ name, roles, collectives }: TileProgram, { reduction }: Hardware): void {
  if (reduction === undefined) return;
  const open = new Map<CollectiveScope, Set<number>>();
  for (const { table } of roles) {
    for (let row = 0; row < table.operations; row++) {
      if (table.kind[row] !== TileOperation.REDUCE) continue;
      const { scope } = collectives[table.collective[row]!]!;
      open.set(scope, (open.get(scope) ?? new Set()).add(table.engine[row]!));
    }
  }
  const joins = [...open.values()].reduce((sum, engines) => sum + engines.size, 0);
  if (joins <= reduction.tableEntries) return;
  const list = collectiveScopes.flatMap((scope) => [...(open.get(scope) ?? [])].map((engine) => `${scope} by ${tileEngines[engine]}`)).join(', ');
  throw new ProgramError('PROGRAM_TABLE_OVERFLOW', `Program ${name} may have ${joins} reductions in one router at once (${list}), whose table holds ${reduction.tableEntries}.`, { joins, tableEntries: reduction.tableEntries });
}

/**
 * Every slice lies inside its tensor on every tile of every instance.
 *
 * @param values [instances × parameters]
 */
export function checkSlices(program: TileProgram, values: Float64Array, instances: number): void {
  const { group, roles, roleOf, slices, tensors, affines, parameters } = program;
  const { width } = group;
  const P = parameters.length;
  const boxes = roles.map(() => ({ x0: Infinity, x1: -1, y0: Infinity, y1: -1 }));
  roleOf.forEach((role, place) => {
    const box = boxes[role]!;
    const [x, y] = [place % width, Math.floor(place / width)];
    box.x0 = Math.min(box.x0, x);
    box.x1 = Math.max(box.x1, x);
    box.y0 = Math.min(box.y0, y);
    box.y1 = Math.max(box.y1, y);
  });
  const [low, high] = ranges(values, P, instances);
  let steps = 0;
  roles.forEach(({ name, table }, role) => {
    const seen = new Set<number>();
    const { x0, x1, y0, y1 } = boxes[role]!;
    if (x1 < 0) return;
    for (let row = 0; row < table.operations; row++) {
      const slice = table.slice[row]!;
      if (slice === NONE || seen.has(slice)) continue;
      seen.add(slice);
      const tensor = tensors[slices.tensor[slice]!]!;
      for (const [affine, size, limit, what] of [[slices.row[slice]!, slices.rows[slice]!, tensor.rows, 'rows'], [slices.column[slice]!, slices.columns[slice]!, tensor.columns, 'columns']] as const) {
        // First the box around all tiles and instances of the role; only where that hangs over, one by one.
        let [from, to] = [affines.base[affine]!, affines.base[affine]!];
        const span = (c: number, a: number, b: number): void => {
          from += Math.min(c * a, c * b);
          to += Math.max(c * a, c * b);
        };
        span(affines.x[affine]!, x0, x1);
        span(affines.y[affine]!, y0, y1);
        for (let p = 0; p < P; p++) span(affines.parameters[affine * P + p]!, low[p]!, high[p]!);
        if (from >= 0 && to + size <= limit) continue;
        steps += roleOf.length + instances * (x1 - x0 + 1) * (y1 - y0 + 1);
        if (steps > MAX_STEPS) throw new ProgramError('PROGRAM_TOO_LARGE', `Program ${program.name}: its slices would have to be checked tile by tile, in more than ${MAX_STEPS} steps.`, {});
        for (let place = 0; place < roleOf.length; place++) {
          if (roleOf[place] !== role) continue;
          const [x, y] = [place % width, Math.floor(place / width)];
          for (let i = 0; i < instances; i++) {
            const at = affineValue(affines, affine, P, x, y, values, i * P);
            if (at >= 0 && at + size <= limit) continue;
            const given = parameters.length === 0 ? '' : ` with ${parameters.map((parameter, p) => `${parameter} ${values[i * P + p]}`).join(', ')}`;
            const message = `Row ${row} (${tileOperationKinds[table.kind[row]!]}) of role ${name} reaches out of ${tensor.name} [${tensor.rows}, ${tensor.columns}]: tile (${x}, ${y})${given} takes ${what} ${at} to ${at + size - 1}.`;
            throw new ProgramError('PROGRAM_BAD_SLICE', message, { role: name, row, tensor: tensor.name, x, y, instance: i });
          }
        }
      }
    }
  });
}

function ranges(values: Float64Array, parameters: number, instances: number): [number[], number[]] {
  const low = new Array<number>(parameters).fill(Infinity);
  const high = new Array<number>(parameters).fill(-Infinity);
  for (let i = 0; i < instances; i++) {
    for (let p = 0; p < parameters; p++) {
      low[p] = Math.min(low[p]!, values[i * parameters + p]!);
      high[p] = Math.max(high[p]!, values[i * parameters + p]!);
    }
  }
  return [low, high];
}

/** First by roles, which settles most programs whatever the size of the group; then tile by tile. */
function checkDeadlock(program: TileProgram): void {
  if (rolesAreOrdered(program)) return;
  // Who sends to whom across groups is known when instances are; `instantiate` walks them all.
  if (sendsAcrossGroups(program)) return;
  const operations = program.roleOf.reduce((sum, role) => sum + program.roles[role]!.table.operations, 0);
  if (operations > MAX_WALKED_OPERATIONS) {
    throw new ProgramError('PROGRAM_TOO_LARGE', `Program ${program.name} must be walked tile by tile to see that it cannot deadlock, and has ${operations} operations; ${MAX_WALKED_OPERATIONS} is the limit.`, { operations });
  }
  walk({ compiled: compileProgram(program), instances: 1 }, {});
}

/** Whether any send goes to a tile of the wafer. */
export function sendsAcrossGroups({ peers }: TileProgram): boolean {
  return peers.some(({ kind }) => kind === 'tile');
}

/**
 * Kahn's algorithm over the starts and ends of the rows of all roles. All tiles of a role fall together, so a ring among
 * tiles is one here; the reverse does not hold, since a chain from tile to tile may close when they fall together.
 */
function rolesAreOrdered({ roles, collectives, messages }: TileProgram): boolean {
  let nodes = 0;
  const first = roles.map(({ table }) => {
    const at = nodes;
    nodes += 2 * table.operations;
    return at;
  });
  const hub = nodes;
  nodes += collectives.length;
  const message = nodes;
  nodes += messages;
  const from: number[] = [];
  const to: number[] = [];
  const edge = (a: number, b: number): void => {
    from.push(a);
    to.push(b);
  };
  roles.forEach(({ table }, role) => {
    const last = new Int32Array(tileEngines.length).fill(-1);
    for (let row = 0; row < table.operations; row++) {
      const start = first[role]! + 2 * row;
      const end = start + 1;
      edge(start, end);
      const before = last[table.engine[row]!]!;
      if (before >= 0) edge(before, start);
      last[table.engine[row]!] = end;
      for (let d = table.dependsOnStart[row]!; d < table.dependsOnStart[row + 1]!; d++) edge(first[role]! + 2 * table.dependsOn[d]! + 1, start);
      const id = table.collective[row]!;
      switch (table.kind[row]) {
        case TileOperation.SEND: edge(start, message + table.message[row]!); break;
        case TileOperation.RECEIVE: edge(message + table.message[row]!, end); break;
        case TileOperation.MULTICAST:
          if (table.a[row] === NONE) edge(hub + id, end);
          else edge(start, hub + id);
          break;
        case TileOperation.REDUCE:
        case TileOperation.BARRIER:
          edge(start, hub + id);
          edge(hub + id, end);
          break;
        default: break;
      }
    }
  });
  const waiting = new Uint32Array(nodes);
  const followerStart = new Uint32Array(nodes + 2);
  for (const b of to) waiting[b]!++;
  for (const a of from) followerStart[a + 2]!++;
  for (let n = 2; n < nodes + 2; n++) followerStart[n]! += followerStart[n - 1]!;
  const followers = new Uint32Array(to.length);
  from.forEach((a, i) => void (followers[followerStart[a + 1]!++] = to[i]!));
  const ready: number[] = [];
  for (let n = 0; n < nodes; n++) if (waiting[n] === 0) ready.push(n);
  let released = 0;
  while (ready.length > 0) {
    const n = ready.pop()!;
    released++;
    for (let f = followerStart[n]!; f < followerStart[n + 1]!; f++) if (--waiting[followers[f]!]! === 0) ready.push(followers[f]!);
  }
  return released === nodes;
}
