import type { Suite } from './suite.ts';
import { d2d } from './suites/d2d.ts';
import { nocBooksim } from './suites/noc-booksim.ts';
import { nocClosedForms } from './suites/noc-closed-forms.ts';
import { nocCollectives } from './suites/noc-collectives.ts';
import { nocPacketFlit } from './suites/noc-packet-flit.ts';
import { suitesNotBuilt } from './suites/not-built.ts';

/** All suites, from the network up. A new one gets a line here. */
export const suites: readonly Suite[] = [nocClosedForms, nocBooksim, nocPacketFlit, nocCollectives, d2d, ...suitesNotBuilt];
