import { dies, memoryOf, tiles, tilesPerDie, type Hardware } from '@kerf/hardware';
import { expertTiles, linearPlacement, type ExpertTiles } from '@kerf/moe';
import type { ModelCard, Scenario } from '@kerf/scenario';
import { checkTraceAgainstModel, type RoutingTrace } from '@kerf/traces';
import { InferenceError } from './errors.ts';
import { presentTilesOf, type PresentTiles } from './present-tiles.ts';
import { scheduleSlots, type SlotSchedule } from './slot-schedule.ts';
import { slotTiles } from './token-tiles.ts';

/** Everything that every process of a run derives, alike, from its inputs. A kernel is one MoE layer of one step. */
export interface ReplayPlan {
  readonly scenario: Scenario;
  readonly hardware: Hardware;
  readonly model: ModelCard;
  readonly trace: RoutingTrace;
  /** Steps × MoE layers; kernel = step × MoE layers + MoE layer. */
  readonly kernels: number;
  /** Places for tokens: dies that are there × tokensPerDie. */
  readonly slots: number;
  /** More slots than requests: requests are repeated. */
  readonly cycled: boolean;
  /** Sentences that the manifest of the run has to say; none where there is nothing to say. */
  readonly remarks: readonly string[];
  /** [experts] die of each expert, in every layer. */
  readonly placement: Uint16Array;
  /** Tiles of each expert. */
  readonly layout: ExpertTiles;
  /** [slots] wafer-wide tile of each slot. */
  readonly slotTile: Uint32Array;
  readonly schedule: SlotSchedule;
}

/**
 * Plans the replay of a trace's decode steps on a wafer. Tokens and experts are laid out on the dies and tiles that are there,
 * by the same rules as on a full grid.
 *
 * @throws TraceError if the trace was not recorded from this model's layers, experts and top-k
 * @throws HardwareError `HARDWARE_NO_MEMORY` if the dies have no memory to hold the weights
 * @throws InferenceError `INFERENCE_TOO_MANY_STEPS` if a step would have no token, `INFERENCE_NO_DECODE` if all would
 */
export function planReplay(scenario: Scenario, hardware: Hardware, model: ModelCard, trace: RoutingTrace): ReplayPlan {
  memoryOf(hardware, 'A replay of expert layers, which streams weights,');
  checkTraceAgainstModel(trace, model);
  const { steps, tokensPerDie } = scenario.workload;
  const there = presentTilesOf(hardware);
  const slots = there.dies.length * tokensPerDie;
  const schedule = scheduleSlots(trace, slots, scenario.seed);
  const { liveSteps, cycled } = schedule;
  const requests = schedule.tokens.length;
  if (steps > liveSteps) {
    const message = `Trace ${trace.name} gives ${liveSteps} steps without cycling when ${slots} slots serve its ${requests} requests, but ${steps} are asked for. Ask for at most ${liveSteps}, or for fewer tokens per die.`;
    throw new InferenceError('INFERENCE_TOO_MANY_STEPS', message, { steps, liveSteps, slots, requests });
  }
  const placement = linearPlacement(model.experts, there.dies.length).map((rank) => there.dies[rank]!);
  return {
    scenario,
    hardware,
    model,
    trace,
    kernels: steps * model.moeLayers,
    slots,
    cycled,
    remarks: [...aroundDefects(hardware, there), ...(cycled
      ? [`The trace has ${requests} requests and the wafer ${slots} slots, so requests are repeated: slots from ${requests} on start at an offset drawn from seed ${scenario.seed}, and every request starts again when it ends.`]
      : [])],
    placement,
    layout: expertTiles(placement, hardware, there.tilesOfDie),
    slotTile: slotTiles(there, tilesPerDie(hardware), tokensPerDie),
    schedule,
  };
}

function aroundDefects(hardware: Hardware, there: PresentTiles): string[] {
  const present = there.tilesOfDie.reduce((sum, here) => sum + here.length, 0);
  if (present === tiles(hardware)) return [];
  return [`Of ${tiles(hardware)} tiles on ${dies(hardware)} dies ${present} on ${there.dies.length} are there: tokens and experts are laid out on those.`];
}

/** The step of a kernel, and its layer in the model, dense layers counted. */
export function kernelStepLayer(plan: ReplayPlan, kernel: number): { step: number; layer: number } {
  if (!Number.isInteger(kernel) || kernel < 0 || kernel >= plan.kernels) throw new RangeError(`Kernel ${kernel} of a run with ${plan.kernels}`);
  const { moeLayers, firstMoeLayer } = plan.model;
  return { step: Math.floor(kernel / moeLayers), layer: firstMoeLayer + (kernel % moeLayers) };
}
