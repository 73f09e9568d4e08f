import { checkSchema } from '@kerf/checks';
import { crossCheckHardware } from './cross-checks.ts';
import { firstLook } from './first-look.ts';
import { hardwareSchema, type Hardware } from './spec.ts';

/**
 * Takes the contents of a hardware file for a machine, or says what is wrong with it. Nothing is filled in.
 *
 * @param value parsed JSON
 * @param source what a person calls it: a file name, a preset
 * @throws SchemaError for a wrong shape: an unknown, missing or mistyped key, a number out of its range
 * @throws HardwareError for another format version, and for parts that do not fit together
 */
export function parseHardware(value: unknown, source: string): Hardware {
  firstLook(value, source);
  const hardware: Hardware = checkSchema(hardwareSchema, value, source);
  crossCheckHardware(hardware, source);
  return hardware;
}
