import { creditCyclesOf, rationalOf, type LinkSpec, type Rational } from '@kerf/hardware';
import { FabricError } from './errors.ts';

/** What a link leads to. */
export const MESH = 0;
export const EJECTION = 1;
export const TO_HUB = 2;
export const FROM_HUB = 3;

/** Rows of the types of a topology: between neighbouring tiles, and from a tile to its router (and back where it has no ejection link of its own). */
export const TILE_LINK = 0;
export const INJECTION = 1;

/**
 * A kind of link as the kernel needs it. The time of a flit is a fraction, so that a link whose bandwidth is no whole
 * number of flits per cycle carries its remainder exactly instead of rounding each flit up.
 */
export interface LinkType {
  readonly kind: number;
  /** Latency of the hop, router included, in cycles ≥ 1. */
  readonly cycles: number;
  /** Cycles per flit = flitNumerator / flitDenominator, reduced. */
  readonly flitNumerator: number;
  readonly flitDenominator: number;
  /** Flits of buffer behind the link, per lane. */
  readonly creditFlits: number;
  /** Cycles ≥ 1 from the tail leaving that buffer until its room can be used at the sender. */
  readonly creditCycles: number;
}

/**
 * A link of the hardware as the kernel sees it.
 *
 * @param flitBytes bytes of one flit: what a tile link carries per cycle
 * @param maxPacketFlits the buffer behind the link must hold at least one such packet
 * @throws FabricError `FABRIC_BUFFER_TOO_SMALL`
 */
export function linkType(kind: number, spec: LinkSpec, flitBytes: number, maxPacketFlits: number): LinkType {
  const rate = rationalOf(spec.bytesPerCycle);
  const time = reduced({ numerator: flitBytes * rate.denominator, denominator: rate.numerator });
  const creditCycles = creditCyclesOf(spec);
  const creditFlits = spec.credits ?? defaultCreditFlits(time, spec.cycles + creditCycles, maxPacketFlits);
  if (creditFlits < maxPacketFlits) {
    const message = `The buffer behind a link holds ${creditFlits} flits, but the largest packet has ${maxPacketFlits}; it would never be sent.`;
    throw new FabricError('FABRIC_BUFFER_TOO_SMALL', message, { creditFlits, maxPacketFlits });
  }
  return { kind, cycles: spec.cycles, flitNumerator: time.numerator, flitDenominator: time.denominator, creditFlits, creditCycles };
}

/**
 * Bandwidth × round trip, so that the wait for credits never throttles a link, and two largest packets on top: one that
 * arrives while another leaves, since a packet is admitted only when all of it fits (virtual cut-through).
 */
function defaultCreditFlits(time: Rational, roundTripCycles: number, maxPacketFlits: number): number {
  return Math.ceil((roundTripCycles * time.denominator) / time.numerator) + 2 * maxPacketFlits;
}

function reduced(value: Rational): Rational {
  let a = value.numerator;
  let b = value.denominator;
  while (b !== 0) [a, b] = [b, a % b];
  return { numerator: value.numerator / a, denominator: value.denominator / a };
}
