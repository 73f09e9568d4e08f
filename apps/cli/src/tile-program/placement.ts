import type { Hardware } from '@kerf/hardware';
import { instantiate, type ParameterRule, type ProgramInstances, type TileProgram } from '@kerf/program';
import { CliError } from '../errors.ts';
import { place, whole } from '../traffic/numbers.ts';

/** What of a command line says where the groups of a program are. */
export interface PlacementFlags {
  readonly groups?: string;
  readonly at?: string;
  readonly parameter?: readonly string[];
}

/**
 * Groups side by side on the first die, row by row, or one group at a place.
 *
 * @throws CliError, ProgramError
 */
export function placed(program: TileProgram, hardware: Hardware, { groups, at, parameter = [] }: PlacementFlags): ProgramInstances {
  const count = groups === undefined ? 1 : whole('--groups', groups, 1, 2 ** 24);
  if (at !== undefined && count > 1) throw new CliError('CLI_USAGE', '--at places one group; --groups places several, row by row.');
  const { tilesX, tilesY } = hardware.die;
  const corner = at === undefined ? { x: 0, y: 0 } : place('--at', at);
  const region = { ...corner, width: Math.max(0, tilesX - corner.x), height: Math.max(0, tilesY - corner.y) };
  return instantiate(program, hardware, { tiling: { dies: [0], region, groups: count, parameters: parametersOf(parameter) } });
}

/** `head=0+1/2%4`: base 0, 1 more after every 2 groups, from 0 again after 4 values. */
export function parametersOf(flags: readonly string[]): Record<string, ParameterRule> {
  return Object.fromEntries(flags.map((text) => {
    const match = /^([^=]+)=(-?\d{1,15})(?:\+(-?\d{1,15}))?(?:\/(\d{1,9}))?(?:%(\d{1,9}))?$/.exec(text);
    const [, name = '', base, step, every, modulo] = match ?? [];
    if (match === null || Number(every ?? 1) === 0 || Number(modulo ?? 1) === 0) {
      throw new CliError('CLI_USAGE', `--parameter takes a name and a whole number such as head=0, or what follows from the number of the group, such as head=0+1/2%4 (0, 1 more after every 2 groups, 4 values), got "${text}".`, { flag: '--parameter', got: text });
    }
    const rule = { base: Number(base), step: Number(step ?? 0), ...(every === undefined ? {} : { every: Number(every) }), ...(modulo === undefined ? {} : { modulo: Number(modulo) }) };
    return [name, rule];
  }));
}

/** The same rules for groups that are nowhere. */
export function parameterValues({ parameters }: TileProgram, { groups, parameter = [] }: PlacementFlags): Record<string, number>[] {
  const count = groups === undefined ? 1 : whole('--groups', groups, 1, 2 ** 16);
  const rules = parametersOf(parameter);
  const unknown = Object.keys(rules).find((name) => !parameters.includes(name));
  if (unknown !== undefined) throw new CliError('CLI_USAGE', `The program has no parameter ${unknown}; it has ${parameters.join(', ') || 'none'}.`, { flag: '--parameter', got: unknown });
  return Array.from({ length: count }, (_, i) => Object.fromEntries(Object.entries(rules).map(([name, rule]) => {
    const { base = 0, step, every = 1, modulo = Infinity } = rule as Exclude<ParameterRule, number>;
    const turn = Math.floor(i / every);
    return [name, base + step * (modulo === Infinity ? turn : turn % modulo)];
  })));
}
