import { COMBINE, combineCopyBytes, DISPATCH, dispatchCopyBytes, moeChannels } from '@kerf/moe';
import { COMPUTE, RECEIVE, SEND, type ProgramTable } from '@kerf/program';
import { kernelStepLayer, type ReplayPlan } from './replay-plan.ts';

/** What one expert did in one kernel. Cycles count from the start of the kernel. */
export interface ExpertRow {
  readonly expert: number;
  /** Copies that it computed. */
  readonly tokens: number;
  /** Tiles that computed at least one of them. */
  readonly tiles: number;
  /** First start and last end of its computations. */
  readonly startCycle: number;
  readonly endCycle: number;
  /** Cycles of its computations, summed over its tiles. */
  readonly busyCycles: number;
  readonly flops: number;
}

/** What one die did in one phase of one kernel. Cycles count from the start of the kernel. */
export interface CollectiveRow {
  readonly phase: (typeof moeChannels)[number];
  readonly startCycle: number;
  readonly endCycle: number;
  readonly copiesSent: number;
  readonly copiesReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Send operations; each may carry several copies. */
  readonly messagesSent: number;
}

/**
 * Experts of one die that got at least one copy, by id. An expert nobody chose has no row.
 *
 * @param startCycle [operations] of `program`, from the start of the kernel
 * @param endCycle [operations] likewise
 */
export function expertRows(plan: ReplayPlan, kernel: number, program: ProgramTable, startCycle: Float64Array, endCycle: Float64Array): ExpertRow[] {
  kernelStepLayer(plan, kernel);
  const rows = new Map<number, { -readonly [column in keyof ExpertRow]: ExpertRow[column] }>();
  for (let operation = 0; operation < program.operations; operation++) {
    if (program.kind[operation] !== COMPUTE) continue;
    const expert = program.label[operation]!;
    let row = rows.get(expert);
    if (row === undefined) {
      row = { expert, tokens: 0, tiles: 0, startCycle: Infinity, endCycle: 0, busyCycles: 0, flops: 0 };
      rows.set(expert, row);
    }
    const start = startCycle[operation]!;
    const end = endCycle[operation]!;
    row.tokens += program.rows[operation]!;
    row.tiles++;
    row.startCycle = Math.min(row.startCycle, start);
    row.endCycle = Math.max(row.endCycle, end);
    row.busyCycles += end - start;
    row.flops += program.flops[operation]!;
  }
  return [...rows.values()].sort((a, b) => a.expert - b.expert);
}

/**
 * The dispatch and the combine of one die. A phase starts with the die's first send, or, on a die that only receives,
 * with the first arrival; it ends with the last end of its sends and receives. A die that neither
 * sends nor receives in a phase has no row.
 *
 * @param startCycle [operations] of `program`, from the start of the kernel
 * @param endCycle [operations] likewise
 */
export function collectiveRows(plan: ReplayPlan, kernel: number, program: ProgramTable, startCycle: Float64Array, endCycle: Float64Array): CollectiveRow[] {
  kernelStepLayer(plan, kernel);
  const rows: CollectiveRow[] = [];
  for (const [channel, copyBytes] of [[DISPATCH, dispatchCopyBytes(plan.model)], [COMBINE, combineCopyBytes(plan.model)]] as const) {
    let firstSend = Infinity;
    let firstReceive = Infinity;
    let lastEnd = 0;
    let copiesSent = 0;
    let bytesSent = 0;
    let bytesReceived = 0;
    let messagesSent = 0;
    for (let operation = 0; operation < program.operations; operation++) {
      const kind = program.kind[operation]!;
      if ((kind !== SEND && kind !== RECEIVE) || program.channel[operation] !== channel) continue;
      lastEnd = Math.max(lastEnd, endCycle[operation]!);
      if (kind === SEND) {
        firstSend = Math.min(firstSend, startCycle[operation]!);
        copiesSent += program.label[operation]!;
        bytesSent += program.bytes[operation]!;
        messagesSent++;
      } else {
        firstReceive = Math.min(firstReceive, startCycle[operation]!);
        bytesReceived += program.bytes[operation]!;
      }
    }
    const first = messagesSent > 0 ? firstSend : firstReceive;
    if (first === Infinity) continue;
    rows.push({
      phase: moeChannels[channel],
      startCycle: first,
      endCycle: lastEnd,
      copiesSent,
      copiesReceived: bytesReceived / copyBytes,
      bytesSent,
      bytesReceived,
      messagesSent,
    });
  }
  return rows;
}
