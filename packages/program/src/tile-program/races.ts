import { ProgramError } from '../errors.ts';
import { describeRow, type ExecutionVisitor } from './execution-order.ts';
import { memberPlace, scopeAt } from './group.ts';
import type { CompiledProgram } from './queues.ts';
import { collectiveScopes, ENGINES, NONE, TileOperation } from './vocabulary.ts';

/** One use of a rectangle by one operation. */
interface Access {
  readonly member: number;
  readonly row: number;
  /** Queue of the operation, and the count there from which on the use is known to be over. */
  readonly queue: number;
  readonly over: number;
  /** What came over the fabric is also there when the receiver's operation is done; otherwise the same as above. */
  readonly arrivalQueue: number;
  readonly arrivalOver: number;
  readonly write: boolean;
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** A rectangle of something, [rows, columns] from (row, column). */
export interface Region {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Finds operations that touch the same elements, one of them writing, in no order that the program demands. Every queue
 * of every tile counts twice for each operation: when it has read what it sends (for all others: never apart), and when it
 * is done. Each operation knows how far every queue has come before it starts: a vector clock. A write over the fabric
 * happens from when its sender starts until the receiving operation is done; whoever has received knows that the sender
 * has read, but not that the others have received.
 *
 * @see C. J. Fidge, Timestamps in message-passing systems that preserve the partial ordering, 1988; F. Mattern, Virtual time
 * and global states of distributed systems, 1989
 */
export class RaceDetector implements ExecutionVisitor {
  readonly #compiled: CompiledProgram;
  readonly #queues: number;
  readonly #firstInstance: number;
  /** By member, then row: what is known when the operation starts, and when it is done. */
  readonly #startClock: (Uint32Array | undefined)[][];
  readonly #doneClock: (Uint32Array | undefined)[][];
  /** What the last operation of each queue knew. */
  readonly #last: (Uint32Array | undefined)[];
  /** By scope of a collective in an instance: what all that have started knew, together. */
  readonly #joined = new Map<number, Uint32Array>();
  readonly #accesses = new Map<string, Access[]>();
  readonly #places: number;

  constructor(compiled: CompiledProgram, instances: number, firstInstance: number) {
    const { group } = compiled.program;
    this.#compiled = compiled;
    this.#places = group.width * group.height;
    this.#queues = this.#places * instances * ENGINES;
    this.#firstInstance = firstInstance;
    this.#startClock = Array.from({ length: this.#places * instances }, () => []);
    this.#doneClock = Array.from({ length: this.#places * instances }, () => []);
    this.#last = new Array<Uint32Array | undefined>(this.#queues);
  }

  started(member: number, row: number): void {
    const { table } = this.#role(member);
    const clock = new Uint32Array(this.#queues);
    const before = this.#last[member * ENGINES + table.engine[row]!];
    if (before !== undefined) merge(clock, before);
    for (let d = table.dependsOnStart[row]!; d < table.dependsOnStart[row + 1]!; d++) merge(clock, this.#doneClock[member]![table.dependsOn[d]!]!);
    this.#startClock[member]![row] = clock;
    if (table.kind[row] === TileOperation.REDUCE || table.kind[row] === TileOperation.BARRIER) {
      const at = this.#scopeOf(member, table.collective[row]!);
      const known = table.kind[row] === TileOperation.REDUCE ? this.#hasRead(member, row) : clock;
      const joined = this.#joined.get(at);
      if (joined === undefined) this.#joined.set(at, known.slice());
      else merge(joined, known);
    }
  }

  /** What the receiving operation learns when it is done: what the sender knew when it had read. */
  delivered(sender: number, sendRow: number, receiver: number, receiveRow: number): void {
    this.#learnt.set(`${receiver} ${receiveRow}`, this.#hasRead(sender, sendRow));
  }

  readonly #learnt = new Map<string, Uint32Array>();

  done(member: number, row: number): void {
    const { table, placeInQueue } = this.#role(member);
    const clock = this.#startClock[member]![row]!.slice();
    const kind = table.kind[row];
    const key = `${member} ${row}`;
    const sender = this.#learnt.get(key);
    if (sender !== undefined) {
      merge(clock, sender);
      this.#learnt.delete(key);
    }
    if (kind === TileOperation.BARRIER || (kind === TileOperation.REDUCE && table.out[row] !== NONE)) merge(clock, this.#joined.get(this.#scopeOf(member, table.collective[row]!))!);
    const queue = member * ENGINES + table.engine[row]!;
    clock[queue] = 2 * placeInQueue[row]! + 2;
    this.#doneClock[member]![row] = clock;
    this.#last[queue] = clock;
  }

  /** An operation uses a rectangle of `what` (a key: whose, and which array) from its start until it is done. */
  local(what: string, member: number, row: number, region: Region, write: boolean, name: () => string): void {
    const { table, placeInQueue } = this.#role(member);
    const queue = member * ENGINES + table.engine[row]!;
    const kind = table.kind[row];
    const sends = kind === TileOperation.SEND || kind === TileOperation.MULTICAST || kind === TileOperation.REDUCE;
    const over = 2 * placeInQueue[row]! + (sends && !write ? 1 : 2);
    this.#add(what, { member, row, queue, over, arrivalQueue: queue, arrivalOver: over, write, ...edges(region) }, this.#startClock[member]![row]!, name);
  }

  /** A sender writes a rectangle of a receiver's array. */
  remote(what: string, sender: number, sendRow: number, receiver: number, receiveRow: number, region: Region, name: () => string): void {
    const from = this.#role(sender);
    const to = this.#role(receiver);
    this.#add(what, {
      member: sender,
      row: sendRow,
      queue: sender * ENGINES + from.table.engine[sendRow]!,
      over: 2 * from.placeInQueue[sendRow]! + 2,
      arrivalQueue: receiver * ENGINES + to.table.engine[receiveRow]!,
      arrivalOver: 2 * to.placeInQueue[receiveRow]! + 2,
      write: true,
      ...edges(region),
    }, this.#startClock[sender]![sendRow]!, name);
  }

  #add(what: string, access: Access, known: Uint32Array, name: () => string): void {
    let earlier = this.#accesses.get(what);
    if (earlier === undefined) this.#accesses.set(what, (earlier = []));
    let kept = 0;
    for (const other of earlier) {
      const ordered = known[other.queue]! >= other.over || known[other.arrivalQueue]! >= other.arrivalOver;
      const apart = other.top >= access.bottom || access.top >= other.bottom || other.left >= access.right || access.left >= other.right;
      if (!apart && !ordered && (access.write || other.write) && !(other.member === access.member && other.row === access.row)) {
        const describe = ({ member, row }: Access): string => describeRow(this.#compiled, member + this.#firstInstance * this.#places, row);
        const message = `Nothing orders ${describe(other)}, which ${other.write ? 'writes' : 'reads'}, and ${describe(access)}, which ${access.write ? 'writes' : 'reads'}, on ${name()}: rows ${Math.max(access.top, other.top)} to ${Math.min(access.bottom, other.bottom) - 1}, columns ${Math.max(access.left, other.left)} to ${Math.min(access.right, other.right) - 1}.`;
        throw new ProgramError('PROGRAM_RACE', message, { first: describe(other), second: describe(access), on: name() });
      }
      // Whoever comes after this access also comes after the covered one.
      const covered = ordered && access.top <= other.top && access.left <= other.left && access.bottom >= other.bottom && access.right >= other.right && (access.write || !other.write);
      if (!covered) earlier[kept++] = other;
    }
    earlier.length = kept;
    earlier.push(access);
  }

  /** What an operation that sends knows once it has read. */
  #hasRead(member: number, row: number): Uint32Array {
    const { table, placeInQueue } = this.#role(member);
    const clock = this.#startClock[member]![row]!.slice();
    clock[member * ENGINES + table.engine[row]!] = 2 * placeInQueue[row]! + 1;
    return clock;
  }

  #role(member: number) {
    const { program, roles } = this.#compiled;
    return roles[program.roleOf[member % this.#places]!]!;
  }

  /** One number for the scope of a collective that a member is in. */
  #scopeOf(member: number, id: number): number {
    const { program, scope, scopes, firstScope } = this.#compiled;
    const place = member % this.#places;
    const { width } = program.group;
    return ((member - place) / this.#places) * scopes + firstScope[id]! + scopeAt(collectiveScopes[scope[id]!]!, place % width, Math.floor(place / width));
  }
}

function edges({ row, column, rows, columns }: Region): { top: number; left: number; bottom: number; right: number } {
  return { top: row, left: column, bottom: row + rows, right: column + columns };
}

function merge(into: Uint32Array, other: Uint32Array): void {
  for (let i = 0; i < into.length; i++) if (other[i]! > into[i]!) into[i] = other[i]!;
}

/** Members of one scope as members of the run. */
export function membersIn({ program, scope, members }: CompiledProgram, id: number, scopeIndex: number, base: number): number[] {
  const kind = collectiveScopes[scope[id]!]!;
  return Array.from({ length: members[id]! }, (_, m) => base + memberPlace(program.group, kind, scopeIndex, m));
}
