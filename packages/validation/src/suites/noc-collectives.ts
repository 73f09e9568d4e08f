import { Type } from '@sinclair/typebox';
import { readFlatattention } from '../reference/flatattention.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { collectiveLine, cyclesOf, type Collective } from '../traffic-commands.ts';
import type { CommandOutput } from '../planned-case.ts';

const TOLERANCE = 0.05;
const HARDWARE = 'floonoc-4x4';
const FIT = 'RTL fit of collective-capable FlooNoC, arXiv 2603.26438';
/**
 * The authors' simulator writes the last burst of a transfer into L1 once it is complete, 512 bytes per cycle (gvsoc/gvsoc-pulp, iDMA). The 25
 * cycles of ejection come from transfers that end with a full burst of 4 KiB, so they hold its 8 cycles: 17 are left.
 */
const LANDING_BYTES = 512;
const EJECTION_CYCLES = 25 - 4096 / LANDING_BYTES;
const KIBIBYTES = [1, 2, 4, 8, 16, 32] as const;
const BEAT_BYTES = 64;
/** Columns × rows of clusters; a multicast is addressed by masks, so each is a power of two. */
const REGIONS = [[2, 1], [4, 1], [1, 2], [1, 4], [2, 2], [4, 2], [2, 4], [4, 4]] as const;

const rowSchema = Type.Object({
  KiB: Type.Number({ exclusiveMinimum: 0, maximum: 1024, description: 'Bytes per contributor, in KiB.' }),
  rtl: Type.Number({ exclusiveMinimum: 0, description: 'Cycles of the RTL.' }),
  model: Type.Number({ exclusiveMinimum: 0, description: "Cycles of the authors' own simulator." }),
});

/** Multicast, reduction and barrier inside the network. */
export const nocCollectives: Suite = {
  name: 'noc-collectives',
  title: 'multicast, reduction and barrier inside the network against RTL',
  built: true,
  fidelities: ['packet'],
  tolerances: '5 %',
  referenceOptions: ['--set', 'hardware.reduction.startCycles=0', '--set', 'hardware.reduction.pageGapCycles=0', '--set', `hardware.reduction.landingBytesPerCycle=${LANDING_BYTES}`, '--set', `hardware.ejectionLink.cycles=${EJECTION_CYCLES}`],
  sources: [{
    file: 'flatattention.json',
    part: 'noc_reduction',
    cases: (references) => {
      const part = readFlatattention(references, 'noc_reduction', rowSchema);
      if (part === undefined) return [];
      return part.rows.flatMap(({ KiB, rtl, model }) => [
        rowReduction(KiB, rtl, 'rtl', part.source),
        rowReduction(KiB, model, 'model', part.source),
      ]);
    },
  }],
  formulas: () => [...multicasts(), ...reductionRates(), barriers()],
};

/** The RTL by default, with its fixed cost and its gap per page; the authors' model with ideal bursts that land when complete. */
function rowReduction(kibibytes: number, cycles: number, column: 'rtl' | 'model', source: string): CaseDraft {
  return {
    name: `row sum of 4x1, ${kibibytes} KiB, ${column}`, source, fidelity: 'packet', list: column === 'rtl' ? 'ours' : 'reference-options', costSeconds: 0.2,
    steps: [line({ collective: 'reduce', columns: 4, rows: 1, bytes: kibibytes * 1024 })],
    rows: [{ what: '', unit: 'cycles', expected: cycles, tolerance: TOLERANCE, ours: ([output]) => cyclesOf(output) }],
  };
}

/** T = 30 + L + (c − 1) + (r − 1), L beats of 64 bytes, c × r clusters. */
function multicasts(): CaseDraft[] {
  return REGIONS.flatMap(([columns, rows]) => KIBIBYTES.map((kibibytes): CaseDraft => ({
    name: `multicast to ${columns}x${rows}, ${kibibytes} KiB`, source: `${FIT}: T = 30 + L + (c − 1) + (r − 1)`, fidelity: 'packet', costSeconds: 0.2,
    steps: [line({ collective: 'multicast', columns, rows, bytes: kibibytes * 1024 })],
    rows: [{ what: '', unit: 'cycles', expected: multicastCycles(columns, rows, kibibytes * 1024), tolerance: TOLERANCE, ours: ([output]) => cyclesOf(output) }],
  })));
}

/** Cycles of a multicast to columns × rows clusters by the RTL fit. */
export function multicastCycles(columns: number, rows: number, bytes: number): number {
  return 30 + Math.ceil(bytes / BEAT_BYTES) + (columns - 1) + (rows - 1);
}

/** Cycles per beat come from the difference of 16 and 32 KiB, which leaves fixed costs out; the ratio from 32 KiB as a whole. */
function reductionRates(): CaseDraft[] {
  const sizes = [16 * 1024, 32 * 1024] as const;
  const beats = (sizes[1] - sizes[0]) / BEAT_BYTES;
  const rate = ([shorter, longer]: readonly CommandOutput[]) => (cyclesOf(longer) - cyclesOf(shorter)) / beats;
  const steps = (columns: number, rows: number) => sizes.map((bytes) => line({ collective: 'reduce', columns, rows, bytes }));
  const perBeat = (columns: number, rows: number, expected: number): CaseDraft => ({
    name: `reduction over ${columns}x${rows}, cycles per beat`, source: `${FIT}: two inputs per router and cycle`, fidelity: 'packet', list: 'reference-options', costSeconds: 0.4,
    steps: steps(columns, rows),
    rows: [{ what: '', unit: 'cycles/beat', expected, tolerance: TOLERANCE, ours: rate }],
  });
  return [
    perBeat(4, 1, 1),
    perBeat(4, 4, 2),
    {
      name: 'reduction of 32 KiB, 4x4 against 4x1', source: `${FIT}: 1.9 times slower at 32 KiB`, fidelity: 'packet', costSeconds: 0.4,
      steps: [line({ collective: 'reduce', columns: 4, rows: 4, bytes: sizes[1] }), line({ collective: 'reduce', columns: 4, rows: 1, bytes: sizes[1] })],
      rows: [{ what: '', unit: 'times', expected: 1.9, tolerance: TOLERANCE, ours: ([square, row]) => cyclesOf(square) / cyclesOf(row) }],
    },
  ];
}

/** Cycles per cluster are the slope of a straight line through 2 to 16 clusters. */
function barriers(): CaseDraft {
  const regions = [[2, 1], [4, 1], [4, 2], [4, 4]] as const;
  const clusters = regions.map(([columns, rows]) => columns * rows);
  return {
    name: 'hardware barrier, 2 to 16 clusters', source: `${FIT}: 1.3 cycles per cluster`, fidelity: 'packet', costSeconds: 0.4,
    steps: regions.map(([columns, rows]) => line({ collective: 'barrier', columns, rows, bytes: 0 })),
    rows: [{
      what: '', unit: 'cycles/cluster', expected: 1.3, tolerance: TOLERANCE, ours: (outputs) => slope(clusters, outputs.map(cyclesOf)),
      note: (outputs) => outputs.map((output, i) => `${clusters[i]!}: ${cyclesOf(output)} cycles`).join(', '),
    }],
  };
}

function line(collective: Omit<Collective, 'hardware'>) {
  return collectiveLine({ hardware: HARDWARE, ...collective }, 'packet');
}

/** Slope of the straight line with the least squares through the points. */
export function slope(x: readonly number[], y: readonly number[]): number {
  const meanX = x.reduce((sum, value) => sum + value, 0) / x.length;
  const meanY = y.reduce((sum, value) => sum + value, 0) / y.length;
  const covariance = x.reduce((sum, value, i) => sum + (value - meanX) * (y[i]! - meanY), 0);
  return covariance / x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
}
