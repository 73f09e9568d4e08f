import type { DeadlockReport } from '@kerf/fabric';
import { TABLE_NAMES, type Manifest } from '@kerf/results';
import type { ReplayPlan } from '@kerf/inference';
import { kerfVersion } from './version.ts';

/** What a run at packet fidelity owes its reader (docs/architecture.md, section 4). */
const fidelityStatement =
  'packet: virtual cut-through with credits; a packet holds each link for its length in flits. Against a router that shares links flit by flit, latencies under load differ by 13 to 32 %.';

/**
 * The manifest of a run that is about to begin: all that is known before the first cycle.
 *
 * @param scenario with `nodes` and `transport` as they were chosen
 * @param startedAt ISO 8601, UTC
 */
export function firstManifest(plan: ReplayPlan, scenario: object, traceSha256: string, deadlock: DeadlockReport, startedAt: string): Manifest {
  const { hardware, model, trace, placement, slots, cycled, remarks } = plan;
  return {
    formatVersion: 1,
    status: 'running',
    kerfVersion: kerfVersion(),
    nodeVersion: process.versions.node,
    startedAt,
    scenario: { ...scenario },
    hardware,
    model: { ...model },
    trace: {
      name: trace.name,
      sha256: traceSha256,
      model: trace.model,
      tokens: trace.tokens,
      layers: trace.layers,
      requests: trace.requests.length,
      origin: trace.origin,
      ...(cycled ? { cycling: { slots, requests: trace.requests.length, how: remarks.at(-1)! } } : {}),
    },
    expertPlacement: { kind: plan.scenario.mapping.experts, dieOfExpert: [...placement] },
    fidelity: { level: plan.scenario.fidelity, statement: fidelityStatement },
    ...(remarks.length > 0 ? { remarks: [...remarks] } : {}),
    deadlockFreedom: { routing: deadlock.routing, classes: [...deadlock.classes], channels: deadlock.channels, dependencies: deadlock.dependencies, acyclic: deadlock.acyclic },
    processes: [],
    conservation: [],
    tables: {},
  };
}

/** Whether parsed JSON is a manifest that some version of Kerf wrote, however its run ended. */
export function isManifest(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { formatVersion, kerfVersion, scenario, status } = value as Record<string, unknown>;
  return typeof formatVersion === 'number' && typeof kerfVersion === 'string' && typeof scenario === 'object' && typeof status === 'string';
}

export const runFolderTables: readonly string[] = TABLE_NAMES;
