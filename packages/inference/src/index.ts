export { conservation, type CopyCount, type LayerConservation } from './conservation.ts';
export { InferenceError, type InferenceErrorCode } from './errors.ts';
export { dieProgram, indexKernel, kernelFacts } from './kernel-programs.ts';
export { collectiveRows, expertRows, type CollectiveRow, type ExpertRow } from './kernel-rows.ts';
export { modelCard, modelCardNames } from './model-cards.ts';
export { kernelStepLayer, planReplay, type ReplayPlan } from './replay-plan.ts';
export type { SlotSchedule } from './slot-schedule.ts';
