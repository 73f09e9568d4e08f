import { presetHardware, type Grid } from '@kerf/hardware';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dieOfLink, type CollectiveRow, type ExpertRow, type LinkRow } from './rows.ts';
import { PORT, ROUTER_KIND } from './tables.ts';
import { mergeTotals, mostLoadedExpert, phaseLatency, TotalsKeeper, type RunTotals } from './totals.ts';

const grid: Grid = presetHardware('flat-wafer-8');
const facts = { grid, layers: 3, experts: 4 };
const DIES = 8;

const places = fc.oneof(
  fc.record({ routerKind: fc.constant(ROUTER_KIND.tile), router: fc.nat(64 * DIES - 1), port: fc.nat(5) }),
  fc.record({ routerKind: fc.constant(ROUTER_KIND.hub), router: fc.nat(DIES - 1), port: fc.constantFrom(0, 1, 2, 3, 6, 7, 33) }),
);
const counts = fc.nat(3); // Small, so that ties are common.
const links: fc.Arbitrary<LinkRow> = fc.tuple(places, counts, counts).map(([place, busyCycles, bytes]) => ({ step: 0, layer: 0, phase: 0, bin: 0, ...place, busyCycles, bytes, packets: 1, creditStallCycles: 0, arbitrationStallCycles: 0 }));
const experts: fc.Arbitrary<ExpertRow> = fc.record({ step: fc.nat(2), layer: fc.nat(2), expert: fc.nat(3), die: fc.nat(DIES - 1), tokens: counts }).map((row) => ({ ...row, tiles: 1, startCycle: 0, endCycle: 0, busyCycles: 0, flops: 0 }));
const collectives: fc.Arbitrary<CollectiveRow> = fc.record({ step: fc.nat(2), layer: fc.nat(2), phase: fc.nat(1), die: fc.nat(DIES - 1), startCycle: fc.nat(50), cycles: fc.nat(50) })
  .map(({ cycles, ...row }) => ({ ...row, endCycle: row.startCycle + cycles, copiesSent: 0, copiesReceived: 0, bytesSent: 0, bytesReceived: 0, messagesSent: 0 }));
interface Rows { links: LinkRow[]; experts: ExpertRow[]; collectives: CollectiveRow[] }
const allRows: fc.Arbitrary<Rows> = fc.record({ links: fc.array(links, { maxLength: 30 }), experts: fc.array(experts, { maxLength: 20 }), collectives: fc.array(collectives, { maxLength: 20 }) });

function feed(keeper: TotalsKeeper, rows: Rows, keep: (die: number) => boolean = () => true): TotalsKeeper {
  for (const row of rows.links) if (keep(dieOfLink(grid, row))) keeper.link(row);
  for (const row of rows.experts) if (keep(row.die)) keeper.expert(row);
  for (const row of rows.collectives) if (keep(row.die)) keeper.collective(row);
  return keeper;
}

/** Totals of the dies that a cut gives to each of three processes. */
const cuts = fc.tuple(allRows, fc.array(fc.nat(2), { minLength: DIES, maxLength: DIES })).map(([rows, owner]) => ({
  whole: feed(new TotalsKeeper(facts), rows).totals(),
  parts: [0, 1, 2].map((rank) => feed(new TotalsKeeper(facts), rows, (die) => owner[die] === rank).totals()) as [RunTotals, RunTotals, RunTotals],
}));

test('totals of any cut merge, in any order, into those of one process', () => {
  fc.assert(fc.property(cuts, ({ whole, parts: [a, b, c] }) => {
    expect(mergeTotals(mergeTotals(a, b), c)).toEqual(whole);
    expect(mergeTotals(a, mergeTotals(b, c))).toEqual(whole);
    expect(mergeTotals(mergeTotals(c, a), b)).toEqual(whole);
  }));
});

test('the totals of nothing change nothing', () => {
  fc.assert(fc.property(allRows, (rows) => {
    const totals = feed(new TotalsKeeper(facts), rows).totals();
    expect(mergeTotals(totals, new TotalsKeeper(facts).totals())).toEqual(totals);
  }));
});

test('saved anywhere and restored, a keeper goes on as if nothing had been', () => {
  fc.assert(fc.property(allRows, allRows, (before, after) => {
    const keeper = feed(new TotalsKeeper(facts), before);
    const state = structuredClone(keeper.save());
    const straight = feed(keeper, after).totals();
    expect(feed(TotalsKeeper.restore(facts, state), after).totals()).toEqual(straight);
  }));
});

test('the busiest link is the one with the largest sum over all its rows', () => {
  fc.assert(fc.property(allRows, ({ links: rows }) => {
    const sums = new Map<string, { routerKind: number; router: number; port: number; busyCycles: number; bytes: number }>();
    for (const { routerKind, router, port, busyCycles, bytes } of rows) {
      const key = [routerKind, router, port].join();
      const sum = sums.get(key) ?? { routerKind, router, port, busyCycles: 0, bytes: 0 };
      sums.set(key, { ...sum, busyCycles: sum.busyCycles + busyCycles, bytes: sum.bytes + bytes });
    }
    const [expected = null] = [...sums.values()].filter(({ busyCycles }) => busyCycles > 0).sort((a, b) => b.busyCycles - a.busyCycles || a.routerKind - b.routerKind || a.router - b.router || a.port - b.port);
    expect(feed(new TotalsKeeper(facts), { links: rows, experts: [], collectives: [] }).totals().busiestLink).toEqual(expected);
  }));
});

test('a phase lasts from the first die that begins to the last that ends', () => {
  const keeper = new TotalsKeeper(facts);
  const row = { copiesSent: 0, copiesReceived: 0, bytesSent: 0, bytesReceived: 0, messagesSent: 0 };
  keeper.collective({ step: 0, layer: 0, phase: 0, die: 0, startCycle: 100, endCycle: 150, ...row });
  keeper.collective({ step: 0, layer: 0, phase: 0, die: 1, startCycle: 90, endCycle: 120, ...row });
  keeper.collective({ step: 2, layer: 1, phase: 0, die: 1, startCycle: 500, endCycle: 600, ...row });
  expect(phaseLatency(keeper.totals(), 'dispatch')).toEqual({ kernels: 2, meanCycles: 80, maxCycles: 100, maxStep: 2, maxLayer: 1 });
  expect(phaseLatency(keeper.totals(), 'combine')).toBeUndefined();
});

test('the most loaded expert is compared with its own layer', () => {
  const keeper = new TotalsKeeper(facts);
  const row = { tiles: 1, startCycle: 0, endCycle: 0, busyCycles: 0, flops: 0, die: 0 };
  expect(mostLoadedExpert(keeper.totals())).toBeUndefined();
  for (const [step, layer, expert, tokens] of [[0, 0, 1, 5], [0, 2, 3, 4], [1, 2, 3, 4], [0, 2, 0, 2]] as const) keeper.expert({ step, layer, expert, tokens, ...row });
  expect(mostLoadedExpert(keeper.totals())).toEqual({ layer: 2, expert: 3, tokens: 8, meanTokens: 2.5 });
});

test('rows of no layer or expert of the model, and totals of two models, are bugs', () => {
  const keeper = new TotalsKeeper(facts);
  const expert = { step: 0, layer: 0, expert: 4, die: 0, tokens: 1, tiles: 1, startCycle: 0, endCycle: 0, busyCycles: 0, flops: 0 };
  expect(() => keeper.expert(expert)).toThrow('expert 4 of layer 0');
  expect(() => keeper.collective({ step: 0, layer: 3, phase: 0, die: 0, startCycle: 0, endCycle: 0, copiesSent: 0, copiesReceived: 0, bytesSent: 0, bytesReceived: 0, messagesSent: 0 })).toThrow('layer 3');
  expect(() => mergeTotals(keeper.totals(), new TotalsKeeper({ ...facts, experts: 5 }).totals())).toThrow(expect.objectContaining({ code: 'TOTALS_MISMATCH' }));
  expect(() => TotalsKeeper.restore({ ...facts, experts: 5 }, keeper.save())).toThrow(expect.objectContaining({ code: 'RESULTS_BAD_STATE' }));
  expect(PORT.firstGateway).toBe(6);
});
