import { KNOWN_PIPELINES, routerCycles } from '../reference/booksim.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import { meanHops, packetLatency, trafficCostSeconds, trafficLine, type MeshTraffic } from '../traffic-commands.ts';
import { zeroLoadCycles } from './noc-booksim.ts';

const TEXTBOOK = 'Dally & Towles, Principles and Practices of Interconnection Networks (2004)';
const SPARSE_CYCLES_PER_PACKET = 20_000;
const SPARSE_PACKETS = 16;

/** What can be computed by hand, computed by every fidelity. */
export const nocClosedForms: Suite = {
  name: 'noc-closed-forms',
  title: 'zero-load latency, single flow, ring all-reduce, all-to-all and bisection against formulas',
  built: true,
  fidelities: ['flit', 'packet', 'analytic', 'none'],
  tolerances: 'exact',
  sources: [],
  formulas: () => [...zeroLoad()],
};

/** A packet every 20,000 cycles somewhere on the mesh, so that none meets another: the same formula at every fidelity. */
function zeroLoad(): CaseDraft[] {
  const cases: CaseDraft[] = [];
  for (const fidelity of ['flit', 'packet', 'analytic'] as const) {
    for (const [pipeline, stages] of Object.entries(KNOWN_PIPELINES)) {
      for (const side of [4, 8, 16]) {
        for (const [pattern, packetFlits] of [['uniform', 1], ['transpose', 4], ['bitcomp', 16]] as const) {
          const flitRate = Number((packetFlits / (SPARSE_CYCLES_PER_PACKET * side * side)).toPrecision(3));
          const run: MeshTraffic = {
            columns: side, rows: side, fidelity, pattern, flitRate, packetFlits, virtualChannels: 1, bufferFlits: 16, pipeline, warmupCycles: 0, cycles: SPARSE_PACKETS * SPARSE_CYCLES_PER_PACKET, seed: 1,
          };
          cases.push({
            name: `zero load, ${side}x${side} ${pattern} ${pipeline} ${packetFlits} flit, ${fidelity}`, source: `${TEXTBOOK}, section 3.3: (H + 1) t_r + H + 3 + (P − 1)`, fidelity, costSeconds: trafficCostSeconds(run),
            steps: [trafficLine(run)],
            rows: [{
              what: '', unit: 'cycles', tolerance: 0, ours: ([output]) => packetLatency(output),
              expected: ([output]) => zeroLoadCycles(meanHops(output) - 1, packetFlits, routerCycles(stages)),
            }],
          });
        }
      }
    }
  }
  return cases;
}
