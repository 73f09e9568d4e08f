import { countDefects, dies, figuresOf, hasDefects, tilesPerDie, type Figures, type Hardware, type PartFigures } from '@kerf/hardware';
import { bytesText, countText, decimalText, plural, timeText } from './units-text.ts';

/** `64 dies (8×8, hub links) of 1,024 tiles (32×32), 1930 MHz`. */
export function sizeText(hardware: Hardware): string {
  const { wafer, die, d2d, clockMegahertz } = hardware;
  const count = dies(hardware);
  const grid = count === 1 ? '1 die' : `${count} dies (${wafer.diesX}×${wafer.diesY}, ${d2d?.shape ?? 'no'} links)`;
  return `${grid} of ${plural(tilesPerDie(hardware), 'tile')} (${die.tilesX}×${die.tilesY}), ${clockMegahertz} MHz`;
}

/** The figures of a machine in lines of text. */
export function reportText(hardware: Hardware, figures: Figures = figuresOf(hardware)): string {
  const single = dies(hardware) === 1;
  const lines = [`${hardware.name}: ${sizeText(hardware)}`, ...wrapped(hardware.description, 100), ''];
  const rows = partRows(figures.die).map(([label, die], i) => [label, die, partRows(figures.wafer)[i]![1]] as const);
  lines.push(...table([['', 'die', ...(single && !hasDefects(hardware) ? [] : ['wafer'])], ...rows.map(([label, die, wafer]) => [label, die, ...(single && !hasDefects(hardware) ? [] : [wafer])])], [false, true, true]));
  lines.push('');
  const links = figures.links.map(({ path, what, bytesPerSecond, cycles, windowBytes, roundTripBytes, share }) => [
    path, what, decimalText(bytesPerSecond, 'B/s'), plural(cycles, 'cycle'),
    windowBytes === null ? 'derived: enough' : `${bytesText(windowBytes)} for ${bytesText(roundTripBytes)} a round trip${share < 1 ? `: ${(share * 100).toFixed(1)} %` : ''}`,
  ]);
  lines.push(...table([['link', '', 'bandwidth', 'latency', 'credit window'], ...links], [false, false, true, true, false]));
  const { cycles, nanoseconds, tileLinks, dieLinks } = figures.cornerToCorner;
  lines.push('', `Corner to corner, idle: ${plural(cycles, 'cycle')} (${timeText(nanoseconds)}) over ${plural(tileLinks, 'link')}${single ? '' : ` inside dies and ${countText(dieLinks)} between dies`}`);
  lines.push(`Defects: ${defectsText(hardware)}`);
  return lines.join('\n');
}

/** `none`, or what is absent. */
export function defectsText(hardware: Hardware): string {
  if (!hasDefects(hardware)) return 'none';
  const { dies: absentDies, tiles, links, hubLinks } = countDefects(hardware);
  const parts = [
    ...(absentDies > 0 ? [plural(absentDies, 'die')] : []),
    ...(tiles > 0 ? [plural(tiles, 'tile')] : []),
    ...(links > 0 ? [`${plural(links, 'directed link')} between tiles`] : []),
    ...(hubLinks > 0 ? [`${plural(hubLinks, 'directed link')} between dies`] : []),
  ];
  return `${parts.join(', ')} absent${tiles > 0 ? ' (links of absent tiles included)' : ''}`;
}

function partRows(part: PartFigures): [label: string, value: string][] {
  return [
    ['tiles', countText(part.tiles)],
    ['matrix, 16 bit', decimalText(part.flops.fp16, 'FLOPS')],
    ['matrix, 8 bit', decimalText(part.flops.fp8, 'FLOPS')],
    ['vector, 16 bit', decimalText(part.vectorFlops, 'FLOPS')],
    ['scratchpads', bytesText(part.l1Bytes)],
    ['scratchpad bandwidth', decimalText(part.l1BytesPerSecond, 'B/s')],
    ['memory', part.memoryBytes === 0 ? 'none' : bytesText(part.memoryBytes)],
    ['memory bandwidth', part.memoryBytes === 0 ? 'none' : decimalText(part.memoryBytesPerSecond, 'B/s')],
    ['bisection, each way', part.bisectionBytesPerSecond === null ? 'none' : decimalText(part.bisectionBytesPerSecond, 'B/s')],
  ];
}

/** Columns two spaces apart; the right ones are flush right. */
function table(rows: readonly (readonly string[])[], flushRight: readonly boolean[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => (flushRight[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd());
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
