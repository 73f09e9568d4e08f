import { ProgramError } from '../errors.ts';
import { memberPlace, peerPlace, scopeAt } from './group.ts';
import type { CompiledProgram } from './queues.ts';
import { collectiveScopes, ENGINES, NONE, tileOperationKinds, TileOperation } from './vocabulary.ts';

/**
 * Instances that are run together, as numbers: member m of the run is the tile at place m mod (width × height) of instance
 * floor(m / (width × height)).
 */
export interface Run {
  readonly compiled: CompiledProgram;
  readonly instances: number;
  /** Member that a send to a tile of the wafer reaches, or −1 for none. */
  readonly wafer?: (member: number, row: number) => number;
}

/**
 * Told of every operation in an order that respects all waiting. Everything an operation reads is there when it starts:
 * what comes over the fabric counts as written when its sender starts.
 */
export interface ExecutionVisitor {
  started?(member: number, row: number): void;
  /** A send or the root of a multicast: after `started`, once for every operation that its data are for. */
  delivered?(sender: number, sendRow: number, receiver: number, receiveRow: number): void;
  /** All members of a reduction or barrier have started; then each is `done`. `base` is the first member of the instance. */
  joined?(collective: number, scopeIndex: number, base: number): void;
  done?(member: number, row: number): void;
}

/**
 * Walks a run operation by operation, always in the same order: a queue per engine, as {@link RoleQueues} says, and every
 * operation that depends on other tiles waits as long as it possibly may. So a run that gets through cannot deadlock,
 * whatever the times.
 *
 * @throws ProgramError `PROGRAM_CYCLE` with the operations and tiles that wait for each other
 */
export function walk(run: Run, visitor: ExecutionVisitor): void {
  const { compiled, instances } = run;
  const { program, roles, scopes, firstScope, scope, members, collectiveRow, receiveRow } = compiled;
  const { group, collectives, messages, peers, roleOf } = program;
  const places = group.width * group.height;
  const total = places * instances;
  const completed = new Uint32Array(total * ENGINES);
  /** [members × engines] whether the head of the queue has started and waits for others. */
  const open = new Uint8Array(total * ENGINES);
  const joined = new Uint32Array(scopes * instances);
  const sent = new Uint8Array(scopes * instances);
  const arrived = new Set<number>();
  const waiting = Array.from({ length: total }, (_, member) => member);
  const queued = new Uint8Array(total).fill(1);
  const wake = (member: number): void => {
    if (queued[member] === 1) return;
    queued[member] = 1;
    waiting.push(member);
  };

  /** Starts the head of one queue. */
  const start = (member: number, row: number): void => {
    const place = member % places;
    const base = member - place;
    const role = roleOf[place]!;
    const { table } = roles[role]!;
    visitor.started?.(member, row);
    switch (table.kind[row]) {
      case TileOperation.SEND: {
        const peer = peers[table.peer[row]!]!;
        const at = peer.kind === 'tile' ? -1 : peerPlace(group, peer, place % group.width, Math.floor(place / group.width));
        const receiver = peer.kind === 'tile' ? (run.wafer?.(member, row) ?? -1) : base + at;
        if (receiver < 0) return;
        const message = table.message[row]!;
        arrived.add(receiver * messages + message);
        visitor.delivered?.(member, row, receiver, receiveRow[roleOf[receiver % places]! * messages + message]!);
        wake(receiver);
        return;
      }
      case TileOperation.MULTICAST: {
        if (table.a[row] === NONE) return;
        const id = table.collective[row]!;
        const kind = collectiveScopes[scope[id]!]!;
        const s = scopeAt(kind, place % group.width, Math.floor(place / group.width));
        sent[(base / places) * scopes + firstScope[id]! + s] = 1;
        for (let m = 0; m < members[id]!; m++) {
          const receiver = base + memberPlace(group, kind, s, m);
          if (receiver === member) continue;
          visitor.delivered?.(member, row, receiver, collectiveRow[roleOf[receiver % places]! * collectives.length + id]!);
          wake(receiver);
        }
        return;
      }
      case TileOperation.REDUCE:
      case TileOperation.BARRIER: {
        const id = table.collective[row]!;
        const kind = collectiveScopes[scope[id]!]!;
        const s = scopeAt(kind, place % group.width, Math.floor(place / group.width));
        if (++joined[(base / places) * scopes + firstScope[id]! + s]! < members[id]!) return;
        visitor.joined?.(id, s, base);
        for (let m = 0; m < members[id]!; m++) wake(base + memberPlace(group, kind, s, m));
        return;
      }
      default:
        return;
    }
  };

  /** Whether an operation that has started is over. */
  const over = (member: number, row: number): boolean => {
    const place = member % places;
    const { table } = roles[roleOf[place]!]!;
    const kind = table.kind[row];
    if (kind === TileOperation.RECEIVE) return arrived.has(member * messages + table.message[row]!);
    const id = table.collective[row]!;
    if (id === NONE || (kind === TileOperation.MULTICAST && table.a[row] !== NONE)) return true;
    const s = scopeAt(collectiveScopes[scope[id]!]!, place % group.width, Math.floor(place / group.width));
    const at = ((member - place) / places) * scopes + firstScope[id]! + s;
    return kind === TileOperation.MULTICAST ? sent[at] === 1 : joined[at] === members[id];
  };

  for (let next = 0; next < waiting.length; next++) {
    const member = waiting[next]!;
    queued[member] = 0;
    const queues = roles[roleOf[member % places]!]!;
    for (let progress = true; progress;) {
      progress = false;
      for (let e = 0; e < ENGINES; e++) {
        for (;;) {
          const entry = queues.start[e]! + completed[member * ENGINES + e]!;
          if (entry === queues.start[e + 1]) break;
          const row = queues.rows[entry]!;
          if (open[member * ENGINES + e] === 0) {
            if (!ready(queues.needs, entry, completed, member)) break;
            open[member * ENGINES + e] = 1;
            start(member, row);
          }
          if (!over(member, row)) break;
          open[member * ENGINES + e] = 0;
          completed[member * ENGINES + e]!++;
          visitor.done?.(member, row);
          progress = true;
        }
      }
    }
    // Members that have been looked at are dropped now and then, so that the list stays short.
    if (next > 65_536) {
      waiting.splice(0, next + 1);
      next = -1;
    }
  }
  explainStuck(run, completed, open);
}

function ready(needs: Uint32Array, entry: number, completed: Uint32Array, member: number): boolean {
  for (let e = 0; e < ENGINES; e++) if (completed[member * ENGINES + e]! < needs[entry * ENGINES + e]!) return false;
  return true;
}

/** Names one operation, as errors do. */
export function describeRow({ program }: CompiledProgram, member: number, row: number): string {
  const { width, height } = program.group;
  const place = member % (width * height);
  const instance = Math.floor(member / (width * height));
  const role = program.roles[program.roleOf[place]!]!;
  const kind = tileOperationKinds[role.table.kind[row]!]!;
  const id = role.table.collective[row]!;
  const what = id === NONE ? '' : ` ${program.collectives[id]!.name}`;
  const where = instance === 0 ? '' : ` of instance ${instance}`;
  return `${kind}${what} (row ${row} of role ${role.name}) on tile (${place % width}, ${Math.floor(place / width)})${where}`;
}

/** Follows who waits for whom from the first tile that is stuck until it comes round again. */
function explainStuck({ compiled, instances, wafer }: Run, completed: Uint32Array, open: Uint8Array): void {
  const { program, roles, collectiveRow, scope, members, root } = compiled;
  const { group, collectives, roleOf } = program;
  const places = group.width * group.height;
  const queuesOfMember = (member: number) => roles[roleOf[member % places]!]!;
  const head = (member: number, engine: number): number => {
    const queues = queuesOfMember(member);
    const entry = queues.start[engine]! + completed[member * ENGINES + engine]!;
    return entry < queues.start[engine + 1]! ? entry : -1;
  };
  const isDone = (member: number, row: number): boolean => {
    const { table, placeInQueue } = queuesOfMember(member);
    return placeInQueue[row]! < completed[member * ENGINES + table.engine[row]!]!;
  };
  let sends: Map<number, { member: number; row: number }> | undefined;
  /** Sends that are not done, by receiver and message. */
  const unsent = (): Map<number, { member: number; row: number }> => {
    if (sends !== undefined) return sends;
    sends = new Map();
    for (let member = 0; member < places * instances; member++) {
      const { table } = queuesOfMember(member);
      const place = member % places;
      for (let row = 0; row < table.operations; row++) {
        if (table.kind[row] !== TileOperation.SEND || isDone(member, row)) continue;
        const peer = program.peers[table.peer[row]!]!;
        const receiver = peer.kind === 'tile' ? (wafer?.(member, row) ?? -1) : member - place + peerPlace(group, peer, place % group.width, Math.floor(place / group.width));
        sends.set(receiver * program.messages + table.message[row]!, { member, row });
      }
    }
    return sends;
  };
  /** The operation of another tile that an open operation waits for: one that has not started. */
  const awaited = (member: number, row: number): { member: number; row: number } | undefined => {
    const place = member % places;
    const base = member - place;
    const { table } = queuesOfMember(member);
    const id = table.collective[row]!;
    if (id === NONE) return unsent().get(member * program.messages + table.message[row]!);
    const kind = collectiveScopes[scope[id]!]!;
    const s = scopeAt(kind, place % group.width, Math.floor(place / group.width));
    const multicast = table.kind[row] === TileOperation.MULTICAST;
    for (let m = 0; m < members[id]!; m++) {
      const other = base + (multicast ? root[compiled.firstScope[id]! + s]! : memberPlace(group, kind, s, m));
      const otherRow = collectiveRow[roleOf[other % places]! * collectives.length + id]!;
      const engine = queuesOfMember(other).table.engine[otherRow]!;
      const isHead = head(other, engine) >= 0 && queuesOfMember(other).rows[head(other, engine)] === otherRow;
      if (!isDone(other, otherRow) && !(isHead && open[other * ENGINES + engine] === 1)) return { member: other, row: otherRow };
    }
    return undefined;
  };

  let at: { member: number; row: number } | undefined;
  for (let member = 0; member < places * instances && at === undefined; member++) {
    for (let e = 0; e < ENGINES && at === undefined; e++) {
      const entry = head(member, e);
      if (entry >= 0) at = { member, row: queuesOfMember(member).rows[entry]! };
    }
  }
  if (at === undefined) return;
  const seen = new Map<string, number>();
  const path: string[] = [];
  const first = at;
  // A longer way round would not be read; then its beginning is told.
  while (at !== undefined && !seen.has(`${at.member} ${at.row}`) && path.length < 100_000) {
    seen.set(`${at.member} ${at.row}`, path.length);
    path.push(describeRow(compiled, at.member, at.row));
    at = waitsFor(at.member, at.row);
  }
  const from = at === undefined ? 0 : (seen.get(`${at.member} ${at.row}`) ?? 0);
  const cycle = path.slice(from);
  const shown = cycle.length <= 8 ? cycle : [...cycle.slice(0, 7), `… (${cycle.length - 7} more)`];
  const message = at === undefined
    ? `Nothing ever lets ${path.at(-1)} go on.`
    : `${shown.join(' waits for ')}, which waits for the first of these${cycle.length === 1 ? ': itself' : ''}.`;
  throw new ProgramError('PROGRAM_CYCLE', message, { row: first.row, role: program.roles[roleOf[first.member % places]!]!.name, tiles: cycle.length });

  function waitsFor(member: number, row: number): { member: number; row: number } | undefined {
    const queues = queuesOfMember(member);
    const engine = queues.table.engine[row]!;
    const entry = head(member, engine);
    // Behind another row of its queue.
    if (queues.rows[entry] !== row) return { member, row: queues.rows[entry]! };
    if (open[member * ENGINES + engine] === 1) return awaited(member, row);
    for (let e = 0; e < ENGINES; e++) {
      if (completed[member * ENGINES + e]! < queues.needs[entry * ENGINES + e]!) return { member, row: queues.rows[head(member, e)]! };
    }
    return undefined;
  }
}
