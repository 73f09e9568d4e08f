import { MemorySink, memorySource, readTable, TableWriter, type TableSpec } from '@kerf/arrow';
import { presetHardware, tileXYOnWafer } from '@kerf/hardware';
import { tableFromIPC } from '@uwdata/flechette';
import { expect, test } from 'vitest';
import { writeCollectiveRow, writeExpertRow, writeLinkRow, writeStepRow } from './rows.ts';
import { PHASE, PORT, PORT_NAMES, ROUTER_KIND, runTables, TABLE_NAMES, tablePath } from './tables.ts';

const specs = runTables({ clockMegahertz: 1930, binCycles: 1000 });
const grid = presetHardware('flat-wafer-8');

function file(spec: TableSpec, write: (writer: TableWriter) => void): Uint8Array {
  const sink = new MemorySink();
  const writer = new TableWriter(spec, sink, { format: 'file' });
  write(writer);
  writer.finish();
  return sink.bytes();
}

function firstRow(bytes: Uint8Array): Record<string, unknown> {
  return { ...tableFromIPC(bytes, { useBigInt: true }).at(0) };
}

test('the columns of every table are fixed: names, types and units, in order', () => {
  const columns = Object.fromEntries(TABLE_NAMES.map((name) => [name, specs[name].columns.map((column) => `${column.name} ${column.type}${column.unit === '' ? '' : ` [${column.unit}]`}`)]));
  expect(columns).toEqual({
    collectives: ['step u32', 'layer u16', 'phase name', 'die u32', 'startCycle u64 [cycles]', 'endCycle u64 [cycles]', 'cycles u64 [cycles]', 'copiesSent u64 [copies]', 'copiesReceived u64 [copies]',
      'bytesSent u64 [bytes]', 'bytesReceived u64 [bytes]', 'messagesSent u64 [messages]'],
    experts: ['step u32', 'layer u16', 'expert u32', 'die u32', 'tokens u32 [copies]', 'tiles u32 [tiles]', 'startCycle u64 [cycles]', 'endCycle u64 [cycles]', 'busyCycles u64 [cycles]', 'flops f64 [operations]'],
    links: ['step u32', 'layer u16', 'phase name', 'bin u32', 'die u32', 'routerKind name', 'router u32', 'x u16', 'y u16', 'port name', 'bytes u64 [bytes]', 'busyCycles u64 [cycles]', 'packets u32 [packets]',
      'creditStallCycles u64 [cycles]', 'arbitrationStallCycles u64 [cycles]'],
    steps: ['step u32', 'startCycle u64 [cycles]', 'endCycle u64 [cycles]', 'cycles u64 [cycles]', 'nanoseconds f64 [ns]', 'tokens u32 [tokens]', 'dispatchedCopies u64 [copies]', 'combinedCopies u64 [copies]', 'packetHops u64 [packet-hops]'],
  });
});

test('the names of ports, phases and router kinds stand where their constants say', () => {
  for (const [name, index] of Object.entries(PORT)) expect(PORT_NAMES[index]).toBe(name === 'firstGateway' ? 'gateway0' : name);
  expect(specs.links.columns[2]!.names).toEqual(['dispatch', 'combine']);
  expect(specs.links.columns[5]!.names).toEqual(['tile', 'hub']);
  expect(PORT_NAMES).toHaveLength(34);
});

test('a schema says what a reader needs to turn bins and cycles into time, and nothing of processes', () => {
  expect(specs.links.metadata).toEqual({ formatVersion: '1', clockMegahertz: '1930', binCycles: '1000' });
  expect(specs.steps.metadata).toEqual({ formatVersion: '1', clockMegahertz: '1930' });
});

test('a link row of a tile has die and place of its router', () => {
  for (const router of [0, 7, 63, 64, 300, 511]) {
    const row = { step: 1, layer: 2, phase: PHASE.combine, bin: 3, routerKind: ROUTER_KIND.tile, router, port: PORT.south, bytes: 2 ** 40, busyCycles: 1000, packets: 7, creditStallCycles: 5, arbitrationStallCycles: 2 ** 33 };
    const { x, y } = tileXYOnWafer(grid, router);
    expect(firstRow(file(specs.links, (writer) => writeLinkRow(writer, grid, row)))).toEqual({
      step: 1, layer: 2, phase: 'combine', bin: 3, die: Math.floor(router / 64), routerKind: 'tile', router, x, y, port: 'south',
      bytes: 2n ** 40n, busyCycles: 1000n, packets: 7, creditStallCycles: 5n, arbitrationStallCycles: 2n ** 33n,
    });
  }
});

test('a link row of a hub has its die and the place of that die', () => {
  const row = { step: 0, layer: 0, phase: PHASE.dispatch, bin: 0, routerKind: ROUTER_KIND.hub, router: 6, port: PORT.firstGateway + 15, bytes: 1, busyCycles: 1, packets: 1, creditStallCycles: 0, arbitrationStallCycles: 0 };
  expect(firstRow(file(specs.links, (writer) => writeLinkRow(writer, grid, row)))).toMatchObject({ die: 6, routerKind: 'hub', router: 6, x: 2, y: 1, port: 'gateway15' });
});

test.each([[ROUTER_KIND.tile, PORT.firstGateway], [ROUTER_KIND.hub, PORT.local], [ROUTER_KIND.hub, PORT.hub]])('a router of kind %i has no port %i', (routerKind, port) => {
  const row = { step: 0, layer: 0, phase: 0, bin: 0, routerKind, router: 0, port, bytes: 1, busyCycles: 1, packets: 1, creditStallCycles: 0, arbitrationStallCycles: 0 };
  expect(() => file(specs.links, (writer) => writeLinkRow(writer, grid, row))).toThrow('router has no port');
});

test('step, expert and collective rows are written as given, spans derived', () => {
  const cycles = { startCycle: 2 ** 40, endCycle: 2 ** 40 + 1930 };
  expect(firstRow(file(specs.steps, (writer) => writeStepRow(writer, 1930, { step: 4, ...cycles, tokens: 64, dispatchedCopies: 6144, combinedCopies: 6144, packetHops: 2 ** 35 })))).toEqual({
    step: 4, startCycle: 2n ** 40n, endCycle: 2n ** 40n + 1930n, cycles: 1930n, nanoseconds: 1000, tokens: 64, dispatchedCopies: 6144n, combinedCopies: 6144n, packetHops: 2n ** 35n,
  });
  expect(firstRow(file(specs.experts, (writer) => writeExpertRow(writer, { step: 4, layer: 23, expert: 31, die: 7, tokens: 12, tiles: 16, ...cycles, busyCycles: 30_000, flops: 1.5e12 })))).toEqual({
    step: 4, layer: 23, expert: 31, die: 7, tokens: 12, tiles: 16, startCycle: 2n ** 40n, endCycle: 2n ** 40n + 1930n, busyCycles: 30_000n, flops: 1.5e12,
  });
  const collective = { step: 4, layer: 23, phase: PHASE.dispatch, die: 7, ...cycles, copiesSent: 1, copiesReceived: 2, bytesSent: 3, bytesReceived: 2 ** 45, messagesSent: 5 };
  expect(firstRow(file(specs.collectives, (writer) => writeCollectiveRow(writer, collective)))).toEqual({
    step: 4, layer: 23, phase: 'dispatch', die: 7, startCycle: 2n ** 40n, endCycle: 2n ** 40n + 1930n, cycles: 1930n, copiesSent: 1n, copiesReceived: 2n, bytesSent: 3n, bytesReceived: 2n ** 45n, messagesSent: 5n,
  });
});

test('a span that ends before it starts is a bug and not a number', () => {
  const row = { step: 0, startCycle: 10, endCycle: 9, tokens: 1, dispatchedCopies: 1, combinedCopies: 1, packetHops: 1 };
  expect(() => file(specs.steps, (writer) => writeStepRow(writer, 1000, row))).toThrow('Table steps, column cycles, row 0');
});

test('our reader finds units and descriptions of every column', () => {
  for (const name of TABLE_NAMES) {
    const { spec } = readTable(memorySource(name, file(specs[name], () => undefined)));
    expect(spec).toEqual(specs[name]);
    expect(spec.columns.every(({ description }) => description.endsWith('.'))).toBe(true);
  }
});

test('paths sort like dies', () => {
  expect(tablePath('links', 3)).toBe('links/die-0003.arrow');
  expect(tablePath('links', 63, 'stream')).toBe('links/die-0063.arrows');
  expect(tablePath('steps', null)).toBe('steps/wafer.arrow');
});
