/*
 * Quantities for people to read: three digits and a decimal prefix; memory in powers of two.
 */

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E', 'Z'];

/** 1.048576e15 FLOPS as `1.05 PFLOPS`. */
export function decimalText(value: number, unit: string): string {
  let power = 0;
  let scaled = value;
  while (Number(scaled.toPrecision(3)) >= 1000 && power + 1 < prefixes.length) {
    scaled /= 1000;
    power++;
  }
  return `${threeDigits(scaled)} ${prefixes[power]}${unit}`;
}

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/** 393216 bytes as `384 KiB`. */
export function bytesText(bytes: number): string {
  let power = 0;
  let scaled = bytes;
  while (Number(scaled.toPrecision(4)) >= 1024 && power + 1 < binaryUnits.length) {
    scaled /= 1024;
    power++;
  }
  return `${threeDigits(scaled)} ${binaryUnits[power]}`;
}

/** 3609 ns as `3.61 µs`. */
export function timeText(nanoseconds: number): string {
  const units = ['ns', 'µs', 'ms', 's'];
  let power = 0;
  let scaled = nanoseconds;
  while (Number(scaled.toPrecision(3)) >= 1000 && power + 1 < units.length) {
    scaled /= 1000;
    power++;
  }
  return `${threeDigits(scaled)} ${units[power]}`;
}

/** 65536 as `65,536`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 tile`, `2 tiles`. */
export function plural(count: number, thing: string): string {
  return `${countText(count)} ${thing}${count === 1 ? '' : 's'}`;
}

function threeDigits(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return Number.isInteger(rounded) ? String(rounded) : String(rounded.toFixed(rounded < 10 ? 2 : 1)).replace(/\.?0+$/, '');
}
