import type { TileRun } from '@kerf/engine';
import { nanosecondsFromCycles, type Hardware } from '@kerf/hardware';
import { bytesText, countText, timeText } from '../hardware/units-text.ts';

/** What a run of tile programs measured. */
export function runFacts({ cycles, breakdown, memoryBytes, fabricByteHops }: TileRun, hardware: Hardware, multiplyAdds: number, elementType: 'fp16' | 'fp8'): {
  cycles: number; microseconds: number; utilisation: number; memoryBytes: number; fabricByteHops: number; breakdown: TileRun['breakdown'];
} {
  const { die, tile } = hardware;
  const peak = die.tilesX * die.tilesY * tile.matrix.flopsPerCycle[elementType] / 2;
  return { cycles, microseconds: nanosecondsFromCycles(cycles, hardware.clockMegahertz) / 1000, utilisation: cycles === 0 ? 0 : multiplyAdds / peak / cycles, memoryBytes, fabricByteHops, breakdown };
}

export function runText(facts: ReturnType<typeof runFacts>): [label: string, value: string][] {
  const { cycles, microseconds, utilisation, memoryBytes, fabricByteHops, breakdown } = facts;
  const parts = Object.entries(breakdown).filter(([, value]) => value > 0).sort((a, b) => b[1] - a[1]).map(([name, value]) => `${name} ${countText(value)} (${((100 * value) / Math.max(1, cycles)).toFixed(1)} %)`);
  return [
    ['Time', `${countText(cycles)} cycles, ${timeText(microseconds * 1000)}`],
    ['Utilisation', `${(100 * utilisation).toFixed(1)} % of the peak of all tiles of the die`],
    ['Critical path', parts.join(', ')],
    ['Memory', `${bytesText(memoryBytes)} read and written`],
    ['Fabric', `${countText(fabricByteHops)} byte-hops`],
  ];
}
