import { suggestion } from '@kerf/checks';
import { HardwareError } from './errors.ts';
import { c2c256g } from './presets/c2c-256g.ts';
import { flat16x16 } from './presets/flat-16x16.ts';
import { flat32x32With4T } from './presets/flat-32x32-4t.ts';
import { flat32x32 } from './presets/flat-32x32.ts';
import { flat8x8 } from './presets/flat-8x8.ts';
import { flatWafer64With160G } from './presets/flat-wafer-64-160g.ts';
import { flatWafer64 } from './presets/flat-wafer-64.ts';
import { flatWafer8 } from './presets/flat-wafer-8.ts';
import { floonoc4x4 } from './presets/floonoc-4x4.ts';
import { mesh8x8 } from './presets/mesh-8x8.ts';
import type { Preset } from './presets/preset.ts';
import { softhier4x4, softhier4x4Private, softhier8x8 } from './presets/softhier.ts';
import { wse2 } from './presets/wse2.ts';
import type { Hardware } from './spec.ts';

/** In the order in which a person meets them. */
export const presetList: readonly Preset[] = [
  mesh8x8, flat8x8, flat16x16, flat32x32, flat32x32With4T, flatWafer8, flatWafer64, flatWafer64With160G, wse2, floonoc4x4, softhier4x4, softhier4x4Private, softhier8x8, c2c256g,
];

/** The machines that ship with Kerf, by name. They are frozen: copy one to change it. */
export const presets: Readonly<Record<string, Hardware>> = Object.freeze(
  Object.fromEntries(presetList.map(({ hardware }) => [hardware.name, frozen(hardware)])),
);

/**
 * The machine of that name.
 *
 * @throws HardwareError `HARDWARE_UNKNOWN_PRESET`, with the nearest name and all of them
 */
export function presetHardware(name: string): Hardware {
  if (Object.hasOwn(presets, name)) return presets[name]!;
  const names = Object.keys(presets);
  const message = `No hardware preset is called "${name}".${suggestion(name, names)} Presets: ${names.join(', ')}.`;
  throw new HardwareError('HARDWARE_UNKNOWN_PRESET', message, { got: name, expected: names.join(', ') });
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
}
