import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearestName, suggestion } from './nearest.ts';

const known = ['tokensPerDie', 'steps', 'trace', 'model'];

test.each([
  ['tokenPerDie', 'tokensPerDie'], ['TOKENSPERDIE', 'tokensPerDie'], ['step', 'steps'], ['tarce', 'trace'], ['mdoel', 'model'],
])('%s most likely means %s', (typed, meant) => {
  expect(nearestName(typed, known)).toBe(meant);
  expect(suggestion(typed, known)).toBe(` Did you mean "${meant}"?`);
});

test.each([['bandwidth'], ['xyz'], ['tokens']])('%s is close to nothing, and nothing is suggested', (typed) => {
  expect(nearestName(typed, known)).toBeUndefined();
  expect(suggestion(typed, known)).toBe('');
});

test('the gate is a third of the longer name: open at four of twelve letters, closed at five', () => {
  expect(nearestName('abcdefghWXYZ', ['abcdefghijkl'])).toBe('abcdefghijkl');
  expect(nearestName('abcdefgVWXYZ', ['abcdefghijkl'])).toBeUndefined();
});

test('a known name is nearest to itself, however many there are', () => {
  fc.assert(fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 1, selector: (name) => name.toLowerCase() }), fc.nat(), (names, pick) => {
    const name = names[pick % names.length]!;
    expect(nearestName(name, names)).toBe(name);
  }));
});

test('one mistake in a long name never hides it', () => {
  fc.assert(fc.property(fc.string({ minLength: 6, maxLength: 30, unit: fc.constantFrom(...'abcdefgh') }), fc.nat(), fc.constantFrom('', 'z', 'zz'), (name, at, instead) => {
    const cut = at % name.length;
    expect(nearestName(name.slice(0, cut) + instead + name.slice(cut + 1), [name])).toBe(name);
  }));
});
