import type { Suite } from './suite.ts';
import { barrier } from './suites/barrier.ts';
import { d2d } from './suites/d2d.ts';
import { dma } from './suites/dma.ts';
import { gemm } from './suites/gemm.ts';
import { l1 } from './suites/l1.ts';
import { matrixEngine } from './suites/matrix-engine.ts';
import { memory } from './suites/memory.ts';
import { nocBooksim } from './suites/noc-booksim.ts';
import { nocClosedForms } from './suites/noc-closed-forms.ts';
import { nocCollectives } from './suites/noc-collectives.ts';
import { nocPacketFlit } from './suites/noc-packet-flit.ts';
import { suitesNotBuilt } from './suites/not-built.ts';
import { unicast } from './suites/unicast.ts';
import { vectorEngine } from './suites/vector-engine.ts';

/** All suites, from the network up. A new one gets a line here. */
export const suites: readonly Suite[] = [nocClosedForms, nocBooksim, nocPacketFlit, nocCollectives, d2d, barrier, unicast, dma, l1, memory, matrixEngine, vectorEngine, gemm, ...suitesNotBuilt];
