import type { Hardware } from '@kerf/hardware';
import { FabricError } from '../errors.ts';
import type { ReductionPlan } from '../fabric.ts';
import { LOCAL } from '../ports.ts';
import type { PlannedSet } from './collective-plans.ts';

/** A reduction that may run at the same time as others on its die. */
export interface ConcurrentReduction {
  readonly plan: ReductionPlan & Partial<PlannedSet>;
  /** Packets of it that may be open at a router at a time: as many as a tile may send ahead of the slowest. Absent: 1. */
  readonly openPackets?: number;
}

/**
 * Refuses reductions of one die that cannot run at the same time: two that a tile contributes to both, whose parts the
 * network could not tell apart in the order they come, and more at one router than its table of open reductions holds,
 * where the one that waits for room could block the one that would make it. Only routers that join need an entry:
 * a router with one input passes packets on.
 *
 * @param tableEntries reductions that can be open at one router at a time, ≥ 1
 * @throws FabricError `FABRIC_OVERLAPPING_REDUCTIONS`, `FABRIC_REDUCTION_TABLE`
 */
export function checkConcurrentReductions(hardware: Hardware, reductions: readonly ConcurrentReduction[], tableEntries: number): void {
  const routers = reductions[0]?.plan.inputs.length ?? 0;
  const { tilesX } = hardware.die;
  const owner = new Int32Array(routers).fill(-1);
  const open = new Float64Array(routers);
  const joins = new Int32Array(routers);
  const nameOf = ({ plan }: ConcurrentReduction): string => `${plan.name ?? `of ${plan.contributors} tiles`} into (${plan.root % tilesX}, ${Math.floor(plan.root / tilesX)})`;
  for (const [index, { plan, openPackets = 1 }] of reductions.entries()) {
    for (let router = 0; router < routers; router++) {
      const inputs = plan.inputs[router]!;
      if (inputs === 0) continue;
      if ((inputs >> LOCAL) % 2 === 1) {
        const other = owner[router]!;
        if (other >= 0) {
          const message = `The reductions ${nameOf(reductions[other]!)} and ${nameOf(reductions[index]!)} overlap: tile (${router % tilesX}, ${Math.floor(router / tilesX)}) contributes to both at once. Reductions that run at the same time have disjoint regions; run one after the other.`;
          throw new FabricError('FABRIC_OVERLAPPING_REDUCTIONS', message, { first: other, second: index, tile: router });
        }
        owner[router] = index;
      }
      if ((inputs & (inputs - 1)) !== 0) {
        open[router]! += openPackets;
        joins[router]!++;
      }
    }
  }
  for (let router = 0; router < routers; router++) {
    // A router where a single tree joins cannot block itself: its parts come in order on every input.
    if (joins[router]! < 2 || open[router]! <= tableEntries) continue;
    const there = reductions.filter(({ plan }) => (plan.inputs[router]! & (plan.inputs[router]! - 1)) !== 0).map(nameOf);
    const shown = there.slice(0, 4).join('; ') + (there.length > 4 ? `; and ${there.length - 4} more` : '');
    const message = `Router (${router % tilesX}, ${Math.floor(router / tilesX)}) would join ${open[router]} open reductions at once, and its table has ${tableEntries} ${tableEntries === 1 ? 'entry' : 'entries'} (reduction.tableEntries): ${shown}. Run fewer at a time, or let tiles send fewer packets ahead.`;
    throw new FabricError('FABRIC_REDUCTION_TABLE', message, { router, open: open[router]!, tableEntries });
  }
}
