import { suggestion } from '@kerf/checks';
import { HardwareError } from './errors.ts';
import { flat32x32 } from './presets/flat-32x32.ts';
import { flatWafer64 } from './presets/flat-wafer-64.ts';
import { flatWafer8 } from './presets/flat-wafer-8.ts';
import { mesh8x8 } from './presets/mesh-8x8.ts';
import type { Preset } from './presets/preset.ts';
import type { Hardware } from './spec.ts';

/** In the order in which a person meets them. */
export const presetList: readonly Preset[] = [mesh8x8, flat32x32, flatWafer8, flatWafer64];

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
