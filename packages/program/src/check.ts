import { tiles, tilesPerDie, type Hardware } from '@kerf/hardware';
import { ProgramError } from './errors.ts';
import { COMPUTE, operationKinds, RECEIVE, SEND, type ProgramTable } from './program.ts';

/**
 * Checks one die's program before it is run: tiles exist, sizes are whole bytes ≥ 0, channels are named, each tile
 * receives once per channel, dependencies are operations of this table and acyclic.
 *
 * @throws ProgramError naming the operation, its kind, and what is wrong with it
 */
export function checkProgram(program: ProgramTable, hardware: Hardware): void {
  const perDie = tilesPerDie(hardware);
  const waferTiles = tiles(hardware);
  const received = new Set<number>();
  for (let row = 0; row < program.operations; row++) {
    const kind = program.kind[row]!;
    const tile = program.localTile[row]!;
    const bytes = program.bytes[row]!;
    if (kind >= operationKinds.length) throw bad(row, program, `has kind ${kind}; kinds are 0..${operationKinds.length - 1}`);
    if (tile >= perDie) throw bad(row, program, `runs on tile ${tile} of a die with ${perDie} tiles`);
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw bad(row, program, `moves ${bytes} bytes; a whole number ≥ 0 is needed`);
    if (kind === SEND || kind === RECEIVE) {
      if (program.channel[row]! >= program.channels.length) throw bad(row, program, `uses channel ${program.channel[row]} of ${program.channels.length}`);
    }
    if (kind === SEND && program.peerTile[row]! >= waferTiles) throw bad(row, program, `sends to tile ${program.peerTile[row]} of a wafer with ${waferTiles} tiles`);
    if (kind === COMPUTE && !(program.flops[row]! >= 0 && Number.isFinite(program.flops[row]!))) throw bad(row, program, `computes ${program.flops[row]} operations`);
    if (kind === RECEIVE) {
      const key = tile * program.channels.length + program.channel[row]!;
      if (received.has(key)) throw bad(row, program, `is the second receive of channel ${program.channels[program.channel[row]!]} on tile ${tile}`);
      received.add(key);
    }
  }
  checkDependencies(program);
}

/** Kahn's algorithm: whatever is never released is on a cycle or behind one. */
function checkDependencies(program: ProgramTable): void {
  const { operations, dependsOn, dependsOnStart } = program;
  const waiting = new Uint32Array(operations);
  const followers: number[][] = [];
  const ready: number[] = [];
  for (let row = 0; row < operations; row++) {
    const from = dependsOnStart[row]!;
    const to = dependsOnStart[row + 1]!;
    waiting[row] = to - from;
    if (to === from) ready.push(row);
    for (let d = from; d < to; d++) {
      const earlier = dependsOn[d]!;
      if (earlier >= operations) {
        throw new ProgramError('PROGRAM_BAD_DEPENDENCY', `Operation ${row} waits for operation ${earlier}, but the program has ${operations}.`, { row, earlier, operations });
      }
      (followers[earlier] ??= []).push(row);
    }
  }
  let released = 0;
  while (ready.length > 0) {
    released++;
    for (const row of followers[ready.pop()!] ?? []) if (--waiting[row]! === 0) ready.push(row);
  }
  if (released < operations) {
    const row = waiting.findIndex((count) => count > 0);
    throw new ProgramError('PROGRAM_CYCLE', `Operation ${row} (${operationKinds[program.kind[row]!]}) waits for itself through its dependencies.`, { row });
  }
}

/**
 * Checks that what is received is what is sent: for every tile and channel the bytes of all sends equal the bytes of
 * the receive there. Needs the tables of every die.
 *
 * @throws ProgramError `PROGRAM_UNMATCHED_RECEIVE`
 */
export function checkTraffic(programs: readonly ProgramTable[], hardware: Hardware): void {
  const perDie = tilesPerDie(hardware);
  const balance = new Map<string, number>();
  const add = (tile: number, channel: string, bytes: number): void => {
    const key = `${tile} ${channel}`;
    balance.set(key, (balance.get(key) ?? 0) + bytes);
  };
  for (const program of programs) {
    for (let row = 0; row < program.operations; row++) {
      const channel = program.channels[program.channel[row]!]!;
      if (program.kind[row] === SEND) add(program.peerTile[row]!, channel, program.bytes[row]!);
      if (program.kind[row] === RECEIVE) add(program.dieId * perDie + program.localTile[row]!, channel, -program.bytes[row]!);
    }
  }
  for (const [key, bytes] of balance) {
    if (bytes === 0) continue;
    const [tile, channel] = key.split(' ') as [string, string];
    const what = bytes > 0 ? `is sent ${bytes} bytes more than it receives` : `waits for ${-bytes} bytes that nobody sends`;
    throw new ProgramError('PROGRAM_UNMATCHED_RECEIVE', `Tile ${tile} ${what} on channel ${channel}.`, { tile: Number(tile), channel, bytes });
  }
}

function bad(row: number, program: ProgramTable, what: string): ProgramError {
  const kind = operationKinds[program.kind[row]!] ?? 'unknown';
  return new ProgramError('PROGRAM_BAD_OPERATION', `Operation ${row} (${kind}) of die ${program.dieId} ${what}.`, { row, kind, dieId: program.dieId });
}
