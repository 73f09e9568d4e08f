import { dies, figuresOf, presets, type Hardware } from '@kerf/hardware';
import type { Output } from '../errors.ts';
import { sizeText } from './report.ts';
import { decimalText } from './units-text.ts';

/** `kerf hardware list`: the machines that ship with Kerf. */
export function listHardware(json: boolean, output: Output): void {
  const all = Object.values(presets);
  if (json) {
    output.out(`${JSON.stringify(all)}\n`);
    return;
  }
  const width = Math.max(...all.map(({ name }) => name.length));
  for (const hardware of all) output.out(`${hardware.name.padEnd(width)}  ${sizeText(hardware)}; ${peakText(hardware)}\n${' '.repeat(width)}  ${hardware.description}\n`);
}

function peakText(hardware: Hardware): string {
  const { die, wafer } = figuresOf(hardware);
  const { flops, memoryBytesPerSecond } = dies(hardware) === 1 ? die : wafer;
  return `${decimalText(flops.fp16, 'FLOPS')} FP16, ${memoryBytesPerSecond === 0 ? 'no memory channels' : `${decimalText(memoryBytesPerSecond, 'B/s')} of memory`}`;
}
