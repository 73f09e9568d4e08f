import { resolve } from 'node:path';
import { countDefects, figuresOf, parseHardware, presetHardware, presets, remarksOn, type Hardware } from '@kerf/hardware';
import type { Output } from '../errors.ts';
import { isFile, readJson } from '../files.ts';
import { writeWhole } from '../traffic/write-whole.ts';
import { drawHardware } from './draw.ts';
import { assertSound, cutOffText, healthOf, type Health } from './health.ts';
import { reportText, sizeText } from './report.ts';
import { countText, plural } from './units-text.ts';

export interface ShowFlags {
  readonly json?: boolean;
  /** Print the hardware file and nothing else. */
  readonly printFile?: boolean;
  /** File to draw the machine into. */
  readonly svg?: string;
}

/**
 * `kerf hardware show` and `check`: what follows from the numbers of a machine, and a drawing of it. A check also ends with
 * an error where a tile is cut off or packets could wait for each other in a circle; whatever else is wrong with a file is an
 * error of both.
 *
 * @param name a preset or a file
 */
export function showHardware(name: string, check: boolean, { json = false, printFile = false, svg }: ShowFlags, output: Output): void {
  const hardware = machineOf(name);
  if (printFile) {
    output.out(`${JSON.stringify(hardware, null, 2)}\n`);
    return;
  }
  const figures = figuresOf(hardware);
  const remarks = remarksOn(hardware);
  const health = healthOf(hardware);
  // The drawing comes first: it shows what a failed check is about.
  if (svg !== undefined) writeWhole(svg, drawHardware(hardware, { cutOff: health.cutOff, lines: [sizeText(hardware)] }));
  if (check) assertSound(hardware, health);
  if (json) {
    const { cutOff, deadlock } = health;
    output.out(`${JSON.stringify({ status: 'ok', source: name, hardware, figures, defects: countDefects(hardware), cutOffTiles: cutOff, deadlock, remarks, ...(svg === undefined ? {} : { svg: resolve(svg) }) })}\n`);
    return;
  }
  output.out(`${[reportText(hardware, figures), ...healthText(hardware, health), ...remarks.map((remark) => `Remark: ${remark}`), ...(svg === undefined ? [] : [`Drawn in ${svg}`])].join('\n')}\n`);
}

function healthText(hardware: Hardware, { cutOff, deadlock }: Health): string[] {
  const routes = deadlock.routing === 'up-down' ? 'up and down around what is absent' : 'x, then y';
  const what = `${plural(deadlock.channels, 'channel')}, ${countText(deadlock.dependencies)} dependencies, routes ${routes}`;
  return [
    `Reachable: ${cutOff.length === 0 ? 'every tile from every other' : cutOffText(hardware, cutOff)}`,
    `Deadlock: ${deadlock.acyclic ? `none possible (${what}; no circle)` : `possible (${what}): ${deadlock.cycle!.join(' → ')}`}`,
  ];
}

/** A preset by its name, and anything else as a file. A name that is neither is answered with the nearest preset. */
function machineOf(name: string): Hardware {
  if (Object.hasOwn(presets, name) || (!isFile(name) && !/[/\\]|\.json$/.test(name))) return presetHardware(name);
  return parseHardware(readJson(name), name);
}
