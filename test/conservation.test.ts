import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { beforeAll, describe, expect, test } from 'vitest';
import { rowsOf, type Row } from './support/arrow-tables.ts';
import { completeRun, manifestOf, realTrace, root, scratchFolder, type RunResult } from './support/kerf.ts';
import { referenceFolder, testWithReference } from './support/needs.ts';

// Nothing is lost and nothing teleports: what the tables of a run say, against a count of its traffic that uses none of our
// code: experts from the recording, dies from the manifest, tiles and routes by the rules in the READMEs.

const steps = 2;
const tokensPerDie = 2;
const binCycles = 1000;
const folder = scratchFolder();

/** [step][layer][slot] the chosen experts: slot s holds request s, from its first decode row on. */
type Choices = readonly (readonly (readonly (readonly number[])[])[])[];

function realChoices(reference: string, slots: number): Choices {
  const bytes = readFileSync(join(realTrace(reference), 'expert_ids.npy'));
  const ids = bytes.subarray(10 + bytes.readUInt16LE(8)); // uint8 [rows, 24, 4]
  const { requests } = JSON.parse(readFileSync(join(realTrace(reference), 'requests.json'), 'utf8')) as { requests: { row_offset: number; tokens: number }[] };
  return choicesOf(24, slots, (step, layer, slot) => {
    expect(requests[slot]!.tokens).toBeGreaterThan(step);
    const at = ((requests[slot]!.row_offset + step) * 24 + layer) * 4;
    return [...ids.subarray(at, at + 4)];
  });
}

const bundled = join(root, 'traces/gpt-oss-20b-synthetic');

function bundledChoices(slots: number): Choices {
  const table = tableFromIPC(readFileSync(join(bundled, 'trace.arrow')));
  const column = (name: string): ArrayLike<number> => table.getChild(name)!.toArray() as ArrayLike<number>;
  const request = column('request');
  const experts = [0, 1, 2, 3].map((rank) => column(`expert${rank}`));
  const firstRow: number[] = []; // of each request: one row per token and layer
  for (let row = 0; row < table.numRows; row++) if (row === 0 || request[row] !== request[row - 1]) firstRow.push(row);
  return choicesOf(24, slots, (step, layer, slot) => experts.map((ids) => ids[firstRow[slot]! + step * 24 + layer]!));
}

function choicesOf(layers: number, slots: number, of: (step: number, layer: number, slot: number) => number[]): Choices {
  const list = <T>(length: number, entry: (i: number) => T): T[] => Array.from({ length }, (_, i) => entry(i));
  return list(steps, (step) => list(layers, (layer) => list(slots, (slot) => of(step, layer, slot))));
}

interface Carried { packets: number; bytes: number; flits: number }

/** What each link of flat-wafer-8 must have carried, by step, layer, phase, router and port, and per die what it sent and received. */
function expectedTraffic(choices: Choices, dieOfExpert: readonly number[]) {
  const [tilesX, tilesY, diesX] = [8, 8, 4];
  const tiles = tilesX * tilesY;
  const messageBytes = 2880 * 2; // hidden width × BF16, either way
  const packetBytes = [4096, messageBytes - 4096];
  const expertsOfDie = (die: number) => dieOfExpert.flatMap((of, expert) => (of === die ? [expert] : []));
  const tileOfSlot = (slot: number) => Math.floor(slot / tokensPerDie) * tiles + Math.floor(((slot % tokensPerDie) * tiles) / tokensPerDie);
  const tileOfCopy = (expert: number, slot: number) => {
    const here = expertsOfDie(dieOfExpert[expert]!);
    const rank = here.indexOf(expert);
    const first = Math.floor((rank * tiles) / here.length);
    const count = Math.floor(((rank + 1) * tiles) / here.length) - first;
    return dieOfExpert[expert]! * tiles + first + (slot % count);
  };
  const column = (tile: number) => (Math.floor(tile / tiles) % diesX) * tilesX + (tile % tilesX);
  const row = (tile: number) => Math.floor(tile / tiles / diesX) * tilesY + Math.floor((tile % tiles) / tilesX);
  const tileAt = (x: number, y: number) => (Math.floor(y / tilesY) * diesX + Math.floor(x / tilesX)) * tiles + (y % tilesY) * tilesX + (x % tilesX);

  const links = new Map<string, Carried>();
  const dies = new Map<string, { sent: number; received: number }>();
  let packetHops = 0;
  const carry = (where: string, from: number, to: number) => {
    const cross = (tile: number, port: string) => {
      const key = `${where} ${tile} ${port}`;
      const link = links.get(key) ?? { packets: 0, bytes: 0, flits: 0 };
      links.set(key, link);
      for (const bytes of packetBytes) {
        link.packets++;
        link.bytes += bytes;
        link.flits += Math.ceil(bytes / 128);
      }
    };
    let [x, y] = [column(from), row(from)];
    packetHops += packetBytes.length * (Math.abs(x - column(to)) + Math.abs(y - row(to)));
    for (; x !== column(to); x += Math.sign(column(to) - x)) cross(tileAt(x, y), x < column(to) ? 'east' : 'west');
    for (; y !== row(to); y += Math.sign(row(to) - y)) cross(tileAt(x, y), y < row(to) ? 'south' : 'north');
    cross(to, 'local');
    for (const [tile, way] of [[from, 'sent'], [to, 'received']] as const) {
      const key = `${where} ${Math.floor(tile / tiles)}`;
      dies.set(key, { sent: 0, received: 0, ...dies.get(key), [way]: (dies.get(key)?.[way] ?? 0) + 1 });
    }
  };
  choices.forEach((layers, step) => layers.forEach((slots, layer) => slots.forEach((experts, slot) => {
    for (const expert of experts) {
      carry(`${step} ${layer} dispatch`, tileOfSlot(slot), tileOfCopy(expert, slot));
      carry(`${step} ${layer} combine`, tileOfCopy(expert, slot), tileOfSlot(slot));
    }
  })));
  return { links, dies, packetHops, messageBytes };
}

const number = (row: Row, name: string) => row[name] as number;
const sum = (rows: readonly Row[], name: string) => rows.reduce((total, row) => total + number(row, name), 0);

function groups(rows: readonly Row[], ...names: string[]): Map<string, Row[]> {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const key = names.map((name) => row[name]).join(' ');
    const group = found.get(key);
    if (group === undefined) found.set(key, [row]);
    else group.push(row);
  }
  return found;
}

const traces = [
  { name: 'the bundled trace', it: test, trace: bundled, choices: (slots: number) => bundledChoices(slots) },
  { name: 'the real trace', it: testWithReference, trace: realTrace(referenceFolder ?? ''), choices: (slots: number) => realChoices(referenceFolder!, slots) },
];

for (const { name, it, trace, choices: choicesFor } of traces) describe(`${name} on 8 dies joined edge to edge`, () => {
  const slots = 8 * tokensPerDie;
  let result: RunResult;
  let choices: Choices;
  let traffic: ReturnType<typeof expectedTraffic>;
  let links: Row[];
  let experts: Row[];
  let collectives: Row[];
  let wafer: Row[];

  beforeAll(() => {
    if (it !== test && referenceFolder === undefined) return;
    result = completeRun(['--trace', trace, '--model', 'gpt-oss-20b', '--hardware', 'flat-wafer-8', '--steps', String(steps), '--tokens-per-die', String(tokensPerDie),
      '--bin-cycles', String(binCycles), '--nodes', '2', '--transport', 'memory', '--out', join(folder, name.replaceAll(' ', '-'))]);
    choices = choicesFor(slots);
    const { expertPlacement } = manifestOf(result.runDir) as unknown as { expertPlacement: { dieOfExpert: number[] } };
    traffic = expectedTraffic(choices, expertPlacement.dieOfExpert);
    [links, experts, collectives, wafer] = ['links', 'experts', 'collectives', 'steps'].map((table) => rowsOf(result.runDir, table)) as [Row[], Row[], Row[], Row[]];
  });

  it('tokens × top-k = copies dispatched = results combined, in every layer and step', () => {
    const copies = slots * 4;
    for (const [key, rows] of groups(collectives, 'step', 'layer', 'phase')) {
      expect([key, sum(rows, 'copiesSent'), sum(rows, 'copiesReceived'), sum(rows, 'bytesSent'), sum(rows, 'bytesReceived'), sum(rows, 'messagesSent')])
        .toEqual([key, copies, copies, copies * traffic.messageBytes, copies * traffic.messageBytes, copies]);
    }
    expect(groups(collectives, 'step', 'layer', 'phase').size).toBe(steps * 24 * 2);
    expect(manifestOf(result.runDir).conservation).toEqual(Array.from({ length: 24 }, (_, layer) => (
      { layer, tokens: steps * slots, topK: 4, dispatched: steps * copies, combined: steps * copies })));
    for (const row of wafer) expect(row).toMatchObject({ tokens: slots, dispatchedCopies: copies * 24, combinedCopies: copies * 24 });
  });

  it('every die sent and received what the recording says', () => {
    const found = new Map(collectives.map((row) => [`${row['step']} ${row['layer']} ${row['phase']} ${row['die']}`, { sent: row['copiesSent'], received: row['copiesReceived'] }]));
    expect(found).toEqual(traffic.dies);
  });

  it('every packet crossed each link on its way along x and then y, and no other', () => {
    const found = new Map<string, Omit<Carried, 'flits'>>();
    for (const [key, rows] of groups(links, 'step', 'layer', 'phase', 'router', 'port')) {
      const packets = sum(rows, 'packets');
      if (packets > 0 || sum(rows, 'bytes') > 0) found.set(key, { packets, bytes: sum(rows, 'bytes') });
    }
    expect(found.size).toBe(traffic.links.size);
    for (const [key, { packets, bytes }] of traffic.links) expect([key, found.get(key)]).toEqual([key, { packets, bytes }]);
  });

  it('packets on mesh links = Manhattan distances = packet-hops of every summary', () => {
    const mesh = links.filter(({ port, routerKind }) => routerKind === 'tile' && port !== 'local');
    expect(sum(mesh, 'packets')).toBe(traffic.packetHops);
    expect(sum(wafer, 'packetHops')).toBe(traffic.packetHops);
    expect(result.packetHops).toBe(traffic.packetHops);
    expect(manifestOf(result.runDir).processes.reduce((total, { packetHops }) => total + packetHops, 0)).toBe(traffic.packetHops);
  });

  it('a link is busy for the flits that it carried, and never longer than a bin', () => {
    for (const [key, rows] of groups(links, 'step', 'layer', 'phase', 'bin', 'router', 'port')) {
      expect(rows.length, key).toBe(1);
    }
    for (const [key, rows] of groups(links, 'step', 'layer', 'bin', 'router', 'port')) {
      expect(sum(rows, 'busyCycles'), key).toBeLessThanOrEqual(binCycles);
    }
    for (const [key, rows] of groups(links, 'step', 'layer', 'phase', 'router', 'port')) {
      const { flits, packets } = traffic.links.get(key) ?? { flits: 0, packets: 0 };
      const [x, y] = [number(rows[0]!, 'x') % 8, number(rows[0]!, 'y') % 8];
      const crossesEdge = { east: x === 7, west: x === 0, south: y === 7, north: y === 0 }[rows[0]!['port'] as string] ?? false;
      const busy = sum(rows, 'busyCycles');
      // A flit of 128 bytes takes one cycle inside a die and 128 × 3 / 256 = 1.5 cycles across an edge, in whole cycles per packet.
      if (!crossesEdge) expect([key, busy]).toEqual([key, flits]);
      else {
        expect(busy, key).toBeGreaterThanOrEqual(Math.floor(flits * 1.5));
        expect(busy, key).toBeLessThanOrEqual(flits * 1.5 + packets / 2);
      }
    }
  });

  it('experts computed the histogram of the recording, on the dies of the manifest', () => {
    const expected = new Map<string, number>();
    choices.forEach((layers, step) => layers.forEach((tokens, layer) => {
      for (const expert of tokens.flat()) expected.set(`${step} ${layer} ${expert}`, (expected.get(`${step} ${layer} ${expert}`) ?? 0) + 1);
    }));
    expect(new Map(experts.map((row) => [`${row['step']} ${row['layer']} ${row['expert']}`, row['tokens']]))).toEqual(expected);
    expect(experts.length).toBe(expected.size);
    for (const row of experts) {
      expect(row['die']).toBe(Math.floor((number(row, 'expert') * 8) / 32));
      expect(row['flops']).toBe(number(row, 'tokens') * 2 * 3 * 2880 * 2880);
      expect(number(row, 'busyCycles')).toBeLessThanOrEqual(number(row, 'tiles') * (number(row, 'endCycle') - number(row, 'startCycle')));
    }
  });

  it('steps follow one another, and layers within them; experts compute between dispatch and combine', () => {
    let cycle = 0;
    wafer.forEach((row, step) => {
      expect(row).toMatchObject({ step, startCycle: cycle, cycles: number(row, 'endCycle') - cycle, nanoseconds: number(row, 'endCycle') - cycle });
      for (let layer = 0; layer < 24; layer++) {
        const here = (row: Row) => row['step'] === step && row['layer'] === layer;
        const phases = collectives.filter(here);
        for (const one of phases) expect(number(one, 'cycles')).toBe(number(one, 'endCycle') - number(one, 'startCycle'));
        const end = Math.max(...phases.map((one) => number(one, 'endCycle')));
        expect(Math.min(...phases.map((one) => number(one, 'startCycle')))).toBe(cycle);
        for (const expert of experts.filter(here)) {
          const on = (phase: string) => phases.find((one) => one['die'] === expert['die'] && one['phase'] === phase)!;
          expect(number(expert, 'startCycle')).toBeGreaterThan(cycle);
          expect(number(expert, 'endCycle')).toBeGreaterThan(number(expert, 'startCycle'));
          expect(number(on('combine'), 'endCycle')).toBeGreaterThanOrEqual(number(expert, 'endCycle'));
          expect(number(on('combine'), 'startCycle')).toBeLessThanOrEqual(number(expert, 'endCycle'));
        }
        expect(end).toBeGreaterThan(cycle);
        cycle = end;
      }
      expect(row['endCycle']).toBe(cycle);
    });
    expect(result.simulatedCycles).toBe(cycle);
  });
});
