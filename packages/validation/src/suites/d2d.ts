import { Type } from '@sinclair/typebox';
import { readFlatattention } from '../reference/flatattention.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { chipStreamLine, streamThroughput } from '../traffic-commands.ts';

const TOLERANCE = 0.05;
/** 40,000 packets: 80 windows and more. */
const BYTES = 10_240_000;

const rowSchema = Type.Object({
  latency: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Latency of the link, ns.' }),
  throughput: Type.Number({ exclusiveMinimum: 0, description: 'Throughput, GB/s.' }),
});

/** A die-to-die link whose window is smaller than bandwidth times round trip. */
export const d2d: Suite = {
  name: 'd2d',
  title: 'throughput of a die-to-die link against its latency',
  built: true,
  fidelities: ['packet'],
  tolerances: '5 %',
  sources: [{
    file: 'flatattention.json',
    part: 'd2d_link',
    cases: (references) => {
      const part = readFlatattention(references, 'd2d_link', rowSchema);
      return part?.rows.map(({ latency, throughput }): CaseDraft => ({
        name: `256 GB/s, window of 512 packets of 256 B, ${latency} ns`, source: part.source, fidelity: 'packet', costSeconds: 1, steps: [chipStreamLine(latency, BYTES)],
        rows: [{ what: '', unit: 'GB/s', expected: throughput, tolerance: TOLERANCE, ours: ([output]) => streamThroughput(output) }],
      })) ?? [];
    },
  }],
};
