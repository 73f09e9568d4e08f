import { presetHardware } from '@kerf/hardware';
import { bench, describe } from 'vitest';
import { RunWriters } from './run-writers.ts';

const grid = presetHardware('flat-wafer-64');
const dies = Array.from({ length: 32 }, (_, die) => die);
const ROWS = 1_000_000;

describe('one million rows of links, 32 dies of 32 × 32 tiles, totals kept', () => {
  // Rows per second, in millions, are the `hz` of the report.
  bench('RunWriters.link', () => {
    const writers = new RunWriters({ grid, dies, layers: 24, experts: 32, clockMegahertz: 1930, binCycles: 1000 }, () => ({ write: () => undefined }));
    const row = { step: 0, layer: 0, phase: 0, bin: 0, routerKind: 0, router: 0, port: 0, bytes: 4096, busyCycles: 32, packets: 1, creditStallCycles: 0, arbitrationStallCycles: 17 };
    for (let at = 0; at < ROWS; at++) {
      row.layer = at >>> 16;
      row.router = at & 0x7fff;
      row.port = at % 6;
      writers.link(row);
    }
    const links = writers.finish().filter(({ table }) => table === 'links').reduce((sum, { rows }) => sum + rows, 0);
    if (links !== ROWS) throw new Error(`${links} rows`);
  });
});
