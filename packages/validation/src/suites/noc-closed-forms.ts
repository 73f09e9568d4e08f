import { KNOWN_PIPELINES, routerCycles } from '../reference/booksim.ts';
import type { EventTraceName, References } from '../reference/references.ts';
import type { CaseDraft, Suite } from '../suite.ts';
import {
  bisectionBandwidth, boundOf, cyclesOf, eventsLine, hardwareLine, longestLatency, meanHops, MESH_FLIT_BYTES, meshStreamLine, packetLatency, streamThroughput, trafficLine,
} from '../traffic-commands.ts';
import { idealBounds } from './ideal-bounds.ts';
import { zeroLoadCycles } from './noc-booksim.ts';

const TEXTBOOK = 'Dally & Towles, Principles and Practices of Interconnection Networks (2004)';
const COLLECTIVES = 'Patarasuk & Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations (2009)';
const FIDELITIES = ['flit', 'packet', 'analytic'] as const;
/** Cycles of a router in pipeline B. */
const SHORT_ROUTER = routerCycles(KNOWN_PIPELINES['B']!);

/** What can be computed by hand. */
export const nocClosedForms: Suite = {
  name: 'noc-closed-forms',
  title: 'zero-load latency, single flow, ring all-reduce, all-to-all, busiest links and bisection against formulas',
  built: true,
  fidelities: ['flit', 'packet', 'analytic', 'none'],
  tolerances: 'exact',
  sources: [],
  formulas: (references) => [...zeroLoad(references), ...singleFlows(), ...rings(references), ...busiestLinks(), ...allToAll(), ...bisections()],
};

/** Packets of 1, 4 and 16 flits between five pairs of tiles, a thousand cycles apart: none meets another. */
function zeroLoad({ tracePath }: References): CaseDraft[] {
  const meanFlits = (1 + 4 + 16) / 3;
  return FIDELITIES.flatMap((fidelity) => Object.entries(KNOWN_PIPELINES).flatMap(([pipeline, stages]) => [4, 8, 16].map((side): CaseDraft => ({
    name: `zero-load latency, ${side}x${side}, pipeline ${pipeline}, ${fidelity}`,
    source: `${TEXTBOOK}, section 3.3: (H + 1) t_r + H + 3 + (P − 1)`,
    fidelity, costSeconds: 0.2,
    steps: [eventsLine(tracePath(`sparse-${side}x${side}.csv` as EventTraceName), { columns: side, rows: side, fidelity, packetFlits: 16, pipeline })],
    rows: [{
      what: '', unit: 'cycles', tolerance: 0, ours: ([output]) => packetLatency(output),
      expected: ([output]) => zeroLoadCycles(meanHops(output) - 1, meanFlits, routerCycles(stages)),
    }],
  }))));
}

/** One tile sends to another without end: the latency of the way, and then a flit per cycle. */
function singleFlows(): CaseDraft[] {
  const side = 8;
  const flits = 8000;
  const packetFlits = 8;
  return FIDELITIES.flatMap((fidelity) => ([[1, 1], [63, 14]] as const).map(([to, links]): CaseDraft => ({
    name: `single flow over ${links} ${links === 1 ? 'link' : 'links'}, ${fidelity}`,
    source: `${TEXTBOOK}, section 3.3: latency of the first packet, and a flit per cycle`,
    fidelity, costSeconds: 0.2,
    steps: [meshStreamLine({ columns: side, rows: side, fidelity, packetFlits, pipeline: 'B' }, 0, to, flits * MESH_FLIT_BYTES)],
    rows: [
      { what: 'whole', unit: 'cycles', tolerance: 0, expected: zeroLoadCycles(links, flits, SHORT_ROUTER), ours: ([output]) => cyclesOf(output) },
      { what: 'rate', unit: 'bytes/cycle', tolerance: 0, expected: MESH_FLIT_BYTES, ours: ([output]) => streamThroughput(output) },
    ],
  })));
}

/**
 * A ring all-reduce of V bytes per tile: every link of the ring carries 2 (n − 1) pieces of V / n, one behind the other. The
 * ring is laid over the mesh so that each of its steps is one link that no other uses.
 */
function rings({ tracePath }: References): CaseDraft[] {
  const pieceFlits = 8192 / MESH_FLIT_BYTES;
  return (['packet', 'analytic'] as const).flatMap((fidelity) => [4, 8].map((side): CaseDraft => ({
    name: `ring all-reduce over ${side * side} tiles, ${fidelity}`,
    source: `${COLLECTIVES}: 2 (n − 1)/n · V/B, here V = n · 8 KiB, and one way`,
    fidelity, costSeconds: 1,
    steps: [eventsLine(tracePath(`ring-${side}x${side}.csv` as EventTraceName), { columns: side, rows: side, fidelity, packetFlits: 8, pipeline: 'B' })],
    rows: [{
      what: '', unit: 'cycles', tolerance: 0, expected: zeroLoadCycles(1, 2 * (side * side - 1) * pieceFlits, SHORT_ROUTER), ours: ([output]) => longestLatency(output),
    }],
  })));
}

function estimateLine(pattern: string, side: number) {
  return trafficLine({
    columns: side, rows: side, fidelity: 'analytic', pattern, flitRate: 0.001, packetFlits: 1, virtualChannels: 1, bufferFlits: 8, pipeline: 'B', warmupCycles: 0, cycles: 1, seed: 1,
  });
}

/** The load at which a pattern fills its busiest link. */
function busiestLinks(): CaseDraft[] {
  return Object.entries(idealBounds).flatMap(([pattern, bound]) => [8, 16, 32].map((side): CaseDraft => ({
    name: `busiest link, ${side}x${side} ${pattern}`, source: `${TEXTBOOK}, section 3.3.1: channel load under X-then-Y routing`, fidelity: 'analytic', costSeconds: 0.1,
    steps: [estimateLine(pattern, side)],
    rows: [{ what: '', unit: 'flits/node/cycle', tolerance: 0, expected: bound(side), ours: ([output]) => boundOf(output) }],
  })));
}

/** Every tile sends V bytes, spread over all tiles: half of them cross the middle, over N links each way. */
function allToAll(): CaseDraft[] {
  return [8, 16, 32].map((side): CaseDraft => ({
    name: `all-to-all on ${side}x${side}`, source: `${TEXTBOOK}, section 3.3.1: N · V / (4 B), limited by the bisection`, fidelity: 'analytic', costSeconds: 0.1,
    steps: [estimateLine('uniform', side)],
    rows: [{ what: '', unit: 'cycles per flit of V', tolerance: 0, expected: side / 4, ours: ([output]) => 1 / boundOf(output) }],
  }));
}

/** Links over the middle of a die, times their bandwidth: 1024 bit at 1 GHz. */
function bisections(): CaseDraft[] {
  const terabyte = 1e12;
  return ([['flat-32x32', 32, 'Table I']] as const).map(([preset, links, where]): CaseDraft => ({
    name: `bisection of ${preset}`, source: `arXiv 2505.18824, ${where}: ${links} links of 1024 bit at 1 GHz`, fidelity: 'none', costSeconds: 0.1,
    steps: [hardwareLine(preset)],
    rows: [{ what: '', unit: 'TB/s', tolerance: 0, expected: (links * 128e9) / terabyte, ours: ([output]) => bisectionBandwidth(output) / terabyte }],
  }));
}
