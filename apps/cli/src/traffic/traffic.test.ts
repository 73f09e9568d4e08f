import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySource, MemorySink, readTable, TableWriter } from '@kerf/arrow';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { kerf } from '../program.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-traffic-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await kerf(['traffic', ...args], { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}
const json = async (...args: string[]) => JSON.parse((await call(...args, '--json')).out);
const short = ['--mesh', '8x8', '--cycles', '2000', '--warmup-cycles', '500'];

test.each<[string[], RegExp]>([
  [['--mesh', '0x8'], /CLI_USAGE: --mesh takes a width and a height such as 16x16, each a whole number from 1 to 4096, got "0x8"/],
  [['--mesh', '-2x8'], /from 1 to 4096/],
  [['--mesh', '8'], /such as 16x16/],
  [['--mesh', '99999x99999'], /from 1 to 4096/],
  [['--mesh', '2048x2048'], /FABRIC_BAD_OPTION: .*at most 1048576 tiles/],
  [['--mesh', '8x8', '--hardware', 'mesh-8x8'], /not on both/],
  [['--hardware', 'mesh-8x9'], /HARDWARE_UNKNOWN_PRESET: .*Did you mean "mesh-8x8"/],
  [['--rate', '0'], /--rate takes a number above 0 and up to 1, got "0"/],
  [['--rate', '1.5'], /up to 1, got "1.5"/],
  [['--rate', '4.1', '--flits', '4', '--buffer-flits', '8'], /up to 4/],
  [['--rate', '-0.1'], /--rate takes a number above 0/],
  [['--rate', 'much'], /--rate takes a number/],
  [['--pattern', 'unifrom'], /FABRIC_UNKNOWN_PATTERN: .*Did you mean "uniform"/],
  [['--pattern', 'transpose', '--mesh', '8x4'], /FABRIC_BAD_PATTERN: The pattern transpose needs a square mesh, such as 4x4/],
  [['--pattern', 'bitcomp', '--mesh', '6x6'], /needs a mesh whose sides are powers of two, such as 4x4/],
  [['--fidelity', 'flits'], /--fidelity takes flit, packet, analytic, got "flits"\. Did you mean "flit"/],
  [['--pipeline', 'C'], /A router pipeline is A, B or a JSON object/],
  [['--pipeline', '{"routin":1}'], /has no routin.*Did you mean "routing"/],
  [['--pipeline', '{"routing":'], /--pipeline takes A, B or a JSON object/],
  [['--pipeline', 'A', '--hardware', 'mesh-8x8'], /--pipeline describes the routers of a --mesh/],
  [['--vcs', '17'], /--vcs takes a whole number from 1 to 16/],
  [['--vcs', '0'], /from 1 to 16/],
  [['--flits', '16'], /FABRIC_BUFFER_TOO_SMALL: .*--buffer-flits from 16 on for packets of 16 flits, got 8/],
  [['--flits', '16', '--fidelity', 'flit', '--switch-hold', 'packet'], /FABRIC_BUFFER_TOO_SMALL/],
  [['--switch-hold', 'flits'], /--switch-hold takes flit, packet/],
  [['--cycles', '0'], /--cycles takes a whole number from 1/],
  [['--warmup-cycles', '-1'], /--warmup-cycles takes a whole number from 0/],
  [['--seed', '1.5'], /--seed takes a whole number/],
  [['--latency-limit-cycles', '0'], /--latency-limit-cycles takes a whole number from 1/],
  [['--sweep', '--stream', '0:1'], /different kinds of traffic/],
  [['--bytes', '8'], /--bytes means nothing with the traffic of a pattern or a trace/],
  [['--events', '/none/there'], /FILE_NOT_FOUND/],
  [['--stream', '0:64'], /--stream takes two tiles such as 0:63, each from 0 to 63, got "0:64"/],
  [['--stream', '0:1', '--packet-bytes', '17'], /--packet-bytes takes a whole number from 1 to 16/],
  [['--collective', 'reduc'], /Did you mean "reduce"/],
  [['--collective', 'multicast'], /needs --bytes/],
  [['--collective', 'multicast', '--bytes', '0'], /--bytes takes a whole number from 1/],
  [['--collective', 'barrier', '--bytes', '8'], /A barrier carries no data/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '9x1', '--hardware', 'mesh-8x8'], /--region takes a width and a height/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '4x4', '--at', '6,0', '--hardware', 'mesh-8x8'], /does not fit the die: it has 8x8 tiles/],
  [['--collective', 'multicast', '--bytes', '8', '--root', '8,0', '--hardware', 'mesh-8x8'], /--root is a tile of the die, from 0,0 to 7,7/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '4x4@6,0', '--hardware', 'mesh-8x8'], /does not fit the die: it has 8x8 tiles/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '4x4@1', '--hardware', 'mesh-8x8'], /--region takes a column and a row such as 3,4, got "1"/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '4x4@0,0@1,1', '--hardware', 'mesh-8x8'], /behind an @ the corner/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '2x2', '--region', '2x2@4,4', '--at', '1,1', '--hardware', 'mesh-8x8'], /--at is the corner of a single region/],
  [['--collective', 'multicast', '--bytes', '8', '--region', '2x2', '--region', '2x2@4,4', '--root', '1,1', '--hardware', 'mesh-8x8'], /--root is for a single region/],
  [['--collective', 'reduce', '--bytes', '4000000000', '--hardware', 'mesh-8x8'], /FABRIC_BAD_OPTION: .*packets at once: at most \d+ bytes, got 4000000000/],
  [['--sweep', '--rates', '0.1,,0.2'], /--rates takes values with commas/],
  [['--sweep', '--vcs', '1,1'], /--vcs names 1 twice/],
  [['--sweep', '--rate', '0.1'], /--rate means nothing with --sweep/],
  [['--patern', 'uniform'], /Unknown option '--patern'\. Did you mean --pattern\?/],
])('kerf traffic %j is bad input, and says what would be good', async (args, message) => {
  const { code, out, err } = await call(...args);
  expect(err).toMatch(message);
  expect(code).toBe(2);
  expect(out).toBe('');
});

describe.each(['flit', 'packet'])('at %s fidelity', (fidelity) => {
  test('every documented field is there, and light load has the latency of the formula', async () => {
    const result = await json(...short, '--fidelity', fidelity, '--rate', '0.01', '--pipeline', 'B', '--seed', '4');
    expect(Object.keys(result).slice(0, 11)).toEqual(['packetLatencyCycles', 'networkLatencyCycles', 'hops', 'offeredFlitRate', 'acceptedFlitRate', 'status', 'cycles', 'packetHops', 'flitHops', 'cpuSeconds', 'peakRssBytes']);
    expect(result.status).toBe('stable');
    // 5 + 3 H, and a little waiting.
    const idle = 5 + 3 * (result.hops - 1);
    expect(result.packetLatencyCycles).toBeGreaterThanOrEqual(idle);
    expect(result.packetLatencyCycles).toBeLessThan(idle * 1.02);
    expect(result.cycles).toBeGreaterThanOrEqual(2500);
    expect(result.peakRssBytes).toBeGreaterThan(1e7);
  });

  test('far too much load saturates it, and is no error', async () => {
    const { code, out } = await call(...short, '--fidelity', fidelity, '--rate', '0.9', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'saturated', reason: expect.stringMatching(/has fallen 1000 cycles behind what is offered/) as string });
  });
});

test('packet fidelity quotes what holding a link until the tail makes', async () => {
  expect((await json(...short, '--flits', '4', '--vcs', '8')).notes[0]).toMatch(/holds a link until its tail.*13 to 32 % in latency/);
});

test('analytic fidelity simulates nothing', async () => {
  const result = await json(...short, '--fidelity', 'analytic', '--rate', '0.1');
  expect(result).toMatchObject({ status: 'stable', cycles: 0, packetHops: 0, hops: 6.25 });
  expect(await json(...short, '--fidelity', 'analytic', '--rate', '0.9')).toMatchObject({ status: 'saturated', packetLatencyCycles: null });
});

test('a person gets a block of lines', async () => {
  const { out, code } = await call(...short);
  expect(out).toMatch(/^Traffic +uniform on mesh-8x8, packet fidelity\nStatus +stable\nPacket latency +\d/);
  expect(code).toBe(0);
});

test('several dies are simulated together, at both fidelities that have them', async () => {
  for (const fidelity of ['packet', 'analytic']) {
    const result = await json('--hardware', 'flat-wafer-8', '--fidelity', fidelity, '--rate', '0.0005', '--cycles', '500', '--warmup-cycles', '0');
    expect(result.packetLatencyCycles).toBeGreaterThan(100);
    expect(result.packetsLeft).toBe(0);
  }
});

describe('traces of events', () => {
  const rows = [[0, 0, 63, 16], [0, 5, 6, 48], [40, 63, 0, 16]] as const;
  test('CSV, JSON lines and Arrow say the same', async () => {
    writeFileSync(at('a.csv'), `cycle,source,destination,bytes\n${rows.map((row) => row.join()).join('\n')}\n`);
    writeFileSync(at('a.jsonl'), rows.map(([cycle, source, destination, bytes]) => `${JSON.stringify({ cycle, source, destination, bytes })}\n`).join(''));
    const sink = new MemorySink();
    const column = (name: string) => ({ name, type: 'u64' as const, unit: '', description: name });
    const writer = new TableWriter({ name: 'events', metadata: {}, columns: ['cycle', 'source', 'destination', 'bytes'].map(column) }, sink);
    for (const row of rows) {
      for (const [index, value] of row.entries()) writer.set(index, value);
      writer.endRow();
    }
    writer.finish();
    writeFileSync(at('a.arrows'), sink.bytes());
    const results = await Promise.all(['a.csv', 'a.jsonl', 'a.arrows'].map(async (name) => {
      const { packetLatencyCycles, packets, cycles } = await json('--events', at(name), '--warmup-cycles', '0');
      return { packetLatencyCycles, packets, cycles };
    }));
    expect(results[0]!.packets).toBe(3);
    // Pipeline A: 7 + 5 H + (P − 1).
    expect(results[0]!.packetLatencyCycles).toBe((7 + 5 * 14 + (7 + 5 + 2) + 7 + 5 * 14) / 3);
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  test.each([['0,64,1,8', /FABRIC_BAD_EVENT: .*line 2: source is a whole number from 0 to 63, got 64/], ['9,1,1,8\n8,1,1,8', /line 3: cycle 8 comes after cycle 9/]])('%j is refused', async (text, message) => {
    writeFileSync(at('bad.csv'), `cycle,source,destination,bytes\n${text}\n`);
    const { code, err } = await call('--events', at('bad.csv'));
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

test('a stream over a link between dies gets what its credits allow', async () => {
  const stream = async (cycles: number): Promise<number> => (await json('--hardware', 'c2c-256g', '--set', `hardware.d2d.link.cycles=${cycles}`, '--stream', '0:1', '--bytes', '5120000')).throughputGigabytesPerSecond;
  expect(await stream(100)).toBeCloseTo(256, 0);
  const slow = await stream(500);
  expect(slow).toBeGreaterThan(120);
  expect(slow).toBeLessThan(130);
});

test('a multicast takes 30 + L + (c − 1) + (r − 1) cycles on the machine it was measured on', async () => {
  for (const fidelity of ['packet', 'analytic']) {
    const { cycles, beats, members } = await json('--hardware', 'floonoc-4x4', '--fidelity', fidelity, '--collective', 'multicast', '--region', '4x2', '--bytes', '2048');
    expect({ cycles, beats, members }).toEqual({ cycles: 30 + 32 + 3 + 1, beats: 32, members: 8 });
  }
  const { cycles, cyclesOfEach } = await json('--hardware', 'floonoc-4x4', '--collective', 'barrier', '--repeat', '3');
  expect(cycles).toBe(3 * cyclesOfEach);
});

test('a barrier goes up and down the narrow network, two cycles per hop, and a router joins all its inputs in one step', async () => {
  for (const fidelity of ['packet', 'analytic']) {
    const cycles: number[] = [];
    for (const region of ['2x1', '4x1', '4x2', '4x4']) cycles.push((await json('--hardware', 'floonoc-4x4', '--fidelity', fidelity, '--collective', 'barrier', '--region', region)).cycles);
    expect(cycles).toEqual([1, 3, 4, 6].map((hops) => 8 + 4 * hops));
  }
});

describe('a sweep', () => {
  test('finds saturation, writes a table and a drawing, and prints the rates', async () => {
    const { code, out } = await call('--mesh', '4x4', '--sweep', '--cycles', '2000', '--vcs', '1,4', '--out', at('curve'));
    expect(code).toBe(0);
    expect(out).toMatch(/uniform, packet, 4 virtual channels\n +offered +accepted +latency/);
    expect(out).toMatch(/Saturates between 0\.\d+ and \d\.?\d* flits/);
    const table = readTable(memorySource('curve.arrow', readFileSync(at('curve.arrow'))));
    const [batch] = [...table.batches()];
    const [rates, saturated, series] = [batch!.numbers('offered_flit_rate'), batch!.numbers('saturated'), batch!.numbers('series')];
    expect(table.rows).toBeGreaterThan(10);
    for (let row = 1; row < table.rows; row++) if (series[row] === series[row - 1]) expect(rates[row]).toBeGreaterThan(rates[row - 1]!);
    expect(saturated).toContain(1);
    const drawing = readFileSync(at('curve.svg'), 'utf8');
    expect(drawing).toMatch(/Offered load \(flits per tile and cycle\)/);
    expect(drawing).toMatch(/prefers-color-scheme:dark/);
    expect(drawing.match(/<polyline/g)).toHaveLength(2);
    expect((await call('--mesh', '4x4', '--sweep', '--out', at('curve'))).err).toMatch(/OUTPUT_EXISTS: .*--force replaces it/);
  });

  test('takes rates as they are given, and one object for programs', async () => {
    const result = await json('--mesh', '4x4', '--sweep', '--rates', '0.2,0.1', '--cycles', '500', '--fidelity', 'packet,analytic', '--pattern', 'tornado', '--out', at('two'));
    expect(result.series.map((series: { name: string }) => series.name)).toEqual(['tornado, packet, 1 virtual channel', 'tornado, analytic, 1 virtual channel']);
    expect(result.series[0].rows.map(({ rate }: { rate: number }) => rate)).toEqual([0.1, 0.2]);
  });
});

describe.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('%s', (signal, exitCode) => {
  test.each<[string, string[]]>([
    ['a sweep', ['--mesh', '16x16', '--sweep', '--cycles', '1000000']],
    ['a warm-up', ['--mesh', '8x8', '--warmup-cycles', '100000000', '--rate', '0.05']],
    ['a drain', ['--mesh', '32x32', '--warmup-cycles', '0', '--cycles', '500', '--rate', '0.9', '--latency-limit-cycles', '1000000000']],
    ['a wafer whose dies run alone for hundreds of cycles', ['--hardware', 'flat-wafer-64', '--rate', '0.1']],
    ['a large mesh that is being built', ['--mesh', '1024x1024', '--rate', '0.5']],
    ['a stream', ['--mesh', '8x8', '--stream', '0:63', '--bytes', '160000000']],
    ['a collective', ['--mesh', '32x32', '--collective', 'reduce', '--bytes', '1600', '--repeat', '100000']],
  ])('stops %s at once, and leaves no file', async (what, args) => {
    const path = at(`never ${signal} ${what}`);
    const running = call(...args, '--out', path);
    let sent = 0;
    const timer = setTimeout(() => {
      sent = performance.now();
      process.emit(signal, signal);
    }, 400);
    const { code, err } = await running;
    clearTimeout(timer);
    expect(sent).toBeGreaterThan(0);
    // Pieces of 40 ms, on a machine that may be busy otherwise.
    expect(performance.now() - sent).toBeLessThan(3000);
    expect(code).toBe(exitCode);
    expect(err).toMatch(/INTERRUPTED: The run was interrupted by SIG(INT|TERM)/);
    for (const file of ['', '.arrow', '.svg', '.arrow.partial']) expect(existsSync(path + file)).toBe(false);
  });
});

test('far past saturation thousands of tiles behind the routers of their dies end in bounded time and memory', async () => {
  const dies = ['--hardware', 'flat-wafer-64', '--set', 'hardware.wafer.diesX=2', '--set', 'hardware.wafer.diesY=2'];
  const result = await json(...dies, '--rate', '0.1', '--cycles', '1000000000');
  expect(result).toMatchObject({ status: 'saturated', reason: expect.stringMatching(/fallen \d+ cycles behind what is offered; measured for \d+ cycles/) as string });
  expect(result.cycles).toBeLessThan(40_000);
  expect(result.peakRssBytes).toBeLessThan(2e9);
});

describe('collectives in several regions at once', () => {
  const both = (first: string, second: string, ...more: string[]): string[] => ['--hardware', 'flat-8x8', '--region', first, '--region', second, ...more];

  test.each(['multicast', 'reduce', 'barrier'])('%s in two that have nothing in common takes as long as in one', async (kind) => {
    for (const fidelity of ['packet', 'analytic']) {
      const bytes = kind === 'barrier' ? [] : ['--bytes', '4096'];
      const [one, two] = await Promise.all([
        json('--hardware', 'flat-8x8', '--region', '4x3', '--at', '4,0', '--collective', kind, '--fidelity', fidelity, '--repeat', '3', ...bytes),
        json(...both('4x3@0,0', '4x3@4,4'), '--collective', kind, '--fidelity', fidelity, '--repeat', '3', ...bytes),
      ]);
      expect(two.cycles).toBe(one.cycles);
      expect([one.members, two.members]).toEqual([12, 24]);
      expect(two.regions).toEqual([{ region: '4x3', at: '0,0', root: '0,0' }, { region: '4x3', at: '4,4', root: '4,4' }]);
    }
  });

  test.each(['reduce', 'barrier'])('%s in two that overlap is refused, with the tile', async (kind) => {
    const { code, err } = await call(...both('4x4@0,0', '4x4@3,3', '--collective', kind), ...(kind === 'reduce' ? ['--bytes', '64'] : []));
    expect(err).toMatch(/FABRIC_OVERLAPPING_REDUCTIONS: .*tile \(3, 3\) contributes to both at once.*disjoint regions/);
    expect(code).toBe(2);
  });
});
