import { MoeError } from './errors.ts';

/**
 * Linear placement: expert e lives on die ⌊e × dies / experts⌋, so that neighbouring experts share a die and no die
 * holds more than one expert more than another. With fewer experts than dies some dies hold none.
 *
 * @param experts routed experts of one layer, 1 to 65,536
 * @param dies dies of the wafer, 1 to 65,536
 * @returns [experts] the die of each expert
 * @throws MoeError `MOE_BAD_PLACEMENT`
 */
export function linearPlacement(experts: number, dies: number): Uint16Array {
  for (const [what, count] of [['experts', experts], ['dies', dies]] as const) {
    if (!Number.isInteger(count) || count < 1 || count > 65_536) {
      throw new MoeError('MOE_BAD_PLACEMENT', `A placement needs 1 to 65536 ${what}, got ${count}.`, { [what]: count });
    }
  }
  const dieOfExpert = new Uint16Array(experts);
  for (let expert = 0; expert < experts; expert++) dieOfExpert[expert] = Math.floor((expert * dies) / experts);
  return dieOfExpert;
}
