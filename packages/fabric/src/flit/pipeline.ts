import { suggestion } from '@kerf/checks';
import { FabricError } from '../errors.ts';

/**
 * Stages of an input-queued virtual-channel router, in cycles. A head flit pays route computation, virtual-channel
 * allocation, switch allocation and switch traversal in turn; body flits only the last two.
 *
 * @see Dally & Towles, Principles and Practices of Interconnection Networks (2004), ch. 16
 */
export interface FlitPipeline {
  /** Route computation (RC), 0..64. Costs nothing with `lookAhead`. */
  readonly routing: number;
  /** Virtual-channel allocation (VA), 1..64. */
  readonly vcAllocation: number;
  /** Switch allocation (SA), 1..64. */
  readonly switchAllocation: number;
  /** Switch traversal (ST), 0..64. */
  readonly switchTraversal: number;
  /** Cycles from the arrival of a credit until the allocators see it, 0..64. */
  readonly creditDelay: number;
  /** The route of a router is computed one hop before, beside other stages. */
  readonly lookAhead: boolean;
  /** A head flit asks for the switch while it asks for a virtual channel: the two stages overlap. */
  readonly speculative: boolean;
}

/** The two pipelines of the BookSim 2 comparison: A in four separate stages, B short (look-ahead, VA and SA in one cycle). */
export const flitPipelines: Readonly<Record<'A' | 'B', FlitPipeline>> = {
  A: { routing: 1, vcAllocation: 1, switchAllocation: 1, switchTraversal: 1, creditDelay: 1, lookAhead: false, speculative: false },
  B: { routing: 0, vcAllocation: 1, switchAllocation: 1, switchTraversal: 1, creditDelay: 0, lookAhead: true, speculative: true },
};

const LEAST: Readonly<Record<string, number>> = { routing: 0, vcAllocation: 1, switchAllocation: 1, switchTraversal: 0, creditDelay: 0 };
const FLAGS = ['lookAhead', 'speculative'];
const MOST = 64;

/**
 * A pipeline by name (`A`, `B`), or as an object. Stages that an object leaves out are those of A.
 *
 * @throws FabricError `FABRIC_BAD_OPTION` for an unknown name or key, or a value out of range
 */
export function parseFlitPipeline(value: unknown): FlitPipeline {
  if (typeof value === 'string') {
    const preset = Object.entries(flitPipelines).find(([name]) => name === value)?.[1];
    if (preset === undefined) throw new FabricError('FABRIC_BAD_OPTION', `A router pipeline is A, B or a JSON object, got "${value}".`, { pipeline: value });
    return preset;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FabricError('FABRIC_BAD_OPTION', 'A router pipeline is A, B or a JSON object.', {});
  }
  const names = [...Object.keys(LEAST), ...FLAGS];
  for (const [key, given] of Object.entries(value) as [string, unknown][]) {
    const least = LEAST[key];
    if (least !== undefined) {
      if (typeof given !== 'number' || !Number.isInteger(given) || given < least || given > MOST) {
        throw new FabricError('FABRIC_BAD_OPTION', `${key} of a router pipeline is a whole number of cycles, ${least} to ${MOST}, got ${JSON.stringify(given)}.`, { key });
      }
    } else if (FLAGS.includes(key)) {
      if (typeof given !== 'boolean') throw new FabricError('FABRIC_BAD_OPTION', `${key} of a router pipeline is true or false, got ${JSON.stringify(given)}.`, { key });
    } else {
      throw new FabricError('FABRIC_BAD_OPTION', `A router pipeline has no ${key}; it has ${names.join(', ')}.${suggestion(key, names)}`, { key });
    }
  }
  return { ...flitPipelines.A, ...value };
}

/** Cycles of route computation that a head flit pays in every router. */
function routingCycles({ routing, lookAhead }: FlitPipeline): number {
  return lookAhead ? 0 : routing;
}

/** Cycles of a head flit in an idle router: t_r = RC + (speculative ? max(VA, SA) : VA + SA) + ST. */
export function routerCycles(pipeline: FlitPipeline): number {
  const { vcAllocation, switchAllocation, switchTraversal, speculative } = pipeline;
  const allocation = speculative ? Math.max(vcAllocation, switchAllocation) : vcAllocation + switchAllocation;
  return routingCycles(pipeline) + allocation + switchTraversal;
}

/**
 * How the kernel spends the stages: `before` the cycle in which a head flit is first seen by the allocators (from its
 * arrival or, behind another packet, from the cycle after that one's tail was granted the switch), and `after` the cycle
 * in which a flit is granted the switch, until it is on the wire. The allocators decide once per cycle, so of a stage of
 * several cycles all but one are spent before (VA) or after (SA).
 */
export function stagesOf(pipeline: FlitPipeline): { readonly before: number; readonly after: number } {
  const { vcAllocation, switchAllocation, switchTraversal, speculative } = pipeline;
  const routing = routingCycles(pipeline);
  if (speculative) return { before: routing, after: Math.max(vcAllocation, switchAllocation) - 1 + switchTraversal };
  return { before: routing + vcAllocation - 1, after: switchAllocation - 1 + switchTraversal };
}
