import { dies, tilesPerDie, type DieToDieSpec, type Hardware } from '@kerf/hardware';
import { ProgramBuilder, type ProgramTable } from '@kerf/program';
import type { EngineOptions, LinkRow } from './die-engine.ts';
import { Region } from './region.ts';

/** Small machines and programs for the tests of this package. Not part of its public API. */

/** Tiles joined by links of 16 B per cycle, packets of at most 64 B, matrix engines of 64 operations per cycle. */
export function machine(tilesX: number, tilesY: number, diesX = 1, d2d: DieToDieSpec | null = null): Hardware {
  const plain = { bytesPerCycle: 16, cycles: 1, picojoulesPerByteHop: 0.15 };
  return {
    formatVersion: 1,
    name: 'laboratory',
    description: 'A machine of the tests.',
    clockMegahertz: 1000,
    wafer: { diesX, diesY: 1 },
    die: { tilesX, tilesY },
    tile: { matrix: { flopsPerCycle: { fp16: 64, fp8: 128 }, rows: 8, columns: 4, pipelineStages: 1 }, vector: { flopsPerCycle: 8 }, l1Bytes: 65_536, l1BytesPerCycle: 64 },
    link: { ...plain, cycles: 2, maxPacketBytes: 64 },
    localLink: plain,
    memory: { channels: 2, bytesPerCyclePerChannel: 8, latencyCycles: 10, capacityBytes: 2 ** 30 },
    d2d,
  };
}

export const DIE_LINK = { bytesPerCycle: [29, 3] as [number, number], cycles: 7, picojoulesPerByteHop: 1 };

export interface Message {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
  /** Matrix work before sending, operations. */
  readonly flops: number;
}

/** One table per die: each tile computes and sends its messages one after the other, and receives all that is sent to it. */
export function programsOf(hardware: Hardware, messages: readonly Message[]): ProgramTable[] {
  const perDie = tilesPerDie(hardware);
  const all = perDie * dies(hardware);
  return Array.from({ length: dies(hardware) }, (_, dieId) => {
    const builder = new ProgramBuilder(dieId, ['data']);
    for (let local = 0; local < perDie; local++) {
      const tile = dieId * perDie + local;
      const coming = messages.filter(({ to }) => to % all === tile);
      if (coming.length > 0) builder.receive(local, 0, coming.reduce((sum, { bytes }) => sum + bytes, 0));
      let before: number[] = [];
      for (const { to, bytes, flops } of messages.filter(({ from }) => from % all === tile)) {
        if (flops > 0) before = [builder.compute(local, { label: 0, rows: 1, flops, memoryBytes: 0 }, before)];
        before = [builder.send(local, to % all, 0, bytes, 1, before)];
      }
    }
    return builder.finish();
  });
}

export function regionOf(hardware: Hardware, rows: LinkRow[] = [], options: Partial<EngineOptions> = {}): Region {
  return new Region(hardware, Array.from({ length: dies(hardware) }, (_, die) => die), {
    channels: ['data'], elementType: 'fp16', binCycles: 1_000_000, onLinkRow: (row) => rows.push({ ...row }), ...options,
  });
}

/** Runs what is left before `limit`. */
export function run(region: Region, limit = 2 ** 30): Region {
  while (region.runWindow(limit, 1000));
  return region;
}

/** What a user could see of a kernel. */
export function outcome(region: Region): unknown {
  return region.engines.map(({ startCycle, endCycle, fabric }) => ({ start: [...startCycle], end: [...endCycle], hash: [...fabric.deliveryHash], hops: fabric.linkHops }));
}
