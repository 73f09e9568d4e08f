import { manhattan } from '@kerf/hardware';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NEVER } from '../kernel-state.ts';
import { machine } from '../laboratory.ts';
import { meshKernel } from './laboratory.ts';
import { flitPipelines, routerCycles } from './pipeline.ts';

describe('an idle mesh', () => {
  test('costs a single packet (H + 1) t_r + H + 3 + (P - 1) cycles', () => {
    const stage = (least: number): fc.Arbitrary<number> => fc.integer({ min: least, max: 4 });
    const pipelines = fc.oneof(
      fc.constantFrom(flitPipelines.A, flitPipelines.B),
      fc.record({ routing: stage(0), vcAllocation: stage(1), switchAllocation: stage(1), switchTraversal: stage(0), creditDelay: stage(0), lookAhead: fc.boolean(), speculative: fc.boolean() }),
    );
    fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 8 }), pipelines, fc.integer({ min: 1, max: 16 }), fc.constantFrom('flit' as const, 'packet' as const), (side, tilesY, a, b, flits, pipeline, virtualChannels, switchHold) => {
      const kernel = meshKernel({ side, tilesY, pipeline, virtualChannels, switchHold, bufferFlits: 40 });
      const [from, to] = [a % (side * tilesY), b % (side * tilesY)];
      kernel.beginCycle(7);
      kernel.inject(from, to, 0, flits * 128, 3);
      kernel.decide();
      for (let cycle = kernel.nextCycle(); kernel.delivered === 0; cycle = kernel.nextCycle()) {
        kernel.beginCycle(cycle);
        kernel.decide();
      }
      const links = manhattan(machine({ tilesX: side, tilesY }), from, to);
      expect(kernel.now - 7).toBe((links + 1) * routerCycles(pipeline) + links + 3 + (flits - 1));
      expect([kernel.deliveredTile[0], kernel.deliveredSource[0], kernel.deliveredSequence[0], kernel.deliveredEntered[0], kernel.linkHops, kernel.flitHops]).toEqual([to, from, 3, 7, links, links * flits]);
      expect(kernel.nextCycle()).toBe(NEVER);
      kernel.assertQuiescent();
    }), { numRuns: 300 });
  });
});
