import { HardwareError } from './errors.ts';
import { HARDWARE_FORMAT_VERSION } from './spec.ts';

/**
 * Mistakes that deserve a better word than “must be of type integer”, looked for before the schema speaks: another
 * version of the format, and a rate written as a decimal. Whatever else is wrong is left to the schema.
 *
 * @param value what should become a machine
 * @param source what a person calls the file
 * @param at where the machine lies in it, `''` for the whole file
 * @throws HardwareError `HARDWARE_FORMAT_VERSION`, `HARDWARE_BAD_RATE`
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
  for (const { key, isFlit } of rates) {
    const rate = valueAt(value, key.split('.'));
    if (rate === undefined || Number.isInteger(rate) || (Array.isArray(rate) && rate.length === 2 && !isFlit)) continue;
    const path = inside(key);
    const expected = isFlit ? 'a whole number' : 'a whole number or an exact fraction [numerator, denominator]';
    const got = JSON.stringify(rate);
    const why = isFlit ? ' It is the flit of the network.' : typeof rate === 'number' && rate > 0 ? ` A link carries its remainder exactly: write ${fraction(rate)}.` : '';
    throw new HardwareError('HARDWARE_BAD_RATE', `${source}: ${path} must be ${expected}, got ${got}.${why}`, { source, path, expected, got });
  }
}

const rates = [
  { key: 'link.bytesPerCycle', isFlit: true },
  { key: 'localLink.bytesPerCycle', isFlit: false },
  { key: 'ejectionLink.bytesPerCycle', isFlit: false },
  { key: 'syncLink.bytesPerCycle', isFlit: true },
  { key: 'memory.bytesPerCyclePerChannel', isFlit: false },
  { key: 'd2d.link.bytesPerCycle', isFlit: false },
  { key: 'd2d.gatewayLink.bytesPerCycle', isFlit: false },
];

function valueAt(value: unknown, path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}

/** A decimal as the fraction that it prints as, 82.9 as [829, 10]. */
function fraction(value: number): string {
  const scale = 10 ** Math.min(5, (String(value).split('.')[1] ?? '').length);
  return `[${Math.round(value * scale)}, ${scale}], or the fraction that the decimal was rounded from`;
}
