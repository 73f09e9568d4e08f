import { dies, presets, tilesPerDie, type Hardware } from '@kerf/hardware';
import type { Output } from './errors.ts';

/** `kerf hardware list`: the machines that ship with Kerf. */
export function listHardware(json: boolean, output: Output): void {
  const all = Object.values(presets);
  if (json) {
    output.out(`${JSON.stringify(all)}\n`);
    return;
  }
  const width = Math.max(...all.map(({ name }) => name.length));
  for (const hardware of all) output.out(`${hardware.name.padEnd(width)}  ${size(hardware)}\n${' '.repeat(width)}  ${hardware.description}\n`);
}

function size(hardware: Hardware): string {
  const { wafer, die, d2d, clockMegahertz } = hardware;
  const count = dies(hardware);
  const grid = count === 1 ? '1 die' : `${count} dies (${wafer.diesX}×${wafer.diesY}, ${d2d?.shape ?? 'no'} links)`;
  return `${grid} of ${tilesPerDie(hardware)} tiles (${die.tilesX}×${die.tilesY}), ${clockMegahertz} MHz`;
}
