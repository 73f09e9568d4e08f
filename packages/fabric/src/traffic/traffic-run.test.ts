import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { AnalyticFabric } from '../analytic/analytic-fabric.ts';
import { dieTopology } from '../die-topology.ts';
import type { Fabric } from '../fabric.ts';
import { NEVER } from '../kernel-state.ts';
import { machine } from '../laboratory.ts';
import { zeroLoadCycles } from '../latency.ts';
import { PacketKernel } from '../packet-kernel.ts';
import { patternNames } from './patterns.ts';
import { runTraffic, TrafficRun, type TrafficOptions } from './traffic-run.ts';

vi.setConfig({ testTimeout: 60_000 });

const fidelities: readonly [string, (tilesX: number, tilesY: number) => Fabric][] = [
  ['packet', (tilesX, tilesY) => new PacketKernel(dieTopology(machine({ tilesX, tilesY }), 0), { channels: 1 })],
  ['analytic', (tilesX, tilesY) => new AnalyticFabric(dieTopology(machine({ tilesX, tilesY }), 0), { channels: 1 })],
];
const base: TrafficOptions = { pattern: 'uniform', rate: 0.05, bytes: 128, seed: 1, warmupCycles: 500, cycles: 2000 };

describe.each(fidelities)('at %s fidelity', (_, fabricOf) => {
  test('a packet alone takes exactly the zero-load latency, from every tile to every tile', () => {
    const [width, height, flits] = [4, 3, 5];
    const cycle: number[] = [];
    const source: number[] = [];
    const destination: number[] = [];
    const expected: number[] = [];
    for (let from = 0; from < width * height; from++) {
      for (let to = 0; to < width * height; to++) {
        cycle.push(cycle.length * 100);
        source.push(from);
        destination.push(to);
        const links = Math.abs((from % width) - (to % width)) + Math.abs(Math.floor(from / width) - Math.floor(to / width));
        expected.push(zeroLoadCycles(links, flits, 1, 1));
      }
    }
    for (let row = 0; row < cycle.length; row++) {
      const events = { cycle: Int32Array.of(cycle[row]!), source: Int32Array.of(source[row]!), destination: Int32Array.of(destination[row]!), bytes: Int32Array.of(flits * 128) };
      const alone = runTraffic(fabricOf(width, height), { events, seed: 1, warmupCycles: 0, cycles: 1 });
      expect(alone).toMatchObject({ packetLatencyCycles: expected[row], networkLatencyCycles: expected[row], packets: 1, status: 'stable' });
    }
    const events = { cycle: Int32Array.from(cycle), source: Int32Array.from(source), destination: Int32Array.from(destination), bytes: new Int32Array(cycle.length).fill(flits * 128) };
    const all = runTraffic(fabricOf(width, height), { events, seed: 1, warmupCycles: 0, cycles: 1 });
    expect(all.packetLatencyCycles).toBe(expected.reduce((sum, cycles) => sum + cycles, 0) / expected.length);
  });

  test('below saturation everything offered is accepted, everything measured arrives, and every router traversal is counted', () => {
    fc.assert(fc.property(fc.constantFrom(...patternNames), fc.constantFrom(1, 2, 4), fc.nat(1000), (pattern, flits, seed) => {
      const fabric = fabricOf(8, 8);
      const result = runTraffic(fabric, { ...base, pattern, rate: 0.02, bytes: flits * 128, seed });
      expect(result.status).toBe('stable');
      expect(result.packetsLeft).toBe(0);
      const expected = (result.offeredFlitRate / flits) * 64 * base.cycles;
      expect(Math.abs(result.acceptedFlitRate - result.offeredFlitRate) * 64 * base.cycles / flits).toBeLessThan(5 * Math.sqrt(expected) + 64);
      expect(result.networkLatencyCycles!).toBeLessThanOrEqual(result.packetLatencyCycles!);
      expect(result.latencyPercentiles!.p50).toBeLessThanOrEqual(result.latencyPercentiles!.max);
      expect(result.flitHops / result.packetHops).toBeCloseTo(flits, 1);
    }), { numRuns: 10 });
  });

  test('the same seed gives the same run, in steps of any length; another seed another one', () => {
    const whole = runTraffic(fabricOf(8, 8), base);
    for (const step of [1, 7, 1000]) {
      const run = new TrafficRun(fabricOf(8, 8), base);
      while (!run.done) run.advance(step);
      expect(run.result()).toEqual(whole);
    }
    expect(runTraffic(fabricOf(8, 8), { ...base, seed: 2 })).not.toEqual(whole);
  });
});

test('past saturation a run is called saturated, still measures the whole window, and holds a bounded number of packets', () => {
  const fabric = fidelities[0]![1](8, 8);
  const result = runTraffic(fabric, { ...base, rate: 0.9, warmupCycles: 2000, cycles: 8000 });
  expect(result).toMatchObject({ status: 'saturated', cycles: 10_000 });
  expect(result.acceptedFlitRate).toBeGreaterThan(0.3);
  expect(result.acceptedFlitRate).toBeLessThan(0.6);
  expect(fabric.livePackets).toBeLessThanOrEqual(64 * 4096);
});

describe('a network that falls behind without hope', () => {
  const choice: TrafficOptions = { ...base, rate: 0.9, warmupCycles: 1_000_000, cycles: 1_000_000_000 };

  test('is not run for as long as was asked, and what it accepts is known all the same', () => {
    const long = runTraffic(fidelities[0]![1](8, 8), choice);
    expect(long).toMatchObject({ status: 'saturated', reason: expect.stringMatching(/^the network has fallen 1000 cycles behind what is offered; measured for \d+ cycles$/) as string });
    expect(long.cycles).toBeLessThanOrEqual(10_240 + 20_480);
    const whole = runTraffic(fidelities[0]![1](8, 8), { ...choice, warmupCycles: 3000, cycles: 9000 });
    expect(whole.cycles).toBe(12_000);
    expect(long.acceptedFlitRate / whole.acceptedFlitRate).toBeCloseTo(1, 1);
    expect(Math.abs(long.acceptedFlitRate / whole.acceptedFlitRate - 1)).toBeLessThan(0.02);
  });

  test('is told from one that only seems to: just below saturation nothing is cut short', () => {
    for (const rate of [0.3, 0.36]) expect(runTraffic(fidelities[0]![1](8, 8), { ...base, rate, warmupCycles: 2000, cycles: 30_000 })).toMatchObject({ status: 'stable' });
  });
});

test('a run that pauses as often as it can is the same run', () => {
  const whole = runTraffic(fidelities[0]![1](8, 8), { ...base, rate: 0.9 });
  const run = new TrafficRun(fidelities[0]![1](8, 8), { ...base, rate: 0.9 });
  let pauses = 0;
  while (!run.done) {
    run.advance(NEVER, () => true);
    pauses++;
  }
  expect(pauses).toBeGreaterThan(100);
  expect(run.result()).toEqual(whole);
});

test('dies of a wafer can pause apart from each other, and change nothing', () => {
  const dies = (): Fabric[] => [0, 1, 2, 3].map((die) => new PacketKernel(dieTopology(machine({ diesX: 2, diesY: 2, tilesX: 4, tilesY: 4 }), die), { channels: 1 }));
  const options: TrafficOptions = { ...base, rate: 0.5, warmupCycles: 200, cycles: 1500 };
  const run = new TrafficRun(dies(), options);
  while (!run.done) run.advance(NEVER, () => true);
  expect(run.result()).toEqual(runTraffic(dies(), options));
});

test('a rate so small that nothing is sent is that', () => {
  const run = new TrafficRun(fidelities[0]![1](4, 4), { ...base, rate: 1e-300 });
  while (!run.done) run.advance(NEVER);
  expect(run.result()).toMatchObject({ status: 'stable', packets: 0, acceptedFlitRate: 0, packetHops: 0 });
});

test('a trace larger than the memory for packets is held back and arrives all the same', () => {
  const packets = 4_200_000;
  const events = { cycle: Int32Array.of(0, 5), source: Int32Array.of(0, 1), destination: Int32Array.of(1, 0), bytes: Int32Array.of(packets * 128, 128) };
  const fabric = new PacketKernel(dieTopology(machine({ tilesX: 2, tilesY: 1, link: { maxPacketBytes: 128 } }), 0), { channels: 1 });
  const run = new TrafficRun(fabric, { events, seed: 1, warmupCycles: 0, cycles: 1 });
  run.advance(10);
  expect(fabric.livePackets).toBeLessThanOrEqual(4_000_000);
  while (!run.done) run.advance(NEVER);
  expect(run.result()).toMatchObject({ packets: packets + 1, packetsLeft: 0, status: 'stable' });
});

test('a mesh so large that the warm-up does not fill it is not called saturated for that, nor for long ways', () => {
  const fabric = new PacketKernel(dieTopology(machine({ tilesX: 150, tilesY: 2, link: { cycles: 10 } }), 0), { channels: 1 });
  const result = runTraffic(fabric, { ...base, rate: 0.002, warmupCycles: 0, cycles: 400 });
  // The longest way takes 1500 cycles, the mean one 500; nothing waits.
  expect(result).toMatchObject({ status: 'stable', packetsLeft: 0, latencyLimitCycles: 1 + 150 * 10 + 1 + 1 });
  expect(result.packetLatencyCycles).toBeGreaterThan(400);
});
