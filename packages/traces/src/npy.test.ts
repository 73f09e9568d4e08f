import { memorySource } from '@kerf/arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readNpyHeader, type NpyType } from './npy-header.ts';
import { readNpyValues } from './npy-values.ts';
import { bytesOf } from './testing/files.ts';
import { npyFile, npyWithHeader } from './testing/npy-file.ts';

const integers: Readonly<Partial<Record<NpyType, fc.Arbitrary<number>>>> = {
  '|u1': fc.nat(255), '|i1': fc.integer({ min: -128, max: 127 }), '<u2': fc.nat(65535), '<i2': fc.integer({ min: -32768, max: 32767 }),
  '<i4': fc.integer(), '<i8': fc.maxSafeInteger(), '<f4': fc.float({ noNaN: true }),
};

test('what was written as an array is read back, whole or in pieces, in versions 1 and 2', () => {
  fc.assert(fc.property(fc.constantFrom(...(Object.keys(integers) as NpyType[])), fc.array(fc.nat(4), { maxLength: 4 }), fc.constantFrom(1 as const, 2 as const), fc.gen(), (type, shape, version, draw) => {
    const values = Array.from({ length: shape.reduce((product, length) => product * length, 1) }, () => draw(() => integers[type]!));
    const source = memorySource('a.npy', npyFile(type, shape, values, version));
    const header = readNpyHeader(source);
    expect(header).toMatchObject({ type, shape, values: values.length });
    const cut = Math.floor(values.length / 2);
    const read = [...readNpyValues(source, header, 0, cut), ...readNpyValues(source, header, cut, values.length - cut)];
    expect(read.map((value) => value + 0)).toEqual(values.map((value) => value + 0));
  }));
});

test('float16 is decoded', () => {
  const source = memorySource('a.npy', npyFile('<f2', [3], [0x3c00, 0x3800, 0xc000]));
  expect([...readNpyValues(source, readNpyHeader(source), 0, 3)]).toEqual([1, 0.5, -2]);
});

const header = (descr: string, order: string, shape: string): string => `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`;

test.each([
  ['other bytes', bytesOf('PK\x03\x04 and more'), 'TRACE_NPY_HEADER', /expected a NumPy array/],
  ['nothing', new Uint8Array(0), 'TRACE_NPY_HEADER', /expected a NumPy array/],
  ['the magic alone', bytesOf('\x93NUMPY'), 'TRACE_NPY_HEADER', /got the end of the file/],
  ['version 3', npyWithHeader(header("'|u1'", 'False', '(0,)'), undefined, 3), 'TRACE_NPY_HEADER', /expected format version 1 or 2, got 3/],
  ['a header that is cut off', npyWithHeader(header("'|u1'", 'False', '(0,)')).slice(0, 40), 'TRACE_NPY_HEADER', /ends after 30/],
  ['a prefix that is cut off', bytesOf('\x93NUMPY\x01\x00\x76'), 'TRACE_NPY_HEADER', /at least 10 bytes/],
  ['a header without end', bytesOf('\x93NUMPY\x01\x00\x02\x00{}'), 'TRACE_NPY_HEADER', /new line/],
  ['a huge header', bytesOf('\x93NUMPY\x02\x00\xff\xff\xff\x7f{}'), 'TRACE_NPY_HEADER', /at most 65536/],
  ['code', npyWithHeader('__import__("os").system("ls")'), 'TRACE_NPY_HEADER', /expected a header like/],
  ['a list', npyWithHeader('[1, 2]'), 'TRACE_NPY_HEADER', /the keys descr, fortran_order, shape/],
  ['a missing key', npyWithHeader("{'descr': '|u1', 'shape': (0,)}"), 'TRACE_NPY_HEADER', /got descr, shape/],
  ['an extra key', npyWithHeader("{'descr': '|u1', 'fortran_order': False, 'shape': (0,), 'x': 1}"), 'TRACE_NPY_HEADER', /got descr, fortran_order, shape, x/],
  ['big-endian values', npyWithHeader(header("'>u2'", 'False', '(0,)')), 'TRACE_NPY_TYPE', /big-endian/],
  ['Python objects', npyWithHeader(header("'|O'", 'False', '(0,)')), 'TRACE_NPY_TYPE', /Python objects/],
  ['a structure', npyWithHeader(header("[('a', '<f4')]", 'False', '(0,)')), 'TRACE_NPY_TYPE', /structure/],
  ['a type called constructor', npyWithHeader(header("'constructor'", 'False', '(0,)')), 'TRACE_NPY_TYPE', /one of/],
  ['Fortran order', npyWithHeader(header("'|u1'", 'True', '(0,)')), 'TRACE_NPY_ORDER', /ascontiguousarray/],
  ['a number as order', npyWithHeader(header("'|u1'", '0', '(0,)')), 'TRACE_NPY_HEADER', /True or False/],
  ['a number as shape', npyWithHeader(header("'|u1'", 'False', '3')), 'TRACE_NPY_HEADER', /tuple of whole numbers/],
  ['a text in the shape', npyWithHeader(header("'|u1'", 'False', "('a',)")), 'TRACE_NPY_HEADER', /tuple of whole numbers/],
  ['a huge shape', npyWithHeader(header("'|u1'", 'False', '(99999999, 99999999, 0)')), 'TRACE_NPY_HEADER', /at most 2\^45/],
  ['too little data', npyFile('<u2', [2, 2], [1, 2, 3, 4]).slice(0, -1), 'TRACE_NPY_LENGTH', /expected 136 bytes for <u2 \[2, 2\], got 135: it is truncated/],
  ['too much data', new Uint8Array([...npyFile('<u2', [1], [1]), 0]), 'TRACE_NPY_LENGTH', /more follows/],
])('%s: refused with file, expected and got', (_, bytes, code, message) => {
  const read = (): unknown => readNpyHeader(memorySource('bad.npy', bytes));
  expect(read).toThrow(expect.objectContaining({ name: 'TraceError', code }));
  expect(read).toThrow(/^bad\.npy: expected /);
  expect(read).toThrow(message);
});

test('a 64-bit integer beyond 2^53 is refused rather than rounded', () => {
  const bytes = npyFile('<i8', [2], [1, 2]);
  bytes[bytes.length - 1] = 0x40;
  const source = memorySource('a.npy', bytes);
  expect(() => readNpyValues(source, readNpyHeader(source), 0, 2)).toThrow(expect.objectContaining({ code: 'TRACE_NPY_VALUE' }));
});

test('a file that shrinks while it is read is refused', () => {
  const bytes = npyFile('<u2', [4], [1, 2, 3, 4]);
  const header = readNpyHeader(memorySource('a.npy', bytes));
  expect(() => readNpyValues(memorySource('a.npy', bytes.slice(0, -3)), header, 0, 4)).toThrow(expect.objectContaining({ code: 'TRACE_NPY_LENGTH' }));
});
