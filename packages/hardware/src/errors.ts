import { KerfError } from '@kerf/checks';

export type HardwareErrorCode =
  | 'HARDWARE_FORMAT_VERSION'
  | 'HARDWARE_UNKNOWN_PRESET'
  | 'HARDWARE_BAD_RATE'
  | 'HARDWARE_TOO_LARGE'
  | 'HARDWARE_BAD_D2D'
  | 'HARDWARE_BAD_GATEWAY'
  | 'HARDWARE_BAD_PACKET'
  | 'HARDWARE_BAD_CREDITS'
  | 'HARDWARE_BAD_MEMORY'
  | 'HARDWARE_NO_MEMORY'
  | 'HARDWARE_BAD_REDUCTION'
  | 'HARDWARE_BAD_DEFECT'
  | 'HARDWARE_BAD_QUANTITY';

/**
 * A machine that has the right shape but cannot be built, or a quantity that is none. The context carries `source`,
 * `path`, `expected` and `got` wherever there is a file to point into. Wrong shapes are a `SchemaError` of \@kerf/checks.
 */
export class HardwareError extends KerfError<HardwareErrorCode> {
  override readonly name = 'HardwareError';
}

/** Says what is wrong with a machine, and where in it. */
export type Refuse = (code: HardwareErrorCode, path: string, expected: string, got: string | number, why: string) => never;
