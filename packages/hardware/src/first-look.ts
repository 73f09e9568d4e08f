import { HardwareError } from './errors.ts';
import { HARDWARE_FORMAT_VERSION } from './spec.ts';

/**
 * Mistakes that deserve a better word than “must be of type integer”, looked for before the schema speaks: another
 * version of the format, and a rate written as a decimal. Whatever else is wrong is left to the schema.
 *
 * @throws HardwareError `HARDWARE_FORMAT_VERSION`, `HARDWARE_INEXACT_RATE`
 */
export function firstLook(value: unknown, source: string, at = ''): void {
  const inside = (path: string) => (at === '' ? path : `${at}.${path}`);
  const version = valueAt(value, ['formatVersion']);
  if (version !== undefined && version !== HARDWARE_FORMAT_VERSION) {
    const path = inside('formatVersion');
    const expected = String(HARDWARE_FORMAT_VERSION);
    const got = JSON.stringify(version);
    const message = `${source}: ${path} is ${got}, which this version of Kerf cannot read. It reads hardware of formatVersion ${expected}.`;
    throw new HardwareError('HARDWARE_FORMAT_VERSION', message, { source, path, expected, got });
  }
  for (const rate of rates) {
    const got = valueAt(value, rate.split('.'));
    if (typeof got !== 'number' || Number.isInteger(got) || !(got > 0)) continue;
    const path = inside(rate);
    const expected = rate === 'link.bytesPerCycle' ? 'a whole number' : 'a whole number or an exact fraction [numerator, denominator]';
    const why = rate === 'link.bytesPerCycle' ? 'It is the flit of the fabric.' : `A link carries its remainder exactly, so write ${fraction(got)}.`;
    throw new HardwareError('HARDWARE_INEXACT_RATE', `${source}: ${path} must be ${expected}, got ${got}. ${why}`, { source, path, expected, got });
  }
}

const rates = ['link.bytesPerCycle', 'localLink.bytesPerCycle', 'memory.bytesPerCyclePerChannel', 'd2d.link.bytesPerCycle', 'd2d.gatewayLink.bytesPerCycle'];

function valueAt(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}

/** A decimal as the fraction it most likely was: 82.9 is [829, 10]. */
function fraction(value: number): string {
  const digits = Math.min(5, (String(value).split('.')[1] ?? '').length);
  return `[${Math.round(value * 10 ** digits)}, ${10 ** digits}], or the fraction that the decimal was rounded from`;
}
