import type { Scenario } from './scenario.ts';

/** The run that a command starts from: every default of Kerf, written out. A fresh value each time. */
export function defaultScenario(): Scenario {
  return {
    formatVersion: 1,
    hardware: 'flat-wafer-8',
    workload: {
      kind: 'moe-replay',
      trace: 'traces/gpt-oss-20b-synthetic',
      model: 'gpt-oss-20b',
      steps: 4,
      tokensPerDie: 16,
    },
    mapping: { experts: 'linear' },
    fidelity: 'packet',
    seed: 1,
    output: { binCycles: 1_000_000 },
    execution: { nodes: 'auto', transport: 'auto' },
  };
}
