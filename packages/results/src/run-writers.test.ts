import { MemorySink, memorySource, readTable, streamToFile } from '@kerf/arrow';
import { presetHardware } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RunWriters, type OpenTable, type RunWritersFacts } from './run-writers.ts';

const grid = presetHardware('flat-wafer-8');
const factsOf = (dies: readonly number[]): RunWritersFacts => ({ grid, layers: 4, experts: 8, clockMegahertz: 1000, binCycles: 100, dies });

/** A little run: what the dies of one process write in row number `at`. */
function writeRow(writers: RunWriters, dies: readonly number[], at: number): void {
  const die = dies[at % dies.length]!;
  const layer = at % 4;
  const step = Math.floor(at / 4);
  writers.link({ step, layer, phase: at % 2, bin: at, routerKind: at % 3 === 0 ? 1 : 0, router: at % 3 === 0 ? die : 64 * die + (at % 64), port: at % 4, bytes: 64 * at, busyCycles: at, packets: at, creditStallCycles: 0, arbitrationStallCycles: at });
  writers.expert({ step, layer, expert: at % 8, die, tokens: at, tiles: 4, startCycle: at, endCycle: 2 * at, busyCycles: at, flops: at / 2 });
  if (at % 5 === 0) writers.collective({ step, layer, phase: 1, die, startCycle: at, endCycle: 3 * at, copiesSent: at, copiesReceived: at, bytesSent: at, bytesReceived: at, messagesSent: at });
}

class Folder {
  readonly sinks = new Map<string, MemorySink>();

  readonly open: OpenTable = (table, die) => {
    const key = `${table} ${die}`;
    const sink = this.sinks.get(key) ?? new MemorySink();
    this.sinks.set(key, sink);
    return sink;
  };

  files(): Record<string, string> {
    return Object.fromEntries([...this.sinks].map(([key, sink]) => {
      const file = new MemorySink();
      streamToFile(memorySource(key, sink.bytes()), file);
      return [key, Buffer.from(file.bytes()).toString('base64')];
    }));
  }
}

test('saved at any row and restored on truncated streams, tables and totals are the same', () => {
  const dies = [2, 5];
  fc.assert(fc.property(fc.nat(60), fc.nat(60), (rows, cut) => {
    const at = Math.min(cut, rows);
    const straight = new Folder();
    const one = new RunWriters(factsOf(dies), straight.open);
    for (let row = 0; row < rows; row++) writeRow(one, dies, row);
    const written = one.finish();

    const folder = new Folder();
    const first = new RunWriters(factsOf(dies), folder.open);
    for (let row = 0; row < at; row++) writeRow(first, dies, row);
    const state = structuredClone(first.save());
    for (let row = at; row < rows; row++) writeRow(first, dies, row);
    for (const { table, die, state: writer } of state.tables) folder.sinks.get(`${table} ${die}`)!.truncate(writer.bytesWritten);
    const second = RunWriters.restore(factsOf(dies), folder.open, state);
    for (let row = at; row < rows; row++) writeRow(second, dies, row);

    expect(second.finish()).toEqual(written);
    expect(second.totals()).toEqual(one.totals());
    expect(folder.files()).toEqual(straight.files());
  }), { numRuns: 30 });
});

test('every die has its file of every table, with rows or without', () => {
  const folder = new Folder();
  const writers = new RunWriters(factsOf([1, 3]), folder.open);
  writeRow(writers, [3], 5);
  expect(writers.finish().map(({ table, die, rows }) => [table, die, rows])).toEqual([['collectives', 1, 0], ['collectives', 3, 1], ['experts', 1, 0], ['experts', 3, 1], ['links', 1, 0], ['links', 3, 1]]);
  for (const [key, text] of Object.entries(folder.files())) expect(readTable(memorySource(key, Buffer.from(text, 'base64'))).rows).toBe(key.endsWith('3') ? 1 : 0);
});

test('a row of a die that is not written here is a bug', () => {
  const writers = new RunWriters(factsOf([1]), new Folder().open);
  expect(() => writeRow(writers, [2], 1)).toThrow('A row of table links for die 2, but only dies 1 are written here.');
});

test('a state of other dies is refused', () => {
  const state = new RunWriters(factsOf([1]), new Folder().open).save();
  expect(() => RunWriters.restore(factsOf([2]), new Folder().open, state)).toThrow(expect.objectContaining({ code: 'RESULTS_BAD_STATE' }));
});
