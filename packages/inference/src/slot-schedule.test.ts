import fc from 'fast-check';
import type { RoutingTrace } from '@kerf/traces';
import { expect, test } from 'vitest';
import { scheduleSlots, tokensOfStep } from './slot-schedule.ts';

/** A trace of requests with these numbers of prompt and decode tokens; what they chose does not matter here. */
function traceOf(lengths: readonly (readonly [prompt: number, decode: number])[]): RoutingTrace {
  let firstRow = 0;
  const requests = lengths.map(([prefillTokens, decode], request) => {
    const entry = { request, firstRow, tokens: prefillTokens + decode, firstPosition: 0, prefillTokens };
    firstRow += entry.tokens;
    return entry;
  });
  return { name: 'lengths', model: 'none', layers: 1, experts: 1, topK: 1, tokens: firstRow, expertIds: new Uint16Array(firstRow), weights: undefined, requests, origin: 'synthetic', provenance: {} };
}

const lengths = fc.array(fc.tuple(fc.nat(3), fc.nat(6)), { minLength: 1, maxLength: 12 }).filter((all) => all.some(([, decode]) => decode > 0));

test('without cycling every decode row is replayed exactly once, request after request, and then nothing', () => {
  fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 12 }), (all, wanted) => {
    const decoding = all.filter(([, decode]) => decode > 0).length;
    const trace = traceOf(all);
    const schedule = scheduleSlots(trace, Math.min(wanted, decoding), 1);
    expect(schedule.cycled).toBe(false);
    const seen: number[] = [];
    const rowsOfSlot: number[][] = Array.from({ length: schedule.slots }, () => []);
    for (let step = 0; step < schedule.liveSteps; step++) {
      const { slot, row } = tokensOfStep(schedule, step);
      expect(slot.length).toBeGreaterThan(0);
      expect([...slot]).toEqual([...new Set(slot)].sort((a, b) => a - b));
      slot.forEach((s, token) => rowsOfSlot[s]!.push(row[token]!));
      seen.push(...row);
    }
    const expected = trace.requests.flatMap((r) => Array.from({ length: r.tokens - r.prefillTokens! }, (_, i) => r.firstRow + r.prefillTokens! + i));
    expect(seen.sort((a, b) => a - b)).toEqual(expected);
    for (const rows of rowsOfSlot) expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    expect(tokensOfStep(schedule, schedule.liveSteps).slot).toHaveLength(0);
  }));
});

test('with more slots than requests every slot is live at every step and wraps round its own request', () => {
  fc.assert(fc.property(lengths, fc.integer({ min: 1, max: 9 }), fc.maxSafeNat(), (all, more, seed) => {
    const trace = traceOf(all);
    const decoding = trace.requests.filter((r) => r.tokens > r.prefillTokens!);
    const schedule = scheduleSlots(trace, decoding.length + more, seed);
    expect(schedule.cycled).toBe(true);
    expect(schedule.liveSteps).toBe(Infinity);
    for (let step = 0; step < 15; step++) {
      const { slot, row } = tokensOfStep(schedule, step);
      const next = tokensOfStep(schedule, step + 1).row;
      expect([...slot]).toEqual([...Array(schedule.slots).keys()]);
      row.forEach((r, s) => {
        const request = decoding[s % decoding.length]!;
        const first = request.firstRow + request.prefillTokens!;
        const end = request.firstRow + request.tokens;
        if (step === 0 && s < decoding.length) expect(r).toBe(first);
        expect(r >= first && r < end).toBe(true);
        expect(next[s]).toBe(r + 1 === end ? first : r + 1);
      });
    }
  }));
});

test('slots equal to requests are not cycled, one more is; start offsets follow the seed', () => {
  const trace = traceOf([[0, 400], [2, 300], [0, 500]]);
  expect(scheduleSlots(trace, 3, 1).cycled).toBe(false);
  expect(scheduleSlots(trace, 4, 1).cycled).toBe(true);
  const offsets = (seed: number) => [...scheduleSlots(trace, 9, seed).offset];
  expect(offsets(1)).toEqual(offsets(1));
  expect(offsets(1)).not.toEqual(offsets(2));
  expect(offsets(1).slice(0, 3)).toEqual([0, 0, 0]);
});

test('a trace of prompts alone cannot be replayed', () => {
  expect(() => scheduleSlots(traceOf([[4, 0], [2, 0]]), 1, 1)).toThrow('Trace lengths has 2 requests and no decode token among them');
});
