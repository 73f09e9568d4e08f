import { FabricError } from '../errors.ts';

/**
 * Cycles from the injection of a transfer between two tiles that are otherwise alone until its last flit is there: the
 * zero-load latency of its first flit, then one flit after the other at the rate of the slowest link (α + V / B).
 *
 * @param headCycles zero-load latency of one flit, see {@link zeroLoadCycles}
 * @param bytes of the transfer, ≥ 1
 * @param flitBytes bytes of a flit
 * @param cyclesPerFlit of the slowest link on the way
 */
export function singleFlowCycles(headCycles: number, bytes: number, flitBytes: number, cyclesPerFlit = 1): number {
  return headCycles + (Math.ceil(bytes / flitBytes) - 1) * cyclesPerFlit;
}

/**
 * Cycles that a ring all-reduce spends on links: 2 (n − 1) steps, each of V / n bytes over every link of the ring:
 * 2 (n − 1) / n × V / B.
 *
 * @param members n ≥ 1
 * @param bytes V, of the whole vector
 * @param bytesPerCycle B, of a link
 * @see Patarasuk & Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, JPDC 69 (2009)
 */
export function ringAllReduceCycles(members: number, bytes: number, bytesPerCycle: number): number {
  positive('The members of a ring', members);
  return ((2 * (members - 1)) / members) * (bytes / bytesPerCycle);
}

/**
 * Bytes per cycle that cross the middle of a mesh in one direction: the links of the shorter side.
 *
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), section 3.3.1
 */
export function bisectionBytesPerCycle(width: number, height: number, bytesPerCycle: number): number {
  positive('The width of a mesh', width);
  positive('The height of a mesh', height);
  return bytesPerCycle * (width >= height ? height : width);
}

function positive(what: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 1)) throw new FabricError('FABRIC_BAD_OPTION', `${what} is a whole number ≥ 1, got ${value}.`, { value });
}
