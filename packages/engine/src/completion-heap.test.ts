import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompletionHeap } from './completion-heap.ts';

const entries = fc.array(fc.tuple(fc.nat(50), fc.nat(1000)), { maxLength: 300 });
const sorted = (list: readonly (readonly [number, number])[]): number[] => [...list].sort(([a, x], [b, y]) => a - b || x - y).map(([, operation]) => operation);

function drain(heap: CompletionHeap): number[] {
  const operations: number[] = [];
  while (heap.size > 0) operations.push(heap.pop());
  return operations;
}

test('operations come out by cycle, and by row within a cycle, as sorting would have it', () => {
  fc.assert(fc.property(entries, (list) => {
    const heap = new CompletionHeap();
    for (const [cycle, operation] of list) heap.push(cycle, operation);
    expect(heap.nextCycle).toBe(Math.min(Infinity, ...list.map(([cycle]) => cycle)));
    expect(drain(heap)).toEqual(sorted(list));
    expect(heap.nextCycle).toBe(Infinity);
  }));
});

test('taking some out in between changes nothing for the rest', () => {
  fc.assert(fc.property(entries, entries, fc.nat(300), (early, late, taken) => {
    const heap = new CompletionHeap();
    const left = [...early].sort(([a, x], [b, y]) => a - b || x - y);
    for (const [cycle, operation] of early) heap.push(cycle, operation);
    for (let i = 0; i < taken && heap.size > 0; i++) expect(heap.pop()).toBe(left.shift()![1]);
    for (const [cycle, operation] of late) heap.push(cycle, operation);
    expect(drain(heap)).toEqual(sorted([...left, ...late]));
  }));
});

test('saved and restored in a fresh heap, or in a used one, it goes on alike', () => {
  fc.assert(fc.property(entries, entries, (list, old) => {
    const heap = new CompletionHeap();
    for (const [cycle, operation] of list) heap.push(cycle, operation);
    const other = new CompletionHeap();
    for (const [cycle, operation] of old) other.push(cycle, operation);
    other.restore(heap.save());
    expect(drain(other)).toEqual(drain(heap));
  }));
});
