import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dieTopology, PacketKernel, runStream } from '@kerf/fabric';
import { dies, figuresOf, parseHardware, presetHardware, presets, tiles, type DefectsSpec, type Hardware } from '@kerf/hardware';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kerf } from '../program.ts';
import { drawHardware } from './draw.ts';
import { bytesText, countText, decimalText, plural, timeText } from './units-text.ts';

// The channels of wse2 are ten million, and a busy machine may take its time over them.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerf-hardware-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function call(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await kerf(['hardware', ...args], { out: (text) => (out += text), err: (text) => (err += text) });
  return { code, out, err };
}

function file(name: string, value: unknown): string {
  writeFileSync(at(name), JSON.stringify(value));
  return at(name);
}

const broken = (preset: string, defects: DefectsSpec) => ({ ...presetHardware(preset), name: `broken ${preset}`, defects });

test.each(Object.keys(presets))('%s is listed, shown and sound', async (name) => {
  expect((await call('list')).out).toContain(name);
  const { code, out, err } = await call('check', name);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('Defects: none');
  expect(out).toContain('Reachable: every tile from every other');
  expect(out).toMatch(/^Deadlock: none possible \(.* routes x, then y; no circle\)$/m);
});

test('the figures of a machine, for people', async () => {
  const { out } = await call('show', 'flat-wafer-64');
  for (const line of [
    /^flat-wafer-64: 64 dies \(8×8, hub links\) of 1,024 tiles \(32×32\), 1930 MHz$/m,
    /^matrix, 8 bit +2\.02 PFLOPS +130 PFLOPS$/m,
    /^memory bandwidth +4\.1 TB\/s +262 TB\/s$/m,
    /^memory +128 GiB +8 TiB$/m,
    /^bisection, each way +7\.91 TB\/s +8 TB\/s$/m,
    /^d2d\.link +hub to hub +1 TB\/s +495 cycles +derived: enough$/m,
    /^Corner to corner, idle: 6,966 cycles \(3\.61 µs\) over 32 links inside dies and 14 between dies$/m,
  ]) expect(out).toMatch(line);
});

const kernels = (hardware: Hardware) => Array.from({ length: dies(hardware) }, (_, die) => new PacketKernel(dieTopology(hardware, die), { channels: 1 }));

test.each(['mesh-8x8', 'flat-16x16', 'floonoc-4x4', 'flat-wafer-8', 'flat-wafer-64-160g', 'c2c-256g'])('%s: the idle latency from corner to corner is that of the packet kernel', (name) => {
  const hardware = presetHardware(name);
  const flit = hardware.link.bytesPerCycle;
  const { cycles } = runStream(kernels(hardware), { from: 0, to: tiles(hardware) - 1, bytes: flit, packetBytes: flit });
  expect(cycles).toBe(figuresOf(hardware).cornerToCorner.cycles);
});

test.each([[100, 249.8], [300, 202.4], [500, 122.2]])('c2c-256g: at %i ns 1 MiB goes at %f GB/s (SoftHier slides of 16 Sep 2025), within 1 %%', (latency, gigabytesPerSecond) => {
  const base = presetHardware('c2c-256g');
  const hardware = parseHardware({ ...base, d2d: { ...base.d2d, link: { ...base.d2d!.link, cycles: latency } } }, 'test');
  const { bytesPerCycle } = runStream(kernels(hardware), { from: 0, to: 1, bytes: 2 ** 20, packetBytes: 256 });
  expect(bytesPerCycle / gigabytesPerSecond).toBeCloseTo(1, 2);
});

test('the figures of a machine, for programs: one object', async () => {
  const { hardware, figures, defects, cutOffTiles, remarks } = JSON.parse((await call('show', 'c2c-256g', '--json')).out);
  expect(hardware).toEqual(presetHardware('c2c-256g'));
  expect(figures.die.bisectionBytesPerSecond).toBe(null);
  expect(figures.cornerToCorner).toEqual({ cycles: 258, nanoseconds: 258, tileLinks: 0, dieLinks: 1 });
  expect(defects).toEqual({ dies: 0, tiles: 0, links: 0, hubLinks: 0 });
  expect(cutOffTiles).toEqual([]);
  expect(remarks).toEqual([expect.stringContaining('at most 98.2 % of its bandwidth')]);
});

test('a preset is printed as a file that is taken back', async () => {
  const { out } = await call('show', 'wse2', '--print-file');
  writeFileSync(at('printed.json'), out);
  expect(JSON.parse((await call('show', at('printed.json'), '--json')).out).hardware).toEqual(presetHardware('wse2'));
});

test('a window of credits that throttles its link is remarked upon', async () => {
  const base = presetHardware('flat-wafer-8');
  const path = file('window.json', { ...base, d2d: { ...base.d2d, link: { ...base.d2d!.link, credits: 64 } } });
  const { code, out } = await call('check', path);
  expect(code).toBe(0);
  expect(out).toMatch(/^d2d\.link .* 8 KiB for 10\.7 KiB a round trip: 75\.0 %$/m);
  expect(out).toMatch(/^Remark: d2d\.link: the credit window of 8192 bytes is less than the 10923 bytes/m);
});

test('defects are counted', async () => {
  const path = file('defects.json', broken('flat-wafer-8', { dies: [{ x: 3, y: 1 }], tiles: [{ die: { x: 0, y: 0 }, x: 3, y: 3 }], links: [{ die: { x: 1, y: 1 }, x: 7, y: 0, direction: 'east' }] }));
  const { code, out } = await call('check', path);
  expect(code).toBe(0);
  expect(out).toContain('Defects: 1 die, 65 tiles, 266 directed links between tiles absent (links of absent tiles included)');
  expect(out).toMatch(/^tiles +64 +447$/m);
});

test('a tile that is cut off is shown, drawn, and fails a check', async () => {
  const links = [{ x: 0, y: 0, direction: 'east' as const }, { x: 0, y: 0, direction: 'south' as const }];
  const path = file('cut-off.json', broken('mesh-8x8', { links }));
  const shown = await call('show', path);
  expect(shown.code).toBe(0);
  expect(shown.out).toContain('Reachable: all but one tile: (0, 0)');
  expect(shown.out).toMatch(/^Deadlock: none possible \(.* routes up and down around what is absent; no circle\)$/m);
  const { code, err } = await call('check', path, '--svg', at('cut-off.svg'));
  expect(code).toBe(2);
  expect(err).toMatch(/^kerf: FABRIC_UNREACHABLE: .*cut a tile off from the rest/);
  expect(readFileSync(at('cut-off.svg'), 'utf8')).toContain('>1 tile cut off from the rest<');
});

test.each<[what: string, value: unknown, message: RegExp]>([
  ['an unknown key', { ...presetHardware('mesh-8x8'), links: {} }, /SCHEMA_UNKNOWN_KEY: .*machine\.json: unknown key links\. Did you mean "link"\?/],
  ['a number out of its range', { ...presetHardware('mesh-8x8'), clockMegahertz: 0 }, /machine\.json: clockMegahertz must be >= 1, got 0\./],
  ['a defect off the die', broken('mesh-8x8', { tiles: [{ x: 8, y: 0 }] }), /HARDWARE_BAD_DEFECT: .*machine\.json: defects\.tiles\.0 must be a tile of the die, x from 0 to 7 and y from 0 to 7, got \(8, 0\)\./],
  ['an absent gateway', broken('flat-wafer-64', { tiles: [{ die: { x: 0, y: 0 }, x: 0, y: 0 }] }), /HARDWARE_BAD_DEFECT: .*It is d2d\.gateways\.0/],
  ['another version', { formatVersion: 2 }, /HARDWARE_FORMAT_VERSION/],
  ['a list', [], /SCHEMA_WRONG_TYPE: .*the top level must be of type object/],
])('%s is bad input to show and check', async (_what, value, message) => {
  const path = file('machine.json', value);
  for (const command of ['show', 'check']) {
    const { code, out, err } = await call(command, path);
    expect(err).toMatch(message);
    expect([code, out]).toEqual([2, '']);
  }
});

test.each<[string[], RegExp]>([
  [['show', 'flat-wafer-9'], /HARDWARE_UNKNOWN_PRESET: .*Did you mean "flat-wafer-8"\?/],
  [['check', '/none/there.json'], /FILE_NOT_FOUND: .*\/none\/there\.json/],
  [['show'], /Missing required argument 'preset\|file'/],
  [['show', 'mesh-8x8', '--svgg', 'x'], /Did you mean --svg\?/],
])('kerf hardware %j is bad input', async (args, message) => {
  const { code, err } = await call(...args);
  expect(err).toMatch(message);
  expect(code).toBe(2);
});

test('a drawing is a file, and nothing is half of it', async () => {
  const { code, out } = await call('show', 'mesh-8x8', '--svg', at('mesh.svg'));
  expect(code).toBe(0);
  expect(out).toContain(`Drawn in ${at('mesh.svg')}`);
  expect(readFileSync(at('mesh.svg'), 'utf8')).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
  expect((await call('show', 'mesh-8x8', '--svg', join(at('mesh.svg'), 'x.svg'))).code).toBe(2);
});

test.each(Object.keys(presets))('the drawing of %s is well formed, of screen size and small', (name) => {
  const svg = drawHardware(presets[name]!);
  expectWellFormed(svg);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)!;
  expect(Number(width)).toBeLessThanOrEqual(1000);
  expect(Number(height)).toBeLessThanOrEqual(1100);
  expect(svg.length).toBeLessThan(40_000);
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});

test('a drawing marks every defect that a person can see, and its legend counts them', () => {
  const mesh = parseHardware(broken('mesh-8x8', { tiles: [{ x: 2, y: 2 }, { x: 5, y: 1 }], links: [{ x: 0, y: 0, direction: 'east' }, { x: 4, y: 4, direction: 'north', bothWays: false }] }), 'test');
  const svg = drawHardware(mesh, { cutOff: [63] });
  expectWellFormed(svg);
  expect(svg.match(/class="hole"/g)).toHaveLength(2 + 1);
  expect(svg.match(/class="cut-off"/g)).toHaveLength(1 + 1);
  for (const text of ['62 tiles', '2 absent tiles', '1 absent link, both ways', '1 link absent one way, as the arrow points', '1 tile cut off from the rest']) expect(svg).toContain(`>${text}<`);
});

test('thousands of defects on a large wafer stay a small picture', () => {
  const absent = Array.from({ length: 20_000 }, (_, i) => ({ die: { x: i % 12, y: Math.floor(i / 12) % 7 }, x: Math.floor(i / 84) % 66, y: (3 * Math.floor(i / (84 * 66))) % 154 }));
  const svg = drawHardware(parseHardware(broken('wse2', { tiles: absent }), 'test'));
  expectWellFormed(svg);
  expect(svg).toContain('20,000 absent tiles, in cells of');
  expect(svg.length).toBeLessThan(2_000_000);
});

test('hubs: dead dies, dead links between dies and their gateways are drawn', () => {
  const svg = drawHardware(parseHardware(broken('flat-wafer-64', { dies: [{ x: 0, y: 0 }], links: [{ die: { x: 3, y: 3 }, direction: 'east' }, { die: { x: 4, y: 4 }, direction: 'south', bothWays: false }] }), 'test'));
  expectWellFormed(svg);
  expect(svg).toContain('>absent<');
  expect(svg).toContain('1 absent die<');
  expect(svg).toContain('>7 absent directed links between hubs, those of absent dies included<');
  expect(svg).toContain('16 gateways per die');
});

test.each([
  [decimalText(1.048576e15, 'FLOPS'), '1.05 PFLOPS'],
  [decimalText(999.6e9, 'B/s'), '1 TB/s'],
  [decimalText(0, 'B/s'), '0 B/s'],
  [decimalText(512e9, 'B/s'), '512 GB/s'],
  [bytesText(393_216), '384 KiB'],
  [bytesText(2 ** 36), '64 GiB'],
  [timeText(3609.3), '3.61 µs'],
  [timeText(16), '16 ns'],
  [countText(65_536), '65,536'],
  [countText(853_776), '853,776'],
  [plural(1, 'tile'), '1 tile'],
  [plural(1024, 'tile'), '1,024 tiles'],
])('%s is written %s', (text, expected) => expect(text).toBe(expected));

/** Every element is closed in its turn, and every attribute quoted. */
function expectWellFormed(svg: string): void {
  const open: string[] = [];
  for (const [, closing, name, attributes, selfClosing] of svg.replace(/<style>[\s\S]*?<\/style>/, '').matchAll(/<(\/?)([a-z]+)([^<>]*?)(\/?)>/gi)) {
    expect(attributes!.replace(/\s[\w:-]+="[^"]*"/g, '')).toBe('');
    if (closing === '/') expect(open.pop()).toBe(name);
    else if (selfClosing !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
}
