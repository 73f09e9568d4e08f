import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LiteralError, parsePythonLiteral } from './python-literal.ts';

test.each([
  ["{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), }   \n", new Map<string, unknown>([['descr', '<u2'], ['fortran_order', false], ['shape', [2, 3]]])],
  ['(5,)', [5]], ['()', []], ['[("a", "<f4"), ("b", "<i4")]', [['a', '<f4'], ['b', '<i4']]], ['True', true], ['{}', new Map()],
])('%s is parsed', (text, value) => {
  expect(parsePythonLiteral(text)).toEqual(value);
});

test.each([
  ['', /got the end/], ['(1, 2', /expected ',' or '\)'/], ['{1: 2}', /a string as key/], ["{'a': 1, 'a': 2}", /each key once/], ["{'a' 1}", /expected ':'/],
  ['1 + 1', /expected the end/], ['__import__("os")', /expected a dictionary/], ["'a\\'b'", /expected/], ['Trueish', /expected/], ['1.5', /expected/], ['-1', /expected/],
  ['12345678901234567890', /expected/], ['('.repeat(50), /plain array header/], ['(1 2)', /expected ','/],
])('%s is refused', (text, message) => {
  expect(() => parsePythonLiteral(text)).toThrow(message);
});

test('whatever comes is parsed or refused with a LiteralError', () => {
  const pieces = fc.array(fc.constantFrom("{", "}", "(", ")", "[", "]", "'a'", '"b"', ':', ',', '1', 'True', 'x', ' ', '\\', "'"), { maxLength: 12 });
  fc.assert(fc.property(pieces, (parts) => {
    try {
      parsePythonLiteral(parts.join(''));
    } catch (error) {
      expect(error).toBeInstanceOf(LiteralError);
    }
  }), { numRuns: 1000 });
});
