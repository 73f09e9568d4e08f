import type { Hardware } from '../spec.ts';

/** A machine that ships with Kerf, and where each of its numbers comes from, by the path of the number. */
export interface Preset {
  readonly hardware: Hardware;
  readonly sources: Readonly<Record<string, string>>;
}
