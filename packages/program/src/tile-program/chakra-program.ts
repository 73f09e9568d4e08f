import { ProgramError } from '../errors.ts';
import { TileProgramBuilder, type RoleWriter, type RowId } from './builder.ts';
import { chakraCollectives, type ChakraAttribute, type ChakraNode, type ChakraNodeType, type ChakraTrace } from './chakra.ts';
import { checkTileProgram } from './check.ts';
import { elementBytes } from './element-types.ts';
import { memberPlace, membersOf, peerPlace, rootPlace, scopeAt } from './group.ts';
import type { TileProgram } from './tile-program.ts';
import { NONE, TileOperation, tileOperationKinds, type CollectiveScope } from './vocabulary.ts';

/** The version of the schema that is written. */
const CHAKRA_VERSION = '0.0.4';

/** Kinds of operation that a trace shows; the rest is computing, and its dependencies are drawn through. */
const nodeTypeOf: Readonly<Partial<Record<number, ChakraNodeType>>> = {
  [TileOperation.LOAD]: 'memLoad', [TileOperation.STORE]: 'memStore', [TileOperation.SEND]: 'send', [TileOperation.RECEIVE]: 'receive',
  [TileOperation.MULTICAST]: 'collective', [TileOperation.REDUCE]: 'collective', [TileOperation.BARRIER]: 'collective',
};

/**
 * The communication of one group as Chakra execution traces, one per tile in the order of places; a rank is a place, y ×
 * width + x. What an operation depends on is a data dependency, what merely stands before it in its queue a control
 * dependency. A collective carries its members (`comm_group`), root and, if it is a reduction, `reduce_op`.
 *
 * @throws ProgramError `PROGRAM_BAD_CHAKRA` for a program that sends between groups: its ranks would not be of one group
 */
export function chakraTraces(program: TileProgram): ChakraTrace[] {
  const { name, group, roleOf, roles, peers } = program;
  const { width } = group;
  /** Who sends each message to each place. */
  const senders = new Map<string, number>();
  roleOf.forEach((role, place) => {
    const { table } = roles[role]!;
    for (let row = 0; row < table.operations; row++) {
      if (table.kind[row] !== TileOperation.SEND) continue;
      const to = peerPlace(group, peers[table.peer[row]!]!, place % width, Math.floor(place / width));
      if (to < 0) throw new ProgramError('PROGRAM_BAD_CHAKRA', `Program ${name} sends between groups, which the traces of one group cannot show.`, { program: name });
      senders.set(`${to} ${table.message[row]!}`, place);
    }
  });
  return Array.from(roleOf, (_, place) => ({
    version: CHAKRA_VERSION,
    attributes: [text('program', name), number('rank', 'int32', place), number('ranks', 'int32', roleOf.length)],
    nodes: nodesOf(program, place, senders),
  }));
}

function nodesOf(program: TileProgram, place: number, senders: ReadonlyMap<string, number>): ChakraNode[] {
  const { group, phases, roleOf, roles, collectives, peers, slices, tensors } = program;
  const { table } = roles[roleOf[place]!]!;
  const [x, y] = [place % group.width, Math.floor(place / group.width)];
  const nodes: ChakraNode[] = [];
  /** By row: the nodes that must be over before whatever follows it. */
  const shown: bigint[][] = [];
  const last = new Map<number, bigint[]>();
  for (let row = 0; row < table.operations; row++) {
    const kind = table.kind[row]!;
    const type = nodeTypeOf[kind];
    const data = new Set<bigint>();
    for (let d = table.dependsOnStart[row]!; d < table.dependsOnStart[row + 1]!; d++) for (const id of shown[table.dependsOn[d]!]!) data.add(id);
    const control = (last.get(table.engine[row]!) ?? []).filter((id) => !data.has(id));
    if (type === undefined) {
      shown.push([...data, ...control]);
    } else {
      const id = BigInt(row);
      const attributes: ChakraAttribute[] = [{ name: 'is_cpu_op', type: 'bool', value: false }];
      const view = table.a[row] === NONE ? table.out[row]! : table.a[row]!;
      const bytes = view === NONE ? 0n : BigInt(viewBytes(program, view));
      let label: string = tileOperationKinds[kind]!;
      if (type === 'memLoad' || type === 'memStore') {
        label += ` ${tensors[slices.tensor[table.slice[row]!]!]!.name}`;
        attributes.push({ name: 'tensor_size', type: 'uint64', value: bytes });
      } else if (type === 'collective') {
        const collective = collectives[table.collective[row]!]!;
        const s = scopeAt(collective.scope, x, y);
        label += ` ${collective.name}`;
        const comm = kind === TileOperation.MULTICAST ? 'broadcast' : kind === TileOperation.REDUCE ? 'reduce' : 'barrier';
        attributes.push({ name: 'comm_type', type: 'int64', value: BigInt(chakraCollectives.indexOf(comm)) }, { name: 'comm_size', type: 'int64', value: bytes });
        attributes.push(text('pg_name', collective.scope === 'group' ? 'group' : `${collective.scope} ${s}`));
        attributes.push({ name: 'comm_group', type: 'int32', value: Array.from({ length: membersOf(group, collective.scope) }, (_, m) => memberPlace(group, collective.scope, s, m)) });
        if (collective.root !== null) attributes.push(number('root', 'int32', rootPlace(group, collective, s)));
        if (kind === TileOperation.REDUCE) attributes.push(text('reduce_op', collective.kind === 'reduceMax' ? 'max' : 'sum'));
      } else {
        const message = table.message[row]!;
        const sends = type === 'send';
        const other = sends ? peerPlace(group, peers[table.peer[row]!]!, x, y) : senders.get(`${place} ${message}`)!;
        label += ` ${message}`;
        attributes.push({ name: 'comm_size', type: 'int64', value: bytes }, number('comm_src', 'int32', sends ? place : other), number('comm_dst', 'int32', sends ? other : place), number('comm_tag', 'int32', message));
      }
      nodes.push({ id, name: `${phases[table.phase[row]!]!}: ${label}`, type, controlDependencies: control, dataDependencies: [...data], startMicroseconds: 0n, durationMicroseconds: 0n, attributes });
      shown.push([id]);
    }
    last.set(table.engine[row]!, shown[row]!);
  }
  return nodes;
}

function viewBytes({ views, buffers }: TileProgram, view: number): number {
  return views.rows[view]! * views.columns[view]! * elementBytes[buffers[views.buffer[view]!]!.elementType];
}

function text(name: string, value: string): ChakraAttribute {
  return { name, type: 'string', value };
}

function number(name: string, type: 'int32', value: number): ChakraAttribute {
  return { name, type, value };
}

/**
 * The communication of recorded ranks as a program: rank r is the tile at place r of the group, and every byte one element
 * of a buffer that all messages share, so the program can be timed and not executed. Computing nodes become waits. An
 * all-reduce is a reduction to the first rank and a multicast, an all-gather a multicast from every rank, a reduce-scatter
 * a reduction to every rank, an all-to-all messages; `comm_size` is what a rank puts in, as in ASTRA-sim.
 *
 * @param group one tile per trace; without it the ranks are one row
 * @throws ProgramError `PROGRAM_BAD_CHAKRA` naming rank and node that cannot be told in tile programs; and as {@link checkTileProgram}
 */
export function programFromChakra(name: string, traces: readonly ChakraTrace[], group: { readonly width: number; readonly height: number } = { width: traces.length, height: 1 }): TileProgram {
  const ranks = traces.length;
  if (group.width * group.height !== ranks || ranks === 0) throw new ProgramError('PROGRAM_BAD_CHAKRA', `A group of ${group.width} × ${group.height} tiles needs as many traces, got ${ranks}.`, { ranks });
  const sizes = traces.flatMap(({ nodes }, rank) => nodes.map((node) => sizeOf(node, rank)));
  const largest = sizes.reduce((most, size) => Math.max(most, size), 1);
  const p = new TileProgramBuilder(name, group);
  const memory = p.tensor('memory', 1, largest, 'fp8e4m3', 'scratch');
  const away = p.buffer('sent', 1, largest, 'fp8e4m3');
  const here = p.buffer('received', 1, largest, 'fp8e4m3');
  const ids = new Map<string, number>();
  const once = (key: string, make: () => number): number => {
    if (!ids.has(key)) ids.set(key, make());
    return ids.get(key)!;
  };
  traces.forEach(({ nodes }, rank) => {
    p.roleAt(`rank ${rank}`, [rank], (r) => {
      const rowOf = new Map<bigint, RowId[]>();
      const turn = new Map<string, number>();
      /** The how-manieth of its kind on this rank: equal ones belong together. */
      const count = (key: string): number => {
        const before = turn.get(key) ?? 0;
        turn.set(key, before + 1);
        return before;
      };
      for (const node of inOrder(nodes, rank)) {
        const after = [...new Set([...node.controlDependencies, ...node.dataDependencies].flatMap((id) => rowOf.get(id)!))];
        rowOf.set(node.id, translate(node, after, r, count));
      }
      function translate(node: ChakraNode, after: readonly RowId[], r: RoleWriter, count: (key: string) => number): RowId[] {
        const bytes = Math.max(1, sizeOf(node, rank));
        const [from, into] = [away.first(1, bytes), here.first(1, bytes)];
        r.phase(node.type);
        switch (node.type) {
          case 'memLoad': return [r.load(into, memory.at(0, 0, 1, bytes), after)];
          case 'memStore': return [r.store(memory.at(0, 0, 1, bytes), from, after)];
          case 'send':
          case 'receive': {
            const [source, to, tag] = ['comm_src', 'comm_dst', 'comm_tag'].map((attribute) => integer(node, attribute, rank, attribute === 'comm_tag' ? 0 : undefined)) as [number, number, number];
            if ((node.type === 'send' ? source : to) !== rank || Math.min(source, to) < 0 || Math.max(source, to) >= ranks) throw bad(rank, node, `goes from rank ${source} to ${to} of ${ranks}`);
            return [message(r, node.type, `${source} ${to} ${tag} ${count(`${node.type} ${source} ${to} ${tag}`)}`, to, bytes, after)];
          }
          case 'collective': return collective(r, node, bytes, after, count);
          default: return [r.wait(after)];
        }
      }
      function message(r: RoleWriter, type: 'send' | 'receive', key: string, to: number, bytes: number, after: readonly RowId[]): RowId {
        const id = once(`message ${key}`, () => p.message());
        if (type === 'receive') return r.receive(id, here.first(1, bytes), after);
        const dx = (to % group.width) - (rank % group.width);
        const dy = Math.floor(to / group.width) - Math.floor(rank / group.width);
        return r.send(id, away.first(1, bytes), { kind: 'relative', dx, dy }, after);
      }
      function collective(r: RoleWriter, node: ChakraNode, bytes: number, after: readonly RowId[], count: (key: string) => number): RowId[] {
        const kind = chakraCollectives[integer(node, 'comm_type', rank)];
        const scope = scopeOf(node);
        const [x, y] = [rank % group.width, Math.floor(rank / group.width)];
        const members = Array.from({ length: membersOf(group, scope) }, (_, m) => memberPlace(group, scope, scopeAt(scope, x, y), m));
        const nth = count(scope);
        /** One that every scope of the program shares, by where its root stands. */
        const shared = (what: 'multicast' | 'reduceMax' | 'reduceSum' | 'barrier', root: number, part: string): number => {
          const place = { x: scope === 'column' ? 0 : root % group.width, y: scope === 'row' ? 0 : Math.floor(root / group.width) };
          const key = `${scope} ${nth} ${what} ${part}`;
          return once(`${key} ${what === 'barrier' ? '' : `${place.x} ${place.y}`}`, () => p.collective(what === 'barrier' ? key : `${key} ${place.x} ${place.y}`, what, scope, what === 'barrier' ? null : place));
        };
        const view = (root: number, size: number) => (root === rank ? away : here).first(1, size);
        const share = Math.max(1, Math.ceil(bytes / members.length));
        const multicast = (root: number, size: number, part: string, then: readonly RowId[]): RowId => r.multicast(shared('multicast', root, part), view(root, size), then);
        const reduce = (root: number, size: number, part: string, then: readonly RowId[], op: 'reduceMax' | 'reduceSum' = 'reduceSum'): RowId => r.reduce(shared(op, root, part), away.first(1, size), here.first(1, size), then);
        const first = members[0]!;
        if (kind === 'barrier') return [r.barrier(shared('barrier', first, ''), after)];
        if (members.length === 1) return [r.wait(after)];
        switch (kind) {
          case 'broadcast':
          case 'reduce': {
            const root = integer(node, 'root', rank, first);
            if (!members.includes(root)) throw bad(rank, node, `has its root at rank ${root}, outside its ranks ${members.join(', ')}`);
            return [kind === 'broadcast' ? multicast(root, bytes, '', after) : reduce(root, bytes, '', after, attributeOf(node, 'reduce_op') === 'max' ? 'reduceMax' : 'reduceSum')];
          }
          case 'allReduce': return [multicast(first, bytes, 'of the sum', [reduce(first, bytes, '', after)])];
          case 'allGather': return members.map((root, m) => multicast(root, bytes, `part ${m}`, after));
          case 'reduceScatter': return members.map((root, m) => reduce(root, share, `part ${m}`, after));
          case 'allToAll': return members.filter((other) => other !== rank).flatMap((other) => [
            message(r, 'send', `${scope} ${nth} ${rank} ${other}`, other, share, after),
            message(r, 'receive', `${scope} ${nth} ${other} ${rank}`, rank, share, after),
          ]);
          default: throw bad(rank, node, `is a ${kind ?? 'collective of an unknown kind'}, which tile programs cannot tell`);
        }
      }
      /** Which ranks take part: those that the node lists, or all. */
      function scopeOf(node: ChakraNode): CollectiveScope {
        const listed = attributeOf(node, 'comm_group');
        if (!Array.isArray(listed)) return 'group';
        const wanted = listed.map(Number).sort((a, b) => a - b).join(' ');
        const [x, y] = [rank % group.width, Math.floor(rank / group.width)];
        const found = (['group', 'row', 'column'] as const).find((scope) => Array.from({ length: membersOf(group, scope) }, (_, m) => memberPlace(group, scope, scopeAt(scope, x, y), m)).join(' ') === wanted);
        if (found === undefined) throw bad(rank, node, `takes ranks ${wanted}, which are no row, column or whole of the group`);
        return found;
      }
    });
  });
  const program = p.finish();
  checkTileProgram(program);
  return program;
}

/** Nodes so that each comes after what it depends on; as they stand if they already do. */
function inOrder(nodes: readonly ChakraNode[], rank: number): ChakraNode[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const first = nodes[0];
  if (byId.size !== nodes.length) throw bad(rank, first!, 'shares its id with another, or two others do');
  const followers = new Map<bigint, ChakraNode[]>();
  const waiting = new Map<bigint, number>();
  for (const node of nodes) {
    const before = new Set([...node.controlDependencies, ...node.dataDependencies]);
    waiting.set(node.id, before.size);
    for (const id of before) {
      if (!byId.has(id)) throw bad(rank, node, `waits for node ${id}, which is not in the trace`);
      const list = followers.get(id);
      if (list === undefined) followers.set(id, [node]);
      else list.push(node);
    }
  }
  const places = new Map(nodes.map(({ id }, index) => [id, index]));
  if (nodes.every((node, index) => [...node.controlDependencies, ...node.dataDependencies].every((id) => places.get(id)! < index))) return [...nodes];
  const sorted = nodes.filter((node) => waiting.get(node.id) === 0);
  for (let next = 0; next < sorted.length; next++) {
    for (const node of followers.get(sorted[next]!.id) ?? []) {
      const left = waiting.get(node.id)! - 1;
      waiting.set(node.id, left);
      if (left === 0) sorted.push(node);
    }
  }
  const stuck = nodes.find((node) => waiting.get(node.id)! > 0);
  if (stuck !== undefined) throw bad(rank, stuck, 'waits for itself through its dependencies');
  return sorted;
}

function attributeOf(node: ChakraNode, name: string): ChakraAttribute['value'] | undefined {
  return node.attributes.find((attribute) => attribute.name === name)?.value;
}

function integer(node: ChakraNode, name: string, rank: number, fallback?: number): number {
  const value = attributeOf(node, name);
  if (value === undefined && fallback !== undefined) return fallback;
  const found = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : NaN;
  if (!Number.isSafeInteger(found)) throw bad(rank, node, `has ${value === undefined ? 'no' : 'no whole number as'} ${name}`);
  return found;
}

/** Bytes that a node moves; 0 when it moves none. */
function sizeOf(node: ChakraNode, rank: number): number {
  const name = node.type === 'memLoad' || node.type === 'memStore' ? 'tensor_size' : 'comm_size';
  if (node.type === 'compute' || node.type === 'metadata' || node.type === 'invalid') return 0;
  const bytes = integer(node, name, rank, 0);
  if (bytes < 0 || bytes > 2 ** 31) throw bad(rank, node, `moves ${bytes} bytes; 0 to 2^31 are possible`);
  return bytes;
}

function bad(rank: number, { id, name, type }: ChakraNode, what: string): ProgramError {
  return new ProgramError('PROGRAM_BAD_CHAKRA', `Rank ${rank}: node ${id} (${type} ${name}) ${what}.`, { rank, node: String(id) });
}
