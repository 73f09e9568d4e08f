import { creditCyclesOf, type Hardware, type LinkSpec } from '@kerf/hardware';
import { linkType, MESH } from './link-type.ts';

/** A link that cannot carry its bandwidth because its credits are back too late. */
export interface LinkWarning {
  /** Where it stands in the hardware file. */
  readonly path: string;
  /** Flits of buffer behind the link, and what would be enough. */
  readonly creditFlits: number;
  readonly enoughFlits: number;
  /** The most that a single lane can carry, as a share of the bandwidth. */
  readonly share: number;
  readonly message: string;
}

/**
 * Links between dies whose credit window is smaller than bandwidth × round trip and one largest packet. They work; they are
 * slower than their bandwidth says.
 */
export function linkWarnings(hardware: Hardware): LinkWarning[] {
  const { d2d, link } = hardware;
  if (d2d === null) return [];
  const maxPacketFlits = Math.ceil(link.maxPacketBytes / link.bytesPerCycle);
  const check = (path: string, spec: LinkSpec): LinkWarning[] => {
    const { creditFlits, flitNumerator, flitDenominator } = linkType(MESH, spec, link.bytesPerCycle, maxPacketFlits);
    const roundTrip = spec.cycles + creditCyclesOf(spec);
    const enoughFlits = Math.ceil((roundTrip * flitDenominator) / flitNumerator) + maxPacketFlits;
    if (creditFlits >= enoughFlits) return [];
    const share = creditFlits / enoughFlits;
    const message = `${path}.credits is ${creditFlits} flits; bandwidth × round trip (${roundTrip} cycles) and a largest packet are ${enoughFlits}, so one lane carries at most ${Math.floor(share * 100)} % of the bandwidth.`;
    return [{ path, creditFlits, enoughFlits, share, message }];
  };
  return [...check('d2d.link', d2d.link), ...(d2d.shape === 'hub' ? check('d2d.gatewayLink', d2d.gatewayLink) : [])];
}
