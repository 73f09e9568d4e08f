import type { Static, TSchema } from '@sinclair/typebox';
import type { RowList } from '../ledger-row.ts';
import type { PlannedRow } from '../planned-case.ts';
import { programRun, type ProgramRun } from '../program-commands.ts';
import { emptyRegionCycles, readSofthierAs, type SofthierFile, type SofthierRow } from '../reference/softhier.ts';
import type { References } from '../reference/references.ts';
import type { CaseDraft, CaseSource } from '../suite.ts';
import { ELEMENT_BYTES } from '../tile-programs/program-file.ts';
import { cyclesOf } from '../traffic-commands.ts';

// Small programs of the reference machine as tile programs. Its rows count from the south, ours from the north: its tile (x, y) is
// our tile (x, edge − 1 − y), and its tile (0, 0) lies beside the nodes of the west and the south edge.

/** What all rows of the second list run with. */
export const referenceOptions = ['--costs', 'reference'] as const;

/** A relative tolerance, and cycles that are always forgiven. */
export interface Tolerance {
  readonly share: number;
  readonly cycles: number;
}

export const OTHERS: Tolerance = { share: 0.15, cycles: 12 };
export const OTHERS_TEXT = '15 % or 12 cycles each';

/** Preset and edge, in tiles, of the machines that were measured. */
export const machines: Readonly<Record<string, { readonly hardware: string; readonly edge: number }>> = {
  '4x4': { hardware: 'softhier-4x4', edge: 4 },
  '4x4_private': { hardware: 'softhier-4x4-private', edge: 4 },
  '8x8': { hardware: 'softhier-8x8', edge: 8 },
};

/**
 * The reference's channels refresh again and again while nobody uses them, as far ahead as 128 times. A load after an idle time waits
 * for the end of the one in progress: half of a refresh of 130 cycles in the mean. When so many are done ahead, one per 1500
 * cycles is left: 130² / 2 / 1500 of each of two pseudo-channels, which refresh in turn.
 */
const IDLE_REFRESH_CYCLES = 65;
const LATER_REFRESH_CYCLES = 11;

/**
 * How a row is run, how many of its loads come after an idle time, and what software of the measurement takes beside an empty region. A
 * text says why it cannot be run.
 */
export type Plan = string | (Omit<ProgramRun, 'hardware'> & { readonly list: RowList; readonly tolerance: Tolerance; readonly note?: string; readonly costSeconds?: number; readonly idleLoads?: number; readonly softwareCycles?: number });

/** The tile that the reference calls (0, 0). */
export function tile00(edge: number): { readonly x: number; readonly y: number } {
  return { x: 0, y: edge - 1 };
}

/** Software of the small programs computes addresses before it begins to measure. */
export const SMALL_PROGRAM = { 'tile.dma.addressCycles': 0 } as const;

/** Cases out of rows of the SoftHier measurements, a row each. */
export function softhierCases<T extends TSchema>(file: SofthierFile, kinds: readonly string[], schema: T, planOf: (row: SofthierRow & Static<T>, edge: number) => Plan): CaseSource {
  return {
    file,
    part: kinds.join(', '),
    cases: (references) => {
      const read = readSofthierAs(references, file, kinds, schema);
      return read?.rows.map((row) => caseOf(references, file, read.tool, row.id, [row], planOf)) ?? [];
    },
  };
}

/** Rows that are repeats of one region are one case: what is predicted is their mean. */
export function softhierRepeats<T extends TSchema>(file: SofthierFile, kinds: readonly string[], schema: T, planOf: (row: SofthierRow & Static<T>, edge: number) => Plan): CaseSource {
  return {
    file,
    part: kinds.join(', '),
    cases: (references) => {
      const read = readSofthierAs(references, file, kinds, schema);
      const repeats = new Map<string, (SofthierRow & Static<T>)[]>();
      for (const row of read?.rows ?? []) {
        const id = row.id.replace(/_r\d+$/, '');
        repeats.set(id, [...(repeats.get(id) ?? []), row]);
      }
      return [...repeats].map(([id, rows]) => caseOf(references, file, read!.tool, id, rows, planOf));
    },
  };
}

function caseOf<R extends SofthierRow>(references: References, file: SofthierFile, source: string, name: string, rows: readonly R[], planOf: (row: R, edge: number) => Plan): CaseDraft {
  const [row] = rows as [R];
  const timed = rows.flatMap(({ cycles }) => (typeof cycles === 'number' ? [cycles] : []));
  const expected = timed.length === 0 ? null : mean(timed);
  const machine = machines[row.machine];
  const plan = machine === undefined ? `Kerf has no preset for the machine "${row.machine}".` : expected === null ? 'The region was not timed.' : planOf(row, machine.edge);
  const what: PlannedRow = { what: '', unit: 'cycles', expected, tolerance: null, ours: null };
  if (typeof plan === 'string') return { name, source, fidelity: 'packet', steps: [], rows: [what], costSeconds: 0, notModelled: plan };
  const { list, tolerance, note, costSeconds = 0.3, idleLoads = 0, softwareCycles = 0, ...run } = plan;
  const { line, file: program } = programRun(references, { ...run, hardware: machine!.hardware });
  const frame = mean(rows.map((one) => emptyRegionCycles(references, file, one)));
  // A second repeat comes late enough for all refreshes to be done ahead.
  const waits = idleLoads * mean(rows.map(({ repetition = 1 }) => (repetition === 1 ? IDLE_REFRESH_CYCLES : LATER_REFRESH_CYCLES)));
  const notes = [`with the ${Math.round(frame)} cycles of an empty region`, ...(waits > 0 ? [`and ${Math.round(waits)} for refreshes of the idle time before`] : []), ...(softwareCycles > 0 ? [`and ${softwareCycles} of loop and time stamps`] : []), ...(rows.length > 1 ? [`mean of ${rows.length} repeats`] : []), ...(note === undefined ? [] : [note])];
  return {
    name, source, fidelity: 'packet', list, steps: [line], files: [program], costSeconds,
    rows: [{ ...what, tolerance: Math.max(tolerance.share, tolerance.cycles / expected!), ours: ([output]) => frame + waits + softwareCycles + cyclesOf(output), note: notes.join('; ') }],
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Columns of FP16 in one row of so many bytes. */
export function columnsOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / ELEMENT_BYTES));
}
