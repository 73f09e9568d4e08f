import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonFault } from './json-syntax.ts';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const damaged = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', ':', 'x', '01', '\n', '.', '-')).map(([text, at, scrap]) => {
  const cut = at % (text.length + 1);
  return text.slice(0, cut) + scrap + text.slice(cut + (at % 2));
});

test('there is a fault exactly where JSON.parse refuses', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), damaged, fc.string()), (text) => {
    expect(jsonFault(text) === undefined).toBe(parses(text));
  }), { numRuns: 2000 });
});

test.each([
  ['{"a": 1,}', 1, 9, 'a key in double quotes'],
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'a comma or }'],
  ['{\n  a: 1 }', 2, 3, 'a key in double quotes'],
  ['[1, 2,\n]', 2, 1, 'a value'],
  ['{"a" 1}', 1, 6, 'a colon'],
  ['', 1, 1, 'a value'],
  ['{} {}', 1, 4, 'the end of the file'],
  ['["ab', 1, 5, 'a closing double quote'],
  ['["\\x"]', 1, 3, 'a known escape such as \\n'],
])('%j fails in line %i, column %i, for want of %s', (text, line, column, expected) => {
  expect(jsonFault(text)).toEqual({ line, column, expected });
});
