// Continues a region from a snapshot in a process that has seen nothing of the run. Reads v8-serialised
// { hardware, dieIds, channels, elementType, binCycles, programs, snapshots } from standard input; writes { rows, ends, hashes }.
import { readFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { Region } from '@kerf/engine';

const { hardware, dieIds, programs, snapshots, ...options } = deserialize(readFileSync(0));
const rows = [];
const region = new Region(hardware, dieIds, { ...options, onLinkRow: (row) => rows.push({ ...row }) });
region.restore(programs, snapshots);
while (region.runWindow(Infinity, 4096));
region.finishKernel();
process.stdout.write(serialize({
  rows,
  ends: region.engines.map(({ endCycle }) => endCycle),
  hashes: region.engines.map(({ fabric }) => fabric.deliveryHash.slice()),
}));
