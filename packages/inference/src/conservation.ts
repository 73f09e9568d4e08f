import type { CollectiveRow } from './kernel-rows.ts';
import { kernelFacts } from './kernel-programs.ts';
import { kernelStepLayer, type ReplayPlan } from './replay-plan.ts';

/** Copies of one die, phase and kernel, as the run counted them. */
export interface CopyCount extends Pick<CollectiveRow, 'phase' | 'copiesSent' | 'copiesReceived'> {
  readonly kernel: number;
}

/** Tokens and copies of one layer, over all steps and dies. */
export interface LayerConservation {
  /** Layer of the model, dense layers counted. */
  readonly layer: number;
  /** Tokens, from the trace. */
  readonly tokens: number;
  readonly topK: number;
  /** Copies that arrived at experts. */
  readonly dispatched: number;
  /** Copies that arrived back at their tokens. */
  readonly combined: number;
  /** In both phases as many copies were sent as arrived, and these are tokens × topK. */
  readonly conserved: boolean;
}

/**
 * Compares what a run counted with what its trace says: tokens × top-k = dispatched = combined, layer by layer.
 *
 * @param counts of every die, phase and kernel that had any, in any order
 */
export function conservation(plan: ReplayPlan, counts: Iterable<CopyCount>): LayerConservation[] {
  const { moeLayers, firstMoeLayer, topK } = plan.model;
  const column = (): Float64Array => new Float64Array(moeLayers);
  const sent = { dispatch: column(), combine: column() };
  const received = { dispatch: column(), combine: column() };
  for (const { kernel, phase, copiesSent, copiesReceived } of counts) {
    const row = kernelStepLayer(plan, kernel).layer - firstMoeLayer;
    sent[phase][row]! += copiesSent;
    received[phase][row]! += copiesReceived;
  }
  // Every layer of a step sees the same tokens.
  let tokens = 0;
  for (let kernel = 0; kernel < plan.kernels; kernel += moeLayers) tokens += kernelFacts(plan, kernel).tokens;
  return Array.from({ length: moeLayers }, (_, row) => {
    const dispatched = received.dispatch[row]!;
    const combined = received.combine[row]!;
    const copies = [dispatched, combined, sent.dispatch[row]!, sent.combine[row]!];
    return { layer: firstMoeLayer + row, tokens, topK, dispatched, combined, conserved: copies.every((count) => count === tokens * topK) };
  });
}
