import { KerfError } from '@kerf/checks';

export type ScenarioErrorCode =
  | 'SCENARIO_FORMAT_VERSION'
  | 'SCENARIO_BAD_SETTING'
  | 'SCENARIO_UNKNOWN_SETTING'
  | 'SCENARIO_NEEDS_INLINE'
  | 'MODEL_FORMAT_VERSION'
  | 'MODEL_TOO_MANY_CHOICES'
  | 'MODEL_TOO_FEW_LAYERS';

/**
 * A scenario, model card or setting that has the right shape but means nothing. The context carries `source`, `path`,
 * `expected` and `got`. Wrong shapes are a `SchemaError` of \@kerf/checks, machines a `HardwareError` of \@kerf/hardware.
 */
export class ScenarioError extends KerfError<ScenarioErrorCode> {
  override readonly name = 'ScenarioError';
}
