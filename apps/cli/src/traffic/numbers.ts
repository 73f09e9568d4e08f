import { suggestion } from '@kerf/checks';
import { CliError } from '../errors.ts';

/** Numbers and words of flags, which are text: each with the range that it may have. */

export function whole(flag: string, text: string, least: number, most: number): number {
  const value = /^-?\d{1,16}$/.test(text.trim()) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) throw new CliError('CLI_USAGE', `${flag} takes a whole number from ${least} to ${most}, got "${text}".`, { flag, got: text, least, most });
  return value;
}

export function positiveNumber(flag: string, text: string, most: number): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : NaN;
  if (!(value > 0 && value <= most)) throw new CliError('CLI_USAGE', `${flag} takes a number above 0 and up to ${most}, got "${text}".`, { flag, got: text, most });
  return value;
}

export function word<T extends string>(flag: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new CliError('CLI_USAGE', `${flag} takes ${known.join(', ')}, got "${text}".${suggestion(text, known)}`, { flag, got: text });
}

/** `16x8` as a width and a height. */
export function size(flag: string, text: string, most: number): { readonly width: number; readonly height: number } {
  const match = /^(-?\d{1,12})[x×](-?\d{1,12})$/i.exec(text.trim());
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || !(width >= 1 && width <= most && height >= 1 && height <= most)) {
    throw new CliError('CLI_USAGE', `${flag} takes a width and a height such as 16x16, each a whole number from 1 to ${most}, got "${text}".`, { flag, got: text, least: 1, most });
  }
  return { width, height };
}

/** `3,4` as a place. */
export function place(flag: string, text: string): { readonly x: number; readonly y: number } {
  const match = /^(\d{1,6}),(\d{1,6})$/.exec(text.trim());
  if (match === null) throw new CliError('CLI_USAGE', `${flag} takes a column and a row such as 3,4, got "${text}".`, { flag, got: text });
  return { x: Number(match[1]), y: Number(match[2]) };
}
