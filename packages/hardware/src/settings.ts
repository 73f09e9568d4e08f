import { HardwareError } from './errors.ts';
import type { Hardware, LinkSpec, MemorySpec, ReductionSpec, TileLinkSpec } from './spec.ts';

/*
 * What a hardware file means where it leaves something out.
 */

/** Virtual channels of each input port and traffic class, 1 to 16. */
export function virtualChannelsOf({ link }: Hardware): number {
  return link.virtualChannels ?? 1;
}

/** The link from a router to its tile. */
export function ejectionLinkOf({ ejectionLink, localLink }: Hardware): LinkSpec {
  return ejectionLink ?? localLink;
}

/** Cycles ≥ 1 from the tail of a packet leaving the buffer behind a link until its room can be used at the sender. */
export function creditCyclesOf({ creditCycles, cycles }: Pick<LinkSpec | TileLinkSpec, 'creditCycles' | 'cycles'>): number {
  return creditCycles ?? cycles;
}

/** Cycles ≥ 0 that a lane rests between the tail of one packet and the head of the next. */
export function setupCyclesOf({ router }: Hardware): number {
  return router?.setupCycles ?? 0;
}

/** How routers reduce inside the network, with nothing left open; `landingBytesPerCycle` is Infinity where data land as they arrive. */
export function reductionOf({ reduction }: Hardware): Required<ReductionSpec> {
  return { ...plainReduction, ...reduction };
}

/** Two inputs per cycle as in collective-capable FlooNoC (arXiv 2603.26438); no other cost. */
const plainReduction: Required<ReductionSpec> = { inputsPerCycle: 2, latencyCycles: 0, tableEntries: 16, startCycles: 0, pageBytes: 4096, pageGapCycles: 0, landingBytesPerCycle: Infinity };

/**
 * The memory of a die, for those who cannot do without.
 *
 * @param what cannot, as the subject of a sentence: "A replay of expert layers"
 * @throws HardwareError `HARDWARE_NO_MEMORY` on a machine of scratchpads alone
 */
export function memoryOf({ name, memory }: Hardware, what: string): MemorySpec {
  if (memory !== null) return memory;
  const message = `${what} needs memory channels, which the hardware "${name}" has none of: its memory is null.`;
  throw new HardwareError('HARDWARE_NO_MEMORY', message, { path: 'memory', expected: 'an object { "channels": …, … }', got: 'null' });
}
