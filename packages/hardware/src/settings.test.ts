import fc from 'fast-check';
import { expect, test } from 'vitest';
import { edgeNodes } from './edge-nodes.ts';
import { parseHardware } from './parse.ts';
import { presetHardware, presets } from './presets.ts';
import { creditCyclesOf, ejectionLinkOf, memoryOf, reductionOf, setupCyclesOf, virtualChannelsOf } from './settings.ts';

test('what a file leaves out means what it meant before there was a word for it', () => {
  const mesh = presetHardware('mesh-8x8');
  expect(virtualChannelsOf(mesh)).toBe(1);
  expect(setupCyclesOf(mesh)).toBe(0);
  expect(ejectionLinkOf(mesh)).toBe(mesh.localLink);
  expect(creditCyclesOf({ cycles: 7 })).toBe(7);
  expect(reductionOf(mesh)).toEqual({ inputsPerCycle: 2, latencyCycles: 0, tableEntries: 16, startCycles: 0, pageBytes: 4096, pageGapCycles: 0, landingBytesPerCycle: Infinity });
  expect(edgeNodes(mesh)).toEqual([]);
});

test('what a file says is what counts', () => {
  const mesh = presetHardware('mesh-8x8');
  const changed = parseHardware({ ...mesh, link: { ...mesh.link, virtualChannels: 4 }, router: { setupCycles: 2 }, ejectionLink: { ...mesh.localLink, cycles: 9 } }, 'my machine');
  expect(virtualChannelsOf(changed)).toBe(4);
  expect(setupCyclesOf(changed)).toBe(2);
  expect(ejectionLinkOf(changed).cycles).toBe(9);
  expect(creditCyclesOf({ cycles: 7, creditCycles: 3 })).toBe(3);
  expect(reductionOf(presetHardware('floonoc-4x4'))).toMatchObject({ startCycles: 21, pageGapCycles: 7 });
});

test('a machine of scratchpads says who cannot use it', () => {
  expect(() => memoryOf(presetHardware('wse2'), 'A replay')).toThrow('A replay needs memory channels, which the hardware "wse2" has none of: its memory is null.');
  expect(memoryOf(presetHardware('mesh-8x8'), 'A replay').channels).toBe(8);
});

test('memory nodes stand on their edges, share all channels, and serve each tile of an edge once', () => {
  const base = presetHardware('flat-8x8');
  const side = fc.integer({ min: 0, max: 8 });
  fc.assert(fc.property(side, side, side, side, (west, north, east, south) => {
    const count = west + north + east + south;
    fc.pre(count > 0);
    const machine = parseHardware({ ...base, memory: { ...base.memory, channels: 3 * count, edgeNodes: { west, north, east, south } } }, 'my machine');
    const nodes = edgeNodes(machine);
    expect(nodes.map(({ node }) => node)).toEqual(Array.from({ length: count }, (_, node) => node));
    expect(nodes.reduce((sum, { channels }) => sum + channels, 0)).toBe(3 * count);
    for (const [edge, of] of [['west', west], ['north', north], ['east', east], ['south', south]] as const) {
      const there = nodes.filter((node) => node.edge === edge);
      expect(there).toHaveLength(of);
      if (of > 0) expect(there.flatMap(({ first, tiles }) => Array.from({ length: tiles }, (_, i) => first + i))).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      for (const { tile } of there) expect({ west: tile.x === 0, north: tile.y === 0, east: tile.x === 7, south: tile.y === 7 }[edge]).toBe(true);
    }
  }));
});

test.each([['flat-32x32', 32, 1], ['flat-16x16', 32, 1], ['flat-8x8', 16, 2], ['flat-32x32-4t', 32, 2], ['flat-wafer-64', 32, 2]])('%s has %i memory nodes of %i channels', (name, nodes, channels) => {
  expect(edgeNodes(presets[name]!)).toHaveLength(nodes);
  for (const node of edgeNodes(presets[name]!)) expect(node.channels).toBe(channels);
});
